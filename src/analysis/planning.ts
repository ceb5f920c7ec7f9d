/**
 * Owns planning before the first unit: sizes, durations, the smallest effect that can be seen. It refuses to look at
 * running results: a size that is chosen after a look is no plan.
 */

import { bisect, normCdf, normIsf, normPpf, normSf } from './special.ts';
import { noncentralTCdf, tIsf } from './student.ts';

export interface ProportionPlan {
  p1: number;
  p2: number;
  alpha?: number;
  power?: number;
  /** Size of the second arm over the first. */
  ratio?: number;
  sides?: 1 | 2;
}

/**
 * Units in the first arm (the second takes `ratio` times as many) for a test of p1 against p2:
 * n = [z_{α/2}√((1+1/r)p̄q̄) + z_β√(p1q1 + p2q2/r)]²/(p1−p2)² (Fleiss, Levin & Paik 2003). Infinite for p1 = p2.
 */
export function unitsForProportions(plan: ProportionPlan): { n: number; nCeil: number } {
  const { p1, p2, alpha = 0.05, power = 0.8, ratio = 1, sides = 2 } = plan;
  const mean = (p1 + ratio * p2) / (1 + ratio);
  const zAlpha = normIsf(alpha / sides);
  const zBeta = normPpf(power);
  const spread =
    zAlpha * Math.sqrt((1 + 1 / ratio) * mean * (1 - mean)) +
    zBeta * Math.sqrt(p1 * (1 - p1) + (p2 * (1 - p2)) / ratio);
  const n = spread ** 2 / (p1 - p2) ** 2;
  return { n, nCeil: Math.ceil(n) };
}

/** The same by Cohen's arcsine effect h; differs by a thousandth, and serves as a second opinion on the first. */
export function unitsByCohenH(plan: Omit<ProportionPlan, 'ratio' | 'sides'>): { h: number; n: number } {
  const { p1, p2, alpha = 0.05, power = 0.8 } = plan;
  const h = 2 * Math.asin(Math.sqrt(p2)) - 2 * Math.asin(Math.sqrt(p1));
  const critical = normIsf(alpha / 2);
  // Both tails count, as in statsmodels: an effect may also be found with the wrong sign.
  const powerAt = (shift: number) => normSf(critical - shift) + normSf(critical + shift);
  const shift = bisect((x) => powerAt(x) - power, 0, critical + normPpf(power) + 1);
  return { h: Math.abs(h), n: 2 * (shift / h) ** 2 };
}

export interface MeanPlan {
  /** The difference of means to be found, and the standard deviation of one unit, in the metric's unit. */
  delta: number;
  sd: number;
  alpha?: number;
  power?: number;
}

/** Units an arm for a difference of means: `nZ` by the normal formula, `nT` so that the t-test itself has the power. */
export function unitsForMeans(plan: MeanPlan): { nT: number; nZ: number } {
  const { delta, sd, alpha = 0.05, power = 0.8 } = plan;
  const effect = Math.abs(delta) / sd;
  const nZ = 2 * ((normIsf(alpha / 2) + normPpf(power)) / effect) ** 2;
  const powerAt = (n: number) => {
    const df = 2 * n - 2;
    const critical = tIsf(alpha / 2, df);
    const shift = effect * Math.sqrt(n / 2);
    return 1 - noncentralTCdf(critical, df, shift) + noncentralTCdf(-critical, df, shift);
  };
  return { nT: bisect((n) => powerAt(n) - power, Math.max(2, nZ * 0.9), nZ + 20), nZ };
}

/** The power of a two-sided test of proportions with `n` units in the first and `ratio`·n in the second arm. */
export function powerOfProportions(plan: Omit<ProportionPlan, 'power'> & { n: number }): number {
  const { p1, p2, n, alpha = 0.05, ratio = 1, sides = 2 } = plan;
  const mean = (p1 + ratio * p2) / (1 + ratio);
  const critical = normIsf(alpha / sides) * Math.sqrt((1 + 1 / ratio) * mean * (1 - mean));
  return normCdf((Math.abs(p1 - p2) * Math.sqrt(n) - critical) / Math.sqrt(p1 * (1 - p1) + (p2 * (1 - p2)) / ratio));
}

/** The smallest absolute rise of `p1` that `n` units an arm find with the wanted power; null when not even 1 − p1 is. */
export function smallestRise(plan: { p1: number; n: number; alpha?: number; power?: number }): number | null {
  const { p1, n, alpha = 0.05, power = 0.8 } = plan;
  const spare = (rise: number) => n - unitsForProportions({ p1, p2: p1 + rise, alpha, power }).n;
  const most = 1 - p1 - 1e-9;
  return spare(most) < 0 ? null : bisect(spare, 1e-9, most);
}

export interface DurationPlan {
  nPerArm: readonly number[];
  eligiblePerDay: number;
  /** The share of eligible units that enter the experiment, 0 to 1. */
  allocation?: number;
  minDays?: number;
  wholeWeeks?: boolean;
}

/** Days until all arms are full: exact, and as one should plan them (whole weeks, since weekdays differ). */
export function durationDays(plan: DurationPlan): { rawDays: number; days: number } {
  const { eligiblePerDay, allocation = 1, minDays = 7, wholeWeeks = true } = plan;
  const rawDays = plan.nPerArm.reduce((sum, n) => sum + n, 0) / (eligiblePerDay * allocation);
  const days = Math.max(minDays, Math.ceil(rawDays));
  return { rawDays, days: wholeWeeks ? inWholeWeeks(days) : days };
}

/** Days, up to the end of a week: weekdays differ. */
export const inWholeWeeks = (days: number): number => Math.ceil(days / 7) * 7;
