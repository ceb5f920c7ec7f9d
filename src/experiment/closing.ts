/**
 * Owns when an experiment's figures close. When the planned size is reached, outcomes of the units that are there count on for a
 * time that is fixed at that moment and looks at no arm; then the figures are kept as they stand, and the final test is made on them,
 * once. Every call on the ledger closes first what is due, so that a close needs no alarm and is exact.
 */

import type { Meta } from '../rollout/meta.ts';
import { RECEIPT_MS } from '../split/limits.ts';
import type { Delays } from './delays.ts';
import { UNKNOWN_DELAY_MS } from './limits.ts';
import { plannedOf } from './report.ts';
import { type Figures, type Sums, unitsOf } from './sums.ts';
import type { ExperimentPlan, Grace } from './words.ts';

/** When the planned size was reached, which one, and until when outcomes count. An earlier deployment did not keep the size. */
export interface Reached {
  atMs: number;
  closesAtMs: number;
  planned?: number;
}

export class Closing {
  #meta: Meta;
  #sums: Sums;
  #delays: Delays;

  constructor(meta: Meta, sums: Sums, delays: Delays) {
    this.#meta = meta;
    this.#sums = sums;
    this.#delays = delays;
  }

  get reached(): Reached | null {
    return this.#meta.get<Reached>('reached');
  }

  get isReached(): boolean {
    return this.reached !== null;
  }

  /** The figures that the final test is made on; null until they are closed. */
  get figures(): Figures | null {
    return this.#meta.get<Figures>('atPlanned');
  }

  /** Keeps what is asked, so that a planned size that is reached is noticed before somebody looks. */
  learn(plan: ExperimentPlan): void {
    const asked: Asked = { planned: plannedOf(plan), grace: plan.grace };
    if (JSON.stringify(this.#meta.get<Asked>('asked')) !== JSON.stringify(asked)) this.#meta.set('asked', asked);
  }

  /** Notes that the planned size is reached, after what was counted. */
  reachIfDue(nowMs: number): void {
    const asked = this.#meta.get<Asked>('asked');
    if (asked === null || this.isReached) return;
    const units = unitsOf(this.#sums.read());
    if (units < asked.planned) return;
    const { planned, grace } = asked;
    const reached: Reached = { atMs: nowMs, closesAtMs: nowMs + this.#graceMs(grace), planned };
    this.#meta.set('reached', reached);
    this.closeIfDue(nowMs);
  }

  /** Closes the figures when their time is over, before anything else is counted. */
  closeIfDue(nowMs: number): void {
    const { reached } = this;
    if (reached === null || nowMs < reached.closesAtMs || this.figures !== null) return;
    this.#meta.set('atPlanned', this.#sums.read());
  }

  /** A receipt is valid for so long and no longer. */
  #graceMs({ declaredMs, outcomes, measuredMs = 0 }: Grace): number {
    if (declaredMs !== null) return declaredMs;
    const usual = outcomes.map((metric) => this.#delays.usualMs(metric) ?? UNKNOWN_DELAY_MS);
    return Math.min(RECEIPT_MS, Math.max(measuredMs, ...usual));
  }
}

interface Asked {
  planned: number;
  grace: Grace;
}
