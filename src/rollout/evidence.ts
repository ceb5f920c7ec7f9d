/**
 * Owns a rollout's evidence: ticks of trials and bad events by guardrail, the e-processes over them, and the judgements that
 * follow (design section 9). Durable: what was gathered survives a restart, and a batch of another rollout never counts.
 */

import { startEProcess } from '../analysis/eprocess.ts';
import type { Count } from '../analysis/proportions.ts';
import {
  addSightings,
  closeTicks,
  isCrowded,
  isSampled,
  peekTicks,
  silentFromNow,
  startUnitEvidence,
  type TickCounts,
  tickOf,
  type UnitEvidence,
} from '../analysis/units.ts';
import { type Judgement, judge } from '../analysis/verdict.ts';
import { getOrMake } from '../get-or-make.ts';
import type { EvidenceBatch, LiveCounts } from '../live/batch.ts';
import type { PairBatch } from '../shadow/tally.ts';
import {
  type Arms,
  addCount,
  addCounts,
  addTickTo,
  type Gathered,
  mismatchesOf,
  noCounts,
  type OpenTick,
  referenceOf,
} from './gathered.ts';
import { GRACE_MS } from './limits.ts';
import type { Meta } from './meta.ts';
import { shareOf } from './readiness.ts';
import { countedBy } from './series.ts';
import { type Evidence, noEvidence, type RolloutState, stepOf } from './state.ts';

/** Stored as JSON: names must stay. */
interface Kept {
  rollout: string;
  stepRun: number;
  /** The step that began last; absent before a second one, or a second run, has begun. */
  step?: number;
  guardrails: Gathered[];
  /** Compared pairs that wait until both arms have one: candidate pairs, and as the baseline's the repeat pairs. */
  pairs: Arms;
  /** In this run of the step: candidate requests under its own split, and compared pairs. */
  requests: number;
  compared: number;
  threshold: number;
  /** Whether all silent units were heard again once. Not twice: a client that comes seldom and always fails would fail at every step. */
  isHeardAgain?: boolean;
}

/** The evidence of the newest rollout of a route. */
export class EvidenceStore {
  #sql: SqlStorage;
  #meta: Meta;
  #kept: Kept | null = null;
  #units: UnitEvidence | null = null;
  /** The newest tick that was closed. */
  #closedThrough = -1;
  /** By tick and variant: trials and bad ones of each guardrail, by request. Open ticks only. */
  #requests = new Map<number, Map<string, { n: number[]; bad: number[] }>>();

  constructor(sql: SqlStorage, meta: Meta) {
    this.#sql = sql;
    this.#meta = meta;
    sql.exec(`CREATE TABLE IF NOT EXISTS silent (unit PRIMARY KEY, bits);
      CREATE TABLE IF NOT EXISTS openBatches (id INTEGER PRIMARY KEY AUTOINCREMENT, tick, batch);`);
    this.reload();
  }

  /**
   * Starts from nothing, for a new rollout. `earlier`: what the baseline's requests did in the hour before, by position in the guardrails,
   * since a blue-green switch may come before the rollout has seen the baseline itself.
   */
  start(rollout: Pick<RolloutState, 'id' | 'stepRun' | 'guardrails'>, earlier: readonly Count[] = []): void {
    this.#sql.exec('DELETE FROM silent; DELETE FROM openBatches;');
    this.#kept = {
      rollout: rollout.id,
      stepRun: rollout.stepRun,
      guardrails: rollout.guardrails.map((_, index) => ({
        process: startEProcess(),
        rollout: noCounts(),
        step: noCounts(),
        earlier: earlier[index] ?? { n: 0, bad: 0 },
        first: { n: 0, bad: 0 },
      })),
      pairs: noCounts(),
      requests: 0,
      compared: 0,
      threshold: 2 ** 32,
    };
    this.#units = startUnitEvidence(rollout.guardrails.length);
    this.#requests = new Map();
    this.#save();
  }

  /** Adds what an isolate saw; batches of another rollout are ignored. Call it within the flush's transaction. */
  add(batches: readonly EvidenceBatch[]): void {
    for (const batch of batches) {
      if (batch.rollout !== this.#kept?.rollout) continue;
      this.#sql.exec('INSERT INTO openBatches VALUES (NULL, ?, ?)', batch.tick, JSON.stringify(batch));
      this.#addOpen(batch);
    }
  }

  /** Reads again what is stored, after a transaction that failed: memory must not count what a resent batch will bring. */
  reload(): void {
    this.#kept = this.#meta.get<Kept>('evidence');
    this.#units = null;
    this.#requests = new Map();
    if (this.#kept === null) return;
    const { guardrails, threshold } = this.#kept;
    const units = { ...startUnitEvidence(guardrails.length), threshold };
    for (const { unit, bits } of this.#sql.exec<{ unit: string; bits: number }>('SELECT * FROM silent')) {
      if (isSampled(unit, threshold)) units.silent.set(unit, bits);
    }
    this.#units = units;
    for (const { batch } of this.#sql.exec<{ batch: string }>('SELECT * FROM openBatches ORDER BY id')) {
      this.#addOpen(JSON.parse(batch) as EvidenceBatch);
    }
  }

  /**
   * Counts the candidate's requests under the split of the present step, `revision`: a step's samples are never more than these,
   * although a tick that was open when the step began has trials of the step before in it.
   */
  addCounts(live: readonly LiveCounts[], candidate: string, revision: number): void {
    const kept = this.#kept;
    if (kept === null) return;
    let requests = 0;
    for (const one of live) {
      const isOwn = one.rollout === kept.rollout && one.variant === candidate && one.revision >= revision;
      if (isOwn) requests += one.requests;
    }
    if (requests === 0) return;
    kept.requests += requests;
    this.#save();
  }

  /** Adds to the hour before the rollout what isolates counted of the baseline in it, and reported only after the start. */
  addEarlier(live: readonly LiveCounts[], { baseline, guardrails }: RolloutState): void {
    const kept = this.#kept;
    const late = live.filter((one) => !one.rollout && one.variant === baseline);
    if (kept === null || late.length === 0) return;
    guardrails.forEach((guardrail, index) => {
      for (const one of late) addCount(kept.guardrails[index]!.earlier, countedBy(guardrail, one.watched));
    });
    this.#save();
  }

  /** Adds compared pairs of this rollout's requests, for `mismatch`: candidate pairs against repeat pairs. */
  addPairs(state: RolloutState, batches: readonly PairBatch[]): void {
    const kept = this.#of(state);
    const own = batches.filter(({ candidate, rollout }) => candidate === state.to && rollout === state.id);
    if (kept === null || own.length === 0) return;
    // Batches of an earlier deployment do not count unfair mismatches.
    for (const { classes, repeats, noise, unfair = { candidate: 0, repeat: 0 } } of own) {
      const bad = mismatchesOf(classes);
      kept.compared += bad + (classes.match ?? 0);
      addCount(kept.pairs.candidate, { n: noise.candidate.pairs, bad: bad - unfair.candidate });
      addCount(kept.pairs.baseline, { n: noise.repeat.pairs, bad: mismatchesOf(repeats) - unfair.repeat });
    }
    const { candidate, baseline } = kept.pairs;
    if (candidate.n > 0 && baseline.n > 0) {
      state.guardrails.forEach((guardrail, index) => {
        if (guardrail.metric === 'mismatch') addCounts(kept.guardrails[index]!, kept.pairs);
      });
      kept.pairs = noCounts();
    }
    this.#save();
  }

  /** Resets the step's counts if the step has begun, or begun anew, since. */
  beginStep(state: Pick<RolloutState, 'id' | 'stepRun' | 'step'>): void {
    const kept = this.#of(state);
    if (kept === null || kept.stepRun === state.stepRun) return;
    kept.stepRun = state.stepRun;
    const isSameStep = kept.step === state.step;
    kept.step = state.step;
    // Where the same clients keep coming, most are silent by now, and what breaks in a late step would go unnoticed.
    const silent = silentFromNow(this.#units!, !kept.isHeardAgain);
    const isHeardAgain = silent !== this.#units!.silent;
    if (isHeardAgain) {
      kept.isHeardAgain = true;
      this.#units!.silent = silent;
      this.#sql.exec('DELETE FROM silent');
      this.#keepSilent(silent.keys());
    }
    kept.requests = 0;
    kept.compared = 0;
    for (const gathered of kept.guardrails) {
      gathered.step = noCounts();
      // They are as often bad as at first also where the step begins anew.
      gathered.isHeardAgain = isHeardAgain || (isSameStep && gathered.isHeardAgain);
    }
    this.#save();
  }

  /** Closes the ticks that are over. Evidence that was lost is started again: otherwise nothing would guard the rollout, or end it. */
  settle(state: RolloutState, nowMs: number): void {
    const kept = this.#of(state);
    const units = this.#units;
    if (kept === null || units === null) {
      this.start(state);
      return;
    }
    this.beginStep(state);
    const through = tickOf(nowMs - GRACE_MS) - 1;
    // Only once a tick, so that what several late flushes bring of one tick is counted as one tick too.
    if (through === this.#closedThrough && !isCrowded(units)) return;
    this.#closedThrough = through;
    const silenced = new Map<string, number>();
    const closed = this.#ticks(closeTicks(units, through, silenced)).filter(({ tick }) => tick <= through);
    if (closed.length === 0) return;
    for (const one of closed) {
      this.#requests.delete(one.tick);
      kept.guardrails.forEach((gathered, index) => {
        addTickTo(gathered, one, index, state);
      });
    }
    kept.threshold = units.threshold;
    this.#sql.exec('DELETE FROM openBatches WHERE tick <= ?', through);
    this.#keepSilent(silenced.keys());
    this.#save();
  }

  /** What the evidence says now. Ticks that are still open are added to a copy. */
  judge(state: RolloutState): Evidence {
    const kept = this.#of(state);
    if (kept === null || this.#units === null) return noEvidence;
    const open = this.#ticks(peekTicks(this.#units));
    // A rollout that has ended is judged by its last step, and not by the weights that it left behind.
    const share = state.end === null ? shareOf(state) : stepOf(state).weight;
    const criticalGuardrails = state.guardrails.filter(({ critical }) => critical).length;
    let live: number | null = null;
    // Of guardrails on live traffic: whether one has an earlier baseline, and whether a required one lacks it.
    let hasReference = false;
    let lacksReference = false;
    const judgements = state.guardrails.map((guardrail, index): Judgement => {
      const gathered = structuredClone(kept.guardrails[index]!);
      for (const tick of open) addTickTo(gathered, tick, index, state, share !== 100);
      const isLive = guardrail.metric !== 'mismatch';
      const reference = referenceOf(gathered);
      if (isLive) {
        live = Math.max(live ?? 0, gathered.step.candidate.n);
        if (reference !== null) hasReference = true;
        else lacksReference ||= guardrail.required;
      }
      const isReference = isLive && share === 100;
      return judge(
        guardrail,
        {
          candidate: gathered.rollout.candidate,
          baseline: (isReference && reference?.counts) || gathered.rollout.baseline,
          process: gathered.process,
          comparedWith: isReference ? 'reference' : 'concurrent',
          step: gathered.step,
          lately: gathered.lately,
        },
        { criticalGuardrails, minSamples: stepOf(state).minSamples, per: isLive ? guardrail.per : 'pair' },
      );
    });
    const samples = { live: Math.min(live ?? kept.requests, kept.requests), compared: kept.compared };
    // A single required guardrail without an earlier baseline is enough for the step to need a person.
    return { stepRun: kept.stepRun, judgements, samples, reference: hasReference && !lacksReference };
  }

  #keepSilent(units: Iterable<string>): void {
    for (const unit of units) {
      this.#sql.exec('INSERT OR REPLACE INTO silent VALUES (?, ?)', unit, this.#units!.silent.get(unit)!);
    }
  }

  #addOpen(batch: EvidenceBatch): void {
    if (this.#units === null) return;
    const sightings = batch.units.map(([unit, variant, active, bad]) => ({ unit, variant, active, bad }));
    addSightings(this.#units, batch.tick, sightings, batch.threshold);
    const variants = getOrMake(this.#requests, batch.tick, () => new Map<string, { n: number[]; bad: number[] }>());
    for (const { variant, n, bad } of batch.requests) {
      const before = variants.get(variant);
      const plus =
        (counts: number[] = []) =>
        (value: number, index: number) =>
          value + (counts[index] ?? 0);
      variants.set(variant, { n: n.map(plus(before?.n)), bad: bad.map(plus(before?.bad)) });
    }
  }

  /** What is kept, if it belongs to this rollout; else null. */
  #of({ id }: Pick<RolloutState, 'id'>): Kept | null {
    return this.#kept?.rollout === id ? this.#kept : null;
  }

  /** Ticks in order: given counts by unit, joined with the open counts by request. */
  #ticks(ofUnits: readonly TickCounts[]): OpenTick[] {
    const byUnit = new Map(ofUnits.map((tick) => [tick.tick, tick]));
    const ticks = [...new Set([...byUnit.keys(), ...this.#requests.keys()])].sort((a, b) => a - b);
    return ticks.map((tick) => ({
      tick,
      sample: this.#units!.threshold / 2 ** 32,
      byUnit: byUnit.get(tick) ?? null,
      byRequest: this.#requests.get(tick) ?? null,
    }));
  }

  #save(): void {
    this.#meta.set('evidence', this.#kept);
  }
}
