/**
 * Owns the one judgement on a pair of replies (design section 7): its class, first match wins, and all numbers a record
 * needs of it. It never throws: its own fault is an `error` with the reason `comparator`, so that no pair is lost and none
 * is called a mismatch that was not seen to be one.
 */

import type { Observation } from '../observation.ts';
import { type BodyContext, type BodyOutcome, compareSorts, compareWhole, differing, type Side } from './bodies.ts';
import { asksForJson, type Invariant } from './invariants.ts';
import type { Difference } from './json.ts';
import { parseJson } from './json-text.ts';
import { compareSeen } from './partial.ts';
import { type CompareOptions, rulesFor } from './presets.ts';
import { readPair } from './read.ts';
import { clip } from './text.ts';
import { costOf, countTokens, type Prices } from './tokens.ts';

/** How a pair ended (design section 7). The last three are what compared pairs end as. */
export type ComparisonClass = 'skipped' | 'timeout' | 'error' | 'status-mismatch' | 'body-mismatch' | 'match';
/** Who is compared with the baseline: the candidate's copy, the baseline's own, or the candidate that served while the baseline got the copy. */
export type ComparisonRole = 'candidate' | 'repeat' | 'counterfactual';

/** What the comparison of a pair must know beside the two replies. */
export interface PairContext {
  /** The shadow's `compare` member. Give the same object each time: its compiled rules are kept with it. */
  options: CompareOptions;
  role: ComparisonRole;
  /** The request's body, for `response_format` and to estimate tokens where a reply names none. */
  requestBody?: Uint8Array;
  prices?: Prices;
}

/** What a record holds of one side's answer. Absent numbers are unknown. */
export interface AnswerFacts {
  finish: string;
  tokensIn?: number;
  tokensOut?: number;
  /** The two counts are characters / 4: the reply named no usage. */
  tokensEstimated: boolean;
  cost?: number;
  model?: string;
}

/** The judgement on a pair. */
export interface Comparison {
  class: ComparisonClass;
  /** Stable short word: the skip's reason, the failure, or the gravest difference; empty for a match. */
  reason: string;
  /** Kind of the live body (of the candidate's where there is no live one); empty when none was read. */
  bodyKind: string;
  dialect: string;
  differences: Difference[];
  /** The true number of differences, also past the cap on those kept. */
  diffCount: number;
  ignoredCount: number;
  /** Distinct fields that differ; those that begin with `@` stand at no place in a document. */
  fields: string[];
  firstDiff: string;
  /** The fields as one bounded text. */
  diffs: string;
  invariants: Invariant[];
  similarity?: number;
  live: AnswerFacts;
  candidate: AnswerFacts;
}

/**
 * Compares the baseline's reply (`live`) with the candidate's. Fails closed: what was not seen is never a match. A pair
 * whose live side is no answer is `skipped:baseline-failed`, since nothing can be learnt of the candidate from it.
 */
export function compareReplies(live: Observation, candidate: Observation, context: PairContext): Comparison {
  try {
    return judge(live, candidate, context);
  } catch (cause) {
    return { ...comparison('error', 'comparator'), diffs: cause instanceof Error ? cause.name : '' };
  }
}

function judge(live: Observation, candidate: Observation, context: PairContext): Comparison {
  const [liveReading, candidateReading] = readPair(live, candidate, context.options.preset);
  const left: Side = { reply: live, reading: liveReading };
  const right: Side = { reply: candidate, reading: candidateReading };
  const request = readRequest(context.requestBody, left, right);
  const known = {
    bodyKind: left.reading.kind,
    dialect: left.reading.dialect ?? right.reading.dialect ?? '',
    live: answerFacts(left, request, context.prices),
    candidate: answerFacts(right, request, context.prices),
  };

  return { ...verdict(left, right, context, request), ...known };
}

function verdict(live: Side, candidate: Side, { options, role }: PairContext, request: unknown): Comparison {
  const { end, headersMs, status } = candidate.reply;
  if ([live.reply.end, end].includes('abandoned')) return comparison('skipped', 'client-left');
  const isLost = ['timeout', 'unreachable', 'cut'].includes(live.reply.end);
  const isMirroredFailure = role === 'counterfactual' && live.reply.status >= 500;
  if (isLost || isMirroredFailure || live.reading.error !== undefined) return comparison('skipped', 'baseline-failed');
  if (end === 'timeout') return comparison('timeout', headersMs === undefined ? 'headers' : 'body');
  const broken = end === 'cut' || end === 'unreachable' ? end : candidate.reading.error;
  if (broken !== undefined) return comparison('error', broken);
  if (live.reply.status !== status) {
    const reason = `${live.reply.status}-${status}`;
    return { ...bodyComparison(differing('status')), class: 'status-mismatch', reason };
  }
  const jsonAsked = asksForJson(request);
  return bodyComparison(compareBodies(live, candidate, { rules: rulesFor(options, live.reading), jsonAsked }));
}

function compareBodies(live: Side, candidate: Side, context: BodyContext): BodyOutcome {
  const location = locationDifference(live.reply, candidate.reply);
  if (location !== null) return location;
  const sorts = compareSorts(live.reading, candidate.reading);
  if (sorts !== null) return sorts;
  const partial = live.reading.partial || candidate.reading.partial;
  return partial ? compareSeen(live, candidate, context) : compareWhole(live, candidate, context);
}

/** A redirect to another page is another answer, though both bodies are empty. */
function locationDifference(live: Observation, candidate: Observation): BodyOutcome | null {
  return (live.location ?? '') === (candidate.location ?? '') ? null : differing('location');
}

function readRequest(body: Uint8Array | undefined, live: Side, candidate: Side): unknown {
  const needed = live.reading.dialect ?? candidate.reading.dialect;
  return needed !== null && body !== undefined ? parseJson(new TextDecoder().decode(body)) : undefined;
}

function answerFacts({ reply, reading }: Side, request: unknown, prices: Prices | undefined): AnswerFacts {
  const { facts } = reading;
  // An output that a stream names before its end (Anthropic's `message_start`) is not what it took.
  const isWhole = facts?.finish != null || (reply.end === 'complete' && reading.error === undefined);
  if (facts === null || (facts.dialect === 'generic' && !(facts.usage && isWhole)))
    return { finish: '', tokensEstimated: false };
  const { tokensOut, estimated, ...counted } = countTokens(isWhole ? facts : { ...facts, usage: null }, request);
  const tokensIn = facts.usage?.tokensIn ?? counted.tokensIn;
  return {
    finish: facts.finish ?? '',
    tokensIn,
    tokensOut,
    tokensEstimated: estimated,
    cost: costOf({ tokensIn, tokensOut, cachedIn: facts.usage?.cachedIn }, facts.model, prices ?? {}),
    model: facts.model ?? undefined,
  };
}

function bodyComparison({ verdict, ...body }: BodyOutcome): Comparison {
  const classOf = { same: 'match', differs: 'body-mismatch', unknown: 'skipped' } as const;
  return {
    ...comparison(classOf[verdict], ''),
    ...body,
    firstDiff: body.differences[0]?.path ?? body.fields[0] ?? '',
    diffs: clip(body.fields.join(' '), 2000),
  };
}

/** A comparison of which nothing is known but its class and why. */
export function comparison(name: ComparisonClass, reason: string): Comparison {
  return {
    class: name,
    reason,
    bodyKind: '',
    dialect: '',
    differences: [],
    diffCount: 0,
    ignoredCount: 0,
    fields: [],
    firstDiff: '',
    diffs: '',
    invariants: [],
    live: { finish: '', tokensEstimated: false },
    candidate: { finish: '', tokensEstimated: false },
  };
}
