/**
 * Owns streams of no known dialect: the list of their events, compared as JSON or text one by one. It knows no terminator,
 * so it refuses to call such a stream unfinished; an event named `error` is an error in any dialect.
 */

import { type Assembled, type Facts, factsOf, type SseEvent, tellsOfError } from './dialect.ts';

export function readGeneric(events: readonly SseEvent[]): Assembled & Facts {
  return {
    ...factsOf(undefined, {}),
    text: events.map(({ text }) => text).join('\n'),
    document: events.map(({ event, json, text }) => ({ event, data: json === undefined ? text : json })),
    terminated: true,
    error: events.some(({ event, json }) => tellsOfError(event, json)) ? 'error-event' : undefined,
  };
}
