/** Owns the reading of one captured reply: kind, text, document, facts. It refuses to compare, and to mend what is broken. */

import type { Observation } from '../observation.ts';
import { type DialectName, type Facts, factsOf, isMembers } from './dialects/dialect.ts';
import { parseJson, parseJsonLines, parseJsonPrefix } from './json-text.ts';
import { type BodyKind, bodyType, isEventStream } from './kind.ts';
import { dialectNamed, dialectOfDocument, readSse } from './sse.ts';

/** What was read of a reply. */
export interface Reading {
  kind: BodyKind;
  /** The document is a list of lines, each a document of its own. */
  lines: boolean;
  /** Null for what is no model's answer. */
  dialect: DialectName | null;
  /** Parsed JSON or the re-assembled stream; undefined for other kinds, and for JSON that does not parse. */
  document: unknown;
  /** The decoded text of JSON and text bodies. */
  text: string;
  facts: Facts | null;
  /** We stopped reading at the cap: there is more that nobody saw. */
  partial: boolean;
  /** Why a stream that came with status 2xx is no sound answer. */
  error?: string;
}

/** Reads what was captured. Never throws on malformed bodies. */
export function readReply(reply: Observation): Reading {
  const { kind, lines } = bodyType(reply.contentType, reply.body);
  const partial = reply.end === 'truncated';
  const reading: Reading = { kind, lines, dialect: null, document: undefined, text: '', facts: null, partial };
  if (kind === 'sse') return readStream(reading, reply);
  if (kind !== 'json' && kind !== 'text') return reading;
  reading.text = decode(reply);
  if (kind === 'json') readDocument(reading);
  return reading;
}

/**
 * Reads both replies of a pair. A stream that shows no dialect (it begins with an error, or ends before any event that would tell) is read
 * as the other side's dialect, else as the preset's (`hint`). A live stream that has text of another kind is left as it is: it has not
 * failed just because no dialect knows it. Two streams without any event are two texts.
 */
export function readPair(live: Observation, candidate: Observation, hint: DialectName | undefined): [Reading, Reading] {
  const left = readReply(live);
  const right = readReply(candidate);
  const hintFor = ({ kind }: Reading) => (kind === 'sse' ? hint : undefined);
  const again = readAs(dialectOfStream(right) ?? hintFor(left), left, live);
  const isOther = left.facts?.text && !again.error?.startsWith('error');
  const first = isOther ? left : again;
  const second = readAs(first.kind === 'sse' ? dialectOfStream(first) : hintFor(right), right, candidate);
  return isEventless(first) && isEventless(second) ? [asText(first, live), asText(second, candidate)] : [first, second];
}

/** Not where we stopped reading: within its first event, perhaps. */
function isEventless({ dialect, document, partial }: Reading): boolean {
  return dialect === 'generic' && !partial && (document as unknown[]).length === 0;
}

/** Some servers send bare text under the name of a stream, and their clients read it as it comes. Heartbeats are left out. */
function asText(reading: Reading, reply: Observation): Reading {
  const text = decode(reply).replace(/^(?::.*|data: ?)$[\r\n]*/gm, '');
  return { ...reading, kind: 'text', dialect: null, document: undefined, text };
}

/** The dialect that an event stream shows; undefined for any other. */
function dialectOfStream({ kind, dialect }: Reading): DialectName | undefined {
  return kind === 'sse' ? dialectNamed(dialect)?.name : undefined;
}

function readAs(dialect: DialectName | undefined, own: Reading, reply: Observation): Reading {
  const isMute = own.dialect === 'generic' || (own.kind === 'empty' && isEventStream(reply.contentType));
  return isMute && dialect !== undefined ? readStream(own, reply, dialect) : own;
}

function readStream(reading: Reading, reply: Observation, hint?: DialectName): Reading {
  const stream = readSse(reply.body, { hint, whole: !reading.partial });
  // A 204 has no body, so no stream whose end could be missing.
  const answered = reply.status >= 200 && reply.status < 300 && reply.status !== 204;
  return {
    ...reading,
    dialect: stream.dialect,
    document: stream.document,
    facts: stream,
    error: answered ? stream.error : undefined,
  };
}

function readDocument(reading: Reading): void {
  const { lines } = reading;
  if (reading.partial) {
    reading.document = lines
      ? parseJsonLines(reading.text.slice(0, reading.text.lastIndexOf('\n') + 1))
      : parseJsonPrefix(reading.text);
    return;
  }
  reading.document = lines ? parseJsonLines(reading.text) : parseJson(reading.text);
  const { document } = reading;
  if (!isMembers(document)) return;
  const dialect = dialectOfDocument(document);
  reading.dialect = dialect?.name ?? null;
  reading.facts = factsOf(dialect, document);
}

/** The text in the declared character set, else in UTF-8, else byte by byte (Latin-1), so that different bytes stay different. */
function decode({ contentType, body, end }: Observation): string {
  const charset = /;\s*charset="?([\w.:-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  for (const name of [charset, 'utf-8']) {
    try {
      // A truncated body may end within a character.
      return new TextDecoder(name, { fatal: true, ignoreBOM: false }).decode(body, { stream: end === 'truncated' });
    } catch {}
  }
  return new TextDecoder('latin1').decode(body);
}
