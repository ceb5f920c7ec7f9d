/**
 * Owns an experiment's memory: one Durable Object a route and experiment, with a row for each unit under its keyed hash, the first
 * exposure that decides its variant for ever, and exact sums. It knows no id of anybody, and moves no traffic. Every call is one
 * transaction; a batch that is sent again, and a receipt that comes again, count once.
 */

import { DurableObject } from 'cloudflare:workers';
import { capped } from '../analysis/means.ts';
import type { Env } from '../env.ts';
import { err, ok } from '../result.ts';
import { FlushLedger } from '../rollout/flush-ledger.ts';
import { Meta } from '../rollout/meta.ts';
import { Pending } from './pending.ts';
import { UsedReceipts } from './receipts.ts';
import { type Looks, lookAtRatio, plannedOf, type Ratio, type Report, reportOf } from './report.ts';
import { type Figures, type SumChange, Sums } from './sums.ts';
import { Units } from './units.ts';
import type { ExperimentPlan, ExposureBatch, OutcomeAnswer, OutcomeEvent, UnitRow } from './words.ts';

/** Unit rows of an experiment that nobody has told anything for so long are deleted; the sums stay. */
export const RETENTION_MS = 90 * 86_400_000;
const DAY_MS = 86_400_000;
/** What was served before the ledger began is none of this experiment's; its first flush may be late by so much. */
const BEGAN_LATE_MS = 60_000;

export class ExperimentLedger extends DurableObject<Env> {
  #meta: Meta;
  #batches: FlushLedger;
  #units: Units;
  #receipts: UsedReceipts;
  #pending: Pending;
  #sums: Sums;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#meta = new Meta(ctx.storage);
    this.#batches = new FlushLedger(sql);
    this.#units = new Units(sql);
    this.#receipts = new UsedReceipts(sql);
    this.#pending = new Pending(sql);
    this.#sums = new Sums(sql);
  }

  /** Takes a batch once, however often it is sent. */
  expose(batch: ExposureBatch): { applied: boolean } {
    const nowMs = Date.now();
    const applied = this.ctx.storage.transactionSync(() => {
      if (!this.#batches.isNew(batch, nowMs)) return false;
      const change = this.#sums.change();
      this.#units.expose(batch.exposures, change);
      for (const event of this.#pending.take(batch.exposures.map(({ unit }) => unit)))
        this.#credit(event, change, nowMs);
      this.#sums.apply(change);
      this.#freeze();
      return true;
    });
    this.#used(nowMs);
    return { applied };
  }

  /** Credits events in the order given, each with its own answer. A refused one leaves no trace. */
  outcomes(events: readonly OutcomeEvent[], plan: ExperimentPlan): OutcomeAnswer[] {
    const nowMs = Date.now();
    this.#used(nowMs);
    return this.ctx.storage.transactionSync(() => {
      this.#learn(plan);
      const answers = events.map((event) => {
        const change = this.#sums.change();
        const answer = this.#credit(event, change, nowMs);
        this.#sums.apply(change);
        return answer;
      });
      this.#freeze();
      return answers;
    });
  }

  /** What can be said now. Looking is free: the smallest early p of all looks is kept, which the test allows for. */
  report(plan: ExperimentPlan): Report {
    return this.ctx.storage.transactionSync(() => {
      this.#learn(plan);
      this.#freeze();
      const now = this.#sums.read();
      const ratio = lookAtRatio(this.#meta.get<Ratio>('ratio'), plan, now.arms);
      this.#meta.set('ratio', ratio);
      const { report, looks } = reportOf({
        plan,
        now,
        ratio,
        atPlanned: this.#meta.get<Figures>('atPlanned'),
        looks: this.#meta.get<Looks>('looks'),
        sinceMs: this.#meta.get<number>('began'),
        nowMs: Date.now(),
      });
      this.#meta.set('looks', looks);
      return report;
    });
  }

  /** A page of unit rows in the order of their hashes, after `after`. */
  units(after: string, limit: number): UnitRow[] {
    return this.#units.page(after, limit);
  }

  /** Deletes everything of one unit and takes it out of the sums; what was frozen at the planned size stays, and names nobody. */
  forget(unit: string): boolean {
    return this.ctx.storage.transactionSync(() => {
      const change = this.#sums.change();
      const known = this.#units.forget(unit, change);
      this.#sums.apply(change);
      return known;
    });
  }

  override async alarm(): Promise<void> {
    if (Date.now() - (this.#meta.get<number>('used') ?? 0) > RETENTION_MS) this.#units.clear();
    else await this.ctx.storage.setAlarm(Date.now() + DAY_MS);
  }

  #credit(event: OutcomeEvent, change: SumChange, nowMs: number): OutcomeAnswer {
    const { unit, metric, value, receipt, served, pinned } = event;
    if (receipt !== undefined && this.#receipts.isUsed(receipt, metric)) return err({ reason: 'already_counted' });
    const began = this.#meta.get<number>('began') ?? 0;
    if (served !== undefined && served.atMs < began - BEGAN_LATE_MS) return err({ reason: 'unknown_unit' });
    const variant = this.#units.variantOf(unit) ?? pinned;
    if (variant === undefined && served === undefined) return err({ reason: 'unknown_unit' });
    if (receipt !== undefined) this.#receipts.use(receipt, metric, nowMs);
    if (variant === undefined) {
      this.#pending.add(event, nowMs);
      return ok({ variant: served!.variant, counted: false });
    }
    if (pinned !== undefined) this.#units.begin(unit, variant, nowMs, change);
    const before = this.#units.valueOf(unit, metric);
    const total = event.kind === 'conversion' ? Math.max(before?.total ?? 0, value) : (before?.total ?? 0) + value;
    // A cap holds for the unit's total. What was counted is kept, so that a cap that is changed later leaves the sums exact.
    const counted = event.kind === 'conversion' ? total : capped(total, event.cap);
    this.#units.setValue(unit, metric, { total, counted });
    change.value(variant, metric, before?.counted ?? 0, counted);
    return ok({ variant, counted: before === null || before.total !== total || event.kind === 'mean' });
  }

  /** Keeps what is asked, so that a planned size that is reached, or weights that change, are noticed before somebody looks. */
  #learn(plan: ExperimentPlan): void {
    const planned = plannedOf(plan);
    if (this.#meta.get('planned') !== planned) this.#meta.set('planned', planned);
    const ratio = this.#meta.get<Ratio>('ratio');
    if (ratio !== null && ratio.revision >= plan.revision) return;
    this.#meta.set('ratio', lookAtRatio(ratio, plan, this.#sums.read().arms));
  }

  /** Freezes the sums when the planned size is reached: the fixed test is made on them, once. */
  #freeze(): void {
    const planned = this.#meta.get<number>('planned');
    if (planned === null || this.#meta.get('atPlanned') !== null) return;
    const figures = this.#sums.read();
    const units = Object.values(figures.arms).reduce((sum, arm) => sum + arm.units, 0);
    if (units >= planned) this.#meta.set('atPlanned', figures);
  }

  #used(nowMs: number): void {
    const used = this.#meta.get<number>('used');
    if (used !== null && nowMs - used < DAY_MS / 24) return;
    if (used === null) this.#meta.set('began', nowMs);
    this.#meta.set('used', nowMs);
    this.ctx.waitUntil(this.ctx.storage.setAlarm(nowMs + DAY_MS));
  }
}
