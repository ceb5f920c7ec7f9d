/**
 * Owns the asymptotic confidence sequence: an interval that may be looked at as often as one likes. It refuses to name a
 * winner; hybrid.ts does.
 *
 * Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, "Time-uniform central limit theory and asymptotic confidence
 * sequences" (2021–2024), tuned to be tightest at the planned size.
 */

import { type Estimate, lift, liftError, type Moments, summarise } from './means.ts';

/** Alpha and the planned total of both arms, for which the sequence is tuned. */
export interface SequencePlan {
  alpha: number;
  nStar: number;
}

/** ρ² = (−2·ln α + ln(1 − 2·ln α))/N*: the tuning that makes the interval tightest at N* units. */
export function rhoSquared({ alpha, nStar }: SequencePlan): number {
  return (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / nStar;
}

/** The factor by which a standard error at N units (both arms) is multiplied: the two-sided half-width. */
export function twoSidedReach(n: number, plan: SequencePlan): number {
  const grown = n * rhoSquared(plan) + 1;
  return Math.sqrt(((2 * grown) / (grown - 1)) * Math.log(Math.sqrt(grown) / plan.alpha));
}

/** The same for a one-sided bound: it spends its α on one side, so it is tuned like a two-sided interval at 2α. */
export function oneSidedReach(n: number, { alpha, nStar }: SequencePlan): number {
  const grown = n * rhoSquared({ alpha: 2 * alpha, nStar }) + 1;
  return Math.sqrt(((2 * grown) / (grown - 1)) * Math.log(1 + Math.sqrt(grown) / (2 * alpha)));
}

/** The two-sided p-value now, of an estimate `z` standard errors from zero. Report the running minimum over the looks. */
export function sequenceP(z: number, n: number, plan: SequencePlan): number {
  const grown = n * rhoSquared(plan) + 1;
  return Math.min(1, Math.sqrt(grown) * Math.exp((-z * z * (grown - 1)) / (2 * grown)));
}

/** The lift of a mean with its confidence sequence (delta method); null at a baseline mean of 0. */
export function relativeMeanSequence(
  a: Pick<Moments, 'n' | 'sum' | 'sumSquares'>,
  b: Pick<Moments, 'n' | 'sum' | 'sumSquares'>,
  plan: SequencePlan,
): { lift: number; se: number; lo: number; hi: number; p: number } | null {
  const [first, second] = [estimate(a), estimate(b)];
  const relative = lift(first, second);
  if (relative === null) return null;
  const n = a.n + b.n;
  const se = liftError(first, second);
  const half = se * twoSidedReach(n, plan);
  return { lift: relative, se, lo: relative - half, hi: relative + half, p: sequenceP(relative / se, n, plan) };
}

function estimate(arm: Pick<Moments, 'n' | 'sum' | 'sumSquares'>): Estimate {
  const { mean, sd, n } = summarise(arm);
  return { mean, variance: (sd * sd) / n };
}
