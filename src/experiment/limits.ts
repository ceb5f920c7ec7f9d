/** Owns the bounds of the ledger: how much it writes at once, and how long it remembers. */

/** The platform's bound on a text is 2 MB, and a row's segment may be 36 KB of escapes. */
export const UNITS_AT_ONCE = 50;

/** The platform's bound on a text is 2 MB, and a slice's name may be 3 KB of escapes. */
export const SUMS_AT_ONCE = 500;

/** Unit rows of an experiment that nobody has told anything for 90 days are deleted; the sums stay. */
export const RETENTION_MS = 7_776_000_000;
/** How often that is looked at. */
export const DAY_MS = 86_400_000;
/** What was served before the ledger began is none of this experiment's; its first flush may be late by so much. */
export const BEGAN_LATE_MS = 60_000;
/** What an isolate has seen of a unit has come by then, or never will: so long a deleted one must not come back by it. */
export const FLUSHED_MS = 60_000;

/** Who is seen again so long after the first exposure has come back. */
export const RETURNED_MS = 86_400_000;

/** While nobody knows how long outcomes take: a day, so that no hour of it is left out. */
export const UNKNOWN_DELAY_MS = 86_400_000;

/**
 * A slow arm's first answers are on their way while the quick arm's have come, and seem missing at first: an alarm must outlast them
 * to stay.
 */
export const STAYS_AFTER_MS = 600_000;
/** χ² fits no arm that should have fewer units. */
export const LEAST_UNITS = 100;
/** Where the config plans nothing: 10 % against 11 % in equal arms, found with 80 % power. */
export const DEFAULT_PLANNED_UNITS = 29_502;

/** Beliefs that are remembered. */
export const MAX_KNOWN = 100;
/** Below it the interval of the 95th percentile would end at the largest value seen. */
export const MIN_UNITS = 100;

/** Sums hold cubes of values: what is larger would swallow all others, or leave the numbers altogether. */
export const MOST = 1e12;
