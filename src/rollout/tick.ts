/**
 * Owns what time and evidence do to a rollout when nobody says anything. At most one transition a tick, the most urgent first:
 * a failing critical guardrail, weights by hand, a changed config, then the step itself. It refuses to count time that nobody
 * watched, so a clock that jumps neither shortens a step nor stalls it.
 */

import { span } from '../analysis/words.ts';
import { asking, healthToGoOn, healthToReturn, unhealthy } from './health.ts';
import { TICK_EVERY_MS } from './limits.ts';
import { aborted, awaiting, CONTROLLER, goOn, moved, paused, stepAnew } from './moves.ts';
import { criticalFailure, passedOn, readinessOf } from './readiness.ts';
import { type By, changedUnderneath, type Moved, phaseOf, type RolloutState, type Seen, stepOf } from './state.ts';
import { brief } from './words.ts';

/** One tick credits a step with at most this much time: an alarm may be two periods late, and a clock may jump. */
export const MAX_CREDIT_MS = 3 * TICK_EVERY_MS;

/** The state after a look at the clock and the evidence. An ended rollout never changes. */
export function tick(state: RolloutState, seen: Seen): Moved {
  if (state.end !== null) return still(state);
  const now = credited(state, seen);
  return returning(now, seen) ?? byHand(now, seen) ?? changed(now, seen) ?? progress(now, seen);
}

const by = (reason: string): By => ({ actor: CONTROLLER, reason });

const still = (state: RolloutState): Moved => ({ state, effects: [] });

/** Held time does not count. */
function credited(state: RolloutState, { nowMs, isByHandElsewhere }: Seen): RolloutState {
  const passedMs = nowMs - state.lastMs;
  // A little behind is a repeated or late tick; far behind is a clock that was set back, and the new time is the time.
  const lastMs = passedMs < 0 && passedMs >= -MAX_CREDIT_MS ? state.lastMs : nowMs;
  // Otherwise nothing that is seen until the clock has caught up would be of this step.
  const now = { ...state, lastMs, sinceMs: Math.min(state.sinceMs, lastMs) };
  if (phaseOf(state) !== 'progressing' || isByHandElsewhere || !(passedMs > 0)) return now;
  return { ...now, creditedMs: state.creditedMs + Math.min(passedMs, MAX_CREDIT_MS) };
}

/** Guardrails are armed in every phase before the end. */
function returning(state: RolloutState, seen: Seen): Moved | null {
  const failure = criticalFailure(state, seen.evidence);
  if (failure === null) return null;
  const health = healthToReturn(state, seen);
  if (health.is === 'unknown') return asking(state, health);
  if (health.is === 'fine') return aborted(state, seen, by(failure.sentence));
  // All traffic on a variant that is known to be down is worse than a bad candidate. The next tick looks again.
  if (state.pause?.cause === 'no-way-back') return byHand(state, seen) ?? still(state);
  const reason = `${failure.sentence}; but ${unhealthy(health)}; traffic stays until it heals or you abort`;
  return paused(state, seen, 'no-way-back', by(reason));
}

/**
 * Weights by hand hold a rollout for as long as they are there. When they go it is what it was before, and the step begins anew:
 * what was seen under other weights passes nothing.
 */
function byHand(state: RolloutState, seen: Seen): Moved | null {
  if (seen.byHand === state.byHand) return null;
  if (seen.byHand) {
    const reason = 'weights set by hand';
    return moved(state, { ...state, byHand: true, reason }, seen, 'paused', by(reason));
  }
  const { running, pause } = state;
  const reason = pause?.reason ?? 'the weights set by hand are gone; the step begins anew';
  const next: RolloutState = { ...stepAnew(state, seen.nowMs), running, byHand: false, reason };
  const phase = phaseOf(next);
  const action = phase === 'progressing' ? 'resumed' : phase;
  return moved(state, next, seen, action, by(reason));
}

function changed(state: RolloutState, seen: Seen): Moved | null {
  if (!changedUnderneath(state, seen) || state.pause?.cause === 'config') return null;
  const { what, mend } = changeOf(state, seen);
  return paused(state, seen, 'config', by(`${what}: ${mend}`));
}

/** What changed underneath, and what a person can do. */
export function changeOf(state: RolloutState, { config }: Pick<Seen, 'config'>): { what: string; mend: string } {
  if (config === null) {
    return { what: `the config has no route ${state.route} any more`, mend: 'bring it back, or abort' };
  }
  const what =
    config.baseline === state.configBaseline ? 'its variants' : `its baseline to ${config.baseline.slice(0, 32)}`;
  const mend = 'change it back and resume, or abort and start again';
  return { what: `the config changed ${what} during the rollout`, mend };
}

function progress(state: RolloutState, seen: Seen): Moved {
  if (phaseOf(state) !== 'progressing') return still(state);
  if (seen.isByHandElsewhere) return still({ ...state, waiting: ['some isolates: weights set by hand'] });
  const { experiment } = seen.evidence;
  if (stepOf(state).experiment && experiment?.verdict === 'stop' && seen.evidence.stepRun === state.stepRun) {
    return paused(state, seen, 'experiment', by(experiment.sentence));
  }
  const { ready, waiting, unjudgeable } = readinessOf(state, seen.evidence);
  if (unjudgeable) return awaiting(state, seen, by('there is no baseline to compare with, so a person must approve'));
  if (!ready) return holding(state, seen, waiting);
  const decided = stepOf(state).experiment && experiment !== undefined ? [experiment.sentence] : [];
  const passed = [...passedOn(state, seen.evidence).map(brief), ...decided].join('; ');
  const reason = passed === '' ? `${span(stepOf(state).forMs)} without a failure` : passed;
  if (stepOf(state).approval) return awaiting(state, seen, by(`${reason}; waits for approval`));
  const health = healthToGoOn(state, seen);
  if (health.is === 'bad') return holding(state, seen, [unhealthy(health)]);
  if (health.is === 'fine') return goOn(state, seen, by(reason));
  return asking(state, health);
}

/** Waits, until the step's longest time is over. */
function holding(state: RolloutState, seen: Seen, waiting: string[]): Moved {
  const next = { ...state, waiting };
  if (state.limitMs === null || state.creditedMs < state.limitMs) return still(next);
  const place = `step ${state.step + 1} of ${state.steps.length}`;
  return paused(next, seen, 'late', by(`${place} did not pass in ${span(state.limitMs)}: ${waiting.join('; ')}`));
}
