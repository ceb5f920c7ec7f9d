/**
 * Owns the flush of one isolate: tallies by route, one armed flush each, batches numbered and resent unchanged until they are
 * answered (design section 2). It stands behind the visitors: with the controller down it goes on counting, within bounds, and
 * nothing is lost that fits. Values only; every promise belongs to the request that armed it.
 */

import type { Env } from '../env.ts';
import { PairTally } from '../shadow/tally.ts';
import type { Batch, FlushAnswer } from './batch.ts';

type Waiter = Pick<ExecutionContext, 'waitUntil'>;

/** Flush intervals: while two variants have weight (or a rollout runs), and otherwise. */
export const BUSY_INTERVAL_MS = 2_000;
export const QUIET_INTERVAL_MS = 15_000;
/** An armed flush that has not come by then was cut off with its invocation. */
const ABANDONED_AFTER_MS = 25_000;
/** Batches or tries of one flush: within the time that the platform gives work after a response. */
const MAX_ROUNDS = 4;
const RETRY_MS = 500;
/** Candidates of one route in one batch; a config has at most eight variants. */
const MAX_PAIR_TALLIES = 8;

interface RouteTally {
  pairs: Map<string, PairTally>;
  isEmpty: boolean;
  /** The batch under way; its numbers must not change any more. */
  pending: Batch | null;
  sequence: number;
  armedUntilMs: number;
  intervalMs: number;
}

/** Told of every answer. */
export type Listener = (route: string, answer: FlushAnswer) => void;

export class Flusher {
  #routes = new Map<string, RouteTally>();
  #isolate = '';
  #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** The tally of pairs with a candidate. Touching it arms the flush. */
  pairs(
    about: { route: string; candidate: string; revision: number; isBusy: boolean },
    env: Env,
    ctx: Waiter,
  ): PairTally {
    const tally = this.#tallyOf(about.route);
    let pairs = tally.pairs.get(about.candidate);
    if (pairs === undefined) {
      if (tally.pairs.size >= MAX_PAIR_TALLIES) tally.pairs.clear();
      pairs = new PairTally(about.candidate);
      tally.pairs.set(about.candidate, pairs);
    }
    tally.isEmpty = false;
    this.#arm(about, tally, env, ctx);
    return pairs;
  }

  #tallyOf(route: string): RouteTally {
    let tally = this.#routes.get(route);
    if (tally === undefined) {
      tally = { pairs: new Map(), isEmpty: true, pending: null, sequence: 0, armedUntilMs: 0, intervalMs: 0 };
      this.#routes.set(route, tally);
    }
    return tally;
  }

  #arm(about: { route: string; revision: number; isBusy: boolean }, tally: RouteTally, env: Env, ctx: Waiter): void {
    const nowMs = Date.now();
    if (env.CONTROLLER === undefined || nowMs < tally.armedUntilMs) return;
    const usual = about.isBusy ? BUSY_INTERVAL_MS : QUIET_INTERVAL_MS;
    const waitMs = Math.max(usual, tally.intervalMs);
    tally.armedUntilMs = nowMs + waitMs + ABANDONED_AFTER_MS;
    ctx.waitUntil(this.#flush(about, tally, env, waitMs));
  }

  async #flush(about: { route: string; revision: number }, tally: RouteTally, env: Env, waitMs: number): Promise<void> {
    await sleep(waitMs);
    let failures = 0;
    // What is counted while a batch is under way goes with this flush too, so that the last requests before a silence are told.
    for (let round = 0; round < MAX_ROUNDS && (tally.pending !== null || !tally.isEmpty); round++) {
      this.#seal(about, tally);
      try {
        const stub = env.CONTROLLER!.get(env.CONTROLLER!.idFromName(about.route));
        const answer: FlushAnswer = await stub.flush(tally.pending!);
        tally.pending = null;
        tally.intervalMs = answer.intervalMs;
        this.#listener(about.route, answer);
      } catch (cause) {
        console.warn(`route ${about.route}: the controller did not take a flush, which will be sent again: ${cause}`);
        await sleep(RETRY_MS * 2 ** failures++);
      }
    }
    // The next thing that is counted arms the next flush.
    tally.armedUntilMs = 0;
  }

  #seal(about: { route: string; revision: number }, tally: RouteTally): void {
    if (tally.pending !== null) return;
    this.#isolate ||= crypto.randomUUID();
    tally.pending = {
      route: about.route,
      isolate: this.#isolate,
      sequence: ++tally.sequence,
      revision: about.revision,
      pairs: [...tally.pairs.values()].map((pairs) => pairs.take()),
    };
    tally.pairs = new Map();
    tally.isEmpty = true;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
