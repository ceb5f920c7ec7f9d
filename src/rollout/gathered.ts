/**
 * Owns what a rollout has gathered for one guardrail: the counts of both arms, in the rollout and in its present step, the
 * e-process over its ticks, and what the baseline did before it. Pure: `evidence.ts` keeps it, and says when a tick is over.
 */

import { addTick, type EProcess, type Tick } from '../analysis/eprocess.ts';
import { TICK_MS } from '../analysis/limits.ts';
import { rateUpperBound } from '../analysis/proportions.ts';
import { AWAY, type TickCounts } from '../analysis/units.ts';
import type { Guardrail } from '../config/types.ts';
import { MIN_REFERENCE_TRIALS, SETTLED_AFTER_MS, SETTLED_PART, SETTLED_TRIALS } from './limits.ts';
import { between } from './splits.ts';
import { type RolloutState, stepOf } from './state.ts';

/** Trials, and the bad ones among them. */
export interface Count {
  n: number;
  bad: number;
}

/** What both arms did. */
export interface Arms {
  candidate: Count;
  baseline: Count;
}

/** What is kept of one guardrail. */
export interface Gathered {
  process: EProcess;
  rollout: Arms;
  step: Arms;
  /** The baseline's requests in the hour before the rollout, where they are known for this guardrail. */
  earlier: Count;
}

interface Reference {
  p0: number;
  counts: Count;
}

/** One tick's counts, by unit and by request; null where nothing was seen. */
export interface OpenTick {
  tick: number;
  /** The part of all units that is told apart. */
  sample: number;
  byUnit: TickCounts | null;
  byRequest: Map<string, { n: number[]; bad: number[] }> | null;
}

function armsOf(tick: OpenTick, index: number, guardrail: Guardrail, state: RolloutState): Arms {
  const of = (variant: string): Count => {
    if (guardrail.per === 'unit') return tick.byUnit?.counts[index]?.[variant] ?? { n: 0, bad: 0 };
    const requests = tick.byRequest?.get(variant);
    return { n: requests?.n[index] ?? 0, bad: requests?.bad[index] ?? 0 };
  };
  return { candidate: of(state.to), baseline: of(state.baseline) };
}

/**
 * Adds a tick to what a guardrail has gathered, as its `per` and what is known of the baseline ask for. Pairs have no ticks. `isPart`: more
 * of it may come, so that few trials of the baseline do not mean that there is none beside the candidate.
 */
export function addTickTo(
  into: Gathered,
  tick: OpenTick,
  index: number,
  guardrail: Guardrail,
  state: RolloutState,
  isPart = false,
): void {
  if (guardrail.metric === 'mismatch') return;
  const counted = armsOf(tick, index, guardrail, state);
  const reference = referenceOf(into);
  // In a step that rarely has enough of the baseline there is nothing better to wait for.
  const isThin = into.step.baseline.n * TICK_MS < MIN_REFERENCE_TRIALS * (tick.tick * TICK_MS - state.sinceMs);
  // Late outcomes, of a step before: they have a baseline beside them, and say nothing of this step.
  const isBefore = (tick.tick + 1) * TICK_MS <= state.sinceMs;
  const isEarlier = isBefore && guardrail.metric.startsWith('outcome:');
  let p0 = isEarlier || (isPart && !isThin) ? null : (reference?.p0 ?? null);
  if (p0 !== null && guardrail.per === 'unit' && reference?.counts === into.earlier) {
    // The hour before was counted by request, and a unit that asks three times has three chances to be bad.
    const requests = tick.byRequest?.get(state.to)?.n[index] ?? 0;
    p0 = Math.min(1, p0 * Math.max(1, (requests * tick.sample) / Math.max(1, counted.candidate.n)));
  }
  const away = (tick.byRequest?.get(AWAY)?.n[index] ?? 0) * (guardrail.per === 'unit' ? tick.sample : 1);
  addTo(into, counted, p0, steadied(counted, { tick, state, p0, guardrail, away, step: into.step }), !isBefore);
}

interface Steadying {
  tick: OpenTick;
  state: RolloutState;
  p0: number | null;
  guardrail: Guardrail;
  /** What the candidate was not asked, since it was ejected. */
  away: number;
  /** What the step had before this tick. */
  step: Arms;
}

/**
 * What E is reckoned by: while a step is young, no fewer trials of the candidate than go with its weight, and with all of it the
 * baseline's too. A failure ends at once, and a good answer perhaps after a minute: by what has ended, an arm that has just gained
 * traffic would be small, and its failures many. That is over once the candidate has had its share.
 */
function steadied(counted: Arms, { tick, state, p0, guardrail, away, step }: Steadying): Arms {
  const ageMs = (tick.tick + 1) * TICK_MS - state.sinceMs;
  const { candidate, baseline } = counted;
  // What has ended is judged by the weights of its step, and not by those that it left behind.
  const { weight } = stepOf(state);
  const ended = weight === undefined ? state.before.weights : between(state, weight);
  const weights = state.end === null ? state.split.weights : ended;
  const share = weights[state.to]! / weights[state.baseline]!;
  const isAll = share === Infinity;
  // With nothing known from before, what the baseline still ends is all there is to compare with.
  // Outcomes of what the baseline served come for as long as they take.
  const isSettled = ageMs >= SETTLED_AFTER_MS && !(isAll && guardrail.metric.startsWith('outcome:'));
  const hasShare = step.candidate.n >= SETTLED_TRIALS && step.candidate.n >= SETTLED_PART * step.baseline.n * share;
  if (ageMs <= 0 || isSettled || hasShare || (isAll && p0 === null)) return counted;
  const n = isAll ? candidate.n + baseline.n : Math.max(candidate.n, baseline.n * share - away || 0);
  return { candidate: { n, bad: candidate.bad }, baseline: isAll ? { n: 0, bad: 0 } : baseline };
}

/** Adds counts of both arms; `p0` is the baseline's earlier rate at most, where it is known. `weighed`: what E is reckoned by. */
export function addTo(gathered: Gathered, counted: Arms, p0: number | null, weighed = counted, isOfStep = true): void {
  const { candidate, baseline } = counted;
  const { candidate: c, baseline: b } = weighed;
  const tick: Tick = { nc: c.n, kc: c.bad, nb: b.n, kb: b.bad };
  gathered.process = addTick(gathered.process, tick, p0);
  for (const scope of isOfStep ? [gathered.rollout, gathered.step] : [gathered.rollout]) {
    addCount(scope.candidate, candidate);
    addCount(scope.baseline, baseline);
  }
}

/**
 * The 99.9 % upper bound of what the baseline did earlier in this rollout, else in the hour before; null while both are too
 * little.
 */
export function referenceOf({ rollout, earlier }: Gathered): Reference | null {
  const counts = rollout.baseline.n >= MIN_REFERENCE_TRIALS ? rollout.baseline : earlier;
  return counts.n >= MIN_REFERENCE_TRIALS ? { p0: rateUpperBound(counts), counts } : null;
}

/** Only pairs of which both answers were compared, but for `unfair` mismatches. */
export function pairsOf(classes: Record<string, number>, unfair: number): Count {
  const bad = (classes['body-mismatch'] ?? 0) + (classes['status-mismatch'] ?? 0) - unfair;
  return { n: bad + (classes.match ?? 0), bad };
}

/** Both arms, which have done nothing yet. */
export function arms(): Arms {
  return { candidate: { n: 0, bad: 0 }, baseline: { n: 0, bad: 0 } };
}

/** Adds in place. */
export function addCount(into: Count, from: Count): void {
  into.n += from.n;
  into.bad += from.bad;
}
