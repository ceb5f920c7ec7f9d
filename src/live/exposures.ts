/**
 * Owns the exposures that one isolate has seen of running experiments: which unit was shown what, and how it went, gathered by unit and
 * flushed to the experiment's ledger in numbered batches. Units leave the isolate as keyed hashes only; without COOKIE_SECRET there is
 * no key, so nothing is gathered. No visitor ever waits for it.
 */

import { type Env, ledgerOf } from '../env.ts';
import { planOf } from '../experiment/plan.ts';
import type { Exposure, ExposureBatch } from '../experiment/words.ts';
import type { BodyReport } from '../forward/pump.ts';
import type { Observer, Served } from '../forward/served.ts';
import { getOrMake } from '../get-or-make.ts';
import { sleep } from '../limit.ts';
import { ownText } from '../own-text.ts';
import { recordRow } from '../records/write.ts';
import { hashUnit } from '../split/receipt.ts';
import { isError } from './judge.ts';
import {
  ABANDONED_AFTER_MS,
  EXPOSURES_EVERY_MS,
  EXPOSURES_ROUNDS,
  MAX_BATCH_EXPOSURES,
  MAX_WAITING_EXPOSURES,
  RETRY_MS,
  TRIED_FOR_MS,
} from './limits.ts';
import { askOf, RetryMemory } from './retries.ts';
import { segmentsOf } from './segments.ts';
import type { Spent, Usages } from './usage.ts';

/** An exposure before its unit is hashed. */
type Seen = Omit<Exposure, 'unit'>;

/** What waits to be flushed for one experiment. Route and split are those of the newest exposure. */
interface Waiting extends Pick<Served, 'route' | 'inForce'> {
  experiment: string;
  /** By variant and unit: `<variant>/<unit>`. */
  units: Map<string, Seen>;
  pending: ExposureBatch | null;
  sequence: number;
  /** Until when a flush is armed, or under way with enough time left for what comes now. */
  armedUntilMs: number;
  /** Since when a flush is sending; 0 while none is. */
  sendingSinceMs: number;
  dropped: number;
}

/** One isolate's exposures, by experiment. If the ledger is down they wait, bounded, and then are dropped and logged. */
export class Exposures {
  #waiting = new Map<string, Waiting>();
  #isolate = '';
  #retries = new RetryMemory();
  #usageOf: Usages['of'];

  constructor(usageOf: Usages['of']) {
    this.#usageOf = usageOf;
  }

  readonly observe: Observer = (served, env, ctx) => {
    const { inForce, unit, body } = served;
    // Arms whatever still waits, on any request: an experiment that has ended gets no requests of its own.
    for (const one of this.#waiting.values()) if (one.pending !== null) this.#arm(one, env, ctx);
    if (inForce.experiment === null || unit === null || armOf(served) === null || !env.COOKIE_SECRET || !env.LEDGER)
      return;
    // With a single variant nobody is dealt to an arm: that is before an experiment begins, and after it has ended.
    if (served.armCount < 2) return;
    const usage = this.#usageOf(served);
    const see = () => this.#see(served, inForce.experiment!, unit, env, ctx);
    const add = (report: BodyReport, spent: Spent | null) => {
      const seen = see();
      if (seen === null) return;
      // A request that does not fit one arm (`json_unfit`) counts in neither.
      if (served.dealt !== null && served.reason !== 'ejected') return;
      count(seen, served, report);
      // Only what its own arm's variant used counts, and not the baseline's answer in its place.
      if (spent !== null && !served.isLost && served.variant === seen.variant) use(seen, spent);
      if (served.standsIn === null && this.#isRetry(served)) seen.retries = (seen.retries ?? 0) + 1;
    };
    // The answer has not left yet, and must not wait while bodies are read and hashed.
    const later = readsBodies(served) ? sleep(0) : null;
    if (usage === null && later === null && !(body instanceof Promise)) return add(body, null);
    // The exposure is reported before a long answer ends: otherwise the slower arm would seem to be smaller.
    const begun = Promise.resolve(later).then(see);
    ctx.waitUntil(Promise.all([body, usage, begun]).then(([report, spent]) => add(report, spent)));
  };

  /** The unit's waiting exposure, made where there is none; null where there is no room for another. */
  #see(served: Served, experiment: string, unit: string, env: Env, ctx: ExecutionContext): Seen | null {
    const waiting = this.#waitingOf(served, experiment);
    // A unit that met both arms since the last flush is reported for each.
    const key = `${armOf(served)}/${unit}`;
    let seen = waiting.units.get(key);
    if (seen === undefined) {
      if (waiting.units.size * (1 + key.length / 200) >= MAX_WAITING_EXPOSURES) {
        waiting.dropped++;
        return null;
      }
      seen = newlySeen(served);
      waiting.units.set(ownText(key), seen);
    }
    if (served.reason !== 'pin') seen.weights ??= JSON.stringify(served.inForce.weights);
    this.#arm(waiting, env, ctx);
    return seen;
  }

  #arm(waiting: Waiting, env: Env, ctx: ExecutionContext): void {
    const leftMs = waiting.armedUntilMs - Date.now();
    // A clock that was set back must not keep it armed.
    if (leftMs <= 0 || leftMs > TRIED_FOR_MS) ctx.waitUntil(this.#flush(waiting, env, ctx));
  }

  #isRetry(served: Served): boolean {
    if (!asksForRetries(served)) return false;
    const ask = askOf(served);
    return ask !== null && this.#retries.isRetry(ask, served.startedAtMs);
  }

  #waitingOf({ route, inForce }: Served, experiment: string): Waiting {
    const key = `${route.name}/${experiment}`;
    const waiting = getOrMake(this.#waiting, key, () => ({
      experiment,
      units: new Map(),
      pending: null,
      sequence: 0,
      route,
      inForce,
      armedUntilMs: 0,
      sendingSinceMs: 0,
      dropped: 0,
    }));
    // A long answer may end after one that was served by a newer split.
    if (inForce.revision >= waiting.inForce.revision) Object.assign(waiting, { route, inForce });
    return waiting;
  }

  /** Goes on trying for a while: what a departing crowd leaves behind must not wait for a next visitor who may never come. */
  async #flush(waiting: Waiting, env: Env, ctx: ExecutionContext): Promise<void> {
    const untilMs = Date.now() + TRIED_FOR_MS;
    // A request in its last seconds arms the next flush, for what this one may have to leave.
    const armedUntilMs = untilMs - EXPOSURES_EVERY_MS;
    waiting.armedUntilMs = armedUntilMs;
    do await this.#flushOnce(waiting, env, ctx);
    while ((waiting.pending !== null || waiting.units.size > 0) && Date.now() < untilMs);
    if (waiting.armedUntilMs === armedUntilMs) waiting.armedUntilMs = 0;
  }

  async #flushOnce(waiting: Waiting, env: Env, ctx: ExecutionContext): Promise<void> {
    await sleep(EXPOSURES_EVERY_MS);
    // An earlier flush may still be sending: two at once would take each other's batch as answered.
    if (Math.abs(Date.now() - waiting.sendingSinceMs) < ABANDONED_AFTER_MS) return;
    waiting.sendingSinceMs = Date.now();
    for (let round = 0; round < EXPOSURES_ROUNDS && (waiting.pending !== null || waiting.units.size > 0); round++) {
      try {
        const batch = waiting.pending ?? (await this.#seal(waiting, env.COOKIE_SECRET!));
        waiting.pending = batch;
        const { experiment } = waiting;
        const { name: route } = waiting.route;
        const plan = planOf(waiting);
        const credited = await ledgerOf(env, route, experiment)!.expose(batch, plan?.id === experiment ? plan : null);
        if (waiting.pending === batch) waiting.pending = null;
        for (const one of credited) recordRow(env, ctx, 'outcomes', { route, experiment, ...one });
      } catch (cause) {
        console.warn(`experiment ${waiting.experiment}: the ledger did not answer: ${cause}`);
        await sleep(RETRY_MS * 2 ** round);
      }
    }
    waiting.sendingSinceMs = 0;
    if (waiting.dropped > 0) {
      console.error(`experiment ${waiting.experiment}: ${waiting.dropped} exposures were dropped`);
      waiting.dropped = 0;
    }
  }

  async #seal(waiting: Waiting, secret: string): Promise<ExposureBatch> {
    this.#isolate ||= crypto.randomUUID();
    const taken = [...waiting.units].slice(0, MAX_BATCH_EXPOSURES);
    // Taken out before the first `await`, so that what comes meanwhile goes into the next batch.
    for (const [key] of taken) waiting.units.delete(key);
    const sequence = ++waiting.sequence;
    const exposures = await Promise.all(
      taken.map(async ([key, seen]) => ({ unit: await hashUnit(key.slice(key.indexOf('/') + 1), secret), ...seen })),
    );
    return { isolate: this.#isolate, sequence, exposures };
  }
}

/** Whether the experiment has the metric `retry`. Only then are bodies hashed, which is not free. */
function asksForRetries({ route: { experiment } }: Served): boolean {
  return experiment !== undefined && [...experiment.primary, ...experiment.secondary].includes('retry');
}

/** Whether counting the request reads its body. */
function readsBodies(served: Served): boolean {
  return asksForRetries(served) || served.route.experiment?.segments.some(({ from }) => 'pointer' in from) === true;
}

/** The arm that the unit belongs to, also where another variant answered in its place; null where it belongs to none. */
function armOf({ isEvidence, variant, dealt, standsIn }: Served): string | null {
  return isEvidence ? variant : (dealt ?? standsIn?.variant ?? null);
}

function newlySeen(served: Served): Seen {
  const { startedAtMs: firstAtMs, route } = served;
  const variant = armOf(served)!;
  const segment = segmentsOf(route.experiment?.segments ?? [], served);
  const nothing = { requests: 0, errors: 0, latencyMs: 0, firstByteMs: 0 };
  return { variant, firstAtMs, lastAtMs: firstAtMs, ...nothing, ...(segment !== undefined && { segment }) };
}

function count(seen: Seen, served: Served, body: BodyReport): void {
  const { headersAtMs, standsIn, isLost, reason } = served;
  const { startedAtMs } = standsIn ?? served;
  // A long answer may end after a short one that was asked for later.
  seen.firstAtMs = Math.min(seen.firstAtMs, startedAtMs);
  seen.lastAtMs = Math.max(seen.lastAtMs ?? 0, startedAtMs);
  // A request that failed over is reported twice, as the lost try and as the answer that the visitor got: only the latter counts.
  if (isLost) return;
  seen.requests++;
  // Where the baseline answers in the candidate's place, that is the candidate's error: it failed, or was ejected for failing.
  if (standsIn !== null || reason === 'ejected' || isError(served, body)) {
    // Its time does not count: in one arm that would be the failure's alone, in the other also that of the baseline's answer.
    seen.errors++;
    return;
  }
  seen.latencyMs += Math.max(body.endedAtMs, headersAtMs) - startedAtMs;
  seen.firstByteMs += (body.firstByteAtMs ?? headersAtMs) - startedAtMs;
}

function use(seen: Seen, { tokensOut, cost }: Spent): void {
  seen.used ??= { answers: 0, tokensOut: 0, priced: 0, cost: 0 };
  const { used } = seen;
  used.answers++;
  used.tokensOut += tokensOut;
  if (cost === null) return;
  used.priced++;
  used.cost += cost;
}
