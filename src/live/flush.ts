/**
 * Owns the flush of one isolate: a tally and an armed flush for each route, and batches that are numbered and resent unchanged until
 * they are answered (design section 2). No visitor ever waits for it. With the controller down it goes on counting, within bounds. It
 * keeps values only: every promise belongs to the request that armed it.
 */

import { controllerOf, type Env } from '../env.ts';
import { getOrMake } from '../get-or-make.ts';
import { sleep, withLimit } from '../limit.ts';
import { PairTally } from '../shadow/tally.ts';
import type { Batch, FlushAnswer } from './batch.ts';
import {
  ABANDONED_AFTER_MS,
  BUSY_INTERVAL_MS,
  FLUSH_LIMIT_MS,
  MAX_INTERVAL_MS,
  MAX_PAIR_TALLIES,
  MAX_ROUNDS,
  QUIET_INTERVAL_MS,
  RETRY_MS,
} from './limits.ts';
import { LiveTally } from './tally.ts';

type Waiter = Pick<ExecutionContext, 'waitUntil'>;

interface RouteTally {
  live: LiveTally;
  pairs: Map<string, PairTally>;
  /** When the first of them was counted. */
  pairsSinceMs: number;
  /** The batch under way. It must not change any more, since it may have been counted. */
  pending: Batch | null;
  sequence: number;
  /** When the armed flush is due; 0 while none is armed. */
  dueAtMs: number;
  /** Since when a flush is sending; 0 while none is. */
  sendingSinceMs: number;
  /** The interval that the controller last asked for. */
  intervalMs: number;
}

/** Which route's flush is meant, and how soon it is wanted. */
export interface Flushing {
  route: string;
  revision: number;
  isBusy: boolean;
  /** Weights by hand are in force, as far as the isolate knows. */
  isByHand: boolean;
}

/** Called with every answer of a controller. */
export type Listener = (route: string, answer: FlushAnswer) => void;

/** One isolate's tallies and flushes, by route. */
export class Flusher {
  #routes = new Map<string, RouteTally>();
  #isolate = '';
  #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** The tally of live requests. Touching it arms the flush. */
  live(about: Flushing, env: Env, ctx: Waiter): LiveTally {
    const tally = this.#tallyOf(about.route);
    this.#arm(about, tally, env, ctx);
    return tally.live;
  }

  /** The tally of pairs with a candidate, in a rollout or in none. Touching it arms the flush. */
  pairs(about: Flushing & { candidate: string; rollout: string }, env: Env, ctx: Waiter): PairTally {
    const { candidate, rollout } = about;
    const tally = this.#tallyOf(about.route);
    const key = `${rollout}/${candidate}`;
    const pairs = getOrMake(tally.pairs, key, () => {
      if (tally.pairs.size >= MAX_PAIR_TALLIES) tally.pairs.clear();
      if (tally.pairs.size === 0) tally.pairsSinceMs = Date.now();
      return new PairTally(candidate, rollout);
    });
    this.#arm(about, tally, env, ctx);
    return pairs;
  }

  #tallyOf(route: string): RouteTally {
    return getOrMake(this.#routes, route, () => ({
      live: new LiveTally(),
      pairs: new Map(),
      pairsSinceMs: 0,
      pending: null,
      sequence: 0,
      dueAtMs: 0,
      sendingSinceMs: 0,
      intervalMs: 0,
    }));
  }

  /** Arms a flush, unless one is armed that is due as soon. A sooner one (a rollout has begun) is armed beside the other. */
  #arm(about: Flushing, tally: RouteTally, env: Env, ctx: Waiter): void {
    if (env.CONTROLLER === undefined) return;
    const nowMs = Date.now();
    const askedMs = Math.min(tally.intervalMs, MAX_INTERVAL_MS);
    const waitMs = Math.max(about.isBusy ? BUSY_INTERVAL_MS : QUIET_INTERVAL_MS, askedMs);
    const isArmed = Math.abs(nowMs - tally.dueAtMs) < ABANDONED_AFTER_MS;
    if (isArmed && tally.dueAtMs <= nowMs + waitMs) return;
    tally.dueAtMs = nowMs + waitMs;
    ctx.waitUntil(this.#flush(about, tally, env, waitMs));
  }

  async #flush(about: Flushing, tally: RouteTally, env: Env, waitMs: number): Promise<void> {
    await sleep(waitMs);
    const startedMs = Date.now();
    // The absolute value: the clock may have been set back.
    if (Math.abs(startedMs - tally.sendingSinceMs) < ABANDONED_AFTER_MS) return;
    tally.sendingSinceMs = startedMs;
    let sent = 0;
    let failures = 0;
    // What is counted while a batch is under way goes with this flush too, so that the last requests before a silence are reported. While
    // busy it also sends a batch of nothing: during long streams the answer may still bring a new split.
    const isWanted = () => tally.pending !== null || !isEmpty(tally) || (about.isBusy && sent === 0);
    while (sent < MAX_ROUNDS && failures < MAX_ROUNDS && isWanted()) {
      const batch = tally.pending ?? this.#seal(about, tally);
      tally.pending = batch;
      try {
        const answer = await withLimit(controllerOf(env, about.route)!.flush(batch), FLUSH_LIMIT_MS);
        if (tally.pending === batch) tally.pending = null;
        sent++;
        tally.intervalMs = answer.intervalMs;
        this.#listener(about.route, answer);
      } catch (cause) {
        console.warn(`route ${about.route}: the controller did not answer: ${cause}`);
        await sleep(RETRY_MS * 2 ** failures++);
      }
    }
    // The next thing that is counted arms the next flush.
    tally.sendingSinceMs = 0;
    tally.dueAtMs = 0;
  }

  #seal(about: Flushing, tally: RouteTally): Batch {
    this.#isolate ||= crypto.randomUUID();
    const pairs = [...tally.pairs.values()].map((one) => one.take());
    tally.pairs = new Map();
    const { route, revision, isByHand } = about;
    return {
      route,
      isolate: this.#isolate,
      sequence: ++tally.sequence,
      revision,
      isByHand,
      ...tally.live.take(),
      pairs,
      pairsSinceMs: tally.pairsSinceMs,
    };
  }
}

function isEmpty(tally: RouteTally): boolean {
  return tally.live.isEmpty && tally.pairs.size === 0;
}
