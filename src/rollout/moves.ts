/**
 * Owns the single moves of a rollout: begin a step, hold, go on, end. Each gives the next state with everything that belongs to
 * it (split, history entry, webhook), so that no caller can forget one. It refuses to decide when to move.
 */

import { IDLE_TICK_EVERY_MS, TICK_EVERY_MS } from './limits.ts';
import { endOf } from './plan.ts';
import { shareOf } from './readiness.ts';
import { configOfReturn, splitOfAbort, splitOfPromotion, splitOfReturn, splitOfStep } from './splits.ts';
import {
  type Action,
  type By,
  type Effect,
  type HistoryEntry,
  type Moved,
  type PauseCause,
  phaseOf,
  placeOf,
  type RolloutState,
  type Seen,
  type SplitDraft,
  type Standing,
  stepOf,
} from './state.ts';
import { iso } from './words.ts';

/** The actor of moves that evidence and time decide. */
export const CONTROLLER = 'controller';

/** Goes on to the next step, or to the plan's end after the last. The caller has checked the candidate's health. */
export function goOn(state: RolloutState, seen: Seen, by: By): Moved {
  if (state.step + 1 < state.steps.length) return beginStep(state, state.step + 1, seen, by);
  return endOf(state.steps) === 'promoted' ? promoted(state, seen, by) : completed(state, seen, by);
}

/** The candidate's percent of live traffic after `goOn`. */
export function shareAfter(state: RolloutState): number {
  const { steps, step, to, before } = state;
  if (step + 1 < steps.length) return steps[step + 1]!.weight ?? before.weights[to] ?? 0;
  return endOf(steps) === 'promoted' ? 100 : (before.weights[to] ?? 0);
}

/** Enters a step. One that only a person ends awaits approval from its first moment. */
function beginStep(state: RolloutState, step: number, seen: Seen, { actor, reason: why }: By): Moved {
  const by = { actor, reason: `step ${step + 1} of ${state.steps.length}: ${why}` };
  const fresh = stepAnew({ ...state, step, pause: null }, seen.nowMs);
  const split = splitOfStep(state, step, by);
  const next = { ...fresh, reason: by.reason, split };
  return moved(state, next, seen, 'advanced', by, [{ kind: 'publish', split }]);
}

/** The present step from its beginning: time and samples count again from nothing. */
export function stepAnew(state: RolloutState, nowMs: number): RolloutState {
  const { forMs, maxForMs, approval, experiment } = stepOf(state);
  return {
    ...state,
    stepRun: state.stepRun + 1,
    running: approval && forMs === 0 && !experiment ? 'awaiting-approval' : 'progressing',
    sinceMs: nowMs,
    creditedMs: 0,
    limitMs: maxForMs ?? null,
    lastMs: nowMs,
    waiting: [],
  };
}

/** Holds where it is. Traffic stays. */
export function paused(state: RolloutState, seen: Seen, cause: PauseCause, by: By): Moved {
  const next = { ...state, pause: { cause, reason: by.reason }, reason: by.reason };
  return moved(state, next, seen, 'paused', by);
}

/** Asks for a person; everything else that the step needs is there. */
export function awaiting(state: RolloutState, seen: Seen, by: By): Moved {
  const next: RolloutState = { ...state, running: 'awaiting-approval', waiting: [], reason: by.reason };
  return moved(state, next, seen, 'awaiting-approval', by);
}

/** Ends it with all traffic on the baseline. */
export function aborted(state: RolloutState, seen: Seen, by: By): Moved {
  const split = splitOfAbort(state, seen, by);
  return ended(state, seen, { end: 'aborted', action: 'aborted', split, by });
}

/** Ends it with an earlier split in force again. The caller has checked that its variants exist. */
export function rolledBack(state: RolloutState, target: Standing, seen: Seen, by: By): Moved {
  const variants = seen.config?.variants ?? state.variants;
  const split = splitOfReturn(target, variants, by);
  const isInConfig = target.baseline === (seen.config?.baseline ?? state.configBaseline);
  const effects: Effect[] = isInConfig ? [] : [{ kind: 'config', ...configOfReturn(target, by.reason) }];
  return ended(state, seen, { end: 'aborted', action: 'rolled-back', split, by, effects });
}

function promoted(state: RolloutState, seen: Seen, { actor, reason: why }: By): Moved {
  const by = { actor, reason: `${state.to} is promoted: ${why}` };
  const split = splitOfPromotion(state, by);
  const { to } = state;
  const config: Effect = {
    kind: 'config',
    baseline: to,
    weights: split.weights,
    reason: `rollout ${state.id}: ${by.reason}`,
  };
  return ended(state, seen, { end: 'promoted', action: 'promoted', split, by, effects: [config] });
}

function completed(state: RolloutState, seen: Seen, { actor, reason: why }: By): Moved {
  const by = { actor, reason: `completed: ${why}` };
  const split = splitOfReturn(state.before, state.variants, by);
  return ended(state, seen, { end: 'completed', action: 'completed', split, by });
}

function ended(
  state: RolloutState,
  seen: Seen,
  to: {
    end: 'promoted' | 'completed' | 'aborted';
    action: Action;
    split: SplitDraft;
    by: By;
    effects?: Effect[];
  },
): Moved {
  const { end, action, split, by, effects = [] } = to;
  const next = { ...state, end, split, reason: by.reason, waiting: [] };
  return moved(state, next, seen, action, by, [{ kind: 'publish', split }, ...effects]);
}

/** A change of state with its history entry and webhook. `before` is null for a start. */
export function moved(
  before: RolloutState | null,
  state: RolloutState,
  seen: Seen,
  action: Action,
  { actor, reason }: By,
  effects: Effect[] = [],
): Moved {
  const entry: HistoryEntry = {
    at: iso(seen.nowMs),
    actor,
    action,
    reason,
    before: before && placeOf(before),
    after: placeOf(state),
    evidence: seen.evidence.judgements.map(({ sentence }) => sentence),
  };
  const { route, id: rollout, to, baseline } = state;
  const text = `${route}: rollout ${rollout} to ${to} ${action} at ${shareOf(state)} % by ${actor}: ${reason}`;
  const webhook: Effect = { kind: 'webhook', event: { route, rollout, to, baseline, entry, text } };
  return { state, effects: [...effects, webhook], entry };
}

/** After how long a running rollout must be looked at again: in time for the end of its step. */
export function lookAfterMs(state: RolloutState): number {
  if (phaseOf(state) !== 'progressing') return IDLE_TICK_EVERY_MS;
  const left = stepOf(state).forMs - state.creditedMs;
  return left > 0 ? Math.min(left, TICK_EVERY_MS) : TICK_EVERY_MS;
}
