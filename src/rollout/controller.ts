/**
 * Owns the face of the control plane: one Durable Object a route, and one named `config` for the document. It takes the isolates'
 * flushes, each batch once, and people's calls. It answers isolates, never visitors; while it is down, traffic flows by the
 * splits that isolates know.
 */

import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import { UsedReceipts } from '../experiment/receipts.ts';
import { atMost } from '../limit.ts';
import type { Batch, FlushAnswer } from '../live/batch.ts';
import { ok, type Result } from '../result.ts';
import type { Sample } from '../shadow/tally.ts';
import type { PairReport } from '../shadow/totals.ts';
import * as calls from './calls.ts';
import { ConfigKeeper, type ConfigRevision, type ConfigWrite, type Promotion } from './config-keeper.ts';
import { Conversions } from './conversions.ts';
import { FlushLedger } from './flush-ledger.ts';
import type { Entry } from './journal.ts';
import { FOLLOW_LIMIT_MS } from './limits.ts';
import { Meta } from './meta.ts';
import type { OutcomeEvidence, Told } from './outcomes.ts';
import { PairStore } from './pair-store.ts';
import type { CallRefusal } from './ready.ts';
import { RouteControl } from './route-control.ts';
import type { SeriesPoint, Width } from './series.ts';
import { type RouteStatus, statusOf } from './status.ts';
import { waysBack } from './ways-back.ts';

/** What `GET /api/routes/:route/comparisons` answers for one candidate. */
interface ComparisonsAnswer {
  candidates: string[];
  report: PairReport | null;
  samples: Sample[];
}

/** A call that was carried out: the route as it is now, where the config says what it is, and the newest split's revision. */
export type Called = Result<{ status: RouteStatus | null; revision: number; warnings: string[] }, CallRefusal>;

/** One route’s controller; the instance named `config` has the document instead. */
export class RolloutController extends DurableObject<Env> {
  #ledger: FlushLedger;
  #pairs: PairStore;
  #receipts: UsedReceipts;
  #conversions: Conversions;
  #meta: Meta;
  #route: RouteControl | null = null;
  #keeper: ConfigKeeper | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#ledger = new FlushLedger(ctx.storage.sql);
    this.#pairs = new PairStore(ctx.storage.sql);
    this.#receipts = new UsedReceipts(ctx.storage.sql);
    this.#conversions = new Conversions(ctx.storage.sql);
    this.#meta = new Meta(ctx.storage);
    // A crash between a stored transition and its alarm must not lose the alarm.
    ctx.blockConcurrencyWhile(() => this.#meta.armEarliest());
  }

  /** Applies a batch once, in one transaction, however often it is sent; then looks what follows from it. */
  async flush(batch: Batch): Promise<FlushAnswer> {
    const nowMs = Date.now();
    const control = this.#control(batch.route);
    this.#counted(control, () => {
      if (!this.#ledger.isNew(batch, nowMs)) return;
      for (const pairs of batch.pairs) this.#pairs.add(pairs, nowMs, batch.pairsSinceMs);
      control.count(batch, nowMs);
    });
    // The batch is counted, so the answer does not depend on what follows going well: the alarm will look again.
    const following = this.#follow(control, batch).catch((cause) => console.error('controller', cause));
    this.ctx.waitUntil(following);
    await atMost(following, FOLLOW_LIMIT_MS);
    const isolates = this.#ledger.activeIsolates(nowMs);
    return {
      intervalMs: this.#ledger.intervalMs(isolates),
      split: this.newerSplit(batch.route, batch.revision),
      isolates,
      tokensToday: this.#pairs.tokensToday(nowMs),
    };
  }

  /** Counts credited outcomes as evidence of a running rollout. Says of each event whether it is new; a receipt counts once a metric. */
  outcomes(route: string, events: readonly OutcomeEvidence[]): Told[] {
    const nowMs = Date.now();
    const control = this.#control(route);
    const rollout = control.running?.id ?? '';
    return this.#counted(control, () => {
      const told = events.map(({ receipt, metric, unit, happened }): Told => {
        if (receipt !== undefined && !this.#receipts.use(receipt, metric, nowMs)) return 'used';
        if (happened === undefined) return 'new';
        return this.#conversions.isNew({ unit, metric, rollout, happened }, nowMs) ? 'new' : 'known';
      });
      control.countOutcomes(
        events.filter((_, index) => told[index] !== 'used'),
        nowMs,
      );
      return told;
    });
  }

  /**
   * The newest split, if its revision is higher than the caller's; else null. Weights by hand may have taken traffic back, and an isolate
   * that cannot read them must not serve that traffic again. So while they are in force the answer is also null if the split gives a
   * variant more than both they and the caller's split do; the baseline may have more, unless they give it nothing.
   */
  newerSplit(route: string, revision: number): string | null {
    const { journal, source } = this.#control(route);
    const { byHand } = source.view;
    const split = journal.split();
    if (split === null || split.revision <= revision) return null;
    if (byHand === null) return JSON.stringify(split);
    const served = revision > 0 ? journal.kept().find((one) => one.revision === revision)?.weights : undefined;
    const isMore = ([name, weight]: [string, number]) =>
      weight > Math.max(byHand[name] ?? 0, served?.[name] ?? 0) && !(byHand[name] && name === split.baseline);
    return Object.entries(split.weights).some(isMore) ? null : JSON.stringify(split);
  }

  /** The route's status; null if the config does not have the route, `unread` while no config could be read. */
  async status(route: string): Promise<RouteStatus | 'unread' | null> {
    const nowMs = Date.now();
    const control = this.#control(route);
    await control.turns.take(() => control.look(nowMs, 0));
    if (control.running !== null) await atMost(control.tick(), FOLLOW_LIMIT_MS);
    return control.source.view.isKnown ? plain(statusOf(control, nowMs)) : 'unread';
  }

  /** Carries out what a person asks; refused, nothing is changed. */
  async change(route: string, asked: calls.Change, caller: calls.Caller): Promise<Called> {
    const control = this.#control(route);
    const result = await calls.change(control, asked, caller);
    if (!result.ok) return plain(result);
    const warnings = [...result.value.warnings, ...control.delays];
    if (control.source.view.byHandFault !== null) {
      warnings.push(`weights:${route} is refused: isolates that knew others go on with them`);
    }
    const revision = control.journal.split()?.revision ?? 0;
    return ok({ status: plain(statusOf(control, Date.now())), revision, warnings });
  }

  /** What a rollback would do now, and where else it could lead. */
  async waysBack(route: string, asked: { revision?: number; force: boolean }) {
    const control = this.#control(route);
    return plain(await control.turns.take(() => waysBack(control, asked)));
  }

  /** A page of history, after a look at KV; null for a route that is neither in the config nor remembered here. */
  async history(route: string, limit: number, before: number | null) {
    const control = this.#control(route);
    const nowMs = Date.now();
    const view = await control.turns.take(() => control.look(nowMs, 0));
    const page = control.journal.read(limit, before);
    return view.route === null && page.entries.length === 0 ? null : page;
  }

  /** Notes what the admin API did without the controller: previews, deletions, resets. */
  note(route: string, entry: Omit<Entry, 'at'>): void {
    this.#control(route).write(entry, Date.now());
  }

  /** The route's numbers over time; null where `history` is null. */
  async series(route: string, width: Width, sinceMs: number): Promise<SeriesPoint[] | null> {
    const control = this.#control(route);
    const points = control.series.points(width, sinceMs);
    return points.length === 0 && (await this.history(route, 1, null)) === null ? null : points;
  }

  /** What was compared with `candidate`, or with the candidate that was reported last. */
  comparisons(candidate: string | undefined, samples: number): ComparisonsAnswer {
    const candidates = this.#pairs.candidates();
    const chosen = candidate ?? candidates[0] ?? '';
    return { candidates, report: this.#pairs.report(chosen), samples: this.#pairs.samples(chosen, samples) };
  }

  clearComparisons(candidate: string): void {
    this.#pairs.clear(candidate, Date.now());
  }

  currentConfig(): Promise<ConfigRevision | null> {
    return this.#config().current();
  }

  putConfig(write: ConfigWrite) {
    return this.#config().put(write);
  }

  promote(promotion: Promotion) {
    return this.#config().promote(promotion);
  }

  configRevisions() {
    return this.#config().revisions();
  }

  configRevision(number: number): ConfigRevision | null {
    return this.#config().revision(number);
  }

  override async alarm(): Promise<void> {
    const name = this.#meta.get<string>('route');
    if (name !== null) await this.#control(name).wake(Date.now());
  }

  /** Counts in one transaction. After one that failed, what memory had counted is read again from the rows. */
  #counted<T>(control: RouteControl, work: () => T): T {
    try {
      return this.ctx.storage.transactionSync(work);
    } catch (cause) {
      control.evidence.reload();
      throw cause;
    }
  }

  /** What follows from a batch: a tick of the running rollout; else a look at weights by hand, where they may have changed. */
  async #follow(control: RouteControl, batch: Batch): Promise<void> {
    if (control.running !== null) {
      await control.tick();
      return;
    }
    const { isKnown, byHand } = control.source.view;
    if (!isKnown || batch.isByHand || byHand !== null) await control.turns.take(() => control.look(Date.now()));
  }

  /** A Durable Object does not know its own name, so the first call tells it; it is stored for the alarm. */
  #control(route: string): RouteControl {
    if (this.#route === null) {
      if (this.#meta.get<string>('route') !== route) this.#meta.set('route', route);
      this.#route = new RouteControl(route, this.ctx, this.env, this.#meta);
    }
    return this.#route;
  }

  #config(): ConfigKeeper {
    this.#keeper ??= new ConfigKeeper(this.ctx.storage.sql, this.env);
    return this.#keeper;
  }
}

/** A plain copy: calls between objects take no objects without a prototype, such as the config's maps. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
