/**
 * Owns streams of no known dialect: the list of their events, compared as JSON or text one by one. It knows no terminator,
 * so it refuses to call such a stream unfinished; an event named `error` is an error in any dialect.
 */

import type { Assembled, Facts, SseEvent } from './dialect.ts';

export function assembleGeneric(events: readonly SseEvent[]): Assembled {
  const failed = events.some(({ event }) => event === 'error');
  const document = events.map(({ event, json, text }) => ({ event, data: json === undefined ? text : json }));
  return { document, terminated: true, error: failed ? 'error-event' : undefined };
}

export function genericFacts(events: readonly SseEvent[]): Facts {
  const text = events.map((event) => event.text).join('\n');
  return { dialect: 'generic', model: null, text, toolCalls: [], finish: null, refusal: null, usage: null };
}
