/**
 * Owns what must be known, and what must not stand against it, before people's calls on a route do anything. It changes nothing.
 */

import { variantsHash } from '../config/hash.ts';
import type { Route } from '../config/types.ts';
import { type Fault, ok, type Result } from '../result.ts';
import type { RouteControl } from './route-control.ts';
import { phaseOf, type RolloutState, type Standing } from './state.ts';
import { byHandDecides, noRoute, refused } from './words.ts';

/** Why a call was refused, and what to do about it. `faults` only with `invalid`. */
export interface CallRefusal {
  code: string;
  detail: string;
  mend: string;
  faults?: Fault[];
}

/** What to do where something outside could not be read. */
export const LOOK_AGAIN = 'try again; headgate doctor looks at config and KV';

/** What a call that moves traffic needs to know: the route, what is in force, and the hash of its variants. */
export type Ready = { route: Route; before: Standing; variants: string };

/**
 * Looks outside: what a call that moves traffic needs to know, or why it is refused. `allowsRollout`: the call may come while a rollout
 * runs (a rollback may, and ends it).
 */
export async function readyToMove(
  control: RouteControl,
  { ifMatch, allowsRollout }: { ifMatch: number | null; allowsRollout: boolean },
): Promise<Result<Ready, CallRefusal>> {
  const view = await control.look(Date.now(), 0);
  const { route } = view;
  if (!view.isKnown) {
    return refused('no_config', 'the config cannot be read now, so nothing is changed', LOOK_AGAIN);
  }
  if (!view.isKvKnown && control.journal.split() === null) {
    // A failed read is not absence: isolates that know KV's split would ignore a split with a lower revision.
    return refused('no_config', 'KV cannot be read now, so the split in force is not known', LOOK_AGAIN);
  }
  if (route === null) return noRoute(control.name);
  const stale = staleFault(control, ifMatch);
  if (stale !== null) return stale;
  // Where the key is refused, isolates that knew valid weights by hand still serve by them.
  if (view.byHand ?? (!allowsRollout && view.byHandFault)) return byHandDecides(control.name);
  const { running } = control;
  if (!allowsRollout && running !== null) return busy(control.name, running);
  return ok({ route, before: control.standing(view)!, variants: variantsHash(route) });
}

/** Looks outside: why a call that commands the route is refused, or null. A running rollout can be commanded also without its config. */
export async function unreadyFault(
  control: RouteControl,
  ifMatch: number | null,
): Promise<ReturnType<typeof staleFault>> {
  const { isKnown, route } = await control.look(Date.now(), 0);
  const isNobody = route === null && control.running === null;
  if (isNobody && isKnown) return noRoute(control.name);
  if (isNobody && control.journal.split() === null) return refused('no_config', 'no config could be read', LOOK_AGAIN);
  return staleFault(control, ifMatch);
}

function busy(route: string, running: RolloutState) {
  const detail = `rollout ${running.id} to ${running.to} is ${phaseOf(running)}`;
  const mend = `end it first: headgate rollout abort ${route}`;
  return refused('rollout_running', detail, mend);
}

/** The revision of the newest split; 0 while there is none. */
export const revisionOf = ({ journal }: RouteControl) => journal.split()?.revision ?? 0;

function staleFault(control: RouteControl, ifMatch: number | null): { ok: false; error: CallRefusal } | null {
  const revision = revisionOf(control);
  if (ifMatch === null || ifMatch === revision) return null;
  return refused(
    'stale',
    `the split is at revision ${revision} now, not ${ifMatch}`,
    `headgate status ${control.name} shows it: look again, then decide`,
  );
}
