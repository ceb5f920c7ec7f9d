/** Owns the bounds of recording: how much goes into a row, how much into a call, and how long is waited. */

/** Of all blobs of a row together, in UTF-8. The platform takes 16 KB; the rest is room for its own framing. */
export const MAX_BLOB_BYTES = 15_000;
/** In bytes of UTF-8. */
export const MAX_INDEX_BYTES = 96;

/** The platform's bound on points an invocation, all datasets together. */
export const MAX_POINTS = 250;
/** Rows in one call to the recorder. */
export const MAX_BATCH_ROWS = 500;
/** Rows that may wait for the recorder; more are dropped and counted. */
export const MAX_WAITING_ROWS = 5_000;
/** How long rows gather before they go to the recorder. */
export const FLUSH_AFTER_MS = 50;
/** A flush that has not ended by then was cut off with its invocation: the next row starts another. */
export const ABANDONED_AFTER_MS = 20_000;

/** Newest rows kept of each dataset. */
export const KEPT_ROWS = 100_000;

/** How long the SQL API may take. */
export const SQL_LIMIT_MS = 10_000;
/** Characters that are passed on of its error message. */
export const MAX_ERROR_CHARS = 300;

/** The most blobs, and the most doubles, that a dataset can have. */
export const MOST_COLUMNS = 20;
