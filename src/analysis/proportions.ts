/**
 * Owns inference on proportions: intervals of one and of a difference, and the pooled two-sample test. It refuses the
 * Wald interval, which has no width at 0 of n and would pass a canary for never having been tried.
 */

import { MIN_SUCCESSES_AND_FAILURES } from './limits.ts';
import { normIsf, normSf } from './special.ts';

/** `bad` events (or successes) among `n` trials. */
export interface Count {
  n: number;
  bad: number;
}

export interface Interval {
  lo: number;
  hi: number;
}

/** Wilson's score interval (1927) for k of n at the two-sided `confidence`; [0, 1] for n = 0. */
export function wilson({ k, n, confidence = 0.95 }: { k: number; n: number; confidence?: number }): Interval {
  return wilsonAt(k, n, normIsf((1 - confidence) / 2));
}

function wilsonAt(k: number, n: number, z: number): Interval {
  if (n <= 0) return { lo: 0, hi: 1 };
  const p = k / n;
  const zz = z * z;
  const centre = (p + zz / (2 * n)) / (1 + zz / n);
  const half = ((z / n) * Math.sqrt((k * (n - k)) / n + zz / 4)) / (1 + zz / n);
  return { lo: k <= 0 ? 0 : Math.max(0, centre - half), hi: k >= n ? 1 : Math.min(1, centre + half) };
}

/** The one-sided upper bound of a rate at `confidence`, by Wilson's score: p0 of a step without a concurrent baseline. */
export function rateUpperBound({ n, bad }: Count, confidence = 0.999): number {
  return wilsonAt(bad, n, normIsf(1 - confidence)).hi;
}

/** Newcombe's hybrid score interval (1998, method 10) for p_b − p_a at the two-sided `confidence`. */
export function newcombeDifference(a: Count, b: Count, confidence = 0.9): Interval {
  return { lo: -newcombeUpper(b, a, confidence), hi: newcombeUpper(a, b, confidence) };
}

/**
 * The upper bound of (candidate's rate − baseline's rate) that a passing step must keep under its margin: one-sided 95 %, which
 * is two-sided 90 %.
 */
export function newcombeUpper(baseline: Count, candidate: Count, confidence = 0.9): number {
  const z = normIsf((1 - confidence) / 2);
  const rate = ({ n, bad }: Count) => (n > 0 ? bad / n : 0.5);
  const [pa, pb] = [rate(baseline), rate(candidate)];
  const above = wilsonAt(candidate.bad, candidate.n, z).hi - pb;
  return pb - pa + Math.hypot(above, pa - wilsonAt(baseline.bad, baseline.n, z).lo);
}

/** z and two-sided p of p_b − p_a with pooled variance (the χ² test without correction); z = 0, p = 1 with no variance. */
export function twoProportionTest(a: Count, b: Count): { z: number; pTwoSided: number } {
  const pooled = (a.bad + b.bad) / (a.n + b.n);
  const se = Math.sqrt(pooled * (1 - pooled) * (1 / a.n + 1 / b.n));
  if (!(se > 0)) return { z: 0, pTwoSided: 1 };
  const z = (b.bad / b.n - a.bad / a.n) / se;
  return { z, pTwoSided: 2 * normSf(Math.abs(z)) };
}

/** Whether an arm has the 25 successes and 25 failures that the tests of proportions need. */
export function enoughForProportion({ n, bad }: Count): boolean {
  return Math.min(bad, n - bad) >= MIN_SUCCESSES_AND_FAILURES;
}
