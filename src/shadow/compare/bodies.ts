/**
 * Owns the comparison of two bodies that were seen whole, kind by kind. Differences that stand at no place in a document
 * have a field that begins with `@` (`@kind`, `@text`, `@finish`, …). It refuses to judge statuses and failures.
 */

import type { Observation } from '../observation.ts';
import { sameBytes } from './binary.ts';
import { brokenInvariants, type Invariant } from './invariants.ts';
import { compareJson, type Difference } from './json.ts';
import type { CompiledRules } from './paths.ts';
import type { Reading } from './read.ts';
import { dialectNamed } from './sse.ts';
import { normaliseText, similarity } from './text.ts';

/** One side of a pair: its reply, and what was read of it. */
export interface Side {
  reply: Observation;
  reading: Reading;
}

/** What two bodies say about each other. */
export interface BodyOutcome {
  /** `unknown` where what was seen agrees and the rest was not seen: never a match. */
  verdict: 'same' | 'differs' | 'unknown';
  /** Stable short word for the gravest difference; empty when there is none. */
  reason: string;
  differences: Difference[];
  diffCount: number;
  ignoredCount: number;
  fields: string[];
  invariants: Invariant[];
  /** 0 to 1 for texts and models' answers; absent for what has no text. */
  similarity?: number;
}

/** By which rules bodies are compared, and whether the request asked for JSON. */
export interface BodyContext {
  rules: CompiledRules;
  jsonAsked: boolean;
}

/** An outcome without any difference. */
export function sameOutcome(): BodyOutcome {
  return { verdict: 'same', reason: '', differences: [], diffCount: 0, ignoredCount: 0, fields: [], invariants: [] };
}

/** An outcome with the one difference that two bodies do not even have the same sort of thing. */
export function differing(name: string): BodyOutcome {
  const field = `@${name}`;
  const difference: Difference = { path: field, field, kind: 'changed' };
  return {
    ...sameOutcome(),
    verdict: 'differs',
    reason: name,
    differences: [difference],
    diffCount: 1,
    fields: [field],
  };
}

/** Whether the bodies are of one sort at all; null when they are, and a closer look is needed. */
export function compareSorts(live: Reading, candidate: Reading): BodyOutcome | null {
  if (live.kind === 'empty' && candidate.kind === 'empty') return sameOutcome();
  if (live.kind === 'empty' || candidate.kind === 'empty') return differing('empty');
  if (live.kind !== candidate.kind || live.lines !== candidate.lines) return differing('kind');
  if (live.kind === 'sse' && live.dialect !== candidate.dialect) {
    return { ...differing('dialect'), similarity: likeness(live, candidate) };
  }
  return null;
}

/** Compares two bodies of one kind, both seen to their end. */
export function compareWhole(live: Side, candidate: Side, context: BodyContext): BodyOutcome {
  const { kind } = live.reading;
  if (kind === 'binary') return compareBytes(live.reply.body, candidate.reply.body);
  if (kind === 'text') return compareTexts(live.reading, candidate.reading);
  const liveParsed = live.reading.document !== undefined;
  const candidateParsed = candidate.reading.document !== undefined;
  if (liveParsed && candidateParsed) {
    // No cap can be hit by what need not be looked at.
    if (sameBytes(live.reply.body, candidate.reply.body))
      return { ...sameOutcome(), similarity: likeness(live.reading, candidate.reading) };
    return compareDocuments(live.reading, candidate.reading, context);
  }
  if (!liveParsed && !candidateParsed) return compareTexts(live.reading, candidate.reading);
  return { ...differing('json'), invariants: liveParsed ? ['json'] : [] };
}

function compareDocuments(live: Reading, candidate: Reading, context: BodyContext): BodyOutcome {
  const { equal, capped, ...found } = compareJson(live.document, candidate.document, { rules: context.rules });
  const dialect = live.dialect === candidate.dialect ? dialectNamed(live.dialect) : undefined;
  const invariants =
    dialect !== undefined && live.facts !== null && candidate.facts !== null
      ? brokenInvariants(live.facts, candidate.facts, { ...context, dialect })
      : [];
  return {
    ...found,
    verdict: equal && invariants.length === 0 ? 'same' : 'differs',
    reason: invariants[0] ?? (capped !== null ? `capped-${capped}` : equal ? '' : 'differs'),
    fields: [...invariants.map((name) => `@${name}`), ...found.fields],
    invariants,
    similarity: likeness(live, candidate),
  };
}

/** Likeness of what two models said; undefined for what is no model's answer, and where both said nothing. */
function likeness(live: Reading, candidate: Reading): number | undefined {
  if (live.facts === null || candidate.facts === null) return undefined;
  if (live.facts.dialect === 'generic' || candidate.facts.dialect === 'generic') return undefined;
  const left = normaliseText(live.facts.text);
  const right = normaliseText(candidate.facts.text);
  return left === '' && right === '' ? undefined : similarity(left, right);
}

function compareTexts(live: Reading, candidate: Reading): BodyOutcome {
  if (live.text === candidate.text) return { ...sameOutcome(), similarity: 1 };
  const left = normaliseText(live.text);
  const right = normaliseText(candidate.text);
  if (left === right) return { ...sameOutcome(), similarity: 1 };
  return { ...textDiffers(), similarity: similarity(left, right) };
}

/** The outcome of two texts that differ. */
export function textDiffers(): BodyOutcome {
  return { ...differing('text'), reason: 'differs' };
}

/** Two runs of bytes: the same, or different as a whole. */
export function compareBytes(live: Uint8Array, candidate: Uint8Array): BodyOutcome {
  return sameBytes(live, candidate) ? sameOutcome() : { ...differing('bytes'), reason: 'differs' };
}
