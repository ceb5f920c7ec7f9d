/**
 * Owns the count of wrong credentials by address, so that guessing is slow. Pure but for its own bounded memory: the time is
 * passed in. It is isolate-local on purpose: it needs no storage to be attacked, and a token of 128 bits needs no more.
 */

/** Wrong credentials that an address may send in a minute: enough that a stale script does not lock out a colleague at once. */
export const maxFailures = 100;
export const windowMs = 60_000;
const maxAddresses = 1_000;

export class Failures {
  #counts = new Map<string, { since: number; failures: number }>();
  #most: number;

  constructor(most: number = maxFailures) {
    this.#most = most;
  }

  /** Seconds until the address may try again; 0 when it may now. */
  waitSeconds(address: string, nowMs: number): number {
    const entry = this.#counts.get(networkOf(address));
    if (!entry || entry.failures < this.#most || nowMs - entry.since >= windowMs) return 0;
    return Math.ceil((entry.since + windowMs - nowMs) / 1000);
  }

  /** Counts one wrong credential. When memory is full, the address first seen longest ago is forgotten. */
  count(address: string, nowMs: number): void {
    const network = networkOf(address);
    const entry = this.#counts.get(network);
    if (entry && nowMs - entry.since < windowMs) {
      entry.failures += 1;
      return;
    }
    this.#counts.delete(network);
    if (this.#counts.size >= maxAddresses) this.#counts.delete(this.#counts.keys().next().value!);
    this.#counts.set(network, { since: nowMs, failures: 1 });
  }
}

/** One household or server owns a whole /64 of IPv6, so its addresses count as one. */
function networkOf(address: string): string {
  return address.includes(':') ? address.split(':').slice(0, 4).join(':') : address;
}
