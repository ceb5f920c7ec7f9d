/**
 * Owns the warning at the start of a rollout: can a step reach its samples and its bound at the traffic there is, and how
 * long would it take? It refuses to forecast verdicts; it asks what the passing bound would say of a candidate exactly as
 * good as the baseline.
 */

import { newcombeUpper } from './proportions.ts';
import { positiveRoot } from './special.ts';
import { span, whole } from './words.ts';

export interface StepTraffic {
  metric: string;
  /** The candidate's share of the traffic, 0 to 1. */
  share: number;
  /** Trials of both arms together in a tick, at most. */
  trialsPerTick: number;
  tickMs: number;
  /** The baseline's bad rate by trial, as seen lately. */
  baselineRate: number;
  /** The increase that passing allows, absolute. */
  margin: number;
  minSamples: number;
  /** How long the step may last: `for`, and `maxFor` after which it pauses. */
  forMs: number;
  maxForMs: number;
}

export interface Reach {
  /** Candidate trials that samples and bound need, and the milliseconds until they are there (∞ at no traffic). */
  neededTrials: number;
  neededMs: number;
  /** What a person should know and can do; null when all is well. */
  warning: string | null;
}

/**
 * The candidate trials after which the one-sided 95 % Newcombe bound of two equal rates falls under `margin`, with the
 * baseline `(1 − share)/share` times as large. At 1 % errors and 5 % of the traffic about 1,900; ∞ for a margin of 0.
 */
export function trialsForBound(plan: Pick<StepTraffic, 'share' | 'baselineRate' | 'margin'>): number {
  const { share, baselineRate, margin } = plan;
  if (!(margin > 0) || !(share > 0) || share >= 1) return Infinity;
  const bound = (n: number) => {
    const nb = (n * (1 - share)) / share;
    return newcombeUpper({ n: nb, bad: nb * baselineRate }, { n, bad: n * baselineRate });
  };
  return Math.ceil(positiveRoot((n) => margin - bound(n), 1e12));
}

/** What a step can reach. A step of all the traffic has no bound to reach and needs its samples only. */
export function stepReach(step: StepTraffic): Reach {
  const boundTrials = step.share >= 1 ? 0 : trialsForBound(step);
  const neededTrials = Math.max(step.minSamples, boundTrials);
  const perMs = (step.trialsPerTick * step.share) / step.tickMs;
  const neededMs = perMs > 0 ? neededTrials / perMs : Infinity;
  const warning = neededMs <= step.forMs ? null : slowness(step, { neededTrials, neededMs, boundTrials });
  return { neededTrials, neededMs, warning };
}

function slowness(step: StepTraffic, need: { neededTrials: number; neededMs: number; boundTrials: number }): string {
  const what = need.boundTrials >= need.neededTrials ? 'its bound' : 'its minimum';
  const at = `${step.metric} at ${+(100 * step.share).toFixed(2)} %`;
  if (!Number.isFinite(need.neededMs)) {
    return `${at}: too little traffic to ever pass; the step will pause after ${span(step.maxForMs)}.`;
  }
  const end =
    need.neededMs <= step.maxForMs ? 'the step will last that long' : `it pauses after ${span(step.maxForMs)}`;
  const faster = step.share < 1 ? ' A larger weight is faster.' : '';
  return (
    `${at}: ${what} needs about ${whole(need.neededTrials)} trials of the candidate, ` +
    `${span(need.neededMs)} at the present traffic, not ${span(step.forMs)}; ${end}.${faster}`
  );
}
