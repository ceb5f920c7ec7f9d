/**
 * Owns the words for what was seen of a reply, live or mirrored, and of a pair of them (design section 7). Who captures replies fills
 * them in, who compares them reads them, and neither needs the other.
 */

/**
 * How a reply ended.
 * - `complete`: its last byte was seen.
 * - `truncated`: we stopped reading at the cap and cancelled; the origin did nothing wrong.
 * - `cut`: the origin broke its body off.
 * - `abandoned`: the visitor left before the end; says nothing about the origin.
 * - `timeout`: headers or body did not come within the deadline.
 * - `unreachable`: no response headers at all (refused, reset, DNS).
 */
export type ObservationEnd = 'complete' | 'truncated' | 'cut' | 'abandoned' | 'timeout' | 'unreachable';

/** What was seen of one reply. */
export interface Observation {
  /** HTTP status; 0 when no response headers came. */
  status: number;
  /** The `content-type` header as sent, or null. */
  contentType: string | null;
  /** The `location` as a visitor would get it, whole, or null. */
  location?: string | null;
  /** The decoded body, at most the capture's cap. */
  body: Uint8Array;
  /** Decoded bytes seen until the end, the cap or the break. */
  bytes: number;
  end: ObservationEnd;
  /** Milliseconds from the start of the request to response headers, first body byte and end; absent when not reached. */
  headersMs?: number;
  firstByteMs?: number;
  totalMs?: number;
  /** Numbers that the route's `measures` read from reply headers. */
  measures?: Record<string, number>;
}

/** Both replies of a pair: the baseline's, which `live` stands for whoever served, and the other. */
export interface Sides {
  live: Observation;
  candidate: Observation;
}

/** What is observed of a reply that never came. */
export function noReply(end: ObservationEnd): Observation {
  return { status: 0, contentType: null, body: new Uint8Array(0), bytes: 0, end };
}
