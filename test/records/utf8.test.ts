import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cutUtf8, utf8Bytes } from '../../src/records/utf8.ts';

const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
const encoded = (text: string) => new TextEncoder().encode(text).length;

it('counts the bytes an encoder would write, lone surrogates included', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: 'grapheme' })), (text) => {
      expect(utf8Bytes(text)).toBe(encoded(text));
    }),
  );
});

it('cuts at the last character that fits', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 60 }), (text, maxBytes) => {
      const cut = cutUtf8(text, maxBytes);
      expect(text.startsWith(cut)).toBe(true);
      expect(encoded(cut)).toBeLessThanOrEqual(maxBytes);
      const [next] = text.slice(cut.length);
      if (next !== undefined) expect(encoded(cut) + encoded(next)).toBeGreaterThan(maxBytes);
    }),
  );
});
