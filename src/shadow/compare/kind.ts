/**
 * Owns the question what kind of body a reply has: by its content type, by its first bytes only where there is none.
 * It refuses to parse: a body that claims to be JSON and is not is found out by whoever reads it.
 */

import { SNIFFED_BYTES } from './limits.ts';

/** Value of the column `bodyKind`. */
export type BodyKind = 'empty' | 'json' | 'sse' | 'text' | 'binary';

interface BodyType {
  kind: BodyKind;
  /** Lines of JSON instead of one document. */
  lines: boolean;
}

const jsonLines = /^application\/((x-)?(ndjson|jsonl(ines)?|json-lines)|stream\+json)$/;
const json = /^(application|text)\/json$|\+json$/;
const texts = /^text\/|\+xml$|^application\/(xml|javascript|ecmascript|x-www-form-urlencoded|graphql|yaml|toml)$/;

/** The kind of a body, from the media type before any parameters (RFC 9110 §8.3.1; `+json` and `+xml` by RFC 6838 §4.2.8). */
export function bodyType(contentType: string | null, body: Uint8Array): BodyType {
  if (body.length === 0) return { kind: 'empty', lines: false };
  const media = mediaOf(contentType);
  if (jsonLines.test(media)) return { kind: 'json', lines: true };
  return { kind: media === '' ? sniff(body) : kindOf(media), lines: false };
}

/** Whether a reply calls itself an event stream, also one that is empty. */
export function isEventStream(contentType: string | null): boolean {
  return mediaOf(contentType) === 'text/event-stream';
}

function mediaOf(contentType: string | null): string {
  return (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase();
}

function kindOf(media: string): BodyKind {
  if (media === 'text/event-stream') return 'sse';
  if (json.test(media)) return 'json';
  return texts.test(media) ? 'text' : 'binary';
}

function sniff(body: Uint8Array): BodyKind {
  const text = asText(body.subarray(0, SNIFFED_BYTES), body.length > SNIFFED_BYTES);
  if (text === null) return 'binary';
  if (/^(data|event|id|retry|):/.test(text) && /^data:/m.test(text)) return 'sse';
  return /^\s*[[{"]/.test(text) ? 'json' : 'text';
}

/** The bytes as text, or null when they are not UTF-8 or hold control characters that text does not have. */
function asText(bytes: Uint8Array, cut: boolean): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes, { stream: cut });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what gives binary away.
    return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}
