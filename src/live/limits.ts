/** Owns the bounds of what an isolate reports: when it is sent, how often it is tried, and how much may wait. */

/** Flush intervals: while two variants have weight (or a rollout runs), and otherwise. */
export const BUSY_INTERVAL_MS = 2_000;
export const QUIET_INTERVAL_MS = 15_000;
/** What the controller may ask for at most: the platform ends work after a response in 30 s, and a flush with it. */
export const MAX_INTERVAL_MS = 20_000;
/** An armed flush that has not come by then was cut off with its invocation. */
export const ABANDONED_AFTER_MS = 25_000;
/** The first wait after a try that failed; each next one is twice as long. */
export const RETRY_MS = 500;
/** Batches, and failed tries, of one flush: within the time that the platform gives work after a response. */
export const MAX_ROUNDS = 4;
/** Candidates of one route in one batch, twice where a rollout begins; a config has at most eight variants. */
export const MAX_PAIR_TALLIES = 16;

/** Units of one batch before sampling sets in; a batch of them has about 200 KB. */
export const MAX_BATCH_UNITS = 4_000;
/** Keys of counts in one batch: revisions change seldom, so more is a fault that must not grow. */
export const MAX_COUNTS = 64;
/**
 * Ticks that wait for a controller that does not answer. The oldest goes whole, which is fair to both arms; thinning out the
 * sample for hours of them would leave the rollout blind when the controller is back.
 */
export const MAX_TICKS = 30;

/** Exposures gather for so long, and are tried so often in a row. */
export const EXPOSURES_EVERY_MS = 2_000;
export const EXPOSURES_ROUNDS = 5;
/** One more pass begins until then; five failures in a row, which end a pass, take 18 seconds. */
export const TRIED_FOR_MS = 18_000;
/** Exposures of one batch. */
export const MAX_BATCH = 1_000;
/** Units that may wait; a ledger that is down for long costs exposures, never memory. A long name takes the room of several. */
export const MAX_WAITING = 20_000;

/** Who asks the same again within it was not content with the answer, or did not get one. */
export const REPEAT_MS = 60_000;
/** Of each of two generations, so that no entry has to be looked for to be dropped. */
export const MAX_ASKS = 10_000;

/** A split that was confirmed longer ago is asked about while a rollout runs. */
export const CONFIRM_AFTER_MS = 15_000;
/** A visitor waits for it. */
export const CONFIRM_LIMIT_MS = 100;

/** Characters of a segment's value. */
export const MAX_SEGMENT = 64;

/** A compressed answer is unpacked up to here. */
export const MAX_UNPACKED_BYTES = 1_048_576;
