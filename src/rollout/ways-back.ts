/**
 * Owns the preview of a rollback: the splits that it can return to, and the one that it would return to now. It moves nothing, and does
 * not check health: that is done when traffic is to move.
 */

import { isFor } from '../config/hash.ts';
import type { Split } from '../config/split.ts';
import { ok, type Result } from '../result.ts';
import { targetOf } from './calls.ts';
import { MAX_LISTED } from './limits.ts';
import { type CallRefusal, readyToMove } from './ready.ts';
import type { RouteControl } from './route-control.ts';
import type { Standing } from './state.ts';

/** Where a rollback may lead. */
export interface WaysBack {
  /** Steady splits but for the one in force, newest first. */
  splits: Omit<Split, 'guardrails'>[];
  /** Where the rollback that was asked about goes; null when it would be refused. */
  target: Standing | null;
  refused: CallRefusal | null;
}

/** What a rollback with these options would do now, or why nothing can be said. */
export async function waysBack(
  control: RouteControl,
  asked: { revision?: number; force: boolean },
): Promise<Result<WaysBack, CallRefusal>> {
  const ready = await readyToMove(control, { ifMatch: null, allowsRollout: true });
  if (!ready.ok && ready.error.code !== 'manual') return ready;
  const kept = control.journal.kept();
  const now = control.journal.split()?.revision;
  const splits = kept
    .filter((split) => split.rollout === null && (split.revision !== now || !isFor(split, control.source.view.route!)))
    .toReversed()
    .slice(0, MAX_LISTED)
    .map(({ guardrails: _, ...split }) => split);
  const target = ready.ok ? targetOf(control, ready.value, asked) : ready;
  return ok(
    target.ok ? { splits, target: target.value, refused: null } : { splits, target: null, refused: target.error },
  );
}
