/**
 * Owns what a controller does: it looks at config, KV and evidence, asks `advance` (or the other pure parts) what follows,
 * stores it in one transaction, and only then publishes. Every action is applied once, however often a crash repeats it.
 */

import { splitInForce } from '../config/inforce.ts';
import type { Split, Watched } from '../config/split.ts';
import type { Env } from '../env.ts';
import { configKeeperOf } from '../env.ts';
import type { Batch } from '../live/batch.ts';
import { err, ok, type Result } from '../result.ts';
import { advance } from './advance.ts';
import type { Promotion } from './config-keeper.ts';
import { EvidenceStore } from './evidence.ts';
import { type Entry, Journal } from './journal.ts';
import type { Meta } from './meta.ts';
import { probe } from './probe.ts';
import { Publisher } from './publisher.ts';
import { RouteSource, type RouteView } from './route-source.ts';
import { Series } from './series.ts';
import type { Effect, Input, Moved, Refusal, RolloutState, Seen, SplitDraft, Standing } from './state.ts';
import { Turns } from './turns.ts';
import { Webhooks } from './webhooks.ts';

export type Health = Record<string, { ok: boolean; detail: string }>;

/** A round asks for at most one probe; candidate and baseline are all there is to probe. */
const MAX_ROUNDS = 4;
const RETRY_MS = 2_000;

export class RouteControl {
  readonly name: string;
  readonly journal: Journal;
  readonly series: Series;
  readonly evidence: EvidenceStore;
  readonly source: RouteSource;
  readonly turns = new Turns();
  #meta: Meta;
  #webhooks: Webhooks;
  #publisher: Publisher;
  #ctx: DurableObjectState;
  #env: Env;
  #rollout: RolloutState | null;

  constructor(name: string, ctx: DurableObjectState, env: Env, meta: Meta) {
    const { sql } = ctx.storage;
    this.name = name;
    this.#ctx = ctx;
    this.#env = env;
    this.#meta = meta;
    this.journal = new Journal(sql);
    this.series = new Series(sql);
    this.evidence = new EvidenceStore(sql);
    this.source = new RouteSource(env, name);
    this.#webhooks = new Webhooks(sql);
    this.#publisher = new Publisher(env, name);
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

  /** Takes a batch's numbers; call it within the flush's transaction, once a batch. */
  count(batch: Batch, nowMs: number): void {
    this.series.add(batch.live, nowMs);
    const reported = this.#meta.get<number>('reported') ?? 0;
    if (batch.revision > reported) this.#meta.set('reported', batch.revision);
    if (this.running === null) return;
    this.evidence.add(batch.evidence);
    this.evidence.addCounts(batch.live, this.running.to);
    this.evidence.addPairs(this.running, batch.pairs);
  }

  /** Looks outside, and notes in the history what people did there by hand. */
  async look(nowMs: number, freshMs?: number): Promise<RouteView> {
    const view = await this.source.read(nowMs, freshMs);
    const before = this.#meta.get<Record<string, number> | null>('byHand') ?? null;
    if (view.route !== null && JSON.stringify(view.byHand) !== JSON.stringify(before)) {
      const action = before === null ? 'manual-started' : view.byHand === null ? 'manual-ended' : 'manual-changed';
      const reason = `weights:${this.name} ${view.byHand === null ? 'is gone' : 'was set'} in KV`;
      this.#ctx.storage.transactionSync(() => {
        this.#meta.set('byHand', view.byHand);
        this.write({ actor: 'KV', action, reason, before, after: view.byHand }, nowMs);
      });
    }
    this.#adoptLost(view, nowMs);
    return view;
  }

  write(entry: Omit<Entry, 'at'>, nowMs: number): void {
    this.journal.write({ at: new Date(nowMs).toISOString(), ...entry }, nowMs);
  }

  /** What is in force, as isolates will have it. */
  standing(view: RouteView): Standing | null {
    const { route } = view;
    if (route === null) return null;
    const { revision, weights, shadows, baseline, salt } = splitInForce({
      route,
      split: this.journal.split(),
      weights: null,
    });
    return { revision, weights, shadows, baseline, salt };
  }

  /** Stores a split and publishes it. Where the config's weights were in force they are kept as revision 0, for a way back. */
  async setSplit(draft: SplitDraft, entry: Omit<Entry, 'at'>, restores: number | null, nowMs: number): Promise<Split> {
    const split = this.#ctx.storage.transactionSync(() => {
      const kept = this.#keepSplit(draft, restores, nowMs);
      this.write(entry, nowMs);
      return kept;
    });
    await this.#publish();
    return split;
  }

  /** Begins a rollout whose first state was found good. */
  async begin(moved: Moved, nowMs: number): Promise<void> {
    this.#ctx.storage.transactionSync(() => {
      this.journal.usedRolloutId(moved.state.id);
      this.evidence.start(moved.state);
    });
    await this.#carryOut(moved, nowMs);
  }

  /** Asks for the rollout's next state and carries it out. A tick of nothing is no fault. */
  async act(input: Input): Promise<Result<RolloutState | null, Refusal>> {
    const health: Health = {};
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const state = this.running;
      if (state === null) return ok(null);
      const nowMs = Date.now();
      const view = await this.look(nowMs, input.kind === 'tick' ? undefined : 0);
      if (!view.isKnown) return ok(state);
      this.evidence.settle(state, nowMs);
      const answer = advance(state, input, this.seen(nowMs, state, health));
      if (!answer.ok) {
        const { kind, actor, reason } = input as Extract<Input, { actor: string }>;
        const refused = `refused: ${answer.error.detail}`;
        this.write(
          { actor, action: `${kind}-refused`, reason: `${reason} (${refused})`, before: null, after: null },
          nowMs,
        );
        return err(answer.error);
      }
      const asked = answer.value.effects.find((effect) => effect.kind === 'probe');
      if (asked !== undefined && health[asked.variant] === undefined) {
        health[asked.variant] = await this.probe(asked.variant);
        continue;
      }
      await this.#carryOut(answer.value, nowMs, input.kind === 'rollback' ? input.target.revision : null);
      return ok(this.#rollout);
    }
    return ok(this.running);
  }

  seen(nowMs: number, state: RolloutState | null, health: Health): Seen {
    const nothing = { stepRun: -1, judgements: [], samples: { live: 0, compared: 0 }, reference: false };
    return {
      nowMs,
      manual: this.source.view.byHand !== null,
      config: this.source.seenConfig(),
      evidence: state === null ? nothing : this.evidence.judge(state),
      health,
    };
  }

  async probe(variant: string): Promise<{ ok: boolean; detail: string }> {
    const known = this.source.view.route?.variants[variant];
    return known === undefined ? { ok: false, detail: 'the config does not have it' } : probe(known, this.#env);
  }

  /** Does what is due: the rollout's clock, a split that KV did not take, webhooks. */
  async wake(nowMs: number): Promise<void> {
    const due = this.#meta.due(nowMs);
    if (due.includes('rollout')) {
      // Set on before the work: an alarm that fails is not lost.
      await this.#meta.wake('rollout', this.running === null ? null : nowMs + RETRY_MS);
      await this.turns.take(() => this.act({ kind: 'tick' }));
    }
    if (due.includes('publish')) await this.#publish();
    if (due.includes('promotion')) await this.#promote();
    if (due.includes('webhooks')) await this.#sendWebhooks();
    await this.#meta.armEarliest();
  }

  async #carryOut({ state, effects, entry }: Moved, nowMs: number, restores: number | null = null): Promise<void> {
    this.#ctx.storage.transactionSync(() => {
      this.#meta.set('rollout', state);
      this.#rollout = state;
      for (const effect of effects) this.#store(effect, nowMs, restores);
      if (entry !== undefined) this.journal.write(entry, nowMs);
    });
    const kinds = new Set(effects.map(({ kind }) => kind));
    if (kinds.has('publish')) await this.#publish();
    if (kinds.has('config')) await this.#promote();
    if (kinds.has('webhook')) this.#ctx.waitUntil(this.#sendWebhooks());
    const alarm = effects.findLast((effect) => effect.kind === 'alarm');
    await this.#meta.wake('rollout', state.end !== null ? null : (alarm?.atMs ?? nowMs + RETRY_MS));
  }

  #store(effect: Effect, nowMs: number, restores: number | null): void {
    if (effect.kind === 'publish') this.#keepSplit(effect.split, restores, nowMs);
    if (effect.kind === 'webhook') this.#webhooks.queue(this.source.view.webhooks, effect.event, nowMs);
    if (effect.kind === 'config') {
      const { kind: _, ...promotion } = effect;
      this.#meta.set('promotion', { route: this.name, ...promotion });
      this.#meta.mark('promotion', nowMs + RETRY_MS);
    }
  }

  #keepSplit(draft: SplitDraft, restores: number | null, nowMs: number): Split {
    const before = this.standing(this.source.view);
    const variants = this.source.seenConfig()?.variants ?? draft.variants;
    if (before !== null && before.revision === 0 && this.journal.split() === null) {
      const at = new Date(nowMs).toISOString();
      this.journal.keep(
        { ...before, rollout: null, variants, by: 'config', reason: 'the weights of the config', at },
        null,
      );
    }
    const { kvRevision: kv } = this.source.view;
    const revision = this.journal.nextRevision({ kv, reported: this.#meta.get<number>('reported') ?? 0 });
    const guardrails = draft.rollout === null ? undefined : this.#rollout?.guardrails.map(watched);
    const split: Split = { revision, ...draft, at: new Date(nowMs).toISOString(), ...(guardrails && { guardrails }) };
    this.journal.keep(split, restores);
    // In the same transaction: after a crash the alarm publishes what was stored.
    this.#meta.mark('publish', nowMs + RETRY_MS);
    return split;
  }

  /** Publishes what is newest. When KV does not take it, the alarm tries again; isolates have it with their next flush anyway. */
  async #publish(): Promise<void> {
    const isPublished = await this.#publisher.publish(() => {
      const split = this.journal.split();
      return split === null || split.revision === 0 ? null : split;
    });
    await this.#meta.wake('publish', isPublished ? null : Date.now() + RETRY_MS);
  }

  /** Writes a promotion into the config; kept and tried again until the config has it. */
  async #promote(): Promise<void> {
    const promotion = this.#meta.get<Promotion>('promotion');
    if (promotion === null) return;
    const written = await configKeeperOf(this.#env)!
      .promote(promotion)
      .catch((cause: unknown) => err({ code: 'unpublished' as const, detail: String(cause) }));
    if (written.ok) {
      this.#meta.delete('promotion');
      await this.#meta.wake('promotion', null);
      return;
    }
    console.warn(`route ${this.name}: the promotion is not in the config yet: ${JSON.stringify(written.error)}`);
    await this.#meta.wake('promotion', Date.now() + RETRY_MS * 5);
  }

  async #sendWebhooks(): Promise<void> {
    await this.#webhooks.send(this.#env, Date.now());
    await this.#meta.wake('webhooks', this.#webhooks.nextAtMs());
  }

  /** An object that lost its state finds the split that it once published, and goes on from there. */
  #adoptLost(view: RouteView, nowMs: number): void {
    const { kvSplit } = view;
    if (kvSplit === null || this.journal.split() !== null) return;
    this.#ctx.storage.transactionSync(() => {
      this.journal.keep(kvSplit, null);
      const reason = `split ${kvSplit.revision} was found in KV, and nothing of it here`;
      this.write({ actor: 'controller', action: 'adopted', reason, before: null, after: kvSplit.weights }, nowMs);
    });
  }
}

function watched({ metric, per, slow }: RolloutState['guardrails'][number]): Watched {
  return { metric, per, ...(slow && { slow }) };
}
