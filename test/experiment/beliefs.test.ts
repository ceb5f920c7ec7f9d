import { describe, expect, it } from 'vitest';
import { addDuration, emptyHistogram, encodeHistogram } from '../../src/analysis/histogram.ts';
import { beliefsOf, quantilesOf } from '../../src/experiment/beliefs.ts';

const arms = { blue: { n: 1_000, bad: 100 }, green: { n: 1_000, bad: 140 }, red: { n: 1_000, bad: 90 } };

describe('what is believed of arms', () => {
  it('is a chance that one is the best of all, and what it would lose', () => {
    const found = beliefsOf(arms, 'increase', new Map());
    const chances = Object.values(found).map(({ pBest }) => pBest);
    expect(chances.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 6);
    expect(found.green!.pBest).toBeGreaterThan(0.99);
    expect(found.red!.expectedLoss).toBeCloseTo(0.05, 2);
  });

  it('turns round where less is better', () => {
    const found = beliefsOf(arms, 'decrease', new Map());
    expect(found.red!.pBest).toBeGreaterThan(found.blue!.pBest);
    expect(found.green!.expectedLoss).toBeCloseTo(0.05, 2);
    const of = (n: number, mean: number) => ({ n, sum: n * mean, sumSquares: n * (mean * mean + 4), nonZero: n });
    const means = beliefsOf({ blue: of(400, 10), green: of(400, 9) }, 'decrease', new Map());
    expect(means.green!.pBest).toBeGreaterThan(0.999);
  });

  it('is nothing of few units, and nothing where nobody differs', () => {
    expect(beliefsOf({ blue: { n: 50, bad: 10 }, green: { n: 50, bad: 20 } }, 'increase', new Map())).toEqual({});
    const same = { n: 200, sum: 200, sumSquares: 200, nonZero: 200 };
    expect(beliefsOf({ blue: same, green: same }, 'increase', new Map())).toEqual({});
  });

  it('is nothing where one arm is too wide for the others to be seen beside it', () => {
    const narrow = { n: 200, sum: 200, sumSquares: 250, nonZero: 200 };
    const whale = { n: 200, sum: 1e9 + 199, sumSquares: 1e18 + 199, nonZero: 200 };
    expect(beliefsOf({ blue: narrow, green: whale }, 'increase', new Map())).toEqual({});
  });

  it('is certain of a clear winner among very many', () => {
    const of = (mean: number) => ({ n: 1e6, sum: 1e6 * mean, sumSquares: 1e6 * (mean * mean + 9e4), nonZero: 1e6 });
    const { blue, green } = beliefsOf({ blue: of(400), green: of(900) }, 'increase', new Map());
    expect([blue!.pBest, green!.pBest, blue!.expectedLoss]).toEqual([
      expect.closeTo(0, 6),
      expect.closeTo(1, 6),
      expect.closeTo(500, 3),
    ]);
  });

  it('is reckoned once for the same numbers', () => {
    const known = new Map();
    expect(beliefsOf(arms, 'increase', known)).toBe(beliefsOf({ ...arms }, 'increase', known));
    for (let n = 0; n < 300; n++) known.set(String(n), {});
    beliefsOf({ ...arms, red: { n: 1_000, bad: 91 } }, 'increase', known);
    expect(known.size).toBe(1);
  });
});

describe('quantiles of the units', () => {
  const spread = (units: number) => {
    const histogram = emptyHistogram();
    for (let n = 1; n <= units; n++) addDuration(histogram, n);
    return encodeHistogram(histogram);
  };

  it('have intervals by rank', () => {
    const [half, most] = quantilesOf(spread(1_000));
    expect([half!.q, most!.q]).toEqual([0.5, 0.95]);
    expect(Math.abs(half!.value - 500)).toBeLessThan(10);
    expect(half!.lo < 480 && half!.hi > 520 && most!.lo > 920 && most!.hi < 980).toBe(true);
  });

  it('are none of few units, and none without a histogram', () => {
    expect(quantilesOf(spread(99))).toEqual([]);
    expect(quantilesOf(undefined)).toEqual([]);
  });
});
