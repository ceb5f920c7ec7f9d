/**
 * Owns streams of no known dialect: the list of their events, compared as JSON or text one by one. It knows no terminator,
 * so it refuses to call such a stream unfinished; an event named `error` is an error in any dialect.
 */

import { type Assembled, type Facts, factsOf, membersOf, type SseEvent, tellsOfError } from './dialect.ts';

/** Reads a stream as the list of its events, each with its name and data. */
export function readGeneric(events: readonly SseEvent[]): Assembled & Facts {
  // Where a model of an unknown API names its usage, it does so at the end: Gemini in the last event, Cohere in the delta of that before `[DONE]`.
  const last = membersOf(events.findLast(({ json }) => json)?.json);
  return {
    ...factsOf(undefined, membersOf(last.delta ?? last)),
    text: events.map(({ text }) => text).join('\n'),
    // Clients that take data as they come see the quotes: `"a"` is not `a`.
    document: events.map(({ event, json, text }) => ({
      event,
      data: typeof json === 'string' ? JSON.stringify(json) : (json ?? text),
    })),
    terminated: true,
    error: events.some(({ event, json }) => tellsOfError(event, json)) ? 'error-event' : undefined,
  };
}
