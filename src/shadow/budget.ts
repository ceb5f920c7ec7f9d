/**
 * Owns what stops mirroring for a while: budgets, a shadow's own 429, and too many copies at once. One isolate's memory; the
 * controller tells how many isolates share a budget and how many tokens the route has spent today. Fails closed: what is over
 * the budget is skipped, and counted.
 */

import type { Shadow } from '../config/types.ts';
import { getOrMake } from '../get-or-make.ts';
import { DAY_MS, MAX_COPIES, MINUTE_MS, PLACE_MS } from './limits.ts';

/** Why a request that was sampled in is not mirrored. */
export type BudgetSkip = 'rate-limited' | 'budget-requests' | 'budget-tokens' | 'busy';

/** A place among the copies under way. */
export interface Place {
  takenAtMs: number;
}

interface Spending {
  minute: number;
  requests: number;
  day: number;
  tokens: number;
  /** Tokens that all isolates have spent today, as the controller last told, without what this isolate spent since. */
  toldTokens: number;
  /** This isolate's part of the budget of requests. */
  share: number;
  /** Of this minute, 0 to 1: decides of a part of one request. */
  luck: number;
  pausedUntilMs: number;
}

export class MirrorBudget {
  #spending = new Map<string, Spending>();
  #copies = new Set<Place>();
  #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Takes one copy's place, or says why there is none. A place that was taken must be given back with `done`. */
  take(key: string, budget: Shadow['budget'], nowMs: number): Place | BudgetSkip {
    const spending = this.#spendingOf(key, nowMs);
    if (nowMs < spending.pausedUntilMs) return 'rate-limited';
    if (!this.#hasPlace(nowMs)) return 'busy';
    const perMinute = budget.requestsPerMinute;
    // A part of one request is a request in one of so many minutes.
    const own = Math.floor((perMinute ?? Infinity) * spending.share + spending.luck);
    if (spending.requests >= own) return 'budget-requests';
    if (budget.tokensPerDay !== undefined && spending.toldTokens + spending.tokens >= budget.tokensPerDay)
      return 'budget-tokens';
    spending.requests++;
    const place = { takenAtMs: nowMs };
    this.#copies.add(place);
    return place;
  }

  done(place: Place): void {
    this.#copies.delete(place);
  }

  /** A shadow that shares the live quota must not eat it. */
  rateLimited(key: string, nowMs: number): void {
    this.#spendingOf(key, nowMs).pausedUntilMs = nowMs + MINUTE_MS;
  }

  spent(key: string, tokens: number, nowMs: number): void {
    this.#spendingOf(key, nowMs).tokens += tokens;
  }

  /** What the controller told with a flush: the isolate's part, and all tokens of the day. */
  told(key: string, told: { share: number; tokensToday: number }, nowMs: number): void {
    const spending = this.#spendingOf(key, nowMs);
    spending.share = told.share;
    spending.toldTokens = told.tokensToday;
    spending.tokens = 0;
  }

  #hasPlace(nowMs: number): boolean {
    if (this.#copies.size < MAX_COPIES) return true;
    for (const place of this.#copies) {
      if (nowMs - place.takenAtMs >= PLACE_MS) this.#copies.delete(place);
    }
    return this.#copies.size < MAX_COPIES;
  }

  #spendingOf(key: string, nowMs: number): Spending {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const day = Math.floor(nowMs / DAY_MS);
    const spending = getOrMake(this.#spending, key, () => {
      const nothing = { requests: 0, tokens: 0, toldTokens: 0, pausedUntilMs: 0 };
      // Its minute begins below.
      return { ...nothing, minute: -1, day, share: 1, luck: 0 };
    });
    if (spending.minute !== minute) Object.assign(spending, { minute, requests: 0, luck: this.#random() });
    if (spending.day !== day) Object.assign(spending, { day, tokens: 0, toldTokens: 0 });
    return spending;
  }
}
