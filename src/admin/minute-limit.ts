/**
 * Owns how often something may come from one source in a minute: wrong credentials, so that guessing is slow, and outcomes. Pure but for its
 * own bounded memory: the time is passed in. It is isolate-local on purpose: it needs no storage to be attacked, and a token of 128 bits
 * needs no more.
 */

/** How long a minute is, from the first of what is counted. */
export const MINUTE_MS = 60_000;
const MAX_SOURCES = 1_000;

/** One limit. A source is an IP address or any other text. It fails open: past `MAX_SOURCES` the one first seen longest ago is forgotten. */
export class MinuteLimit {
  #counts = new Map<string, { sinceMs: number; n: number }>();
  #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Seconds until the source may try again; 0 when it may now. */
  waitSeconds(source: string, nowMs: number): number {
    const entry = this.#counts.get(networkOf(source));
    // The absolute value: the clock may have been set back.
    if (!entry || entry.n < this.#most || Math.abs(nowMs - entry.sinceMs) >= MINUTE_MS) return 0;
    return Math.ceil((entry.sinceMs + MINUTE_MS - nowMs) / 1000);
  }

  /** Counts one. */
  count(source: string, nowMs: number): void {
    const network = networkOf(source);
    const entry = this.#counts.get(network);
    if (entry && Math.abs(nowMs - entry.sinceMs) < MINUTE_MS) {
      entry.n++;
      return;
    }
    this.#counts.delete(network);
    if (this.#counts.size >= MAX_SOURCES) this.#counts.delete(this.#counts.keys().next().value!);
    this.#counts.set(network, { sinceMs: nowMs, n: 1 });
  }
}

/** One household or server owns a whole /64 of IPv6, so its addresses count as one. */
function networkOf(source: string): string {
  return source.includes(':') ? source.split(':').slice(0, 4).join(':') : source;
}
