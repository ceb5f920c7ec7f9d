import { expect, it } from 'vitest';
import type { Guardrail } from '../../src/config/types.ts';
import { EvidenceStore } from '../../src/rollout/evidence.ts';
import { Meta } from '../../src/rollout/meta.ts';
import { evidenceOf, type OutcomeEvidence } from '../../src/rollout/outcomes.ts';
import { storage } from './sqlite.ts';
import { canary, started, T0 } from './world.ts';

const FLUSH_MS = 2_000;
const STEP_MS = 600_000;
const REQUESTS_A_FLUSH = 10;

/** The same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface World {
  badRate: { blue: number; green: number };
  /** After how long, on average, a bad outcome is told, and a good one. */
  badAfterMs: number;
  goodAfterMs: number;
}

/** Three steps of ten minutes at 5, 25 and 50 %, in which outcomes are told late: the weight at which the guardrail failed, or null. */
function failedAt({ badRate, badAfterMs, goodAfterMs }: World, seed: number): number | null {
  const next = random(seed);
  const guardrail: Guardrail = { metric: 'outcome:ok', critical: true, required: true, per: 'unit' };
  const { sql } = storage();
  const store = new EvidenceStore(sql, new Meta({ sql } as DurableObjectStorage));
  const begun = started(canary, { guardrails: [guardrail] });
  store.start(begun);
  const told = new Map<number, OutcomeEvidence[]>();
  let units = 0;
  for (const [step, weight] of [5, 25, 50].entries()) {
    const sinceMs = T0 + step * STEP_MS;
    const weights = { blue: 100 - weight, green: weight };
    const state = { ...begun, startedMs: T0, sinceMs, stepRun: step, split: { ...begun.split, weights } };
    for (let nowMs = sinceMs; nowMs < sinceMs + STEP_MS; nowMs += FLUSH_MS) {
      for (let n = 0; n < REQUESTS_A_FLUSH; n++) {
        const variant = next() * 100 < weight ? 'green' : 'blue';
        const bad = next() < badRate[variant];
        const atMs = nowMs - Math.log(1 - next()) * (bad ? badAfterMs : goodAfterMs);
        const unit = `${(Math.imul(++units, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')}00000000`;
        const flush = Math.floor(atMs / FLUSH_MS);
        const event = { metric: 'ok', unit, variant, bad, source: 'receipt' as const, servedAtMs: nowMs };
        told.set(flush, [...(told.get(flush) ?? []), event]);
      }
      store.add(evidenceOf(state, told.get(Math.floor(nowMs / FLUSH_MS)) ?? [], nowMs));
      store.settle(state, nowMs);
      if (store.judge(state).judgements[0]!.verdict === 'fail') return weight;
    }
  }
  return null;
}

const alike = { blue: 0.3, green: 0.3 };
const slow = 900_000;
const quick = 20_000;

it.each([1, 2])('what is told late of versions that are alike stops no rollout (seed %i)', (seed) => {
  expect(failedAt({ badRate: alike, badAfterMs: quick, goodAfterMs: slow }, seed)).toBeNull();
  expect(failedAt({ badRate: alike, badAfterMs: slow, goodAfterMs: quick }, seed)).toBeNull();
});

it('what is told late of a worse version stops it before it has half of the traffic', () => {
  const worse = { blue: 0.1, green: 0.5 };
  for (const [badAfterMs, goodAfterMs] of [
    [slow, slow],
    [quick, slow],
    [slow, quick],
  ] as const)
    expect(failedAt({ badRate: worse, badAfterMs, goodAfterMs }, 1)).toBeLessThan(50);
});
