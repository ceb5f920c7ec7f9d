/** Owns what a route's status says: the split in force and why, live numbers, the rollout with its verdicts (design section 11). */

import { type InForce, splitInForce } from '../config/inforce.ts';
import type { Split } from '../config/split.ts';
import type { Fault } from '../result.ts';
import { describeRollout, type RolloutStatus } from './describe.ts';
import type { RouteControl } from './route-control.ts';
import { type LiveNumbers, numbersOf } from './series.ts';
import type { Standing } from './state.ts';

/** A route as the API shows it. */
export interface RouteStatus {
  name: string;
  /** The newest split, also while weights by hand beat it. Revision 0: the config's own weights. */
  split: Split;
  /** What isolates serve by. */
  inForce: Pick<InForce, 'source' | 'weights' | 'shadows' | 'baseline' | 'salt' | 'experiment' | 'notes'>;
  /** The baseline of the next split or rollout: another than that in force once the config names another. Older controllers tell none. */
  nextBaseline?: string;
  byHand: Record<string, number> | null;
  /** Why `weights:<route>` in KV is refused, so that what was in force before it still is; null where it is not. */
  byHandFault: Fault | null;
  live: Record<string, LiveNumbers>;
  rollout: RolloutStatus | null;
  /** What people should know of it: where a change has not come to yet; in the list of routes, that its controller does not answer. */
  warnings?: string[];
}

/** Null when the config does not have the route. */
export function statusOf(control: RouteControl, nowMs: number): RouteStatus | null {
  const { route, byHand, byHandFault } = control.source.view;
  if (route === null) return null;
  const split = control.journal.split();
  const standing = control.standing(control.source.view)!;
  const inForce = splitInForce({ route, split, weights: byHand });
  const { rollout } = control;
  const idle = Object.fromEntries(Object.keys(route.variants).map((name) => [name, numbersOf([])]));
  return {
    name: control.name,
    split: split ?? ofConfig(standing, '', ''),
    inForce,
    nextBaseline: standing.baseline,
    byHand,
    byHandFault,
    live: { ...idle, ...control.series.live(nowMs) },
    warnings: control.delays,
    // What is live, also where weights by hand, a changed config or a rollback beat the step's own.
    rollout:
      rollout &&
      describeRollout(rollout, control.evidence.judge(rollout).judgements, nowMs, inForce.weights[rollout.to] ?? 0),
  };
}

/** What the config alone decides, as a split. */
export function ofConfig(standing: Standing, variants: string, at: string): Split {
  const reason = `the ${standing.revision === 0 ? 'weights' : 'baseline'} of the config`;
  return { ...standing, rollout: null, variants, by: 'config', reason, at };
}
