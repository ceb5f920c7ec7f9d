/**
 * Owns waiting: for a rollout's end, with the exit status for it, and for a Worker that is away, which is tried again for some minutes. A
 * rollout that does not exist, or was replaced by another, is refused rather than taken for a success.
 */

import type { RolloutStatus } from '../rollout/describe.ts';
import type { RouteStatus } from './route.ts';
import { type ExitCode, Stop } from './stop.ts';
import type { Terminal } from './terminal.ts';

/** How often `--watch` and `--wait` look. */
export const LOOK_MS = 2_000;
/** A Worker that is silent for so long is given up. */
const MAX_SILENCE_MS = 300_000;
/** One look takes no longer, so that a connection that died in silence is made anew. */
const LOOK_LIMIT_MS = 30_000;
/** Nor less, so that there is a last look when the time is over. */
const MIN_LOOK_MS = 1_000;

/** The exit status of a rollout as it stands; undefined while it goes on. */
export function exitOf(phase: RolloutStatus['phase'], endsAtApproval: boolean): ExitCode | undefined {
  switch (phase) {
    case 'promoted':
    case 'completed':
      return 0;
    case 'aborted':
      return 3;
    case 'paused':
      return 4;
    case 'awaiting-approval':
      return endsAtApproval ? 4 : undefined;
    case 'progressing':
      return undefined;
  }
}

/** The same terminal, whose calls end in time for whoever looks until `deadlineMs`. */
export function withLookLimit(terminal: Terminal, deadlineMs: number): Terminal {
  const limitMs = () => Math.max(MIN_LOOK_MS, Math.min(LOOK_LIMIT_MS, deadlineMs - terminal.now()));
  const fetch: Terminal['fetch'] = (input, init) =>
    terminal.fetch(input, { ...init, signal: AbortSignal.timeout(limitMs()) });
  return { ...terminal, fetch };
}

/** `look`, tried again while the Worker cannot be reached or fails, until the deadline at most. */
export function patiently<T>(
  look: () => Promise<T>,
  terminal: Terminal,
  deadlineMs = Number.POSITIVE_INFINITY,
): () => Promise<T> {
  return async () => {
    const sinceMs = terminal.now();
    let isSaid = false;
    for (;;) {
      try {
        return await look();
      } catch (cause) {
        if (!isPassing(cause) || terminal.now() - sinceMs > MAX_SILENCE_MS) throw cause;
        if (terminal.now() >= deadlineMs) throw unknownEnd(cause);
        if (!isSaid) terminal.note(`${cause.trouble.what} Trying again.`);
        isSaid = true;
        await terminal.sleep(LOOK_MS);
      }
    }
  };
}

function unknownEnd({ trouble: { what, mend } }: Stop): Stop {
  const over = 'The time is over, and how the rollout stands is not known.';
  return new Stop({ exitCode: 1, code: 'timeout', what: over, why: what, mend });
}

const passing = new Set(['unreachable', 'no_controller', 'controller_down', 'internal', 'no_config', 'no_headgate']);

function isPassing(cause: unknown): cause is Stop {
  return cause instanceof Stop && passing.has(cause.trouble.code ?? '');
}

/** Refuses to call a rollout promoted whose candidate has lost all traffic since: a rollback may have come after its end. */
export function refuseTakenBack({ name, inForce, split }: RouteStatus, { id, to, phase }: RolloutStatus): void {
  if (phase !== 'promoted' || (inForce.weights[to] ?? 0) > 0) return;
  const what = `Rollout ${id} was promoted, but ${to} has no traffic now.`;
  throw new Stop({ exitCode: 1, code: 'taken_back', what, ...takenBackBy(name, inForce, split) });
}

/** By what, and where to look: the newest split is still the promotion's own while weights by hand or another config beat it. */
function takenBackBy(
  name: string,
  { source, notes }: RouteStatus['inForce'],
  { revision, by, reason }: RouteStatus['split'],
) {
  if (source === 'weights') {
    return { why: 'Weights set by hand decide.', mend: `headgate manual clear ${name} ends them` };
  }
  const why = source === 'split' ? `Split ${revision} by ${by}${reason && `: ${reason}`}` : notes.join(' ');
  return { why, mend: `headgate history ${name} tells who moved it, and why` };
}

/** Refuses to wait where there is no rollout, or where another took the place of the one that was waited for. */
export function sameRollout(route: string, rollout: RolloutStatus | null, id: string | undefined): RolloutStatus {
  if (rollout === null) {
    throw new Stop({
      exitCode: 1,
      code: 'no_rollout',
      what: `There is no rollout of ${route} to wait for.`,
      mend: `headgate rollout start ${route} VARIANT`,
    });
  }
  if (id === undefined || rollout.id === id) return rollout;
  throw new Stop({
    exitCode: 1,
    code: 'other_rollout',
    what: `Rollout ${id} is over, and ${rollout.id} has taken its place.`,
    mend: `headgate history ${route} tells how it ended`,
  });
}
