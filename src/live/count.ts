/** Owns the joining of the tally to the request plane: every served request is counted when its body has ended. */

import type { BodyReport } from '../forward/pump.ts';
import type { Observer, Served } from '../forward/served.ts';
import { isMembers } from '../shadow/compare/dialects/dialect.ts';
import { parseJson } from '../shadow/compare/json-text.ts';
import { dialects } from '../shadow/compare/sse.ts';
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

// What ends a stream in the dialects of OpenAI (and Workers AI), its Responses API, and Anthropic.
const TERMINATORS = ['[DONE]', 'response.completed', 'response.incomplete', 'response.failed', 'message_stop'];
/** The type of an event, where its data begin with it: they may be too long to be kept whole. */
const TYPE = /^\s*\{\s*"type"\s*:\s*"([^"]*)"/;

/**
 * Whether an event stream ended with its terminator, as comparisons see it; null for what is no event stream, or no model's: nobody
 * knows how that should end.
 */
function endedProperly({ events }: Served): boolean | null {
  if (events === null) return null;
  const { first, last, isInLine } = events.ended();
  if (last === null) return false;
  const says = [last.data.trim(), TYPE.exec(last.data)?.[1] ?? '', last.name];
  if (says.some((one) => TERMINATORS.includes(one))) return true;
  const isKnown = first.some(({ data }) => {
    const json = parseJson(data);
    return isMembers(json) && dialects.some((dialect) => dialect.claimsEvent(json));
  });
  // What breaks off within an object was cut, whosever it is.
  return isKnown || (isInLine && last.data.startsWith('{')) ? false : null;
}
