/**
 * Owns the bound on the extra requests of failover, so that a failing candidate cannot double the baseline's load for long. A token
 * bucket: each request to the route earns a fraction of an extra request, and each second a few, up to a burst. It fails closed: with
 * an empty bucket the candidate's own answer is passed on. (Finagle's and Linkerd's retry budgets work alike.)
 */

import { getOrMake } from '../get-or-make.ts';
import { BURST, EARNED_A_REQUEST, EARNED_A_SECOND } from './limits.ts';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** One isolate's failover budget, by route. */
export class FailoverBudget {
  #buckets = new Map<string, Bucket>();

  /** Credits one request to the route, and the time since the last one. */
  earn(route: string, nowMs: number): void {
    const bucket = this.#bucketOf(route, nowMs);
    const earned = EARNED_A_REQUEST + (Math.max(0, nowMs - bucket.atMs) / 1000) * EARNED_A_SECOND;
    bucket.tokens = Math.min(BURST, bucket.tokens + earned);
    bucket.atMs = nowMs;
  }

  /** Spends one extra request; false where the budget has none left. */
  spend(route: string, nowMs: number): boolean {
    const bucket = this.#bucketOf(route, nowMs);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #bucketOf(route: string, nowMs: number): Bucket {
    return getOrMake(this.#buckets, route, () => ({ tokens: BURST, atMs: nowMs }));
  }
}
