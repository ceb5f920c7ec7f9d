/**
 * Owns the bound on extra requests that failover may cause, so that a failing candidate cannot double the baseline's load for
 * long. A token bucket: each request of the route earns a part of one extra, each second a few, up to a burst. It fails closed:
 * with the bucket empty the candidate's own answer is passed on. (Finagle's and Linkerd's retry budgets are built alike.)
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

  /** A request of the route came. */
  earn(route: string, nowMs: number): void {
    const bucket = this.#bucketOf(route, nowMs);
    const earned = EARNED_A_REQUEST + (Math.max(0, nowMs - bucket.atMs) / 1000) * EARNED_A_SECOND;
    bucket.tokens = Math.min(BURST, bucket.tokens + earned);
    bucket.atMs = nowMs;
  }

  /** Whether one more extra request is within the budget; it is spent then. */
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
