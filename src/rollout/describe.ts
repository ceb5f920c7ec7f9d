/** Owns how a rollout is told: the status of design section 11. It computes no verdict and changes nothing. */

import type { Judgement } from '../analysis/verdict.ts';
import type { Step } from './plan.ts';
import { shareOf } from './readiness.ts';
import { type Phase, phaseOf, type RolloutState, stepOf } from './state.ts';
import { iso } from './words.ts';

export interface RolloutStatus {
  id: string;
  to: string;
  baseline: string;
  plan: string;
  phase: Phase;
  /** From 1. */
  step: number;
  steps: number;
  /** The candidate's percent of live traffic. */
  weight: number;
  /** When the step began, ISO 8601. */
  since: string;
  /** What must come before it moves on, in one sentence; null at the end. */
  waitsFor: string | null;
  /** When time decides next (the step's `for`, else its `maxFor`), ISO 8601; null when a person or evidence must. */
  nextAt: string | null;
  reason: string;
  startedBy: string;
  startedAt: string;
  planSteps: Step[];
  guardrails: (Judgement & { critical: boolean; required: boolean })[];
}

/** The status of a rollout. `judgements` are by position in its guardrails, as in `Evidence`. */
export function describeRollout(state: RolloutState, judgements: readonly Judgement[], nowMs: number): RolloutStatus {
  const { id, to, baseline, plan, steps, reason, startedBy } = state;
  return {
    ...{ id, to, baseline, plan, reason, startedBy },
    phase: phaseOf(state),
    step: state.step + 1,
    steps: steps.length,
    weight: shareOf(state),
    since: iso(state.sinceMs),
    waitsFor: waitsFor(state),
    nextAt: nextAt(state, nowMs),
    startedAt: iso(state.startedMs),
    planSteps: steps,
    guardrails: state.guardrails.flatMap(({ critical, required }, position) => {
      const judgement = judgements[position];
      return judgement === undefined ? [] : [{ ...judgement, critical, required }];
    }),
  };
}

/** What a rollout waits for, in one sentence. */
export function waitsFor(state: RolloutState): string | null {
  switch (phaseOf(state)) {
    case 'progressing':
      return state.waiting.length > 0 ? state.waiting.join('; ') : 'its first look at the evidence';
    case 'awaiting-approval':
      return `a person to promote it (headgate rollout promote ${state.route}) or to abort it`;
    case 'paused':
      return state.byHand
        ? `the weights set by hand to go (headgate manual clear ${state.route})`
        : `a person to resume, promote or abort it: ${state.pause?.reason}`;
    default:
      return null;
  }
}

/** When time alone can change something next: the end of `for`, else the step's longest time; null when it cannot. */
export function nextAt(state: RolloutState, nowMs: number): string | null {
  if (phaseOf(state) !== 'progressing') return null;
  const leftMs = stepOf(state).forMs - state.creditedMs;
  if (leftMs > 0) return iso(nowMs + leftMs);
  return state.limitMs === null ? null : iso(nowMs + Math.max(0, state.limitMs - state.creditedMs));
}
