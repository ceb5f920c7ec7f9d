/**
 * Owns the words between isolates and an experiment's ledger: exposures in batches, outcomes, and the reasons of refusals.
 * Types only; what they mean for the sums is for `ledger.ts`.
 */

import type { Result } from '../result.ts';

/** What one unit was shown since the isolate's last flush. */
export interface Exposure {
  /** Keyed hash of the unit: 16 hex digits (`hashUnit`). Never the id itself. */
  unit: string;
  variant: string;
  /** When the isolate first served the unit in this batch. */
  firstAtMs: number;
  requests: number;
  errors: number;
  /** Sums over the requests. */
  latencyMs: number;
  firstByteMs: number;
  segment?: Record<string, string>;
}

/** What an isolate tells a ledger at once. Resent unchanged until it is answered. */
export interface ExposureBatch {
  isolate: string;
  /** Counts up from 1 within an isolate. */
  sequence: number;
  exposures: Exposure[];
}

/** One event credited to a unit. */
export interface OutcomeEvent {
  unit: string;
  metric: string;
  /** Finite; a conversion's is 1 or 0. */
  value: number;
  atMs: number;
  /** Tag of the receipt that it came with: it counts once a metric. */
  receipt?: string;
  /** The variant to expose the unit to when it is not known yet; left out, an unknown unit is refused. */
  mayExpose?: string;
}

export type OutcomeRefusal = 'unknown_unit' | 'already_counted';

/** The variant credited: that of the unit's first exposure. */
export type OutcomeAnswer = Result<{ variant: string }, { reason: OutcomeRefusal }>;
