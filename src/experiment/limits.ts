/** Owns the bounds of the ledger: how much it writes at once, and how long it remembers. */

/** Unit rows in one statement: the platform takes texts up to 2 MB, and escaped segments may make a row 36 KB long. */
export const UNITS_AT_ONCE = 50;

/** Rows of sums in one statement: the platform takes texts up to 2 MB, and an escaped slice name may be 3 KB long. */
export const SUMS_AT_ONCE = 500;

/** After 90 days in which nothing was reported to an experiment its unit rows are deleted; the sums stay. */
export const RETENTION_MS = 7_776_000_000;
/** How often the ledger checks for that. */
export const DAY_MS = 86_400_000;
/** The first flush may come this long after the first exposure. What was served earlier than that belongs to no unit of this experiment. */
export const BEGAN_LATE_MS = 60_000;
/** By then isolates have reported what they saw of a unit before it was deleted; such reports must not bring the unit back. */
export const FLUSHED_MS = 60_000;

/** A unit that is seen again this long after its first exposure has returned (the metric `returned`). */
export const RETURNED_MS = 86_400_000;

/** The wait for late outcomes while it is not known how long they take: a day, so that every hour of the day is in it. */
export const UNKNOWN_DELAY_MS = 86_400_000;

/**
 * While the first answers of a slow arm are still on their way, its units seem to be missing. So the sample-ratio alarm only stays for
 * good once it has rung for this long.
 */
export const STAYS_AFTER_MS = 600_000;
/** The χ² test is not used where an arm should have no more units than this. */
export const MIN_EXPECTED_UNITS = 100;
/** The planned size where the config names none: finds 10 % against 11 % in equal arms with 80 % power. */
export const DEFAULT_PLANNED_UNITS = 29_502;

/** Beliefs that are remembered between looks. */
export const MAX_REMEMBERED_BELIEFS = 100;
/** With fewer units the interval of the 95th percentile would end at the largest value seen. */
export const MIN_UNITS_FOR_QUANTILES = 100;

/** The largest value of an outcome, either way. Sums hold cubes of values: a larger one would swallow all others, or overflow. */
export const MAX_OUTCOME_VALUE = 1e12;

/**
 * Where an object holds more, its oldest receipts are forgotten before they expire. The platform's bound is 10 GB, which 120 outcomes a
 * second fill in a week; then a controller could store nothing more, no way back either.
 */
export const MAX_BYTES = 8e9;
