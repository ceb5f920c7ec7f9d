/**
 * Owns what a sample may keep of a pair's bodies, kind by kind: of two plain texts the place where they part, of bytes their
 * fingerprint, of all else an excerpt under the shadow's rules. How an excerpt is masked is `excerpt.ts`'s.
 */

import type { Observation } from '../observation.ts';
import { fingerprint } from './binary.ts';
import { excerptOf, excerptTexts, redacted } from './excerpt.ts';
import { parseJson } from './json-text.ts';
import { MAX_EXCERPT } from './limits.ts';
import { type CompareOptions, rulesFor } from './presets.ts';
import { type Reading, readPair } from './read.ts';

/** The excerpts of a pair's two bodies. */
interface RedactedPair {
  live: string;
  candidate: string;
}

/** Excerpts of both replies, fit to be kept and shown side by side. */
export async function redactPair(
  live: Observation,
  candidate: Observation,
  options: CompareOptions,
  maxChars = MAX_EXCERPT,
): Promise<RedactedPair> {
  const [left, right] = readPair(live, candidate, options.preset);
  if (left.kind === 'text' && right.kind === 'text' && !rulesFor(options, null).hides) {
    const [liveText, candidateText] = excerptTexts(left.text, right.text, maxChars);
    return { live: liveText, candidate: candidateText };
  }
  return {
    live: await excerpt(live, left, options, maxChars),
    candidate: await excerpt(candidate, right, options, maxChars),
  };
}

async function excerpt(
  reply: Observation,
  reading: Reading,
  options: CompareOptions,
  maxChars: number,
): Promise<string> {
  if (reading.kind === 'empty') return '';
  if (reading.kind === 'binary') return fingerprint(reply.body);
  const rules = rulesFor(options, reading);
  const document = reading.dialect === 'generic' && rules.hides ? withoutTexts(reading.document) : reading.document;
  return excerptOf(document, reading.text, rules, maxChars);
}

/** Events of a stream of no known dialect; what of their data is no JSON cannot be read by path. */
function withoutTexts(events: unknown): unknown {
  return (events as { data: unknown }[]).map((event) =>
    typeof event.data === 'string' ? { ...event, data: redacted } : event,
  );
}

/** Excerpt of a request's body under the same rules; a body that is no JSON is kept only where nothing is to be hidden. */
export function redactRequest(body: Uint8Array, options: CompareOptions): string {
  const text = new TextDecoder().decode(body);
  return excerptOf(parseJson(text), text, rulesFor(options, null), MAX_EXCERPT);
}
