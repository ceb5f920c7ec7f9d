/**
 * Owns what a report shows of an arm beside its test: the chance to be best and the expected loss, and quantiles of times. For display
 * only: nothing is decided by them, and with few units nothing is said. Pure.
 */

import { betaPosterior, normalPosterior, type Posterior, standings } from '../analysis/bayes.ts';
import { decodeHistogram, histogramCount } from '../analysis/histogram.ts';
import { isEnough } from '../analysis/hybrid.ts';
import { type Moments, summarise } from '../analysis/means.ts';
import type { Count } from '../analysis/proportions.ts';
import { quantileInterval } from '../analysis/ranks.ts';
import { MAX_REMEMBERED_BELIEFS, MIN_UNITS_FOR_QUANTILES } from './limits.ts';

/** One arm's units, as the metric counts them. */
export type ArmFigures = Count | Moments;

/** What is believed of an arm. */
export interface Belief {
  /** The chance that this arm is the best of all. */
  pBest: number;
  /** What choosing it would lose on average against the best, in the metric's unit. */
  expectedLoss: number;
}

/** A quantile over the arm's units with its 95 % interval, in milliseconds. */
export interface Quantile {
  q: number;
  value: number;
  lo: number;
  hi: number;
}

/** Beliefs that were computed, by what they were computed from. The ledger keeps them between looks. */
export type KnownBeliefs = Map<string, Record<string, Belief>>;

/** Every arm's belief; none where an arm has too few units. */
export function beliefsOf(
  arms: Record<string, ArmFigures>,
  goal: 'increase' | 'decrease',
  known: KnownBeliefs,
): Record<string, Belief> {
  const entries = Object.entries(arms);
  if (entries.length < 2 || !entries.every(([, arm]) => isEnough(arm))) return {};
  const key = JSON.stringify([goal, entries]);
  let beliefs = known.get(key);
  if (beliefs === undefined) {
    const found = standings(entries.map(([, arm]) => posterior(arm, goal)));
    const finite = entries.map(([name], i) => [name, found[i]!] as const).filter(([, one]) => one.pBest >= 0);
    beliefs = Object.fromEntries(finite);
    if (known.size >= MAX_REMEMBERED_BELIEFS) known.clear();
    known.set(key, beliefs);
  }
  return beliefs;
}

/** What is believed of an arm, turned so that larger is better. */
function posterior(arm: ArmFigures, goal: 'increase' | 'decrease'): Posterior {
  const isMore = goal === 'increase';
  if ('bad' in arm) return betaPosterior(isMore ? arm.bad : arm.n - arm.bad, arm.n);
  const { mean, sd, n } = summarise(arm);
  return normalPosterior(isMore ? mean : -mean, sd / Math.sqrt(n));
}

/** Median and 95th percentile of a histogram over units, which are independent of each other, so that the intervals hold. */
export function quantilesOf(histogram: string | undefined): Quantile[] {
  const decoded = histogram === undefined ? null : decodeHistogram(histogram);
  if (decoded === null || histogramCount(decoded) < MIN_UNITS_FOR_QUANTILES) return [];
  return [0.5, 0.95].flatMap((q) => {
    const found = quantileInterval(decoded, q);
    return found === null ? [] : [{ q, ...found }];
  });
}
