/**
 * Owns when an experiment's figures close. Once the planned size is reached, outcomes of its units still count for a time that is fixed at
 * that moment, without a look at any arm. Then the figures are frozen, and the final test is made on them, once. Every call on the ledger
 * first closes what is due, so closing needs no alarm and is exact.
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

/** When one experiment’s figures close. */
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

  /** Keeps the plan's size and grace, so that the planned size is noticed when it is reached, and not only when somebody looks. */
  learn(plan: ExperimentPlan): void {
    const asked: Asked = { planned: plannedOf(plan), grace: plan.grace };
    if (JSON.stringify(this.#meta.get<Asked>('asked')) !== JSON.stringify(asked)) this.#meta.set('asked', asked);
  }

  /** After counting: notes that the planned size is reached. */
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

  /** Before counting: closes the figures if their time is over. */
  closeIfDue(nowMs: number): void {
    const { reached } = this;
    if (reached === null || nowMs < reached.closesAtMs || this.figures !== null) return;
    this.#meta.set('atPlanned', this.#sums.read());
  }

  /** How long late outcomes count: as the config says, else as long as they usually take; never longer than a receipt is valid. */
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
