import { describe, expect, it } from 'vitest';
import { betaPosterior, normalPosterior, standings } from '../../src/analysis/bayes.ts';
import { rhoSquared, sequenceP, twoSidedReach } from '../../src/analysis/confidence-sequence.ts';
import { decideTogether } from '../../src/analysis/hybrid.ts';
import { addUnit, capped, lift, NO_MOMENTS, summarise, welchT } from '../../src/analysis/means.ts';
import { holm } from '../../src/analysis/multiple.ts';
import { durationDays, powerOfProportions, smallestRise, unitsForProportions } from '../../src/analysis/planning.ts';
import { newcombeUpper, rateUpperBound, twoProportionTest, wilson } from '../../src/analysis/proportions.ts';
import { mannWhitney } from '../../src/analysis/ranks.ts';
import { type Dealt, sampleRatioChiSquare, sampleRatioLogBF } from '../../src/analysis/sample-ratio.ts';
import { bend, skewnessOfDifference, straighten } from '../../src/analysis/skewness.ts';

describe('proportions', () => {
  it('leave everything possible where nothing was counted', () => {
    expect(wilson({ k: 0, n: 0 })).toEqual({ lo: 0, hi: 1 });
    expect(newcombeUpper({ n: 0, bad: 0 }, { n: 0, bad: 0 })).toBeGreaterThan(0.5);
    expect(twoProportionTest({ n: 50, bad: 0 }, { n: 50, bad: 0 })).toEqual({ z: 0, pTwoSided: 1 });
  });

  it('bound a rate of zero above zero', () => {
    expect(rateUpperBound({ n: 1000, bad: 0 })).toBeCloseTo(0.00946, 4);
    expect(rateUpperBound({ n: 100_000, bad: 1000 })).toBeLessThan(0.0111);
  });
});

describe('means', () => {
  it('follow a unit whose value grows, and add up over shards', () => {
    const first = addUnit(addUnit(NO_MOMENTS, 0), 4);
    const grown = addUnit(first, 7, 4);
    expect(grown).toEqual({ n: 2, sum: 7, sumSquares: 49, sumCubes: 343, nonZero: 1 });
    expect(addUnit(grown, 0, 7)).toEqual({ n: 2, sum: 0, sumSquares: 0, sumCubes: 0, nonZero: 0 });
    const third = addUnit(first, 2);
    expect(third).toEqual({ n: 3, sum: 6, sumSquares: 20, sumCubes: 72, nonZero: 2 });
    expect(summarise(third)).toEqual({ mean: 2, sd: 2, n: 3 });
  });

  it('count no more than the cap', () => {
    expect([capped(250, 100), capped(-250, 100), capped(20, 100), capped(250)]).toEqual([100, -100, 20, 250]);
  });

  it('find nothing in values that do not vary', () => {
    const flat = { mean: 3, sd: 0, n: 10 };
    expect(welchT(flat, flat)).toMatchObject({ t: 0, pTwoSided: 1 });
    expect(welchT({ ...flat, mean: 0.1 + 0.2 }, { ...flat, mean: 0.3 })).toMatchObject({ t: 0, pTwoSided: 1 });
  });

  it('find a difference between values of which each arm has only one', () => {
    const flat = { mean: 3, sd: 0, n: 10 };
    expect(welchT(flat, { ...flat, mean: 4 })).toMatchObject({ t: Infinity, pTwoSided: 0 });
    expect(welchT(flat, { ...flat, mean: 2 })).toMatchObject({ t: -Infinity, pTwoSided: 0 });
    const arm = (value: number) => ({ n: 500, sum: 500 * value, sumSquares: 500 * value * value, nonZero: 500 });
    const arms = { kind: 'mean' as const, baseline: arm(100), variant: arm(200) };
    const asked = { arms, plannedUnits: 1_000, goal: 'decrease' as const, atPlanned: arms, early: null };
    expect(decideTogether([asked])[0]).toMatchObject({ state: 'worse', by: 'final', p: 0, interval: [100, 100] });
  });

  it('have no lift over a baseline of zero', () => {
    expect(lift({ mean: 0, variance: 1 }, { mean: 1, variance: 1 })).toBeNull();
  });

  it('correct for skewness only where the third moment is known', () => {
    let arm = NO_MOMENTS;
    for (let i = 0; i < 100; i++) arm = addUnit(arm, i % 10 === 0 ? 50 : 0);
    expect(skewnessOfDifference(NO_MOMENTS, arm)).toBeGreaterThan(0.1);
    expect(skewnessOfDifference(arm, arm)).toBe(0);
    expect(skewnessOfDifference(NO_MOMENTS, { ...arm, sumCubes: undefined })).toBe(0);
    expect(straighten(2, 0)).toBe(2);
    for (const skewness of [-0.3, 0.3]) {
      for (const t of [-4, -2, 2, 3]) {
        expect(straighten(bend(t, skewness), skewness)).toBeCloseTo(t, 10);
        expect(Math.abs(straighten(t, skewness))).toBeLessThanOrEqual(Math.abs(t));
      }
    }
    expect(straighten(-3, 0.3)).toBeGreaterThan(-2.3);
    expect(straighten(3, 0.3)).toBe(3);
    expect(bend(1.7, 0)).toBe(1.7);
  });
});

describe('the confidence sequence', () => {
  it('is tightest near the planned size, and wider than a fixed interval always', () => {
    const plan = { alpha: 0.01, nStar: 10_000 };
    const width = (n: number) => twoSidedReach(n, plan) / Math.sqrt(n);
    const untuned = (n: number) => twoSidedReach(n, { alpha: 0.01, nStar: 500 }) / Math.sqrt(n);
    expect(width(10_000)).toBeLessThan(untuned(10_000));
    for (const n of [100, 1000, 10_000, 1e6]) expect(twoSidedReach(n, plan)).toBeGreaterThan(2.58);
    expect(rhoSquared(plan)).toBeCloseTo((9.21034 + Math.log(10.21034)) / 10_000, 8);
  });

  it('calls a p of α exactly where its interval touches zero', () => {
    const plan = { alpha: 0.01, nStar: 10_000 };
    for (const n of [200, 5000, 40_000]) {
      expect(sequenceP(twoSidedReach(n, plan), n, plan)).toBeCloseTo(0.01, 10);
    }
  });
});

describe('the sample-ratio check', () => {
  it('counts an arm that should have units and has none', () => {
    const chiSquare = (units: Dealt['units'], weights: Dealt['weights']) => sampleRatioChiSquare([{ weights, units }]);
    expect(chiSquare({ blue: 1000 }, { blue: 0.5, green: 0.5, red: 0 }).p).toBeLessThan(1e-200);
    expect(chiSquare({}, { blue: 0.5, green: 0.5 }).p).toBe(1);
    expect(chiSquare({ blue: 100 }, { blue: 1 }).p).toBe(1);
    expect(sampleRatioChiSquare([])).toMatchObject({ p: 1 });
    const odd = chiSquare({ blue: 9_000, constructor: 1_000 }, { blue: 50, constructor: 50 });
    expect(odd).toMatchObject({ chi2: 6_400, df: 1 });
  });

  it('holds each unit against the weights under which it was dealt', () => {
    const even: Dealt = { weights: { blue: 50, green: 50 }, units: { blue: 5040, green: 4960 } };
    const ramped: Dealt = { weights: { blue: 90, green: 10 }, units: { blue: 9020, green: 980 } };
    const pooled: Dealt = { weights: ramped.weights, units: { blue: 14_060, green: 5940 } };
    expect(sampleRatioChiSquare([even, ramped]).p).toBeGreaterThan(0.1);
    expect(sampleRatioLogBF([even, ramped])).toBeLessThan(0);
    expect(sampleRatioChiSquare([pooled]).p).toBeLessThan(1e-200);
    // One of 12 in green is lost, under either weights: together they say what neither says so clearly.
    const lost = (dealt: Dealt): Dealt => ({ ...dealt, units: { ...dealt.units, green: dealt.units.green! * 0.917 } });
    const together = sampleRatioLogBF([lost(even), lost(ramped)]);
    expect(together).toBeGreaterThan(Math.max(sampleRatioLogBF([lost(even)]), sampleRatioLogBF([lost(ramped)])));
  });

  it('says nothing by χ² of an arm that should be small', () => {
    const odd: Dealt = { weights: { blue: 99.9, green: 0.1 }, units: { blue: 997, green: 3 } };
    expect(sampleRatioChiSquare([odd]).p).toBeLessThan(0.05);
    expect(sampleRatioChiSquare([odd], 100).p).toBe(1);
  });
});

describe('planning', () => {
  it('gives a size that has the power it was planned for', () => {
    const plan = { p1: 0.1, p2: 0.11, alpha: 0.05 };
    const { n } = unitsForProportions({ ...plan, power: 0.9 });
    expect(powerOfProportions({ ...plan, n })).toBeCloseTo(0.9, 10);
  });

  it('finds the smallest rise that a number of units can see', () => {
    const rise = smallestRise({ p1: 0.1, n: 14_751 })!;
    expect(rise).toBeCloseTo(0.01, 5);
    expect(smallestRise({ p1: 0.9, n: 3 })).toBeNull();
  });

  it('plans whole weeks, the slower arm and partial allocation included', () => {
    expect(durationDays({ nPerArm: [50_000, 50_000], eligiblePerDay: 20_000, allocation: 0.5 })).toEqual({
      rawDays: 10,
      days: 14,
    });
    expect(durationDays({ nPerArm: [100], eligiblePerDay: 100, minDays: 1, wholeWeeks: false }).days).toBe(1);
  });
});

describe('standings of several variants', () => {
  it('share the chance to be best, and lose nothing by choosing a sure winner', () => {
    const arms = standings([betaPosterior(100, 1000), betaPosterior(100, 1000), betaPosterior(100, 1000)]);
    for (const { pBest } of arms) expect(pBest).toBeCloseTo(1 / 3, 6);
    const [low, high] = standings([normalPosterior(10, 0.1), normalPosterior(20, 0.1), normalPosterior(12, 0.1)]);
    expect([low!.pBest, high!.pBest]).toEqual([expect.closeTo(0, 9), expect.closeTo(1, 2)]);
    expect(low!.expectedLoss).toBeCloseTo(10, 6);
  });

  it('are right for arms that never, or always, succeeded', () => {
    const [never, some] = standings([betaPosterior(0, 10), betaPosterior(2, 10)]);
    expect(some!.pBest).toBeCloseTo(0.8928571428571427, 6);
    expect(never!.expectedLoss).toBeCloseTo(0.1744306418219462, 6);
    const [always, most] = standings([betaPosterior(10, 10), betaPosterior(8, 9)]);
    expect(most!.pBest).toBeCloseTo(0.21428571428571427, 6);
    expect(always!.expectedLoss).toBeCloseTo(0.016233766233766236, 6);
  });

  it('are unknown for an arm of no spread', () => {
    expect(standings([normalPosterior(1, 0), normalPosterior(2, 1)])[0]!.pBest).toBeNaN();
  });
});

describe('order', () => {
  it('finds nothing in values that are all alike', () => {
    expect(mannWhitney([1, 1, 1], [1, 1, 1])).toEqual({ U: 4.5, pTwoSided: 1, cles: 0.5 });
  });

  it('is judged exactly in small samples', () => {
    const times = mannWhitney([19, 22, 16, 29, 24], [20, 11, 17, 12]);
    expect(times).toEqual({ U: 17, pTwoSided: expect.closeTo(1 / 9, 12), cles: 0.85 });
    const apart = mannWhitney([1, 2, 3], [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(apart.pTwoSided).toBeCloseTo(2 / 286, 12);
  });

  it('adjusts the smallest of several p-values most', () => {
    expect(holm([0.04, 0.01])).toEqual([0.04, 0.02]);
    expect(holm([])).toEqual([]);
  });
});
