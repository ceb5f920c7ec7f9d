import { describe, expect, it } from 'vitest';
import { tickOf } from '../../src/analysis/units.ts';
import type { Guardrail } from '../../src/config/types.ts';
import { evidenceOf, type OutcomeEvidence } from '../../src/rollout/outcomes.ts';
import { before, T0 } from './world.ts';

const guardrail = (metric: string, critical: boolean): Guardrail => ({ metric, critical, required: true, per: 'unit' });
const state = {
  id: 'r-1',
  to: 'green',
  startedMs: T0,
  sinceMs: T0,
  split: { ...before, weights: { blue: 75, green: 25 }, rollout: 'r-1', variants: '', by: '', reason: '' },
  guardrails: [guardrail('errors', true), guardrail('outcome:correct', true), guardrail('outcome:helpful', false)],
};
const event = (changes: Partial<OutcomeEvidence> = {}): OutcomeEvidence => ({
  metric: 'correct',
  unit: '00000000000000aa',
  variant: 'green',
  bad: true,
  source: 'receipt',
  servedAtMs: T0 + 1_000,
  ...changes,
});
const NOW = T0 + 60_000;

describe('an outcome as evidence', () => {
  it('is a sighting of its unit by its guardrail, in the tick in which it came', () => {
    expect(evidenceOf(state, [event(), event({ bad: false, variant: 'blue' })], NOW)).toEqual([
      {
        rollout: 'r-1',
        tick: tickOf(NOW),
        threshold: 2 ** 32,
        units: [
          ['00000000000000aa', 'green', 0b010, 0b010],
          ['00000000000000aa', 'blue', 0b010, 0],
        ],
        requests: [
          { variant: 'green', n: [0, 1, 0], bad: [0, 1, 0] },
          { variant: 'blue', n: [0, 1, 0], bad: [0, 0, 0] },
        ],
      },
    ]);
  });

  it('from a cookie speaks for no critical guardrail, but for others', () => {
    expect(evidenceOf(state, [event({ source: 'cookie' })], NOW)).toEqual([]);
    const ofOther = evidenceOf(state, [event({ source: 'cookie', metric: 'helpful' })], NOW);
    expect(ofOther[0]?.units).toEqual([['00000000000000aa', 'green', 0b100, 0b100]]);
  });

  it('of what was served before the rollout says nothing of it', () => {
    expect(evidenceOf(state, [event({ servedAtMs: T0 - 1 })], NOW)).toEqual([]);
  });

  it('of what was served by other shares is a tick of its own, but where nothing is beside the candidate', () => {
    const later = { ...state, sinceMs: T0 + 30_000 };
    const ticksOf = (of: typeof later) =>
      evidenceOf(of, [event(), event({ servedAtMs: T0 + 30_000 }), event({ servedAtMs: T0 - 1 })], NOW).map((one) => [
        one.tick,
        one.units.length,
      ]);
    expect(ticksOf(later)).toEqual([
      [tickOf(T0 + 30_000) - 1, 1],
      [tickOf(NOW), 1],
    ]);
    const last = { ...later, split: { ...later.split, weights: { blue: 0, green: 100 } } };
    expect(ticksOf(last)).toEqual([[tickOf(NOW), 2]]);
  });

  it('that no guardrail asks for, or that is a number, is none', () => {
    expect(evidenceOf(state, [event({ metric: 'other' }), event({ bad: null })], NOW)).toEqual([]);
  });
});
