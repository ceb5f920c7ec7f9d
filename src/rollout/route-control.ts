/**
 * Owns what a controller does: it looks at config, KV and evidence, asks `advance` (or the other pure parts) what follows,
 * stores it in one transaction, and only then publishes. Every action is applied once, however often a crash repeats it.
 */

import { splitInForce } from '../config/inforce.ts';
import type { Env } from '../env.ts';
import { atMost } from '../limit.ts';
import type { Batch } from '../live/batch.ts';
import { ok, type Result } from '../result.ts';
import { advance } from './advance.ts';
import { EvidenceStore } from './evidence.ts';
import { ExperimentWatch } from './experiment-watch.ts';
import { type Entry, Journal } from './journal.ts';
import { keepSplit } from './keep-split.ts';
import { BUSY_MS, BY_HAND_TOLD_MS, PATIENCE_MS, RETRY_MS } from './limits.ts';
import type { Meta } from './meta.ts';
import { lookAfterMs } from './moves.ts';
import { evidenceOf, type OutcomeEvidence } from './outcomes.ts';
import { probe } from './probe.ts';
import { Promotions } from './promotions.ts';
import { Publisher } from './publisher.ts';
import { RouteSource, type RouteView } from './route-source.ts';
import { countedBy, Series } from './series.ts';
import {
  asAtTheStart,
  type Effect,
  type Evidence,
  holdsBack,
  type Input,
  type Moved,
  noEvidence,
  type Refusal,
  type RolloutState,
  type Seen,
  type SplitDraft,
  type Standing,
} from './state.ts';
import { Turns } from './turns.ts';
import { Webhooks } from './webhooks.ts';
import { iso, refused } from './words.ts';

/** What health checks said, by variant. */
export type Probes = Record<string, { ok: boolean; detail: string }>;

/** What comes of a call that was carried out. */
export interface Done {
  /** What people should know although it was done. */
  warnings: string[];
}

/** What came of a call. With `asks` nothing was done yet: the health of that variant must be known first. */
export type Attempt<R = Refusal> = Result<Done, R> | { asks: string };

/** Carried out, with nothing to say about it. */
export const done: Result<Done, never> = ok({ warnings: [] });

/** One route’s control: everything that its controller knows and does, in turns. */
export class RouteControl {
  readonly name: string;
  readonly env: Env;
  readonly journal: Journal;
  readonly series: Series;
  readonly evidence: EvidenceStore;
  readonly source: RouteSource;
  readonly promotions: Promotions;
  readonly turns = new Turns();
  #meta: Meta;
  #webhooks: Webhooks;
  #publisher: Publisher;
  #experiment: ExperimentWatch;
  #ctx: DurableObjectState;
  #rollout: RolloutState | null;
  #ticking: Promise<void> | null = null;
  #isAskedAgain = false;
  /** When an isolate last said that it serves by weights set by hand. */
  #byHandToldMs = -Infinity;
  /** What the health checks of ticks said, and when. Later ticks use it for a while. */
  #probed = new Map<string, Probes[string] & { atMs: number }>();

  constructor(name: string, ctx: DurableObjectState, env: Env, meta: Meta) {
    const { sql } = ctx.storage;
    this.name = name;
    this.#ctx = ctx;
    this.env = env;
    this.#meta = meta;
    this.journal = new Journal(sql);
    this.series = new Series(sql);
    this.evidence = new EvidenceStore(sql, meta);
    this.source = new RouteSource(env, name, meta.get<RouteView['byHand']>('byHand'));
    this.promotions = new Promotions(meta, this);
    this.#webhooks = new Webhooks(sql, meta);
    this.#experiment = new ExperimentWatch(env, ctx, name);
    this.#publisher = new Publisher(env, name, () => void this.#publish());
    this.#rollout = meta.get<RolloutState>('rollout');
  }

  /** The newest rollout, running or ended. */
  get rollout(): RolloutState | null {
    return this.#rollout;
  }

  /** The rollout that runs; null when none does. */
  get running(): RolloutState | null {
    return this.#rollout === null || this.#rollout.end !== null ? null : this.#rollout;
  }

  /** The highest revision that an isolate has told of. */
  get #reported(): number {
    return this.#meta.get<number>('reported') ?? 0;
  }

  /** Takes a batch's numbers; call it within the flush's transaction, once a batch. */
  count(batch: Batch, nowMs: number): void {
    if (batch.isByHand) this.#byHandToldMs = nowMs;
    this.series.add(batch.live, nowMs);
    if (batch.revision > this.#reported) this.#meta.set('reported', batch.revision);
    // A controller that lost its state must not give out an id that isolates still know.
    for (const rollout of new Set(batch.live.map((one) => one.rollout))) {
      if (rollout !== '') this.journal.usedRolloutId(rollout);
    }
    if (this.running === null) return;
    this.evidence.add(batch.evidence);
    this.evidence.addCounts(batch.live, this.running.to, this.journal.split()?.revision ?? 0);
    this.evidence.addEarlier(batch.live, this.running);
    this.evidence.addPairs(this.running, batch.pairs);
  }

  /** Takes credited outcomes as evidence of the running rollout; call it within a transaction. */
  countOutcomes(events: readonly OutcomeEvidence[], nowMs: number): void {
    if (this.running !== null) this.evidence.add(evidenceOf(this.running, events, nowMs));
  }

  /** Looks outside, and notes in the history what people did there by hand. */
  async look(nowMs: number, freshMs?: number): Promise<RouteView> {
    const view = await this.source.read(nowMs, freshMs);
    const before = this.#meta.get<Record<string, number> | null>('byHand') ?? null;
    if (view.route !== null && view.isKvKnown && JSON.stringify(view.byHand) !== JSON.stringify(before)) {
      const action = before === null ? 'manual-started' : view.byHand === null ? 'manual-ended' : 'manual-changed';
      const reason = `weights:${this.name} ${view.byHand === null ? 'is gone' : 'was set'} in KV`;
      this.#ctx.storage.transactionSync(() => {
        this.#meta.set('byHand', view.byHand);
        this.write({ actor: 'KV', action, reason, before, after: view.byHand }, nowMs);
      });
    }
    this.#adopt(view, nowMs);
    this.promotions.seen(view.route);
    return view;
  }

  write(entry: Omit<Entry, 'at'>, nowMs: number): void {
    this.journal.write({ at: iso(nowMs), ...entry }, nowMs);
  }

  /** What is in force, as isolates will have it, but for the baseline: who names another in the config means the next split too. */
  standing(view: RouteView): Standing | null {
    const { route } = view;
    if (route === null) return null;
    const split = this.journal.split();
    const { revision, weights, shadows, baseline, salt } = splitInForce({ route, split, weights: null });
    return { revision, weights, shadows, baseline: this.promotions.nextBaseline(route, baseline), salt };
  }

  /** Stores a split and publishes it. */
  async setSplit(draft: SplitDraft, entry: Omit<Entry, 'at'>, restores: number | null, nowMs: number): Promise<void> {
    this.#ctx.storage.transactionSync(() => {
      this.#keepSplit(draft, restores, nowMs);
      this.write(entry, nowMs);
    });
    await this.#inTime(Promise.all([this.#publish(), this.promotions.tell()]));
  }

  /** Stores and publishes the first state of a rollout, as `startRollout` gave it. */
  async begin(moved: Moved, nowMs: number): Promise<void> {
    const { id, guardrails, baseline } = moved.state;
    const hour = this.series.watchedOf(baseline, nowMs);
    this.#ctx.storage.transactionSync(() => {
      this.journal.usedRolloutId(id);
      this.#webhooks.begin(this.source.view);
      this.evidence.start(
        moved.state,
        guardrails.map((guardrail) => countedBy(guardrail, hour)),
      );
    });
    await this.#carryOut(moved, nowMs);
  }

  /**
   * Does what time and evidence ask for. However many ask while one look is under way, only one more follows it. Each look takes a turn
   * of its own, and health checks run between turns, so that no way back waits for them.
   */
  tick(): Promise<void> {
    this.#isAskedAgain = true;
    this.#ticking ??= this.#tick().finally(() => {
      this.#ticking = null;
    });
    return this.#ticking;
  }

  async #tick(): Promise<void> {
    while (this.#isAskedAgain) {
      this.#isAskedAgain = false;
      const round = await this.turns.take(() => this.round({ kind: 'tick' }, this.#recentProbes()));
      if (!('asks' in round)) continue;
      const answer = await this.probe(round.asks);
      this.#probed.set(round.asks, { ...answer, atMs: Date.now() });
      this.#isAskedAgain = true;
    }
  }

  #recentProbes(): Probes {
    const nowMs = Date.now();
    // The absolute value: the clock may have been set back.
    return Object.fromEntries([...this.#probed].filter(([, { atMs }]) => Math.abs(nowMs - atMs) < RETRY_MS));
  }

  /** Looks outside, asks `advance`, and carries its answer out; call it in a turn. Without a running rollout nothing is done. */
  async round(input: Input, probes: Probes): Promise<Attempt> {
    const state = this.running;
    if (state === null) return done;
    const nowMs = Date.now();
    // Fresh enough: whoever gives a command has just looked.
    const view = await this.look(nowMs);
    this.evidence.settle(state, nowMs);
    const seen = this.seen(nowMs, state, probes);
    const answer = advance(state, input, view.isKnown ? seen : { ...seen, config: asAtTheStart(state) });
    if (!answer.ok) return answer;
    if (!view.isKnown && !holdsBack(answer.value.state)) {
      if (input.kind === 'tick') return done;
      const mend = 'try again; pause and abort work without it';
      return refused('no_config', 'the config cannot be read now', mend);
    }
    const asked = answer.value.effects.find((effect) => effect.kind === 'probe');
    if (asked !== undefined) return { asks: asked.variant };
    await this.#carryOut(answer.value, nowMs, input.kind === 'rollback' ? input.target.revision : null);
    return done;
  }

  /** What `advance` is told. Without a `state` the rollout has not begun, and has no evidence. */
  seen(nowMs: number, state: RolloutState | null, probes: Probes): Seen {
    const byHand = this.source.view.byHand !== null;
    return {
      nowMs,
      byHand,
      isByHandElsewhere: !byHand && Math.abs(nowMs - this.#byHandToldMs) < BY_HAND_TOLD_MS,
      config: this.source.seenConfig(),
      evidence: state === null ? noEvidence : this.#evidenceOf(state, nowMs),
      health: probes,
    };
  }

  #evidenceOf(state: RolloutState, nowMs: number): Evidence {
    const { route } = this.source.view;
    const experiment = this.#experiment.hear(state, { route, split: this.journal.split() }, nowMs);
    return { ...this.evidence.judge(state), experiment };
  }

  /** Checks the health of a variant of the config. */
  async probe(variant: string): Promise<{ ok: boolean; detail: string }> {
    const known = this.source.view.route?.variants[variant];
    return known === undefined ? { ok: false, detail: 'the config does not have it' } : probe(known, this.env);
  }

  /** Does what is due: the rollout's clock, a split that KV did not take, webhooks. */
  async wake(nowMs: number): Promise<void> {
    const due = this.#meta.due(nowMs);
    // All are postponed before the work begins: so what fails is done again, and what hangs keeps nothing else waiting.
    for (const purpose of due) {
      const isOver = purpose === 'rollout' && this.running === null;
      await this.#meta.wake(purpose, isOver ? null : nowMs + (purpose === 'rollout' ? RETRY_MS : BUSY_MS));
    }
    const work: Promise<unknown>[] = [];
    if (due.includes('publish')) work.push(this.#publish());
    if (due.includes('promotion')) work.push(this.promotions.tell());
    if (due.includes('webhooks')) work.push(this.#sendWebhooks());
    if (due.includes('rollout')) work.push(this.tick());
    await this.#inTime(Promise.all(work));
    await this.#meta.armEarliest();
  }

  /** Waits for work, but not long: it goes on by itself. A failure is only logged, since the alarm does the work again. */
  #inTime(work: Promise<unknown>): Promise<void> {
    const told = work.catch((cause: unknown) => console.error(`route ${this.name}`, cause));
    this.#ctx.waitUntil(told);
    return atMost(told, PATIENCE_MS);
  }

  async #carryOut({ state, effects, entry }: Moved, nowMs: number, restores: number | null = null): Promise<void> {
    const before = this.#rollout;
    try {
      this.#ctx.storage.transactionSync(() => {
        this.#meta.set('rollout', state);
        this.#rollout = state;
        this.evidence.beginStep(state);
        for (const effect of effects) this.#store(effect, nowMs, restores);
        if (entry !== undefined) this.journal.write(entry, nowMs);
        if (state.end !== null) this.#meta.delete('wake:rollout');
        else this.#meta.mark('rollout', nowMs + lookAfterMs(state));
      });
    } catch (cause) {
      this.#rollout = before;
      this.evidence.reload();
      throw cause;
    }
    await this.#meta.armEarliest();
    const kinds = new Set(effects.map(({ kind }) => kind));
    const work: Promise<unknown>[] = [];
    if (kinds.has('publish')) work.push(this.#publish());
    if (kinds.has('config')) work.push(this.promotions.tell());
    if (kinds.has('webhook')) void this.#inTime(this.#sendWebhooks());
    if (work.length > 0) await this.#inTime(Promise.all(work));
  }

  #store(effect: Effect, nowMs: number, restores: number | null): void {
    if (effect.kind === 'publish') this.#keepSplit(effect.split, restores, nowMs);
    if (effect.kind === 'webhook') this.#webhooks.queue(this.source.view, effect.event, nowMs);
    if (effect.kind === 'config') {
      const { kind: _, ...promotion } = effect;
      this.promotions.owe({ route: this.name, ...promotion }, nowMs);
    }
  }

  /** Sentences about where the newest change has not arrived yet. */
  get delays(): string[] {
    const delays: string[] = [];
    if (this.#meta.get('wake:publish') !== null) {
      delays.push('KV has not taken the split yet: only isolates with traffic follow');
    }
    if (this.promotions.owed !== null) delays.push('the config does not have the new baseline yet');
    return delays;
  }

  #keepSplit(draft: SplitDraft, restores: number | null, nowMs: number): void {
    const { view } = this.source;
    keepSplit(this.journal, draft, {
      view,
      config: this.source.seenConfig(),
      inForce: this.standing(view),
      reported: this.#reported,
      rollout: this.#rollout,
      restores,
      at: iso(nowMs),
    });
    // In the same transaction: after a crash the alarm publishes what was stored.
    this.#meta.mark('publish', nowMs + RETRY_MS);
  }

  /** Publishes what is newest. When KV does not take it, the alarm tries again; isolates have it with their next flush anyway. */
  async #publish(): Promise<void> {
    const isPublished = await this.#publisher.publish(() => {
      const split = this.journal.split();
      return split === null || split.revision === 0 ? null : split;
    });
    await this.#meta.wake('publish', isPublished ? null : Date.now() + RETRY_MS);
  }

  async #sendWebhooks(): Promise<void> {
    await this.#webhooks.send(this.env);
    await this.#meta.wake('webhooks', this.#webhooks.nextAtMs());
  }

  /**
   * Takes over a split in KV that is newer than the controller's own, unless a rollout runs, which will publish above it. So a controller
   * that lost its state goes on from what it once published; and isolates serve by the highest revision, wherever that came from.
   */
  #adopt(view: RouteView, nowMs: number): void {
    const { kvSplit } = view;
    const own = this.journal.split();
    // A write that was given up may have landed late, over a newer one.
    if (kvSplit && own && this.#publisher.isOverwritten(kvSplit, own, nowMs)) this.#ctx.waitUntil(this.#publish());
    if (kvSplit === null || this.running !== null || kvSplit.revision <= (own?.revision ?? -1)) return;
    const { revision, rollout, weights } = kvSplit;
    const unwatched = rollout === null ? '' : `; nothing is known of its rollout ${rollout}, so nobody watches it`;
    const reason = `split ${revision} was found in KV, and nothing of it here${unwatched}`;
    this.#ctx.storage.transactionSync(() => {
      this.journal.keep(kvSplit, null);
      if (rollout !== null) this.journal.usedRolloutId(rollout);
      this.write({ actor: 'controller', action: 'adopted', reason, before: null, after: weights }, nowMs);
    });
  }
}
