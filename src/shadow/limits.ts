/** Owns the bounds of mirroring: how many copies there may be, how long they may take, and how much is kept of what comes back. */

/** Bytes of each answer that are kept for the comparison. */
export const CAPTURE_BYTES = 262_144;

/** Bytes of a copy's answer that are read at once. */
export const READ_BYTES = 65_536;

/** A copy may take the route's `timeoutMs`, and this long after the live answer ended: then the platform ends the work. */
export const AFTER_LIVE_MS = 25_000;
/** What is counted this long after the live headers cannot wait for a quiet route's flush: the platform would end the work before it. */
export const LATE_MS = 10_000;

/** Copies under way in one isolate; each holds at most four bodies of 256 KiB. */
export const MAX_COPIES = 32;
/**
 * The platform may end a request's work before it has given its slot back. After this long a slot is free again: otherwise 32 such
 * requests would end mirroring for the isolate's life. A copy that really lasts longer means one copy more under way.
 */
export const SLOT_MS = 300_000;

/** Samples that are kept, by an isolate until its flush and by the controller: the newest. */
export const MAX_SAMPLES = 200;
/**
 * Their characters in one flush: all 200 where bodies are short, some 80 of the longest. The controller takes 200 flushes a
 * second at most, and reads and writes each while others wait.
 */
export const MAX_SAMPLE_CHARS = 524_288;
/** Distinct failure reasons that are counted apart. Some contain an error type of the origin's choice, which may differ each time. */
export const MAX_FAILURES = 50;

/** A larger number of a scorer or of a measure is none: squares are summed, and beyond what a number holds a report would say 0. */
export const MAX_MEASURED = 1e12;
/** How long a scorer may take. */
export const SCORE_LIMIT_MS = 5_000;
/** The most that is read of a scorer's answer, which holds two numbers. */
export const MAX_SCORE_BYTES = 65_536;

/** The times that budgets are for. */
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
