/** Owns the joining of the tally to the request plane: every served request is counted when its body has ended. */

import type { BodyReport } from '../forward/pump.ts';
import type { Observer, Served } from '../forward/served.ts';
import type { Flusher, Flushing } from './flush.ts';
import type { Usages } from './usage.ts';

/** The observer that counts. Nothing it does can reach the visitor. */
export function countServed(flusher: () => Flusher, usageOf: Usages['of']): Observer {
  return (served, env, ctx) => {
    if (env.CONTROLLER === undefined) return;
    const about = flushingOf(served);
    // Armed at once, and not when the body ends: a stream of an hour must not keep its isolate from hearing of a way back.
    flusher().live(about, env, ctx);
    const add = (body: BodyReport) => flusher().live(about, env, ctx).add(served, body, endedProperly(served));
    if (served.body instanceof Promise) ctx.waitUntil(served.body.then(add));
    else add(served.body);
    const usage = usageOf(served);
    if (usage === null) return;
    ctx.waitUntil(usage.then((spent) => spent !== null && flusher().live(about, env, ctx).spend(served, spent)));
  };
}

/** Evidence is wanted soon while a rollout runs or two variants have weight. */
export function flushingOf({ route, inForce, armCount }: Pick<Served, 'route' | 'inForce' | 'armCount'>): Flushing {
  return {
    route: route.name,
    revision: inForce.revision,
    isBusy: inForce.rollout !== null || armCount > 1,
    isByHand: inForce.source === 'weights',
  };
}

// The last event of a stream in the dialects of OpenAI (and Workers AI), its Responses API, and Anthropic.
const TERMINATORS = ['[DONE]', '"response.completed"', 'message_stop'];

/** Whether an event stream ended with its terminator; null for what is no event stream, or could not be read. */
function endedProperly({ tail }: Served): boolean | null {
  if (tail === null) return null;
  const text = new TextDecoder().decode(tail.take());
  return TERMINATORS.some((terminator) => text.includes(terminator));
}
