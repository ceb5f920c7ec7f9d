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
  pairs: PairBatch[];
}

/** What the controller answers. */
export interface FlushAnswer {
  /** When the next flush is due; longer when many isolates report. */
  intervalMs: number;
  /** Isolates that share a budget of the route, this one included. */
  isolates: number;
  /** Tokens that copies spent today, by candidate. */
  tokensToday: Record<string, number>;
}
