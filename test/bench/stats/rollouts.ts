/**
 * Owns simulated rollouts: traffic by unit, looked at every 2 s as the controller does, judged by src/analysis. It
 * refuses shortcuts in the statistics; only the unit bookkeeping is done on typed arrays for speed (a test holds the two
 * together).
 */

import { addTick, type EProcess, logE, startEProcess, type Tick } from '../../../src/analysis/eprocess.ts';
import { DEFAULT_MIN_SAMPLES, ROLLOUT_ALPHA } from '../../../src/analysis/limits.ts';
import type { Count } from '../../../src/analysis/proportions.ts';
import { type Judgement, judge } from '../../../src/analysis/verdict.ts';
import { referenceOf } from '../../../src/rollout/gathered.ts';
import { poisson, type Random } from './random.ts';

/** Seconds between two looks, and looks in a tick of 10 s. */
const LOOK_SECONDS = 2;
const LOOKS_PER_TICK = 5;

export interface Traffic {
  requestsPerSecond: number;
  /** `fresh`: a new visitor for every other request; `flat`: n clients alike; `zipf`: n clients, a few of them heavy. */
  clients: { kind: 'fresh' } | { kind: 'flat'; n: number } | { kind: 'zipf'; n: number };
  /** The bad rate of a request by arm, at a second of the rollout. */
  rate(arm: 'candidate' | 'baseline', second: number): number;
  /** Clients (of the n) that always fail, on either arm. */
  alwaysFailing?: number;
  /** Bad requests come in bursts: each bad one makes the same client's next few bad too. */
  burst?: number;
}

/** Told of every request: the tick, the unit, whether the candidate served it, whether it was bad. */
export type Observer = (tick: number, unit: number, candidate: boolean, bad: boolean) => void;

/** Draws, look by look, what the controller would have counted. */
export class World {
  readonly #random: Random;
  readonly #traffic: Traffic;
  readonly #per: 'unit' | 'request';
  readonly #observe: Observer | undefined;
  readonly #cumulative: Float64Array | null;
  #position = new Float32Array(1 << 16);
  #lastTick = new Int32Array(1 << 16).fill(-1);
  #silent = new Uint8Array(1 << 16);
  #burst = new Uint8Array(1 << 16);
  #units = 0;

  constructor(random: Random, traffic: Traffic, per: 'unit' | 'request', observe?: Observer) {
    this.#random = random;
    this.#traffic = traffic;
    this.#per = per;
    this.#observe = observe;
    this.#cumulative = traffic.clients.kind === 'zipf' ? zipf(traffic.clients.n) : null;
    const known = traffic.clients.kind === 'fresh' ? 0 : traffic.clients.n;
    for (let i = 0; i < known; i++) this.#newUnit();
  }

  /** The counts of one look of a tick, to be added to those of the tick's earlier looks. */
  look(look: number, share: number): Tick {
    const counts: Tick = { nc: 0, kc: 0, nb: 0, kb: 0 };
    const second = look * LOOK_SECONDS;
    const tick = Math.floor(look / LOOKS_PER_TICK);
    const rates = {
      candidate: this.#traffic.rate('candidate', second),
      baseline: this.#traffic.rate('baseline', second),
    };
    const requests = poisson(this.#random, this.#traffic.requestsPerSecond * LOOK_SECONDS);
    for (let i = 0; i < requests; i++) {
      const unit = this.#pick();
      const candidate = this.#position[unit]! < share;
      const bad = this.#isBad(unit, candidate ? rates.candidate : rates.baseline);
      this.#observe?.(tick, unit, candidate, bad);
      this.#count(counts, unit, tick, candidate, bad);
    }
    return counts;
  }

  #count(counts: Tick, unit: number, tick: number, candidate: boolean, bad: boolean): void {
    let trial = true;
    if (this.#per === 'unit') {
      if (this.#silent[unit]) return;
      trial = this.#lastTick[unit] !== tick;
      this.#lastTick[unit] = tick;
      if (bad) this.#silent[unit] = 1;
    }
    if (candidate) {
      if (trial) counts.nc++;
      if (bad) counts.kc++;
    } else {
      if (trial) counts.nb++;
      if (bad) counts.kb++;
    }
  }

  #isBad(unit: number, rate: number): boolean {
    if (unit < (this.#traffic.alwaysFailing ?? 0)) return true;
    const { burst = 1 } = this.#traffic;
    if (this.#burst[unit]! > 0) {
      this.#burst[unit]!--;
      return true;
    }
    // A burst begins so much more rarely that the share of bad requests stays the rate.
    if (this.#random() >= rate / (burst - rate * (burst - 1))) return false;
    this.#burst[unit] = burst - 1;
    return true;
  }

  #pick(): number {
    const { clients } = this.#traffic;
    if (clients.kind === 'fresh') {
      if (this.#units === 0 || this.#random() < 0.5) return this.#newUnit();
      const recent = Math.min(this.#units, this.#traffic.requestsPerSecond * 10);
      return this.#units - 1 - Math.floor(this.#random() * recent);
    }
    if (this.#cumulative === null) return Math.floor(this.#random() * this.#units);
    return search(this.#cumulative, this.#random());
  }

  #newUnit(): number {
    const unit = this.#units++;
    if (unit >= this.#position.length) this.#grow();
    this.#position[unit] = this.#random();
    return unit;
  }

  #grow(): void {
    const size = this.#position.length * 2;
    const grown = <A extends Float32Array | Int32Array | Uint8Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.#position = grown(new Float32Array(size), this.#position);
    this.#lastTick = grown(new Int32Array(size).fill(-1), this.#lastTick);
    this.#silent = grown(new Uint8Array(size), this.#silent);
    this.#burst = grown(new Uint8Array(size), this.#burst);
  }
}

function zipf(n: number): Float64Array {
  const cumulative = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += 1 / (i + 1);
    cumulative[i] = sum;
  }
  return cumulative.map((value) => value / sum);
}

function search(cumulative: Float64Array, u: number): number {
  let [low, high] = [0, cumulative.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! < u) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface Plan {
  /** The candidate's share by step, each to last `forSeconds` and at most four times that. */
  shares: readonly number[];
  forSeconds: number;
  per: 'unit' | 'request';
  /** Critical guardrails that share α; two by default, as in the design. */
  criticalGuardrails?: number;
  /** The baseline's counts from the hour before, for plans that begin at full traffic. */
  before?: Count;
  /** How long the baseline still answers everything, until all isolates know of the first step. */
  lagSeconds?: number;
}

export interface Outcome {
  end: 'promoted' | 'aborted' | 'paused';
  /** Seconds from the start, with 2 s for the flush that carried the last counts. */
  seconds: number;
  step: number;
}

interface Totals {
  candidate: Count;
  baseline: Count;
}

const NOTHING: Totals = { candidate: { n: 0, bad: 0 }, baseline: { n: 0, bad: 0 } };

/** Runs one rollout to its end: promoted, aborted on evidence, or paused as marginal. */
export function rollOut(world: World, plan: Plan, beginLook = 0): Outcome {
  const looksFor = plan.forSeconds / LOOK_SECONDS;
  let closed: EProcess = startEProcess();
  let totals = NOTHING;
  let lately = NOTHING;
  const earlier = plan.before ?? NOTHING.baseline;
  let look = beginLook;
  const lnThreshold = Math.log(criticalOf(plan) / ROLLOUT_ALPHA);
  for (let step = 0; step < plan.shares.length; step++) {
    const share = plan.shares[step]!;
    let inThisStep = NOTHING;
    let open: Tick = { nc: 0, kc: 0, nb: 0, kb: 0 };
    let passed = false;
    for (let inStep = 0; !passed; inStep++) {
      if (inStep >= 4 * looksFor) return { end: 'paused', seconds: seconds(look - beginLook), step };
      const lags = seconds(look - beginLook) <= (plan.lagSeconds ?? 0);
      open = sum(open, world.look(look++, lags ? 0 : share));
      const known = withTick(totals, open);
      const reference = referenceOf({ process: closed, rollout: totals, step: inThisStep, earlier });
      const now = addTick(closed, open, reference?.p0 ?? null);
      const due = look % LOOKS_PER_TICK === 0 && inStep + 1 >= looksFor;
      // A verdict below the threshold cannot stop, and one before `for` cannot pass: it need not be asked.
      const asked = due || logE(now) >= lnThreshold;
      const verdict = asked
        ? judgeErrors(
            { ...known, step: withTick(inThisStep, open), lately: withTick(lately, open) },
            { process: now, plan, share, earlier },
          ).verdict
        : 'inconclusive';
      if (verdict === 'fail') return { end: 'aborted', seconds: seconds(look - beginLook), step };
      if (look % LOOKS_PER_TICK === 0) {
        [closed, totals, inThisStep] = [now, known, withTick(inThisStep, open)];
        lately = withTick(logE(now) < 0 ? NOTHING : lately, open);
        open = { nc: 0, kc: 0, nb: 0, kb: 0 };
        passed = due && verdict === 'pass';
      }
    }
  }
  return { end: 'promoted', seconds: seconds(look - beginLook), step: plan.shares.length };
}

const seconds = (looks: number): number => looks * LOOK_SECONDS + LOOK_SECONDS;

function judgeErrors(
  totals: Totals & { step: Totals; lately: Totals },
  { process, plan, share, earlier }: { process: EProcess; plan: Plan; share: number; earlier: Count },
): Judgement {
  const rule = { metric: 'errors', critical: true, required: true };
  const isReference = share >= 1;
  const reference = referenceOf({ process, rollout: totals, step: totals.step, earlier });
  const baseline = (isReference && reference?.counts) || totals.baseline;
  return judge(
    rule,
    { ...totals, baseline, process, comparedWith: isReference ? 'reference' : 'concurrent' },
    { criticalGuardrails: criticalOf(plan), minSamples: DEFAULT_MIN_SAMPLES, per: plan.per },
  );
}

const criticalOf = (plan: Plan): number => plan.criticalGuardrails ?? 2;

function sum(a: Tick, b: Tick): Tick {
  return { nc: a.nc + b.nc, kc: a.kc + b.kc, nb: a.nb + b.nb, kb: a.kb + b.kb };
}

function withTick({ candidate, baseline }: Totals, tick: Tick): Totals {
  return {
    candidate: { n: candidate.n + tick.nc, bad: candidate.bad + tick.kc },
    baseline: { n: baseline.n + tick.nb, bad: baseline.bad + tick.kb },
  };
}

/** What the baseline does alone for a while: the reference of a blue-green switch. Its bad units have had their say. */
export function watchBaseline(world: World, lastSeconds: number): { before: Count; looks: number } {
  const looks = lastSeconds / LOOK_SECONDS;
  const before = { n: 0, bad: 0 };
  for (let look = 0; look < looks; look++) {
    const { nb, kb } = world.look(look, 0);
    before.n += nb;
    before.bad += kb;
  }
  return { before, looks };
}

/** Looks only, at one share and without passing: how soon (seconds) is it stopped, or null within `lastSeconds`. */
export function secondsToStop(world: World, plan: Omit<Plan, 'forSeconds'>, lastSeconds: number): number | null {
  const outcome = rollOut(world, { ...plan, forSeconds: lastSeconds });
  return outcome.end === 'aborted' && outcome.seconds <= lastSeconds ? outcome.seconds : null;
}
