/**
 * Owns the words between an isolate and its route's controller: what a flush carries and what its answer says (design
 * section 2). Types only. Everything is plain data that structured clone and JSON keep.
 */

import type { PairBatch } from '../shadow/tally.ts';

/** What one isolate counted for one route since its last flush. Resent unchanged until it is answered. */
export interface Batch {
  route: string;
  /** Random, for the isolate's life. */
  isolate: string;
  /** From 1, by one. The controller applies each number once. */
  sequence: number;
  /** The newest split revision this isolate serves by. */
  revision: number;
  /** Weights by hand are in force there. */
  isByHand: boolean;
  live: LiveCounts[];
  evidence: EvidenceBatch[];
  pairs: PairBatch[];
  /** When the first of its pairs was counted. An isolate of an earlier deployment does not tell. */
  pairsSinceMs?: number;
}

/** Exact counts of live requests by rollout, revision and variant. Histograms (ms) are in their compact text form. */
export interface LiveCounts {
  /** Empty where no rollout ran. */
  rollout: string;
  revision: number;
  variant: string;
  requests: number;
  failed: number;
  /** 4xx but 429. */
  rejected: number;
  /**
   * What guardrails on errors, on rejected and those of the config count, whether or not a rollout runs: trials by `watchedName`, and bad
   * ones by `!` and that name. An isolate of an earlier deployment tells none.
   */
  watched?: Record<string, number>;
  firstByte: string;
  total: string;
  /** Sums over the answers whose usage was read; absent where none was. */
  tokensIn?: number;
  tokensOut?: number;
  cost?: number;
}

/** What a rollout's guardrails saw in one tick of 10 s. Guardrail number i is bit i, and index i. */
export interface EvidenceBatch {
  rollout: string;
  tick: number;
  /** Units at or above it (first 32 bits) were left out; 2^32 is none. */
  threshold: number;
  /** Unit hash, variant, active bits, bad bits. */
  units: [string, string, number, number][];
  requests: { variant: string; n: number[]; bad: number[] }[];
}

/** What the controller answers. */
export interface FlushAnswer {
  /** When the next flush is due; longer when many isolates report. */
  intervalMs: number;
  /** The newest split, as KV has it or will have it, when its revision is higher than the batch's; else null. */
  split: string | null;
  /** Isolates that share a budget of the route, this one included. */
  isolates: number;
  /** Tokens that copies spent today, by candidate. */
  tokensToday: Record<string, number>;
}
