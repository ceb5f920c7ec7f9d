/** Owns the bounds of what an isolate reports: when it is sent, how often it is tried, and how much may wait. */

/** Flush intervals: while two variants have weight (or a rollout runs), and otherwise. */
export const BUSY_INTERVAL_MS = 2_000;
export const QUIET_INTERVAL_MS = 15_000;
/** What the controller may ask for at most: the platform ends work after a response in 30 s, and a flush with it. */
export const MAX_INTERVAL_MS = 20_000;
/** An armed flush that has not come by then was cut off with its invocation. */
export const ABANDONED_AFTER_MS = 25_000;
/** How long one try may wait for the controller: a call that hangs must not keep a failing candidate's evidence back. */
export const FLUSH_LIMIT_MS = 4_000;
/** The first wait after a try that failed; each next one is twice as long. */
export const RETRY_MS = 500;
/**
 * The most batches, and the most failed tries, of one flush: while busy, four that hang fit into the time that the platform gives
 * `waitUntil`. What is cut off is sent by the next flush.
 */
export const MAX_ROUNDS = 4;
/** Tallies of pairs in one batch: a route has at most eight variants, and each candidate two tallies while a rollout begins. */
export const MAX_PAIR_TALLIES = 16;

/** Units in one batch before sampling sets in: about 200 KB. */
export const MAX_BATCH_UNITS = 4_000;
/** Keys (rollout, revision, variant) that one batch counts by. Revisions change seldom: more keys would be a fault, and must not grow. */
export const MAX_COUNT_KEYS = 64;
/**
 * Ticks that are kept while the controller does not answer. Beyond that the oldest tick is dropped whole, which is fair to both arms;
 * to thin out the sample instead would leave the rollout with next to no units once the controller is back.
 */
export const MAX_TICKS = 30;

/** How long exposures gather before they are sent, and how many batches or tries follow each other then. */
export const EXPOSURES_EVERY_MS = 2_000;
export const EXPOSURES_ROUNDS = 5;
/** Until when a flush may start another pass. A pass ends after five failures in a row, which take 18 seconds. */
export const TRIED_FOR_MS = 18_000;
export const MAX_BATCH_EXPOSURES = 1_000;
/** Exposures that may wait: a ledger that is down for long costs exposures, never memory. A long unit takes the room of several. */
export const MAX_WAITING_EXPOSURES = 20_000;

/** A unit that asks the same again within this time counts as a retry: the answer did not come, or did not satisfy. */
export const RETRY_WITHIN_MS = 60_000;
/** For each of two generations: a whole generation is dropped at once, so that no single entry has to be found. */
export const MAX_REMEMBERED_ASKS = 10_000;

/** While a rollout runs, a split whose last confirmation is older than this is confirmed with the controller. */
export const CONFIRM_AFTER_MS = 15_000;
/** How long a visitor may wait for that confirmation. */
export const CONFIRM_LIMIT_MS = 100;

/** Characters that are kept of a segment's value. */
export const MAX_SEGMENT = 64;

/** A compressed answer is unpacked up to here. */
export const MAX_UNPACKED_BYTES = 1_048_576;
