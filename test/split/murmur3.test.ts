import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { murmur3 } from '../../src/split/murmur3.ts';
import vectors from '../vectors/assignment.json' with { type: 'json' };

/** The reference algorithm over bytes, written for plainness and not for speed. */
function reference(text: string, seed: number): number {
  const bytes = new TextEncoder().encode(text);
  const scramble = (k: number): number => {
    const mixed = Math.imul(k, 0xcc9e2d51);
    return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  };
  const whole = bytes.length - (bytes.length % 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let h = seed | 0;
  for (let at = 0; at < whole; at += 4) {
    h ^= scramble(view.getInt32(at, true));
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= whole; at--) tail = (tail << 8) | bytes[at]!;
  if (whole < bytes.length) h ^= scramble(tail);
  h ^= bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

describe('murmur3', () => {
  it.each(vectors.murmur3)('gives the published value of "$text" under seed $seed', ({ text, seed, hash }) => {
    expect(murmur3(text, seed)).toBe(hash);
  });

  it('hashes the UTF-8 bytes of any text, lone surrogates as U+FFFD', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 24 });
    const text = fc.oneof(
      units.map((codes) => String.fromCharCode(...codes)),
      fc.string({ unit: 'binary', maxLength: 24 }),
      fc.string({ unit: 'binary-ascii', maxLength: 24 }),
    );
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 0xffffffff }), (value, seed) => {
        expect(murmur3(value, seed)).toBe(reference(value, seed));
      }),
      { numRuns: 2_000 },
    );
  });

  it('meets every kind of character at every place of a block', () => {
    for (const character of ['a', '\x7f', '\x80', 'é', '\u07ff', '\u0800', '用', '\uffff', '😀', '\ud800', '\udc00']) {
      for (let before = 0; before < 9; before++) {
        for (let after = 0; after < 5; after++) {
          const text = 'x'.repeat(before) + character + 'y'.repeat(after);
          expect(murmur3(text), JSON.stringify(text)).toBe(reference(text, 0));
        }
      }
    }
  });
});
