/**
 * Owns the exposures that one isolate has seen of running experiments: who was shown what, and how it went, gathered by unit and
 * flushed to the experiment's ledger in numbered batches. Units leave the isolate as keyed hashes only. Without COOKIE_SECRET
 * there is no key, so nothing is gathered. It stands behind the visitors, like every flush.
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
import { askOf, RetryMemory } from './repeats.ts';
import { segmentsOf } from './segments.ts';
import type { Spent, Usages } from './usage.ts';

/** An exposure before its unit is hashed. */
type Seen = Omit<Exposure, 'unit'>;

/** Route and split are those by which the newest exposure was served. */
interface Waiting extends Pick<Served, 'route' | 'inForce'> {
  experiment: string;
  /** By variant and unit: `<variant>/<unit>`. */
  units: Map<string, Seen>;
  pending: ExposureBatch | null;
  sequence: number;
  /** Until then a flush is armed, or under way with time enough for what comes. */
  armedUntilMs: number;
  /** Since when one sends; 0 while none does. */
  sendingSinceMs: number;
  dropped: number;
}

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
    // What an experiment that has ended leaves behind has no visitors of its own any more.
    for (const one of this.#waiting.values()) if (one.pending !== null) this.#arm(one, env, ctx);
    if (inForce.experiment === null || unit === null || armOf(served) === null || !env.COOKIE_SECRET || !env.LEDGER)
      return;
    // Who meets the only variant there is was not dealt to an arm: before the experiment begins, and when it has ended.
    if (served.armCount < 2) return;
    const usage = this.#usageOf(served);
    const see = () => this.#see(served, inForce.experiment!, unit, env, ctx);
    const add = (report: BodyReport, spent: Spent | null) => {
      const seen = see();
      if (seen === null) return;
      // What one arm cannot be shown says nothing of the other either.
      if (served.dealt !== null && served.reason !== 'ejected') return;
      count(seen, served, report);
      // What the baseline's answer used is not its arm's.
      if (spent !== null && !served.isLost && served.variant === seen.variant) use(seen, spent);
      if (served.standsIn === null && this.#isRetry(served)) seen.retries = (seen.retries ?? 0) + 1;
    };
    // Reading and hashing bodies must not stand before the answer, which has not left yet.
    const later = readsBodies(served) ? sleep(0) : null;
    if (usage === null && later === null && !(body instanceof Promise)) return add(body, null);
    // Who was dealt to an arm is told before a long answer ends: the slower arm must not seem the smaller.
    const begun = Promise.resolve(later).then(see);
    ctx.waitUntil(Promise.all([body, usage, begun]).then(([report, spent]) => add(report, spent)));
  };

  /** What waits of the unit; null where there is no room for it. */
  #see(served: Served, experiment: string, unit: string, env: Env, ctx: ExecutionContext): Seen | null {
    const waiting = this.#waitingOf(served, experiment);
    // Who met the other arm since the last flush is told as both.
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
    // Long answers end under newer weights than they began by.
    if (inForce.revision >= waiting.inForce.revision) Object.assign(waiting, { route, inForce });
    return waiting;
  }

  /** What a crowd leaves behind when it goes must not wait for a visitor who never comes, so it is tried for a while. */
  async #flush(waiting: Waiting, env: Env, ctx: ExecutionContext): Promise<void> {
    const untilMs = Date.now() + TRIED_FOR_MS;
    // Who comes in its last seconds arms the next one, for what this one may have to leave.
    const armedUntilMs = untilMs - EXPOSURES_EVERY_MS;
    waiting.armedUntilMs = armedUntilMs;
    do await this.#flushOnce(waiting, env, ctx);
    while ((waiting.pending !== null || waiting.units.size > 0) && Date.now() < untilMs);
    if (waiting.armedUntilMs === armedUntilMs) waiting.armedUntilMs = 0;
  }

  async #flushOnce(waiting: Waiting, env: Env, ctx: ExecutionContext): Promise<void> {
    await sleep(EXPOSURES_EVERY_MS);
    // The one before may be at it still: two at once would take each other's batch for told.
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
    // Taken out before the first wait: what comes meanwhile is counted into the next batch.
    for (const [key] of taken) waiting.units.delete(key);
    const sequence = ++waiting.sequence;
    const exposures = await Promise.all(
      taken.map(async ([key, seen]) => ({ unit: await hashUnit(key.slice(key.indexOf('/') + 1), secret), ...seen })),
    );
    return { isolate: this.#isolate, sequence, exposures };
  }
}

/** Looked for only where it is a metric: hashing bodies is not free. */
function asksForRetries({ route: { experiment } }: Served): boolean {
  return experiment !== undefined && [...experiment.primary, ...experiment.secondary].includes('retry');
}

function readsBodies(served: Served): boolean {
  return asksForRetries(served) || served.route.experiment?.segments.some(({ from }) => 'pointer' in from) === true;
}

/** Whose unit the visitor is: an arm keeps those whom another variant answers in its place. */
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
  // Long answers end later than short ones that were asked for after them.
  seen.firstAtMs = Math.min(seen.firstAtMs, startedAtMs);
  seen.lastAtMs = Math.max(seen.lastAtMs ?? 0, startedAtMs);
  // A request that failed over is told twice: as the try that was lost, and, with what came of it, as the answer that was waited for.
  if (isLost) return;
  seen.requests++;
  // That the baseline answers in its place is the candidate's failure, whether it was asked or is known to fail.
  if (standsIn !== null || reason === 'ejected' || isError(served, body)) {
    // Its time would be the failure's alone in one arm, and in the other that of the baseline's answer too.
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
