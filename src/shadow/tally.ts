/**
 * Owns one isolate's counts of pairs since its last flush: for a route and a candidate, classes, skips, fields, latencies,
 * tokens, scores and a few samples. Plain data, bounded, mergeable by addition. Every sampled request is counted exactly once,
 * when its end is known, so that eligible = compared + skipped at any moment.
 */

import { addDuration, emptyHistogram, encodeHistogram, type Histogram } from '../analysis/histogram.ts';
import type { Comparison, ComparisonClass, ComparisonRole } from './compare/compare.ts';
import { countPair, type NoiseBatch, startBatch } from './compare/noise.ts';
import { count } from './counts.ts';
import { MAX_FAILURES, MAX_SAMPLE_CHARS, MAX_SAMPLES } from './limits.ts';
import type { Observation } from './observation.ts';

/** What is kept of a pair that did not match: opt-in, bounded, redacted. */
export interface Sample {
  at: string;
  requestId: string;
  role: ComparisonRole;
  class: ComparisonClass;
  reason: string;
  method: string;
  path: string;
  liveStatus: number;
  candidateStatus: number;
  fields: string[];
  similarity?: number;
  request: string;
  live: string;
  candidate: string;
}

/** Count, sum and sum of squares of a number. */
export interface Moments {
  n: number;
  sum: number;
  squares: number;
}

/** Whose reply of a pair: the baseline's, or the other. */
export type Side = 'live' | 'candidate';
/** What a scorer said of both. */
export type Scores = Record<Side, number>;

/** What is flushed of one route and candidate. Histograms are in their compact text form. */
export interface PairBatch {
  candidate: string;
  /** The rollout under which the requests were served; empty where none ran. */
  rollout: string;
  eligible: number;
  /** Pairs with the candidate in them, by class (never `skipped`). */
  classes: Record<string, number>;
  skipped: Record<string, number>;
  /** By reason. */
  failures: Record<string, number>;
  /** Baseline against itself, by class, also skipped ones: `skipped:<reason>`. */
  repeats: Record<string, number>;
  /** Mismatches that are not the candidate's doing (the baseline failed, a key was missing): no guardrail or field counts them. */
  unfair: Record<'candidate' | 'repeat', number>;
  noise: NoiseBatch;
  latency: Record<'liveHeaders' | 'candidateHeaders' | 'liveTotal' | 'candidateTotal' | 'slower' | 'faster', string>;
  /** Copies that were answered 401 or 403. */
  unauthorised: number;
  /**
   * Sums of what replies name, and of declared measures (`measure:<name>`), by side. `tokensEstimated` is 1 for a reply that
   * named no usage, so that its tokens and cost are estimates, and 0 for one that did.
   */
  sums: Record<string, Record<Side, Moments>>;
  /** Text likeness, 0 to 1: candidate pairs, and repeat pairs beside them. */
  similarity: { candidate: Moments; repeat: Moments };
  /** Scores of a scorer, and their paired difference (candidate − live). */
  scores: { live: Moments; candidate: Moments; difference: Moments };
  tokens: number;
  samples: Sample[];
}

type Latencies = Record<keyof PairBatch['latency'], Histogram>;

/** A batch in which nothing is counted. */
export function emptyPairs(candidate: string, rollout = ''): PairBatch {
  return {
    candidate,
    rollout,
    eligible: 0,
    classes: {},
    skipped: {},
    failures: {},
    repeats: {},
    unfair: { candidate: 0, repeat: 0 },
    noise: startBatch(),
    latency: { liveHeaders: '', candidateHeaders: '', liveTotal: '', candidateTotal: '', slower: '', faster: '' },
    unauthorised: 0,
    sums: {},
    similarity: { candidate: moments(), repeat: moments() },
    scores: { ...bothMoments(), difference: moments() },
    tokens: 0,
    samples: [],
  };
}

/** The counts of one route and candidate since the last flush. */
export class PairTally {
  #batch: PairBatch;
  #latency: Latencies;
  #sampleChars = 0;

  constructor(candidate: string, rollout?: string) {
    this.#batch = emptyPairs(candidate, rollout);
    this.#latency = Object.fromEntries(
      Object.keys(this.#batch.latency).map((name) => [name, emptyHistogram()]),
    ) as Latencies;
  }

  /** Counts a sampled request that made no pair. */
  skip(reason: string): void {
    this.#batch.eligible++;
    count(this.#batch.skipped, reason);
  }

  /** Counts a pair with the candidate in it. `live` is the baseline's reply; `isDirect`: the candidate answered the copy. */
  pair(
    comparison: Comparison,
    live: Observation,
    candidate: Observation,
    { isDirect = true, isTrial = true } = {},
  ): void {
    const batch = this.#batch;
    if (comparison.class === 'skipped') {
      this.skip(comparison.reason);
      return;
    }
    batch.eligible++;
    count(batch.classes, comparison.class);
    if (isRefusal((isDirect ? candidate : live).status)) batch.unauthorised++;
    if (!isCompared(comparison)) countFailure(batch.failures, comparison.reason);
    else if (isTrial) this.#compared('candidate', comparison);
    else if (comparison.class !== 'match') batch.unfair.candidate++;
    this.#times(live, candidate);
    this.#numbers(comparison, live, candidate);
  }

  /** Counts the baseline against itself. The request was counted already, so `eligible` stays. */
  repeat(comparison: Comparison, { isTrial = true } = {}): void {
    const { reason } = comparison;
    count(this.#batch.repeats, comparison.class + (comparison.class === 'skipped' && reason ? `:${reason}` : ''));
    if (!isTrial) this.#batch.unfair.repeat++;
    else if (isCompared(comparison)) this.#compared('repeat', comparison);
  }

  /** Counts what a scorer said of a pair. */
  score({ live, candidate }: Scores): void {
    const { scores } = this.#batch;
    addTo(scores.live, live);
    addTo(scores.candidate, candidate);
    addTo(scores.difference, candidate - live);
  }

  spent(tokens: number): void {
    this.#batch.tokens += tokens;
  }

  /** Keeps a sample, in the place of the oldest where there are too many. */
  sample(sample: Sample): void {
    const { samples } = this.#batch;
    samples.push(sample);
    this.#sampleChars += JSON.stringify(sample).length;
    while (samples.length > MAX_SAMPLES || this.#sampleChars > MAX_SAMPLE_CHARS)
      this.#sampleChars -= JSON.stringify(samples.shift()).length;
  }

  take(): PairBatch {
    const latency = this.#batch.latency;
    for (const name of Object.keys(latency) as (keyof typeof latency)[])
      latency[name] = encodeHistogram(this.#latency[name]);
    return this.#batch;
  }

  /** Counts how two answers compare. */
  #compared(arm: keyof NoiseBatch, { fields, similarity }: Comparison): void {
    countPair(this.#batch.noise, arm, fields);
    if (similarity !== undefined) addTo(this.#batch.similarity[arm], similarity);
  }

  #times(live: Observation, candidate: Observation): void {
    const latency = this.#latency;
    if (live.headersMs !== undefined) addDuration(latency.liveHeaders, live.headersMs);
    if (candidate.headersMs !== undefined) addDuration(latency.candidateHeaders, candidate.headersMs);
    // A reply that was not read to its end has no total time.
    if (live.end !== 'complete' || candidate.end !== 'complete') return;
    const [liveMs, candidateMs] = [live.totalMs ?? 0, candidate.totalMs ?? 0];
    addDuration(latency.liveTotal, liveMs);
    addDuration(latency.candidateTotal, candidateMs);
    if (candidateMs >= liveMs) addDuration(latency.slower, candidateMs - liveMs);
    else addDuration(latency.faster, liveMs - candidateMs);
  }

  #numbers(comparison: Comparison, live: Observation, candidate: Observation): void {
    const sides = { live, candidate };
    const names = ['live', 'candidate'] as const;
    // The usage of an answer that broke off, or was not read to its end, is not known. Then neither side's counts: means must be of pairs.
    const isPart = names.some((side) => {
      const { tokensEstimated, tokensOut, finish } = comparison[side];
      return tokensOut === undefined || ((tokensEstimated || finish === '') && sides[side].end !== 'complete');
    });
    for (const side of names) {
      const { tokensIn, tokensOut, cost, tokensEstimated: isEstimated } = comparison[side];
      const tokensEstimated = tokensOut === undefined ? undefined : Number(isEstimated);
      const used = isPart || comparison.class === 'error' ? {} : { tokensIn, tokensOut, tokensEstimated, cost };
      const numbers: Record<string, number | undefined> = { ...used, ...prefixed(sides[side].measures) };
      for (const [name, value] of Object.entries(numbers)) {
        if (value === undefined) continue;
        this.#batch.sums[name] ??= bothMoments();
        addTo(this.#batch.sums[name][side], value);
      }
    }
  }
}

/** Whether two answers were held against each other: a match or a mismatch. Of any other pair no difference is known. */
export function isCompared({ class: name }: Comparison): boolean {
  return name.endsWith('match');
}

/** Whether a status is one that a copy without credentials gets where some are needed. */
export function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}

function moments(): Moments {
  return { n: 0, sum: 0, squares: 0 };
}

function bothMoments(): Record<Side, Moments> {
  return { live: moments(), candidate: moments() };
}

function addTo(into: Moments, value: number): void {
  into.n++;
  into.sum += value;
  into.squares += value * value;
}

function prefixed(measures: Record<string, number> | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(measures ?? {}).map(([name, value]) => [`measure:${name}`, value]));
}

/** Counts a failure under its reason, or under `other` where there are too many. */
export function countFailure(counts: Record<string, number>, reason: string, times = 1): void {
  count(counts, reason, times, MAX_FAILURES, 'other');
}
