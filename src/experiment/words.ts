/**
 * Owns the words between isolates, the control plane and an experiment's ledger: exposures in batches, outcomes, what is asked of
 * the experiment, and what a report says. Types only.
 */

import type { Result } from '../result.ts';

/** What one unit was shown since the isolate's last flush. No requests: it was dealt, and its first answer has not ended. */
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
  /** When the isolate last served the unit in this batch. */
  lastAtMs?: number;
  /** Requests that asked the same again within a minute. */
  retries?: number;
  /** Sums over the answers that named their usage, and over those of them whose model has a price. */
  used?: { answers: number; tokensOut: number; priced: number; cost: number };
  segment?: Record<string, string>;
  /** The weights under which its isolate dealt it, as JSON; absent where a pin says who it is. */
  weights?: string;
}

/** What an isolate tells a ledger at once. Resent unchanged until it is answered. */
export interface ExposureBatch {
  isolate: string;
  /** Counts up from 1 within an isolate. */
  sequence: number;
  exposures: Exposure[];
}

/** An outcome that had waited for its unit's exposure, and counts now. */
export type Credited = Pick<OutcomeEvent, 'metric' | 'value'> & { variant: string };

/** One event credited to a unit. */
export interface OutcomeEvent {
  unit: string;
  metric: string;
  kind: 'conversion' | 'mean';
  /** A conversion's is 1 or 0. */
  value: number;
  /** Bound of a unit's total, for means. */
  cap?: number;
  /** Tag of the receipt that it came with: it counts once a metric. */
  receipt?: string;
  /** What its receipt says. An exposure that is not known yet is waited for, unless none will come. */
  served?: { variant: string; atMs: number };
  isLast?: boolean;
  /** Variant of a signed pin of this experiment: it proves an exposure that is not known yet. */
  pinned?: string;
}

type OutcomeRefusal = 'unknown_unit' | 'already_counted';

/**
 * The variant credited, that of the unit's first exposure. `counted` is false where a conversion had been counted before, and
 * while the exposure is waited for.
 */
export type OutcomeAnswer = Result<{ variant: string; counted: boolean }, { reason: OutcomeRefusal }>;

/** What an experiment is to find out, from the config and the split in force. */
export interface ExperimentPlan {
  id: string;
  baseline: string;
  /** Percent by variant. */
  weights: Record<string, number>;
  /** Fingerprint of each variant's definition. */
  definitions: Record<string, string>;
  /** Units of all arms together at which the fixed test is made; null where the config does not say. */
  plannedUnits: number | null;
  grace: Grace;
  metrics: PlannedMetric[];
  /** Names of the declared segments. */
  segments?: string[];
}

/** How long outcomes of the last planned units are waited for, before the figures close. */
export interface Grace {
  /** What the config says; null: as long as outcomes usually take. */
  declaredMs: number | null;
  /** Primary metrics that are sent as outcomes: what is measured from responses is there with the response. */
  outcomes: string[];
  /** How long the slowest primary metric takes that is measured from units over time. Absent from isolates of an earlier deployment. */
  measuredMs?: number;
}

/** A metric that the experiment looks at. Primary ones decide it. */
export interface PlannedMetric {
  name: string;
  role: 'primary' | 'secondary';
  kind: 'conversion' | 'mean';
  goal: 'increase' | 'decrease';
  /** Only units with a known value count: answers take their time, and not all of them name their usage. */
  ofKnown?: true;
}

/** A row of the export. */
export interface UnitRow {
  unit: string;
  variant: string;
  firstAt: string;
  requests: number;
  errors: number;
  segment: Record<string, string>;
  /** What was measured from its responses, by metric. */
  measured: Record<string, number>;
  outcomes: Record<string, number>;
}
