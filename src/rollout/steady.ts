/**
 * Owns the choice of the earlier split that a rollback returns to. It refuses to return to variants that are not what they were, unless a
 * person insists.
 */

import { isFor } from '../config/hash.ts';
import type { Split } from '../config/split.ts';
import type { Route } from '../config/types.ts';
import { completeWeights } from '../config/weights.ts';
import { ok, type Result } from '../result.ts';
import { armsOf } from '../split/assign.ts';
import type { RolloutState, Seen, Standing } from './state.ts';
import { refused } from './words.ts';

/**
 * A split as the controller keeps it. The config's weights are kept as revision 0 when the first split is made, or there would be nothing
 * to return to.
 */
export type KeptSplit = Pick<
  Split,
  'revision' | 'weights' | 'shadows' | 'baseline' | 'salt' | 'rollout' | 'variants'
> & {
  /** For a rollback's split: the revision that it returned to. */
  restores?: number;
};

/** What a rollback is chosen by. */
export interface RollbackRequest {
  /** Every kept split, in any order. */
  kept: readonly KeptSplit[];
  /** The rollout that runs, which the rollback ends. */
  running: RolloutState | null;
  config: NonNullable<Seen['config']>;
  route: Pick<Route, 'variants' | 'shadows'>;
  /** A named split; absent: the last steady one. */
  revision?: number;
  force?: boolean;
}

interface RollbackRefusal {
  code: 'unknown_revision' | 'nothing_earlier' | 'already_there' | 'variants_changed' | 'unknown_variant';
  detail: string;
  mend: string;
}

const NAME_ONE = 'name a revision (headgate rollback ROUTE --dry-run lists some), or set weights';

/** Where a rollback goes. A split is steady when no rollout was under way in it. */
export function rollbackTarget(request: RollbackRequest): Result<Standing, RollbackRefusal> {
  const chosen = request.revision === undefined ? lastSteady(request) : named(request.kept, request.revision);
  if (!chosen.ok) return chosen;
  const split = chosen.value;
  const served = armsOf(split.weights).map(({ variant }) => variant);
  const stranger = [...served, split.baseline].find((name) => !request.config.names.includes(name));
  if (stranger !== undefined) {
    const detail = `split ${split.revision} names "${stranger}", which is not a variant of this route`;
    return refused('unknown_variant', detail, `${NAME_ONE}, or headgate config restore REVISION`);
  }
  if (!isFor(split, request.route) && request.force !== true) {
    const traffic = served.map((name) => `${name} ${split.weights[name]} %`).join(', ');
    const detail = `the variants have changed since split ${split.revision} (${traffic}) was made`;
    return refused(
      'variants_changed',
      detail,
      'serve the changed ones by --force, "force": true; or headgate config restore REVISION',
    );
  }
  const { revision, weights, baseline, salt, shadows } = restored(split, request);
  return ok({ revision, weights: completeWeights(weights, request.config.names), shadows, baseline, salt });
}

/** The split as it would come back: only with shadows that the config describes, since it sets their bounds. */
function restored(split: KeptSplit, { route }: RollbackRequest): KeptSplit {
  const described = Object.entries(split.shadows).filter(([name]) =>
    route.shadows.some(({ variant }) => variant === name),
  );
  return { ...split, shadows: Object.fromEntries(described) };
}

function named(kept: readonly KeptSplit[], revision: number): Result<KeptSplit, RollbackRefusal> {
  const split = kept.find((one) => one.revision === revision);
  if (split !== undefined) return ok(split);
  const known = kept.map((one) => one.revision).sort((a, b) => b - a);
  const some = known.length === 0 ? 'none is kept' : `the newest kept are ${known.slice(0, 8).join(', ')}`;
  return refused('unknown_revision', `there is no split ${revision}; ${some}`, 'name one of those');
}

function lastSteady(request: RollbackRequest): Result<KeptSplit, RollbackRefusal> {
  const { kept, running } = request;
  const splits = kept.toSorted((a, b) => b.revision - a.revision);
  if (running !== null) {
    const { before, variants } = running;
    // What was in force without a split of its own (the config's weights, say) was kept as one when the rollout began, with a later number.
    const own = splits.find(({ rollout, revision }) => rollout === null && revision > before.revision);
    return ok({ ...before, revision: own?.revision ?? before.revision, rollout: null, variants });
  }
  const [newest] = splits;
  // Once its variants have changed, the newest split is not served any more: the config's baseline has all traffic, and comes first in its
  // place. It keeps the split's mirrors: that those have ended too must not make the two look like different traffic.
  if (newest !== undefined && !isFor(newest, request.route)) splits.unshift(atBaseline(newest, request.config));
  const [current, ...earlier] = splits;
  const isSame = (split: KeptSplit) => [split, restored(split, request)].some((one) => sameTraffic(one, current!));
  // The same change twice counts as one: otherwise a second try in haste would close the way back.
  const other = earlier.findIndex((split) => split.rollout !== null || !isSame(split));
  const again = other < 0 ? earlier : earlier.slice(0, other);
  const steady = earlier.slice(again.length).find((split) => split.rollout === null);
  if (current === undefined || steady === undefined) {
    const detail = 'there is no earlier steady split to return to';
    return refused('nothing_earlier', detail, NAME_ONE);
  }
  // A second rollback in haste must not bring back what the first one left.
  const restoring = [current, ...again].find(({ restores }) => restores !== undefined);
  if (restoring !== undefined) {
    const detail = `split ${restoring.revision} is a rollback already (to ${restoring.restores})`;
    return refused('already_there', detail, NAME_ONE);
  }
  if (isSame(steady)) {
    const detail = `split ${current.revision} already is what steady split ${steady.revision} was`;
    return refused('already_there', detail, NAME_ONE);
  }
  return ok(steady);
}

function atBaseline(split: KeptSplit, { baseline }: RollbackRequest['config']): KeptSplit {
  const { revision, salt, variants, shadows } = split;
  return { revision, salt, variants, weights: { [baseline]: 100 }, shadows, baseline, rollout: null };
}

function sameTraffic(a: KeptSplit, b: KeptSplit): boolean {
  return a.baseline === b.baseline && same(a.weights, b.weights) && same(a.shadows, b.shadows);
}

function same(a: Record<string, number>, b: Record<string, number>): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}
