/** Owns the numbers by which evidence is judged (design sections 9 and 10): what is enough, and what is sure. */

/** Milliseconds of a tick. */
export const TICK_MS = 10_000;
/** Units kept, open and silent together, before sampling sets in. */
export const MAX_UNITS = 50_000;

/** Fewer baseline trials than this in a tick are too few to compare with (design, section 9). */
export const MIN_BASELINE_TRIALS = 20;

/** A rollout of a harmless candidate is stopped with at most this probability. */
export const ROLLOUT_ALPHA = 0.01;
/** Fewer bad events than this never stop a rollout. */
export const MIN_BAD_TO_FAIL = 5;
/** Samples that a step needs where it says nothing. */
export const DEFAULT_MIN_SAMPLES = 1000;

/** What an experiment may err by while it runs, and at its planned size. */
export const EARLY_ALPHA = 0.01;
export const FINAL_ALPHA = 0.04;

/** Fewest successes and fewest failures an arm needs before a normal approximation of its rate may be trusted. */
export const MIN_SUCCESSES_AND_FAILURES = 25;

/** Fewest units with a value other than 0 that an arm needs before its mean may be tested. */
export const MIN_NON_ZERO = 100;
