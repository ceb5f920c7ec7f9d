/**
 * Owns what stops mirroring for a while: budgets, a 429 from the shadow, and too many copies at once. It knows one isolate's copies; the
 * controller tells how many isolates share a budget, and how many tokens the route has spent today. It fails closed: a request over the
 * budget is not mirrored, and is counted as skipped.
 */

import type { Shadow } from '../config/types.ts';
import { getOrMake } from '../get-or-make.ts';
import { DAY_MS, MAX_COPIES, MINUTE_MS, SLOT_MS } from './limits.ts';

/** Why a request that was sampled in is not mirrored. */
export type BudgetSkip = 'rate-limited' | 'budget-requests' | 'budget-tokens' | 'busy';

/** One of the copies that may be under way at once. */
export interface CopySlot {
  takenAtMs: number;
}

interface Spending {
  minute: number;
  requests: number;
  day: number;
  tokens: number;
  /** Tokens that all isolates had spent today when the controller last told; `tokens` is what this isolate has spent since. */
  toldTokens: number;
  /** This isolate's share of the budget of requests, 0 to 1. */
  share: number;
  /** Drawn each minute, 0 to 1: rounds the isolate's share of requests up or down by chance. */
  luck: number;
  pausedAtMs: number;
}

/** What one isolate may still mirror, by route and candidate (`key`). */
export class MirrorBudget {
  #spending = new Map<string, Spending>();
  #copies = new Set<CopySlot>();
  #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Takes a slot for one copy, or says why there is none. A slot must be given back with `done`. */
  take(key: string, budget: Shadow['budget'], nowMs: number): CopySlot | BudgetSkip {
    const spending = this.#spendingOf(key, nowMs);
    // The absolute value: the clock may have been set back.
    if (Math.abs(nowMs - spending.pausedAtMs) < MINUTE_MS) return 'rate-limited';
    if (!this.#hasSlot(nowMs)) return 'busy';
    const perMinute = budget.requestsPerMinute;
    // With a share of 0.2 requests a minute, one minute in five has a request.
    const own = Math.floor((perMinute ?? Infinity) * spending.share + spending.luck);
    if (spending.requests >= own) return 'budget-requests';
    if (budget.tokensPerDay !== undefined && spending.toldTokens + spending.tokens >= budget.tokensPerDay)
      return 'budget-tokens';
    spending.requests++;
    const slot = { takenAtMs: nowMs };
    this.#copies.add(slot);
    return slot;
  }

  /** Gives a slot back. */
  done(slot: CopySlot): void {
    this.#copies.delete(slot);
  }

  /** Stops mirroring for a minute after a 429: the shadow may share the live quota, and must not use it up. */
  rateLimited(key: string, nowMs: number): void {
    this.#spendingOf(key, nowMs).pausedAtMs = nowMs;
  }

  /** Notes tokens that copies spent. */
  spent(key: string, tokens: number, nowMs: number): void {
    this.#spendingOf(key, nowMs).tokens += tokens;
  }

  /** Takes what the controller told with a flush: the isolate's share, and the tokens that all isolates spent today. */
  told(key: string, told: { share: number; tokensToday: number }, nowMs: number): void {
    const spending = this.#spendingOf(key, nowMs);
    spending.share = told.share;
    spending.toldTokens = told.tokensToday;
    spending.tokens = 0;
  }

  #hasSlot(nowMs: number): boolean {
    for (const slot of this.#copies) {
      if (nowMs - slot.takenAtMs >= SLOT_MS) this.#copies.delete(slot);
    }
    return this.#copies.size < MAX_COPIES;
  }

  #spendingOf(key: string, nowMs: number): Spending {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const day = Math.floor(nowMs / DAY_MS);
    // Its minute and its day begin below.
    const spending = getOrMake(this.#spending, key, () => ({ share: 1, pausedAtMs: -Infinity }) as Spending);
    if (spending.minute !== minute) Object.assign(spending, { minute, requests: 0, luck: this.#random() });
    if (spending.day !== day) Object.assign(spending, { day, tokens: 0, toldTokens: 0 });
    return spending;
  }
}
