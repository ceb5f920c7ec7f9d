import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { parseSplit, parseWeights } from '../../src/config/split.ts';
import { hundredths } from '../../src/config/weights.ts';
import { routeOf, routeWith } from './sample.ts';

const example = readFileSync(fileURLToPath(new URL('./example-config.json', import.meta.url).href), 'utf8');

/** Whatever comes in, the answer is a config whose weights sum to 100, or faults that say something. */
function check(text: string): boolean {
  const parsed = parseConfig(text, { unknownKeys: 'warn', secrets: () => true, adminHost: 'admin.example.com' });
  if (!parsed.ok) {
    expect(parsed.error.length).toBeGreaterThan(0);
    for (const fault of parsed.error) {
      expect(
        [fault.path, fault.reason, fault.mend].every((part) => part.length > 0 && !part.includes('undefined')),
      ).toBe(true);
    }
    return false;
  }
  for (const route of parsed.value.config.routes) {
    const weights = Object.values(route.weights).map(hundredths);
    expect(Object.keys(route.weights)).toEqual(Object.keys(route.variants));
    expect(weights.reduce((sum, weight) => (sum ?? 0) + (weight ?? Number.NaN), 0)).toBe(10_000);
    expect(Object.hasOwn(route.variants, route.baseline)).toBe(true);
  }
  return true;
}

/** Every place in a document, as lists of keys. */
function places(value: unknown, above: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [above];
  const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [above, ...keys.flatMap((key) => places((value as never)[key], [...above, key]))];
}

function replaced(document: unknown, keys: (string | number)[], by: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined) return by;
  const copy: Record<string, unknown> = Array.isArray(document)
    ? ([...document] as never)
    : { ...(document as object) };
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

describe('parsing', () => {
  it('never throws on any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => void check(text)),
      {
        numRuns: 2_000,
      },
    );
  });

  it('never throws when any one value of the example is replaced by anything', () => {
    const document: unknown = JSON.parse(example);
    const anywhere = fc.constantFrom(...places(document));
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(-0, '', [], {}, [[]], [{}], { __proto__: null, toString: 1 }, 'constructor', '*', '/'),
    );
    fc.assert(
      fc.property(anywhere, odd, (keys, value) => void check(JSON.stringify(replaced(document, keys, value)))),
      { numRuns: 3_000 },
    );
  });

  it('never throws when the example is cut or changed at any character, and finds a place for what is no JSON', () => {
    fc.assert(
      fc.property(fc.nat(example.length), fc.string({ maxLength: 2 }), fc.nat(3), (at, inserted, dropped) => {
        check(example.slice(0, at));
        check(example.slice(0, at) + inserted + example.slice(at + dropped));
      }),
      { numRuns: 1_000 },
    );
  });

  it('accepts only weights that sum to exactly 100, and all that do', () => {
    const weights = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.integer({ min: 0, max: 10_000 }));
    fc.assert(
      fc.property(weights, fc.boolean(), (shares, completed) => {
        const sum = Object.values(shares).reduce((total, share) => total + share, 0);
        const whole = completed && sum < 10_000 ? { ...shares, f: 10_000 - sum } : shares;
        const total = Object.values(whole).reduce((all, share) => all + share, 0);
        const percent = Object.fromEntries(Object.entries(whole).map(([name, share]) => [name, share / 100]));
        const variants = Object.fromEntries('abcdef'.split('').map((name) => [name, { service: 'S' }]));
        const text = JSON.stringify({ routes: [{ name: 'r', variants, weights: percent }] });
        expect(check(text)).toBe(total === 10_000);
      }),
      { numRuns: 1_000 },
    );
  });

  it('never throws on any split or weights by hand', () => {
    const route = routeOf(routeWith());
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(typeof parseSplit(text).ok).toBe('boolean');
        expect(typeof parseWeights(text, route).ok).toBe('boolean');
      }),
      { numRuns: 1_000 },
    );
  });
});
