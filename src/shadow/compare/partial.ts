/**
 * Owns the comparison of bodies of which one or both were truncated at our cap. Only what was seen can differ; what was seen
 * to agree is `unknown`, since nobody saw the rest. It never says "same".
 */

import {
  type BodyContext,
  type BodyOutcome,
  compareBytes,
  differing,
  type Side,
  sameOutcome,
  textDiffers,
} from './bodies.ts';
import { compareJson } from './json.ts';
import { SHORT_SHARE } from './limits.ts';
import { dialectNamed } from './sse.ts';
import { normaliseText, similarity } from './text.ts';

/** Compares the common beginning of two bodies of one kind. At least one of them is truncated. */
export function compareSeen(live: Side, candidate: Side, context: BodyContext): BodyOutcome {
  const { kind, dialect } = live.reading;
  if (kind === 'sse' && dialect !== 'generic') return compareAnswers(live, candidate, context);
  const length = kind === 'sse' ? null : lengthDifference(live, candidate);
  if (length !== null) return length;
  if (kind === 'binary') {
    const seen = Math.min(live.reply.body.length, candidate.reply.body.length);
    const found = compareBytes(live.reply.body.subarray(0, seen), candidate.reply.body.subarray(0, seen));
    return found.verdict === 'same' ? unknown() : found;
  }
  if (kind === 'text') return comparePrefix(live.reading.text, candidate.reading.text);
  if (live.reading.document === undefined || candidate.reading.document === undefined) return unknown();
  const { equal, capped, ...found } = compareJson(live.reading.document, candidate.reading.document, {
    rules: context.rules,
    partial: true,
  });
  // `capped` means "not looked at", which proves no difference here.
  if (found.differences.every(({ kind }) => kind === 'capped')) {
    return { ...unknown(), ignoredCount: found.ignoredCount };
  }
  return { ...found, verdict: 'differs', reason: 'differs', invariants: [] };
}

function unknown(): BodyOutcome {
  return { ...sameOutcome(), verdict: 'unknown', reason: 'truncated' };
}

/** One body ended well before the other's seen part did. */
function lengthDifference(live: Side, candidate: Side): BodyOutcome | null {
  if (live.reading.partial && candidate.reading.partial) return null;
  const [whole, longer] = live.reading.partial ? [candidate, live] : [live, candidate];
  // Binary bodies have no paths, so nothing in them is ignored.
  const share = whole.reading.kind === 'binary' ? 1 : SHORT_SHARE;
  if (sizeOf(whole) >= sizeOf(longer) * share) return null;
  return differing('length');
}

/** The size of a body, without white space and without differences in how characters, numbers and line ends are written. */
function sizeOf({ reading, reply }: Side): number {
  if (reading.kind === 'binary') return reply.bytes;
  const text = reading.text.normalize('NFC');
  // 1 and 1.0 are one number.
  return solid(reading.kind === 'text' ? text : text.replace(/-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/gi, '0'));
}

/** The number of characters, without white space, an escape in JSON counting as one. */
function solid(text: string): number {
  return text.replace(/\\(?:u.{4}|.)/g, '.').replace(/\s/g, '').length;
}

/** Of a model's answer that was not seen whole only the text's beginning is compared: calls and finish come at the end. */
function compareAnswers(live: Side, candidate: Side, { rules }: BodyContext): BodyOutcome {
  const left = live.reading.facts?.text ?? '';
  const right = candidate.reading.facts?.text ?? '';
  const endedShort =
    (!live.reading.partial && left.length < right.length) || (!candidate.reading.partial && right.length < left.length);
  const runsAway =
    (!live.reading.partial && runsPast(candidate, live)) || (!candidate.reading.partial && runsPast(live, candidate));
  if (runsAway) return differing('length');
  const isIgnored = rules.ignores(dialectNamed(live.reading.dialect)!.places.text);
  const outcome = isIgnored ? unknown() : endedShort ? textDiffers() : comparePrefix(left, right);
  const seen = Math.min(left.length, right.length);
  // If one text has ended short it is compared with all of the other; if both may go on, only their common length is.
  const until = endedShort ? undefined : seen;
  const alike = similarity(left.slice(0, until), right.slice(0, until));
  return { ...outcome, similarity: seen === 0 ? undefined : alike };
}

/** Whether one answer's tool arguments so far are longer than another whole answer's could be, however they are spaced. */
function runsPast(longer: Side, whole: Side): boolean {
  return argumentsOf(longer) > 2 * argumentsOf(whole) + 1_024;
}

function argumentsOf({ reading }: Side): number {
  const texts = (reading.facts?.toolCalls ?? []).map(({ arguments: given }) =>
    typeof given === 'string' ? given : (JSON.stringify(given) ?? ''),
  );
  return solid(texts.join(''));
}

function comparePrefix(live: string, candidate: string): BodyOutcome {
  const left = normaliseText(live).replace(/\ufffd+$/, '');
  const right = normaliseText(candidate).replace(/\ufffd+$/, '');
  // The last character may still be waiting for its accent.
  const seen = Math.max(0, Math.min(left.length, right.length) - 1);
  return left.slice(0, seen) === right.slice(0, seen) ? unknown() : textDiffers();
}
