/**
 * Owns what a rollout has gathered for one guardrail: the counts of both arms, in the rollout and in its present step, the
 * e-process over its ticks, and what the baseline did before it. Pure: `evidence.ts` keeps it, and says when a tick is over.
 */

import { addTick, type EProcess, logE, type Tick } from '../analysis/eprocess.ts';
import { TICK_MS } from '../analysis/limits.ts';
import { type Count, rateUpperBound } from '../analysis/proportions.ts';
import { AWAY, type TickCounts } from '../analysis/units.ts';
import type { Guardrail } from '../config/types.ts';
import {
  ENOUGH_PART,
  ENOUGH_TRIALS,
  FIRST_BAD,
  MIN_REFERENCE_TRIALS,
  SETTLED_AFTER_MS,
  SETTLED_PART,
  SETTLED_TRIALS,
} from './limits.ts';
import { between } from './splits.ts';
import { type RolloutState, stepOf } from './state.ts';

/** The counts of both arms. */
export interface Arms {
  candidate: Count;
  baseline: Count;
}

/** What a rollout has gathered for one guardrail. Stored as JSON: names must stay. */
export interface Gathered {
  process: EProcess;
  rollout: Arms;
  step: Arms;
  /** Since E was last under 1. Absent where an earlier deployment began. */
  lately?: Arms;
  /** The baseline's requests in the hour before the rollout, where they are known for this guardrail. */
  earlier: Count;
  /** Where units are counted: the baseline's first ones, until enough of them were bad. Absent where an earlier deployment began. */
  first?: Count;
  /** Silent units were heard again when the step began. */
  isHeardAgain?: boolean;
}

/** What the baseline did earlier, for steps that have no baseline beside the candidate. */
interface Reference {
  /** The 99.9 % upper bound of its rate. */
  p0: number;
  counts: Count;
}

/** One tick's counts, by unit and by request; null where nothing was seen. */
export interface OpenTick {
  tick: number;
  /** The fraction of all units that is in the sample, 0 to 1. */
  sample: number;
  byUnit: TickCounts | null;
  byRequest: Map<string, { n: number[]; bad: number[] }> | null;
}

/** What one tick counted for a guardrail in both arms. */
function countedIn(tick: OpenTick, index: number, guardrail: Guardrail, state: RolloutState): Arms {
  const of = (variant: string): Count => {
    if (guardrail.per === 'unit') return tick.byUnit?.counts[index]?.[variant] ?? { n: 0, bad: 0 };
    const requests = tick.byRequest?.get(variant);
    return { n: requests?.n[index] ?? 0, bad: requests?.bad[index] ?? 0 };
  };
  return { candidate: of(state.to), baseline: of(state.baseline) };
}

/**
 * Adds a tick to what the guardrail at `index` has gathered: by unit or by request, against the baseline beside the candidate or against
 * its earlier rate. Pairs have no ticks. `isUnfinished`: more of the tick may come, so few baseline trials so far do not mean that there is
 * no baseline to compare with.
 */
export function addTickTo(
  into: Gathered,
  tick: OpenTick,
  index: number,
  state: RolloutState,
  isUnfinished = false,
): void {
  const guardrail = state.guardrails[index]!;
  if (guardrail.metric === 'mismatch') return;
  const counted = countedIn(tick, index, guardrail, state);
  // The hour before the rollout was counted by request; a unit with three requests has three chances to be bad.
  const requests = guardrail.per === 'unit' ? (tick.byRequest?.get(state.to)?.n[index] ?? 0) * tick.sample : 0;
  const reference = referenceOf(into, requests / Math.max(1, counted.candidate.n));
  // Where the step's ticks have too few baseline trials on average, the rest of this one will bring no better comparison.
  const isThin = into.step.baseline.n * TICK_MS < MIN_REFERENCE_TRIALS * (tick.tick * TICK_MS - state.sinceMs);
  const isBeforeStep = (tick.tick + 1) * TICK_MS <= state.sinceMs;
  // Late outcomes of an earlier step have that step's baseline beside them.
  const isLateOutcome = isBeforeStep && guardrail.metric.startsWith('outcome:');
  const p0 = isLateOutcome || (isUnfinished && !isThin) ? null : (reference?.p0 ?? null);
  const away = (tick.byRequest?.get(AWAY)?.n[index] ?? 0) * (guardrail.per === 'unit' ? tick.sample : 1);
  const forE = withUnfinished(counted, { tick, state, p0, guardrail, away, step: into.step });
  addCounts(into, counted, p0, forE, isBeforeStep ? [into.rollout] : undefined);
  if (guardrail.per === 'unit' && into.first && into.first.bad < FIRST_BAD) addCount(into.first, counted.baseline);
}

interface Unfinished {
  tick: OpenTick;
  state: RolloutState;
  p0: number | null;
  guardrail: Guardrail;
  /** The candidate's trials that others answered because it was ejected. */
  away: number;
  /** The step's counts before this tick. */
  step: Arms;
}

/**
 * The counts that E is computed from: in a young step, as if the candidate's answers under way had ended well. A failure often ends at
 * once and a good answer perhaps after a minute, so of the requests that have ended, an arm that has just gained traffic would show few
 * trials and many failures. Until the candidate has had its share it is therefore given at least the trials that its weight stands for
 * beside the baseline's; and when it has all the weight, the trials that the baseline still ends as well.
 */
function withUnfinished(counted: Arms, { tick, state, p0, guardrail, away, step }: Unfinished): Arms {
  const ageMs = (tick.tick + 1) * TICK_MS - state.sinceMs;
  const { candidate, baseline } = counted;
  // A rollout that has ended is judged by the weights of its last step, and not by those that it left behind.
  const { weight } = stepOf(state);
  const ofLastStep = weight === undefined ? state.before.weights : between(state, weight);
  const weights = state.end === null ? state.split.weights : ofLastStep;
  const share = weights[state.to]! / weights[state.baseline]!;
  const isAll = share === Infinity;
  // Outcomes of what the baseline served may come at any time, so with all the weight they never settle.
  const isSettled = ageMs >= SETTLED_AFTER_MS && !(isAll && guardrail.metric.startsWith('outcome:'));
  const hasShare = step.candidate.n >= SETTLED_TRIALS && step.candidate.n >= SETTLED_PART * step.baseline.n * share;
  // With no earlier rate known, what the baseline still ends is all there is to compare with.
  if (ageMs <= 0 || isSettled || hasShare || (isAll && p0 === null)) return counted;
  const n = isAll ? candidate.n + baseline.n : Math.max(candidate.n, baseline.n * share - away || 0);
  return { candidate: { n, bad: candidate.bad }, baseline: isAll ? { n: 0, bad: 0 } : baseline };
}

/**
 * Adds counts of both arms, to the rollout and its step unless told otherwise. E is computed from `forE`, and where `p0` is known (the
 * upper bound of the baseline's earlier rate) perhaps against that.
 */
export function addCounts(
  gathered: Gathered,
  counted: Arms,
  p0: number | null = null,
  forE = counted,
  scopes = [gathered.rollout, gathered.step],
): void {
  const { candidate, baseline } = counted;
  const { candidate: c, baseline: b } = forE;
  const tick: Tick = { nc: c.n, kc: c.bad, nb: b.n, kb: b.bad };
  gathered.process = addTick(gathered.process, tick, p0);
  if (!gathered.lately || logE(gathered.process) < 0) gathered.lately = noCounts();
  for (const scope of [...scopes, gathered.lately]) {
    addCount(scope.candidate, candidate);
    addCount(scope.baseline, baseline);
  }
}

/**
 * What the baseline did earlier in this rollout; where that is little, as after a blue-green switch, what it did in the hour before.
 * Null while neither has enough trials. `chances`: how many requests a unit of the candidate made, as the hour was
 * counted by request. Units that are heard again are as often bad as at first, while the baseline's rate has sunk, since the worst fall
 * silent soonest: so the worse of the two then.
 */
export function referenceOf({ rollout, earlier, first, isHeardAgain }: Gathered, chances = 1): Reference | null {
  const { baseline } = rollout;
  const isWorse = isHeardAgain && first && first.bad * baseline.n > baseline.bad * first.n;
  const own = isWorse ? first : baseline;
  const ofHour = Math.min(1, rateUpperBound(earlier) * Math.max(1, chances));
  const isHour = own.n < Math.max(MIN_REFERENCE_TRIALS, Math.min(earlier.n, ENOUGH_TRIALS), earlier.n * ENOUGH_PART);
  const counts = isHour ? earlier : own;
  return counts.n >= MIN_REFERENCE_TRIALS ? { p0: isHour ? ofHour : rateUpperBound(own), counts } : null;
}

/** How many pairs differ. */
export function mismatchesOf(classes: Record<string, number>): number {
  return (classes['body-mismatch'] ?? 0) + (classes['status-mismatch'] ?? 0);
}

/** Both arms with nothing counted. */
export function noCounts(): Arms {
  return { candidate: { n: 0, bad: 0 }, baseline: { n: 0, bad: 0 } };
}

/** Adds `from` to `into`, in place. */
export function addCount(into: Count, from: Count): void {
  into.n += from.n;
  into.bad += from.bad;
}
