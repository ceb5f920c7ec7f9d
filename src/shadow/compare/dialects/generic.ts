/**
 * Owns streams of no known dialect: the list of their events, compared as JSON or text one by one. It knows no terminator,
 * so it refuses to call such a stream unfinished; an event named `error` is an error in any dialect.
 */

import { type Assembled, type Facts, factsOf, type SseEvent } from './dialect.ts';

export function assembleGeneric(events: readonly SseEvent[]): Assembled {
  const failed = events.some(({ event }) => event === 'error');
  const document = events.map(({ event, json, text }) => ({ event, data: json === undefined ? text : json }));
  return { document, terminated: true, error: failed ? 'error-event' : undefined };
}

export function genericFacts(events: readonly SseEvent[]): Facts {
  return { ...factsOf(undefined, {}), text: events.map(({ text }) => text).join('\n') };
}
