/**
 * Owns whether a live event stream ended well, judged by the ends that were kept of it and in any dialect: for the guardrail `truncated`. What
 * it cannot tell is null, and no trial.
 */

import type { StreamEvent } from '../forward/event-ends.ts';
import type { Served } from '../forward/served.ts';
import { isCoded } from '../forward/wire.ts';
import { isMembers, listOf, membersOf, tellsOfError } from '../shadow/compare/dialects/dialect.ts';
import { parseJson } from '../shadow/compare/json-text.ts';
import { dialects } from '../shadow/compare/sse.ts';
import { textOf } from './usage.ts';

// What ends a stream in the dialects of OpenAI (and Workers AI), its Responses API, Anthropic and Cohere.
const TERMINATORS = ['[DONE]', 'response.completed', 'response.incomplete', 'message_stop', 'message-end'];
/** An event's type, where its data begin with it. Data may be cut, so they need not parse. */
const TYPE = /^\s*\{\s*"type"\s*:\s*"([^"]*)"/;

/** What an event may be called by: its data (`[DONE]`), the type in them, its name. */
function labelsOf({ name, data }: StreamEvent): string[] {
  return [data.trim(), TYPE.exec(data)?.[1] ?? '', name];
}

/**
 * Whether an event stream ended well; null for a coded one that was too long to keep. A stream that tells of an error did not, whatever
 * follows (some servers send their end mark after it). A model's stream must end with its terminator, as in comparisons. Nobody knows how
 * other streams should end, so they did unless they break off within an object.
 */
export async function streamEndedWell(served: Served): Promise<boolean | null> {
  await served.body;
  const events = served.events!;
  if (isCoded(served.responseHeaders!)) {
    const text = await textOf(served);
    if (text === null) return null;
    events.add(new TextEncoder().encode(text));
  }
  const { first, last, isInLine } = events.ended();
  // In a short stream the same events are first and last.
  const seen = [...new Set([...first, ...last])].map((event) => ({
    name: event.name,
    labels: labelsOf(event),
    json: membersOf(parseJson(event.data)),
  }));
  if (seen.some(({ name, labels, json }) => labels.includes('response.failed') || tellsOfError(name, json)))
    return false;
  const ends = seen.slice(-last.length);
  if (ends.some(({ labels }) => labels.some((one) => TERMINATORS.includes(one)))) return true;
  // By the labels too: the first event of a Responses stream repeats the instructions, and may be cut.
  const isModels = seen.some(
    ({ labels, json }) =>
      labels.some((one) => /^response\.|^message-start$/.test(one)) ||
      dialects.some((dialect) => dialect.claimsEvent(json)),
  );
  // Gemini's only end mark is a finish reason in the last event; `finish_reason` where its Python library's objects are sent on.
  const isUnfinished = listOf(seen.at(-1)?.json.candidates).some(
    (one) => isMembers(one.content) && !one.finishReason && !one.finish_reason,
  );
  const data = last.at(-1)?.data ?? '';
  // In any dialect, a stream that ends within an object was cut. A POST that is answered by no event at all was not answered.
  const isCut = isInLine && data.startsWith('{') && parseJson(data) === undefined;
  return !(isModels || isUnfinished || isCut || (last.length === 0 && served.method === 'POST'));
}
