/**
 * Owns an experiment's memory: one Durable Object for each route and experiment, with a row for each unit under its keyed hash (the first
 * exposure decides its variant for good) and exact sums. It never sees a unit's own id, and moves no traffic. Every call is one
 * transaction; a batch or a receipt that comes again counts once.
 */

import { DurableObject } from 'cloudflare:workers';
import { capped } from '../analysis/means.ts';
import type { Env } from '../env.ts';
import { err, ok } from '../result.ts';
import { FlushLedger } from '../rollout/flush-ledger.ts';
import { Meta } from '../rollout/meta.ts';
import { armsOf } from '../split/assign.ts';
import type { KnownBeliefs } from './beliefs.ts';
import { Closing } from './closing.ts';
import { Delays } from './delays.ts';
import { Late } from './late.ts';
import { BEGAN_LATE_MS, DAY_MS, FLUSHED_MS, RETENTION_MS } from './limits.ts';
import { Pending } from './pending.ts';
import { UsedReceipts } from './receipts.ts';
import { type Looks, type Report, reportOf } from './report.ts';
import { addArms, type Figures, SumChange, Sums } from './sums.ts';
import { Units } from './units.ts';
import type {
  Credited,
  ExperimentPlan,
  Exposure,
  ExposureBatch,
  OutcomeAnswer,
  OutcomeEvent,
  UnitRow,
} from './words.ts';

/** The ledger of one route and experiment. A call that throws has counted nothing. */
export class ExperimentLedger extends DurableObject<Env> {
  #meta: Meta;
  #batches: FlushLedger;
  #units: Units;
  #receipts: UsedReceipts;
  #pending: Pending;
  #sums: Sums;
  #beliefs: KnownBeliefs = new Map();
  #late: Late;
  #delays: Delays;
  #closing: Closing;
  /** Deleted units, and when. */
  #forgotten = new Map<string, number>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { sql } = ctx.storage;
    this.#meta = new Meta(ctx.storage);
    this.#batches = new FlushLedger(sql);
    this.#units = new Units(sql);
    this.#receipts = new UsedReceipts(sql);
    this.#pending = new Pending(sql);
    this.#sums = new Sums(sql);
    this.#late = new Late(sql);
    this.#delays = new Delays(sql);
    this.#closing = new Closing(this.#meta, this.#sums, this.#delays);
  }

  /**
   * Takes a batch once, however often it is sent, with the plan that its isolate knows: so the planned size is noticed also if nobody
   * reads a report. Returns the waiting outcomes that it credits now, to be recorded: once, or never if the answer is lost.
   */
  expose(batch: ExposureBatch, plan: ExperimentPlan | null = null): Credited[] {
    const nowMs = Date.now();
    this.#used(nowMs);
    return this.ctx.storage.transactionSync(() => {
      if (!this.#batches.isNew(batch, nowMs)) return [];
      this.#closing.closeIfDue(nowMs);
      if (plan !== null) this.#learn(plan, 'units');
      this.#begin(nowMs);
      const change = this.#change();
      const exposures = batch.exposures.filter((one) => !this.#isForgotten(one));
      const { inTime, late } = this.#closing.isReached
        ? this.#late.partition(exposures)
        : { inTime: exposures, late: [] };
      this.#units.expose(inTime, change.inTime);
      this.#units.expose(late, change.late, change.inTime);
      const waited = this.#pending.take(
        exposures.map(({ unit }) => unit),
        nowMs,
      );
      const credited = waited.flatMap((event) => {
        const answer = this.#credit(event, change, nowMs);
        if (!answer.ok || !answer.value.counted) return [];
        return [{ variant: answer.value.variant, metric: event.metric, value: event.value }];
      });
      this.#apply(change);
      this.#closing.reachIfDue(nowMs);
      return credited;
    });
  }

  /** Credits events in the order given, each with its own answer. A refused one leaves no trace. */
  outcomes(events: readonly OutcomeEvent[], plan: ExperimentPlan): OutcomeAnswer[] {
    const nowMs = Date.now();
    this.#used(nowMs);
    return this.ctx.storage.transactionSync(() => {
      this.#closing.closeIfDue(nowMs);
      this.#learn(plan);
      const answers = events.map((event) => {
        const change = this.#change();
        const answer = this.#credit(event, change, nowMs);
        this.#apply(change);
        return answer;
      });
      this.#closing.reachIfDue(nowMs);
      return answers;
    });
  }

  /** The report as of now. It may be read as often as one likes: the smallest early p of all looks is kept, and the test allows for that. */
  report(asked: ExperimentPlan): Report {
    const nowMs = Date.now();
    return this.ctx.storage.transactionSync(() => {
      this.#learn(asked);
      // By baseline and weights of the experiment: a winner that was promoted since is the route's baseline, with all the weight.
      const plan = { ...asked, ...this.#meta.get<Dealt>('dealt') };
      this.#closing.reachIfDue(nowMs);
      this.#closing.closeIfDue(nowMs);
      const now = this.#sums.read();
      const { report, looks } = reportOf({
        plan,
        now,
        slices: plan.segments?.length ? this.#sums.readSlices() : {},
        beliefs: this.#beliefs,
        arms: this.#arms(),
        reached: this.#closing.reached,
        atPlanned: this.#closing.figures,
        looks: this.#meta.get<Looks>('looks'),
        began: this.#meta.get<ExperimentPlan['definitions']>('definitions'),
        sinceMs: this.#meta.get<number>('began'),
        nowMs,
      });
      this.#meta.set('looks', looks);
      return report;
    });
  }

  /** A page of unit rows in the order of their hashes, after `after`. */
  units(after: string, limit: number): UnitRow[] {
    return this.#units.page(after, limit);
  }

  /** Deletes everything about one unit, and takes it out of the sums. Figures that have closed stay: they name nobody. */
  forget(unit: string): boolean {
    return this.ctx.storage.transactionSync(() => {
      const nowMs = Date.now();
      for (const [gone, atMs] of this.#forgotten) if (nowMs - atMs > FLUSHED_MS) this.#forgotten.delete(gone);
      this.#forgotten.set(unit, nowMs);
      const change = this.#change();
      const known = this.#units.forget(unit, this.#late.has(unit) ? change.late : change.inTime);
      this.#late.forget(unit);
      this.#apply(change);
      return this.#pending.take([unit], nowMs).length > 0 || known;
    });
  }

  override async alarm(): Promise<void> {
    this.#pending.take([], Date.now());
    this.#receipts.prune(Date.now());
    if (Date.now() - (this.#meta.get<number>('used') ?? 0) > RETENTION_MS) {
      this.#units.clear();
      this.#late.clear();
    } else await this.ctx.storage.setAlarm(Date.now() + DAY_MS);
  }

  #isForgotten({ unit, firstAtMs, lastAtMs = firstAtMs }: Exposure): boolean {
    return lastAtMs <= (this.#forgotten.get(unit) ?? 0);
  }

  #change(): Change {
    return { inTime: new SumChange(), late: new SumChange() };
  }

  #apply({ inTime, late }: Change): void {
    this.#sums.apply(inTime);
    this.#late.sums.apply(late);
  }

  #arms(): Figures['arms'] {
    const arms = this.#sums.read().arms;
    for (const [name, late] of Object.entries(this.#late.sums.read().arms)) arms[name] = addArms(arms[name], late);
    return arms;
  }

  #credit(event: OutcomeEvent, changes: Change, nowMs: number): OutcomeAnswer {
    const { unit, metric, value, receipt, served, isLast, pinned } = event;
    if (receipt !== undefined && this.#receipts.isUsed(receipt, metric)) return err({ reason: 'already_counted' });
    const began = this.#meta.get<number>('began') ?? nowMs;
    if (served !== undefined && served.atMs < began - BEGAN_LATE_MS) return err({ reason: 'unknown_unit' });
    const exposure = this.#units.exposureOf(unit);
    // An outcome of what another variant answered before the unit was dealt to its arm is not its arm's.
    const isEarlier = exposure !== null && served !== undefined && served.atMs < exposure.firstAtMs;
    if (isEarlier && served.variant !== exposure.variant) return err({ reason: 'unknown_unit' });
    const variant = exposure?.variant ?? pinned;
    if (variant === undefined && (served === undefined || isLast)) return err({ reason: 'unknown_unit' });
    if (receipt !== undefined) this.#receipts.use(receipt, metric, nowMs);
    if (variant === undefined) {
      this.#pending.add(event, nowMs);
      return ok({ variant: served!.variant, counted: false });
    }
    if (exposure === null && this.#closing.isReached) this.#late.add(unit);
    const change = this.#closing.isReached && this.#late.has(unit) ? changes.late : changes.inTime;
    if (exposure === null) {
      this.#begin(nowMs);
      this.#units.begin(unit, variant, nowMs, change);
    }
    const before = this.#units.valueOf(unit, metric);
    const total = event.kind === 'conversion' ? Math.max(before?.total ?? 0, value) : (before?.total ?? 0) + value;
    // A cap holds for the unit's total. `counted` is stored too, so that the sums stay exact if the cap is changed later.
    const counted = event.kind === 'conversion' ? total : capped(total, event.cap);
    this.#units.setValue(unit, metric, { total, counted });
    if (before === null) this.#delays.add(metric, nowMs - (exposure?.firstAtMs ?? nowMs));
    for (const one of [change, ...(exposure?.slices ?? []).map((slice) => change.within(slice))]) {
      one.value(variant, metric, before?.counted ?? 0, counted);
    }
    return ok({ variant, counted: before === null || before.total !== total || event.kind === 'mean' });
  }

  /** Keeps what the plan says: the planned size, the variants' definitions, and (from 'units') the weights under which units are dealt. */
  #learn(plan: ExperimentPlan, source?: 'units'): void {
    this.#closing.learn(plan);
    const definitions = this.#meta.get<ExperimentPlan['definitions']>('definitions');
    // Before the first unit a variant may still be changed.
    const hasBegun = this.#meta.get('began') !== null;
    if (definitions === null || !hasBegun) this.#meta.set('definitions', plan.definitions);
    const { baseline, weights } = plan;
    const kept = this.#meta.get<Dealt>('dealt');
    const dealt: Dealt = { baseline: kept?.baseline ?? baseline, weights };
    // A reader may come while the experiment rests, with other weights: what was learnt with units stays.
    const isTold = source === 'units' || (hasBegun && kept === null);
    const isDealt = isTold && armsOf(weights).length > 1;
    if (isDealt && JSON.stringify(kept) !== JSON.stringify(dealt)) this.#meta.set('dealt', dealt);
  }

  /** Notes when the experiment began: with its first unit. */
  #begin(nowMs: number): void {
    if (this.#meta.get('began') === null) this.#meta.set('began', nowMs);
  }

  /** Notes that the ledger is in use, for the deletion of old rows. */
  #used(nowMs: number): void {
    const used = this.#meta.get<number>('used');
    if (used !== null && nowMs - used < DAY_MS / 24) return;
    this.#meta.set('used', nowMs);
    this.ctx.waitUntil(this.ctx.storage.setAlarm(nowMs + DAY_MS));
  }
}

/** The baseline that the experiment began with, and the weights under which it last dealt units. */
type Dealt = Pick<ExperimentPlan, 'baseline' | 'weights'>;

/** Changes of the sums of units that were there in time, and of those that came after the planned size was reached. */
interface Change {
  inTime: SumChange;
  late: SumChange;
}
