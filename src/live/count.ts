/** Owns the joining of the tally to the request plane: every served request is counted when its body has ended. */

import type { StreamEvent } from '../forward/event-ends.ts';
import type { BodyReport } from '../forward/pump.ts';
import type { Observer, Served } from '../forward/served.ts';
import { isCoded } from '../forward/wire.ts';
import { isMembers, listOf, membersOf, tellsOfError } from '../shadow/compare/dialects/dialect.ts';
import { parseJson } from '../shadow/compare/json-text.ts';
import { dialects } from '../shadow/compare/sse.ts';
import type { Flusher, Flushing } from './flush.ts';
import { textOf, type Usages } from './usage.ts';

/** The observer that counts. Nothing it does can reach the visitor. */
export function countServed(flusher: () => Flusher, usageOf: Usages['of']): Observer {
  return (served, env, ctx) => {
    if (env.CONTROLLER === undefined) return;
    const about = flushingOf(served);
    // Armed at once, and not when the body ends: a stream of an hour must not keep its isolate from hearing of a way back.
    flusher().live(about, env, ctx);
    const add = (body: BodyReport, ended: boolean | null) => flusher().live(about, env, ctx).add(served, body, ended);
    const { body } = served;
    if (served.events !== null) ctx.waitUntil(Promise.all([body, endedProperly(served)]).then((seen) => add(...seen)));
    else if (body instanceof Promise) ctx.waitUntil(body.then((report) => add(report, null)));
    else add(body, null);
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

// What ends a stream in the dialects of OpenAI (and Workers AI), its Responses API, Anthropic and Cohere.
const TERMINATORS = ['[DONE]', 'response.completed', 'response.incomplete', 'message_stop', 'message-end'];
/** The type of an event, where its data begin with it: they may be too long to be kept whole. */
const TYPE = /^\s*\{\s*"type"\s*:\s*"([^"]*)"/;

/** What an event calls itself, in any dialect. */
function saidBy({ name, data }: StreamEvent): string[] {
  return [data.trim(), TYPE.exec(data)?.[1] ?? '', name];
}

/**
 * Whether an event stream ended well. One that tells of an error did not, whatever follows: some servers put their end mark behind it. Else
 * a model's ends with its terminator, as in comparisons; how others should end nobody knows, so that they end well unless within an
 * object. Null for a coded one that is too long to be kept.
 */
async function endedProperly(served: Served): Promise<boolean | null> {
  await served.body;
  const events = served.events!;
  if (isCoded(served.responseHeaders!)) {
    const text = await textOf(served);
    if (text === null) return null;
    events.add(new TextEncoder().encode(text));
  }
  const { first, last, isInLine } = events.ended();
  // Of a short stream the first events are the last ones too.
  const seen = [...new Set([...first, ...last])].map((event) => ({
    name: event.name,
    said: saidBy(event),
    json: membersOf(parseJson(event.data)),
  }));
  if (seen.some(({ name, said, json }) => said.includes('response.failed') || tellsOfError(name, json))) return false;
  const ends = seen.slice(-last.length);
  if (ends.some(({ said }) => said.some((one) => TERMINATORS.includes(one)))) return true;
  // The first event of a Responses stream bears its instructions, and may be too long to be kept whole.
  const isModels = seen.some(
    ({ said, json }) =>
      said.some((one) => /^response\.|^message-start$/.test(one)) ||
      dialects.some((dialect) => dialect.claimsEvent(json)),
  );
  // Gemini has no mark but that its last event says why it finished; whoever sends on what its Python library read writes it as that does.
  const isUnfinished = listOf(seen.at(-1)?.json.candidates).some(
    (one) => isMembers(one.content) && !one.finishReason && !one.finish_reason,
  );
  const data = last.at(-1)?.data ?? '';
  // What breaks off within an object was cut, whosever it is. No event at all is no answer, but to who only listens.
  const isCut = isInLine && data.startsWith('{') && parseJson(data) === undefined;
  return !(isModels || isUnfinished || isCut || (last.length === 0 && served.method === 'POST'));
}
