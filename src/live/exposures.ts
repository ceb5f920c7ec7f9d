/**
 * Owns the exposures that one isolate has seen of running experiments: who was shown what, and how it went, gathered by unit and
 * flushed to the experiment's ledger in numbered batches. Units leave the isolate as keyed hashes only. Without COOKIE_SECRET
 * there is no key, so nothing is gathered. It stands behind the visitors, like every flush.
 */

import { type Env, ledgerOf } from '../env.ts';
import type { Exposure, ExposureBatch } from '../experiment/words.ts';
import type { BodyReport } from '../forward/pump.ts';
import { hasFailed, type Observer, type Served } from '../forward/served.ts';
import { hashUnit } from '../split/receipt.ts';

const FLUSH_MS = 2_000;
const RETRY_MS = 500;
const MAX_ROUNDS = 5;
const ABANDONED_AFTER_MS = 25_000;
/** Exposures of one batch. */
export const MAX_BATCH = 1_000;
/** Units that may wait; a ledger that is down for long costs exposures, never memory. */
const MAX_WAITING = 20_000;

/** An exposure before its unit is hashed. */
type Seen = Omit<Exposure, 'unit'>;

interface Waiting {
  route: string;
  experiment: string;
  units: Map<string, Seen>;
  pending: ExposureBatch | null;
  sequence: number;
  armedUntilMs: number;
  dropped: number;
}

export class Exposures {
  #waiting = new Map<string, Waiting>();
  #isolate = '';

  readonly observe: Observer = (served, env, ctx) => {
    const { inForce, unit, isEvidence } = served;
    if (inForce.experiment === null || unit === null || !isEvidence || !env.COOKIE_SECRET || !env.LEDGER) return;
    // Who meets the only variant there is was not dealt to an arm: before the experiment begins, and when it has ended.
    if (served.armCount < 2) return;
    const add = (body: BodyReport) => this.#add(served, inForce.experiment!, unit, body, env, ctx);
    if (served.body instanceof Promise) ctx.waitUntil(served.body.then(add));
    else add(served.body);
  };

  #add(served: Served, experiment: string, unit: string, body: BodyReport, env: Env, ctx: ExecutionContext): void {
    const waiting = this.#waitingOf(served.route.name, experiment);
    let seen = waiting.units.get(unit);
    if (seen === undefined) {
      if (waiting.units.size >= MAX_WAITING) {
        waiting.dropped++;
        return;
      }
      const { variant, startedAtMs } = served;
      seen = { variant, firstAtMs: startedAtMs, requests: 0, errors: 0, latencyMs: 0, firstByteMs: 0 };
      const segment = segmentOf(served);
      if (segment !== undefined) seen.segment = segment;
      waiting.units.set(unit, seen);
    }
    seen.requests++;
    if (hasFailed(served, body)) seen.errors++;
    seen.latencyMs += Math.max(body.endedAtMs, served.headersAtMs) - served.startedAtMs;
    seen.firstByteMs += (body.firstByteAtMs ?? served.headersAtMs) - served.startedAtMs;
    this.#arm(waiting, env, ctx);
  }

  #waitingOf(route: string, experiment: string): Waiting {
    const key = `${route}/${experiment}`;
    let waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      waiting = { route, experiment, units: new Map(), pending: null, sequence: 0, armedUntilMs: 0, dropped: 0 };
      this.#waiting.set(key, waiting);
    }
    return waiting;
  }

  #arm(waiting: Waiting, env: Env, ctx: ExecutionContext): void {
    const nowMs = Date.now();
    if (nowMs < waiting.armedUntilMs) return;
    waiting.armedUntilMs = nowMs + FLUSH_MS + ABANDONED_AFTER_MS;
    ctx.waitUntil(this.#flush(waiting, env));
  }

  async #flush(waiting: Waiting, env: Env): Promise<void> {
    await sleep(FLUSH_MS);
    let failures = 0;
    for (let round = 0; round < MAX_ROUNDS && (waiting.pending !== null || waiting.units.size > 0); round++) {
      try {
        const batch = waiting.pending ?? (await this.#seal(waiting, env.COOKIE_SECRET!));
        waiting.pending = batch;
        await ledgerOf(env, waiting.route, waiting.experiment)!.expose(batch);
        waiting.pending = null;
      } catch (cause) {
        console.warn(
          `experiment ${waiting.experiment}: the ledger did not take a batch, which will be sent again: ${cause}`,
        );
        await sleep(RETRY_MS * 2 ** failures++);
      }
    }
    if (waiting.dropped > 0) {
      console.error(
        `experiment ${waiting.experiment}: ${waiting.dropped} exposures were dropped, the ledger being down`,
      );
      waiting.dropped = 0;
    }
    waiting.armedUntilMs = 0;
  }

  async #seal(waiting: Waiting, secret: string): Promise<ExposureBatch> {
    this.#isolate ||= crypto.randomUUID();
    const taken = [...waiting.units].slice(0, MAX_BATCH);
    // Taken out before the first wait: what comes meanwhile is counted into the next batch.
    for (const [unit] of taken) waiting.units.delete(unit);
    const sequence = ++waiting.sequence;
    const exposures = await Promise.all(
      taken.map(async ([unit, seen]) => ({ unit: await hashUnit(unit, secret), ...seen })),
    );
    return { isolate: this.#isolate, sequence, exposures };
  }
}

/** What declared segments say of the request, where they are read from headers. */
function segmentOf({ route, request }: Served): Record<string, string> | undefined {
  const segments = route.experiment?.segments ?? [];
  if (segments.length === 0) return undefined;
  const found: Record<string, string> = {};
  for (const { name, from } of segments) {
    const value = 'header' in from ? request.headers.get(from.header) : null;
    if (value !== null) found[name] = value.slice(0, 64);
  }
  return found;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
