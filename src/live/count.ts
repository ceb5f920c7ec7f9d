/** Owns the counting of served requests: each goes into the isolate's tally when its body has ended. */

import type { BodyReport } from '../forward/pump.ts';
import type { Observer, Served } from '../forward/served.ts';
import type { Flusher, Flushing } from './flush.ts';
import { streamEndedWell } from './stream-end.ts';
import type { Usages } from './usage.ts';

/** The observer that counts every served request. */
export function countServed(flusher: Flusher, usageOf: Usages['of']): Observer {
  return (served, env, ctx) => {
    if (env.CONTROLLER === undefined) return;
    const about = flushingOf(served);
    // Arms the flush now, and not when the body ends: during an hour's stream the isolate must still hear of a way back.
    flusher.live(about, env, ctx);
    const add = (body: BodyReport, endedWell: boolean | null) =>
      flusher.live(about, env, ctx).add(served, body, endedWell, env.COOKIE_SECRET);
    const { body } = served;
    if (served.events !== null)
      ctx.waitUntil(Promise.all([body, streamEndedWell(served)]).then((seen) => add(...seen)));
    else if (body instanceof Promise) ctx.waitUntil(body.then((report) => add(report, null)));
    else add(body, null);
    const usage = usageOf(served);
    if (usage === null) return;
    ctx.waitUntil(usage.then((spent) => spent !== null && flusher.live(about, env, ctx).spend(served, spent)));
  };
}

/** Which flush a served request arms: sooner while a rollout runs or two variants have weight. */
export function flushingOf({ route, inForce, armCount }: Pick<Served, 'route' | 'inForce' | 'armCount'>): Flushing {
  return {
    route: route.name,
    revision: inForce.revision,
    isBusy: inForce.rollout !== null || armCount > 1,
    isByHand: inForce.source === 'weights',
  };
}
