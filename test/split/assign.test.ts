import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Arm, armsOf, assign } from '../../src/split/assign.ts';
import { murmur3 } from '../../src/split/murmur3.ts';
import vectors from '../vectors/assignment.json' with { type: 'json' };

const NAMES = ['blue', 'green', 'canary', 'v4', 'v5'];

function armsFrom(weights: readonly number[]): Arm[] {
  return armsOf(Object.fromEntries(weights.map((weight, index) => [NAMES[index]!, weight / 100])));
}

/** Weights of `count` variants in hundredths of a percent that sum to 10,000; some may be 0. */
function weightSets(count: number): fc.Arbitrary<number[]> {
  const cuts = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 10_000 })), {
    minLength: count - 1,
    maxLength: count - 1,
  });
  return cuts.map((points) => {
    const ends = [...points.sort((a, b) => a - b), 10_000];
    return ends.map((end, index) => end - (index === 0 ? 0 : ends[index - 1]!));
  });
}

describe('assignment vectors', () => {
  it.each(vectors.vectors)('$salt/$route/$unit under $weights goes to $variant', (vector) => {
    for (const [variant, hash] of Object.entries(vector.hashes)) {
      expect(murmur3(`${vector.salt}/${vector.route}/${variant}/${vector.unit}`)).toBe(hash);
    }
    const weights: Record<string, number> = Object.fromEntries(Object.entries(vector.weights));
    expect(assign(vector.salt, vector.route, vector.unit, armsOf(weights))).toBe(vector.variant);
  });
});

describe('armsOf', () => {
  it('reckons percent in integers and leaves variants without weight out', () => {
    expect(armsOf({ blue: 99.99, green: 0.01, canary: 0 })).toEqual([
      { variant: 'blue', weight: 9999 },
      { variant: 'green', weight: 1 },
    ]);
    expect(armsOf({ a: 33.33, b: 33.33, c: 33.34 }).reduce((sum, arm) => sum + arm.weight, 0)).toBe(10_000);
    expect(armsOf({ a: 0.29, b: 99.71 }).map((arm) => arm.weight)).toEqual([29, 9971]);
  });
});

describe('assign', () => {
  it('gives everyone the only variant that has weight', () => {
    expect(assign('', 'r', 'anyone', armsOf({ blue: 0, green: 100 }))).toBe('green');
  });

  it('takes the first in document order when two variants score alike', () => {
    const seen = new Map<number, string>();
    let twins: [string, string] | undefined;
    // 400,000 names under 2^32 hashes: some eighteen pairs meet.
    for (let index = 0; index < 400_000 && twins === undefined; index++) {
      const hash = murmur3(`/r/v${index}/u`);
      const twin = seen.get(hash);
      if (twin !== undefined) twins = [twin, `v${index}`];
      seen.set(hash, `v${index}`);
    }
    const [first, second] = twins!;
    expect(assign('', 'r', 'u', armsOf({ [first]: 50, [second]: 50 }))).toBe(first);
    expect(assign('', 'r', 'u', armsOf({ [second]: 50, [first]: 50 }))).toBe(second);
  });

  it('refuses to choose among no variants', () => {
    expect(() => assign('', 'r', 'u', [])).toThrow();
  });

  it('does not depend on the order in which the document names the variants', () => {
    fc.assert(
      fc.property(fc.string(), weightSets(4), (unit, weights) => {
        const arms = armsFrom(weights);
        expect(assign('s', 'r', unit, [...arms].reverse())).toBe(assign('s', 'r', unit, arms));
      }),
    );
  });

  it('draws other people into the canary under another salt', () => {
    const arms = armsOf({ blue: 90, green: 10 });
    let both = 0;
    let first = 0;
    for (let index = 0; index < 100_000; index++) {
      if (assign('r-1', 'chat', `u-${index}`, arms) !== 'green') continue;
      first++;
      if (assign('r-2', 'chat', `u-${index}`, arms) === 'green') both++;
    }
    expect(both / first).toBeGreaterThan(0.08);
    expect(both / first).toBeLessThan(0.12);
  });
});

describe('a ramp of two variants', () => {
  const steps = Array.from({ length: 100 }, (_, index) => armsOf({ blue: 99 - index, green: index + 1 }));
  const unit = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.uuid(), fc.emailAddress());

  it('never moves a unit back to the baseline on the way from 1 to 100 %', () => {
    fc.assert(
      fc.property(fc.string(), unit, (salt, who) => {
        const path = steps.map((arms) => assign(salt, 'chat', who, arms));
        const start = path.indexOf('green');
        expect(start).toBeGreaterThanOrEqual(0);
        expect(path.slice(start).every((variant) => variant === 'green')).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it('brings back exactly the same first units when it falls from 100 to 1 %', () => {
    const units = Array.from({ length: 20_000 }, (_, index) => `user-${index * 7919}@example.com`);
    const firstUnits = (): string[] => units.filter((who) => assign('', 'chat', who, steps[0]!) === 'green');
    const before = firstUnits();
    let held = new Set(units);
    for (const arms of [...steps].reverse()) {
      const next = new Set(units.filter((who) => assign('', 'chat', who, arms) === 'green'));
      expect([...next].filter((who) => !held.has(who))).toEqual([]);
      held = next;
    }
    expect(before.length).toBeGreaterThan(100);
    expect([...held]).toEqual(before);
  });
});

describe('a change of three to five variants', () => {
  it('moves at most 2·TV/(1+TV) of the units', () => {
    const pair = fc.integer({ min: 3, max: 5 }).chain((count) => fc.tuple(weightSets(count), weightSets(count)));
    const units = 10_000;
    fc.assert(
      fc.property(pair, fc.integer(), ([from, to], salt) => {
        const distance = from.reduce((sum, weight, index) => sum + Math.abs(weight - to[index]!), 0) / 20_000;
        const bound = (2 * distance) / (1 + distance);
        const [armsBefore, armsAfter] = [armsFrom(from), armsFrom(to)];
        let moved = 0;
        for (let index = 0; index < units; index++) {
          const unit = `u-${index}`;
          if (assign(`${salt}`, 'r', unit, armsBefore) !== assign(`${salt}`, 'r', unit, armsAfter)) moved++;
        }
        // Five standard errors of sampling: about one run in millions would fail by chance.
        expect(moved / units).toBeLessThanOrEqual(bound + 5 * Math.sqrt((bound * (1 - bound)) / units));
      }),
      { numRuns: 60, seed: 20261123 },
    );
  });
});
