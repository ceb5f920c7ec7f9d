/**
 * Owns inference on means from running sums: Welch's test, lift by the delta method, capping. It refuses to keep values:
 * an arm is a handful of sums.
 */

import { MIN_NON_ZERO } from './limits.ts';
import { tIsf, tSf } from './student.ts';

/**
 * An arm's running sums over units; `nonZero` counts the units whose value was not 0. Mergeable by addition. Without
 * `sumCubes` the tests cannot correct for skewed values (skewness.ts), and do not.
 */
export interface Moments {
  n: number;
  sum: number;
  sumSquares: number;
  sumCubes?: number;
  nonZero: number;
}

/** An arm as mean, standard deviation (n − 1) and size. */
export interface Summary {
  mean: number;
  sd: number;
  n: number;
}

/** An arm without units. */
export const NO_MOMENTS: Readonly<Moments> = { n: 0, sum: 0, sumSquares: 0, sumCubes: 0, nonZero: 0 };

/** The value that counts under a declared `cap` (capped revenue; Kohavi, Tang & Xu 2020, ch. 22): at most ±cap. */
export function capped(value: number, cap: number = Infinity): number {
  return Math.max(-cap, Math.min(cap, value));
}

/**
 * Moves a unit's value from `before` (undefined: the unit is new) to `after`. Cap the two first: a cap holds for the
 * unit's total, not for each purchase.
 */
export function addUnit(moments: Moments, after: number, before?: number): Moments {
  const was = before ?? 0;
  return {
    n: moments.n + (before === undefined ? 1 : 0),
    sum: moments.sum + after - was,
    sumSquares: moments.sumSquares + after * after - was * was,
    sumCubes: moments.sumCubes === undefined ? undefined : moments.sumCubes + after ** 3 - was ** 3,
    nonZero: moments.nonZero + (after !== 0 ? 1 : 0) - (was !== 0 ? 1 : 0),
  };
}

/** Mean, standard deviation and size from sums; sd 0 below two units. */
export function summarise({ n, sum, sumSquares }: Pick<Moments, 'n' | 'sum' | 'sumSquares'>): Summary {
  const mean = n > 0 ? sum / n : 0;
  const variance = n > 1 ? Math.max(0, (sumSquares - n * mean * mean) / (n - 1)) : 0;
  return { mean, sd: Math.sqrt(variance), n };
}

/** Mean, standard deviation and size of values, in two passes. */
export function summariseValues(values: readonly number[]): Summary {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : 0, n };
}

export interface WelchResult {
  t: number;
  df: number;
  pTwoSided: number;
}

/** Welch's t-test of mean_b − mean_a (1947). Where neither arm varies, p is 1 for equal means (but for rounding) and 0 for others. */
export function welchT(a: Summary, b: Summary): WelchResult {
  const va = (a.sd * a.sd) / a.n;
  const vb = (b.sd * b.sd) / b.n;
  const se = Math.sqrt(va + vb);
  const difference = b.mean - a.mean;
  if (!(se > 0)) {
    const isEqual = Math.abs(difference) <= 1e-9 * Math.abs(a.mean);
    return { t: isEqual ? 0 : difference / 0, df: a.n + b.n - 2, pTwoSided: Number(isEqual) };
  }
  const df = (va + vb) ** 2 / ((va * va) / (a.n - 1) + (vb * vb) / (b.n - 1));
  const t = difference / se;
  return { t, df, pTwoSided: 2 * tSf(Math.abs(t), df) };
}

/** The interval of mean_b − mean_a that goes with Welch's test. */
export function welchInterval(a: Summary, b: Summary, confidence = 0.95): { ciLo: number; ciHi: number } {
  const half = tIsf((1 - confidence) / 2, welchT(a, b).df) * Math.sqrt((a.sd * a.sd) / a.n + (b.sd * b.sd) / b.n);
  const difference = b.mean - a.mean;
  return { ciLo: difference - half, ciHi: difference + half };
}

/** Whether an arm has the 100 non-zero units that the tests of means need. */
export function enoughForMean({ nonZero }: Moments): boolean {
  return nonZero >= MIN_NON_ZERO;
}

/** An arm's mean with the variance of that mean. */
export interface Estimate {
  mean: number;
  variance: number;
}

/** mean_b/mean_a − 1; null at a baseline of 0. */
export function lift(a: Estimate, b: Estimate): number | null {
  return a.mean === 0 ? null : (b.mean - a.mean) / a.mean;
}

/** The standard error of a lift, by the delta method (Deng, Knoblich & Lu 2018). */
export function liftError(a: Estimate, b: Estimate): number {
  return Math.sqrt(b.variance / a.mean ** 2 + (a.variance * b.mean ** 2) / a.mean ** 4);
}
