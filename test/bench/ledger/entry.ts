/**
 * Owns the Worker that measures a ledger: batches are made here, and each is timed twice, in the object itself and around the call
 * to it, which holds the batch's way there and the disk. It asserts nothing.
 */

import { type Env, ledgerOf } from '../../../src/env.ts';
import { ExperimentLedger as Real } from '../../../src/experiment/ledger.ts';
import type { ExperimentPlan, Exposure, ExposureBatch, OutcomeEvent } from '../../../src/experiment/words.ts';

export * from '../../../src/index.ts';

export class ExperimentLedger extends Real {
  #inside: number[] = [];

  override expose(batch: ExposureBatch) {
    const startedMs = performance.now();
    const answer = super.expose(batch);
    this.#inside.push(performance.now() - startedMs);
    return answer;
  }

  /** The bytes that it takes, and how long the batches since the last time took in here. */
  told(): { size: number; inside: number[] } {
    return { size: this.ctx.storage.sql.databaseSize, inside: this.#inside.splice(0) };
  }
}

const BATCH = 1_000;

const plan: ExperimentPlan = {
  id: 'e',
  baseline: 'blue',
  weights: { blue: 50, green: 50 },
  definitions: {},
  plannedUnits: 1e9,
  grace: { declaredMs: null, outcomes: ['helpful'] },
  metrics: [
    { name: 'helpful', role: 'primary', kind: 'conversion', goal: 'increase' },
    { name: 'spend', role: 'secondary', kind: 'mean', goal: 'increase' },
    { name: 'latency', role: 'secondary', kind: 'mean', goal: 'decrease' },
  ],
};

/** Another in each process, so that a ledger that is kept takes its batches. */
let isolate = '';
let sequence = 0;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const number = (name: string) => Number(searchParams.get(name));
    const ledger = ledgerOf(env, 'main', 'bench')! as unknown as DurableObjectStub<ExperimentLedger>;
    isolate ||= crypto.randomUUID();
    const times: number[] = [];
    const timed = async (work: () => Promise<unknown>) => {
      const startedMs = performance.now();
      await work();
      times.push(performance.now() - startedMs);
    };
    for (let n = 0; n < number('times'); n++) {
      const from = number('from') + n * BATCH;
      if (pathname === '/new') await timed(expose(from, () => from));
      else if (pathname === '/known') await timed(expose(from, () => Math.floor(Math.random() * number('units'))));
      else if (pathname === '/outcomes') await timed(credit(number('units')));
      else if (pathname === '/report') await timed(() => ledger.report(plan));
      else if (pathname === '/page') await timed(() => ledger.units(hashOf(n), BATCH));
    }
    return Response.json({ times, ...(await ledger.told()) });

    /** The next thousand units, or a thousand that are drawn. */
    function expose(from: number, draw: () => number): () => Promise<unknown> {
      const isNew = draw() === from;
      const exposures = Array.from({ length: BATCH }, (_, i) => exposure(isNew ? from + i : draw()));
      return () => ledger.expose({ isolate, sequence: ++sequence, exposures });
    }

    function credit(units: number): () => Promise<unknown> {
      const events = Array.from({ length: 100 }, (_, i): OutcomeEvent => {
        const unit = hashOf(Math.floor(Math.random() * units));
        return i % 2 === 0
          ? { unit, metric: 'helpful', kind: 'conversion', value: 1, receipt: crypto.randomUUID() }
          : { unit, metric: 'spend', kind: 'mean', value: 2.5, cap: 100 };
      });
      return () => ledger.outcomes(events, plan);
    }
  },
};

function exposure(n: number): Exposure {
  const latencyMs = 20 + (n % 50);
  const variant = n % 2 === 0 ? 'blue' : 'green';
  const errors = n % 97 === 0 ? 1 : 0;
  return {
    unit: hashOf(n),
    variant,
    firstAtMs: Date.now(),
    requests: 1,
    errors,
    latencyMs,
    firstByteMs: latencyMs - 5,
    weights: '{"blue":50,"green":50}',
  };
}

/** Units come under hashes, which fall anywhere in the order of the rows. */
function hashOf(n: number): string {
  const mixed = (BigInt(n + 1) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  return (mixed ^ (mixed >> 29n)).toString(16).padStart(16, '0');
}
