/** Owns the bounds of a request under way: how much of a body is held, and how a failover is paid for. */

/** The most that is held or copied of a request's body. */
export const MAX_HELD_BYTES = 262_144;
/** A request body up to this length is always held: it usually comes together with its headers, and costs less than a pump. */
export const SHORT_BYTES = 65_536;

/**
 * A response body up to this length is passed on in one piece if it comes with its headers: a tenth of a pump's cost. If it is late it
 * streams, so that nobody waits for a body that trickles.
 */
export const WHOLE_BODY_BYTES = 65_536;
/** Up to this length the runtime's own read buffer is cheaper than one of ours. */
export const OWN_BUFFER_BYTES = 4_096;

/**
 * Small reads make large bodies dear (measured: 1 MB costs 11 ms in chunks of 4 KiB, 2.5 ms in chunks of 64 KiB and 2.2 ms in chunks of 256
 * KiB), so a body that fills its buffer gets the larger one. No larger than this, for each slow reader of a large body keeps one, and an
 * isolate has 128 MB.
 */
export const FIRST_CHUNK_BYTES = 16_384;
export const LARGE_CHUNK_BYTES = 131_072;
/**
 * An abort discards what the runtime was given and has not written yet: the last bytes, or even the head of an answer that broke off at
 * once. The origin did send them, so the abort waits this long for them to leave.
 */
export const LAST_BYTES_MS = 5;

/** Failovers that a route earns by each request and each second, and the most that it saves up. */
export const EARNED_A_REQUEST = 0.2;
export const EARNED_A_SECOND = 10;
export const BURST = 200;
