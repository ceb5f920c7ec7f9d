/**
 * Owns one route's control plane, in a Durable Object of its own: it takes the isolates' flushes, each batch once, and tells
 * what they add up to. It answers isolates, never visitors; while it is down, traffic flows by the splits that isolates know.
 */

import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import type { Batch, FlushAnswer } from '../live/batch.ts';
import type { Sample } from '../shadow/tally.ts';
import type { PairReport } from '../shadow/totals.ts';
import { FlushLedger } from './flush-ledger.ts';
import { PairStore } from './pair-store.ts';

/** What `GET /api/routes/:route/comparisons` answers for one candidate. */
export interface ComparisonsAnswer {
  candidates: string[];
  report: PairReport | null;
  samples: Sample[];
}

export class RolloutController extends DurableObject<Env> {
  #ledger: FlushLedger;
  #pairs: PairStore;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#ledger = new FlushLedger(ctx.storage.sql);
    this.#pairs = new PairStore(ctx.storage.sql);
  }

  /** Applies a batch once, in one transaction, however often it is sent. */
  flush(batch: Batch): FlushAnswer {
    const nowMs = Date.now();
    const commits: (() => void)[] = [];
    this.ctx.storage.transactionSync(() => {
      if (!this.#ledger.isNew(batch, nowMs)) return;
      for (const pairs of batch.pairs) commits.push(this.#pairs.add(pairs, nowMs));
    });
    for (const commit of commits) commit();
    const isolates = this.#ledger.activeIsolates(nowMs);
    const tokensToday = this.#pairs.tokensToday(nowMs);
    return { intervalMs: this.#ledger.intervalMs(isolates), split: null, isolates, tokensToday };
  }

  /** The newest split when its revision is higher; null when the caller's is the newest. */
  newerSplit(_revision: number): string | null {
    return null;
  }

  /** What was compared with `candidate`, or with the only one there is. */
  comparisons(candidate: string | undefined, samples: number): ComparisonsAnswer {
    const candidates = this.#pairs.candidates();
    const chosen = candidate ?? candidates[0];
    if (chosen === undefined) return { candidates, report: null, samples: [] };
    return { candidates, report: this.#pairs.report(chosen), samples: this.#pairs.samples(chosen, samples) };
  }

  clearComparisons(candidate: string): void {
    this.#pairs.clear(candidate);
  }
}
