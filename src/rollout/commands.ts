/**
 * Owns what people may do to a rollout, and when a command is refused, always with a sentence that says what to do instead. People may go
 * on without a step's evidence, since they may know more; but not past a failing critical guardrail or health check, weights by hand, or a
 * config that changed underneath. An abort is refused only after the end, or while weights by hand decide anyway: no health check stands
 * between a person and the way back.
 */

import { ok } from '../result.ts';
import { armsOf } from '../split/assign.ts';
import { asking, firstUnwell, healthToGoOn, mendOrForce, unhealthy } from './health.ts';
import { aborted, goOn, moved, paused, rolledBack, stepAnew } from './moves.ts';
import { criticalFailure } from './readiness.ts';
import {
  type Answer,
  type By,
  type Command,
  changedUnderneath,
  phaseOf,
  type RolloutState,
  type Seen,
  stepOf,
} from './state.ts';
import { changeOf } from './tick.ts';
import { byHandDecides, refused } from './words.ts';

/** The state after a command, or why it is refused. A refusal changes nothing. */
export function obey(state: RolloutState, command: Command, seen: Seen): Answer {
  const { route } = state;
  if (state.end !== null) {
    return refused(
      'ended',
      `rollout ${state.id} is ${state.end}`,
      `headgate rollout start ${route} VARIANT starts another`,
    );
  }
  if (seen.byHand) return byHandDecides(route);
  const by: By = command;
  switch (command.kind) {
    case 'abort':
      return ok(aborted(state, seen, by));
    case 'rollback':
      return rollback(state, command, seen, by);
    case 'pause':
      if (phaseOf(state) === 'paused') {
        const detail = `it is paused already: ${state.reason}`;
        return refused('already_paused', detail, `headgate rollout resume ${route} goes on, abort ends it`);
      }
      return ok(paused(state, seen, 'person', by));
    case 'resume':
      return resume(state, seen, by);
    case 'promote':
      return promote(state, seen, by);
  }
}

function refuseChanged(state: RolloutState, seen: Seen): Answer {
  const { what, mend } = changeOf(state, seen);
  return refused('variants_changed', what, mend);
}

function promote(state: RolloutState, seen: Seen, by: By): Answer {
  if (changedUnderneath(state, seen)) return refuseChanged(state, seen);
  const failure = criticalFailure(state, seen.evidence);
  if (failure !== null) {
    const detail = `a critical guardrail fails: ${failure.sentence}`;
    return refused('guardrail_fails', detail, `take the traffic back: headgate rollout abort ${state.route}`);
  }
  const health = healthToGoOn(state, seen);
  if (health.is === 'bad') return refused('unhealthy', unhealthy(health), `mend ${health.variant} first`);
  if (health.is === 'unknown') return ok(asking(state, health));
  return ok(
    goOn({ ...state, byHand: false }, seen, {
      ...by,
      reason: `promoted by ${by.actor}${by.reason && `: ${by.reason}`}`,
    }),
  );
}

/**
 * Goes on where the rollout was held. After a change of the config the step begins anew; a step that had used up its longest time gets
 * that time once more.
 */
function resume(state: RolloutState, seen: Seen, by: By): Answer {
  if (phaseOf(state) !== 'paused') {
    const isOn = state.running === 'progressing';
    const detail = `nothing to resume: it ${isOn ? 'is progressing' : 'awaits approval'}`;
    return refused('not_paused', detail, isOn ? 'let it go on, pause or abort it' : 'promote or abort it');
  }
  if (changedUnderneath(state, seen)) return refuseChanged(state, seen);
  const anew = state.byHand || state.pause?.cause === 'config';
  const base = anew ? { ...stepAnew(state, seen.nowMs), running: state.running } : { ...state, lastMs: seen.nowMs };
  const isLate = base.limitMs !== null && base.creditedMs >= base.limitMs;
  const limitMs = isLate ? base.creditedMs + (stepOf(state).maxForMs ?? 0) : base.limitMs;
  const next: RolloutState = { ...base, byHand: false, pause: null, limitMs, reason: by.reason };
  return ok(moved(state, next, seen, 'resumed', by));
}

/** Returns to an earlier split, if those of its variants that serve nobody now are healthy. `steady.ts` has checked that they exist. */
function rollback(state: RolloutState, command: Command & { kind: 'rollback' }, seen: Seen, by: By): Answer {
  const served = armsOf(command.target.weights).map(({ variant }) => variant);
  const cold = served.filter((name) => (state.split.weights[name] ?? 0) === 0);
  const health = firstUnwell(command.force ? [] : cold, state.probed, seen);
  if (health.is === 'unknown') return ok(asking(state, health));
  if (health.is === 'bad') return refused('unhealthy', unhealthy(health), mendOrForce(health.variant));
  return ok(rolledBack(state, command.target, seen, by));
}
