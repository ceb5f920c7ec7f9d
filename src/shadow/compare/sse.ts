/**
 * Owns the way from the bytes of an event stream to what it says: events, dialect, re-assembled document, facts. It refuses to
 * compare.
 */

import { anthropicMessages } from './dialects/anthropic-messages.ts';
import {
  type Dialect,
  type DialectName,
  type Facts,
  factsOf,
  isMembers,
  type Members,
  type SseEvent,
} from './dialects/dialect.ts';
import { readGeneric } from './dialects/generic.ts';
import { openaiChat } from './dialects/openai-chat.ts';
import { openaiResponses } from './dialects/openai-responses.ts';
import { workersAi } from './dialects/workers-ai.ts';
import { parseJson } from './json-text.ts';

/** In the order in which they are asked: those with the plainest marks first. */
export const dialects: readonly Dialect[] = [anthropicMessages, openaiResponses, openaiChat, workersAi];

/** What was read of a stream. */
export interface StreamReading extends Facts {
  /** The document the API would have answered without streaming; for a generic stream, the list of its events. */
  document: unknown;
  terminated: boolean;
  /** Stable short reason why the stream is no sound answer: `unterminated`, `error-event…`, `bad-event`. */
  error?: string;
}

interface StreamOptions {
  /** The dialect to assume when no event shows one, such as the preset's. */
  hint?: DialectName;
  /** False when we stopped reading: then a missing end is our doing and no error, and an unfinished event is dropped. */
  whole?: boolean;
}

/** WHATWG HTML §9.2.6, but for ids and reconnection times, which say nothing of an answer. */
function eventsOf(text: string): SseEvent[] {
  const events: SseEvent[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  // What follows the last line's end is a line that is not there yet.
  lines.pop();
  let event: string | null = null;
  let data: string[] = [];
  for (const line of lines) {
    const [, field = line, value = ''] = /^(.*?): ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') event = value || null;
    else if (field === 'data') data.push(value);
    else if (line === '') {
      const whole = data.join('\n');
      // A nameless event without data is a heartbeat of some servers.
      if (data.length > 0 && (event !== null || whole !== ''))
        events.push({ event, json: parseJson(whole), text: whole });
      event = null;
      data = [];
    }
  }
  return events;
}

/** Reads what was captured of a stream. Never throws on malformed streams. */
export function readSse(bytes: Uint8Array, { hint, whole = true }: StreamOptions = {}): StreamReading {
  const text = new TextDecoder().decode(bytes, { stream: !whole });
  // The standard drops an event without its empty line; clients of model APIs take it, and servers rely on that.
  const events = eventsOf(whole ? `${text}\n\n` : text);
  const dialect = dialectOfEvents(events) ?? dialectNamed(hint);
  if (dialect === undefined) return readGeneric(events);
  const stream = dialect.assemble(events);
  const error = stream.error ?? (whole && !stream.terminated ? 'unterminated' : undefined);
  return { ...factsOf(dialect, stream.document as Members), ...stream, error };
}

function dialectOfEvents(events: readonly SseEvent[]): Dialect | undefined {
  for (const event of events) {
    const found = dialects.find((dialect) => isMembers(event.json) && dialect.claimsEvent(event.json));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The dialect of that name; undefined for `generic` and for none. */
export function dialectNamed(name: DialectName | null | undefined): Dialect | undefined {
  return dialects.find((dialect) => dialect.name === name);
}

/** The dialect of a whole document, or undefined when it is no model's answer. */
export function dialectOfDocument(document: Members): Dialect | undefined {
  return dialects.find((dialect) => dialect.claimsDocument(document));
}
