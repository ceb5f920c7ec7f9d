import { describe, expect, it } from 'vitest';
import { MAX_FOLLOWED } from '../../../src/shadow/compare/limits.ts';
import {
  addBatch,
  countPair,
  type FieldVerdict,
  fieldVerdicts,
  type NoiseState,
  startBatch,
  startNoise,
} from '../../../src/shadow/compare/noise.ts';
import { seeded } from './observed.ts';

/** Chance that a field differs in a candidate pair and in a repeat pair. */
type Rates = Record<string, [candidate: number, repeat: number]>;

interface Traffic {
  rates: Rates;
  candidatePairs: number;
  /** Share of candidate pairs that also get a repeat. */
  repeatShare?: number;
  batch?: number;
  seed: number;
}

/** Verdicts after each batch of seeded pairs. */
function* watch({ rates, candidatePairs, repeatShare = 0.1, batch = 20, seed }: Traffic): Generator<NoiseState> {
  const random = seeded(seed);
  const draw = (arm: 0 | 1): string[] => Object.keys(rates).filter((field) => random() < rates[field]![arm]);
  let state = startNoise();
  let counts = startBatch();
  for (let pair = 1; pair <= candidatePairs; pair++) {
    countPair(counts, 'candidate', draw(0));
    if (random() < repeatShare) countPair(counts, 'repeat', draw(1));
    if (pair % batch !== 0) continue;
    state = addBatch(state, counts);
    counts = startBatch();
    yield state;
  }
}

function verdictsAfter(traffic: Traffic): Record<string, FieldVerdict> {
  const state = [...watch(traffic)].at(-1)!;
  return Object.fromEntries(fieldVerdicts(state).map((field) => [field.path, field]));
}

describe('telling regressions from noise', () => {
  it('finds and names a 5 % regression within 2,000 pairs, beside a noisy field', () => {
    const rates: Rates = { '/answer': [0.05, 0], '/mood': [0.5, 0.5] };
    let found = 0;
    const runs = 200;
    for (let seed = 1; seed <= runs; seed++) {
      const fields = verdictsAfter({ rates, candidatePairs: 1800, seed });
      expect(fields['/answer']!.candidatePairs + fields['/answer']!.repeatPairs).toBeLessThan(2050);
      if (fields['/answer']!.verdict === 'real') found++;
    }
    expect(found / runs).toBeGreaterThan(0.9);
  });

  it('calls no field real when both versions answer with the same noise, however often it is looked at', () => {
    const runs = 300;
    let falsely = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const rates: Rates = { '/a': [0.02, 0.02], '/b': [0.3, 0.3], '/c': [1, 1], '/d': [0.9, 0.9] };
      for (const state of watch({ rates, candidatePairs: 2000, seed })) {
        if (fieldVerdicts(state).some(({ verdict }) => verdict === 'real')) {
          falsely++;
          break;
        }
      }
    }
    expect(falsely / runs).toBeLessThanOrEqual(0.05);
  });

  it('calls a field noise when the baseline differs from itself as often', () => {
    const fields = verdictsAfter({ rates: { '/id': [1, 1], '/mood': [0.4, 0.4] }, candidatePairs: 5000, seed: 7 });
    expect(fields['/id']).toMatchObject({ verdict: 'noise', candidate: 5000, candidatePairs: 5000 });
    expect(fields['/mood']!.verdict).toBe('noise');
  });

  it('finds a regression in a field that is noisy anyway', () => {
    const fields = verdictsAfter({ rates: { '/mood': [0.9, 0.2] }, candidatePairs: 3000, seed: 3 });
    expect(fields['/mood']!.verdict).toBe('real');
  });

  it('says undecided without repeats, and counts all the same', () => {
    const fields = verdictsAfter({ rates: { '/a': [1, 1] }, candidatePairs: 500, repeatShare: 0, seed: 1 });
    expect(fields['/a']).toMatchObject({
      verdict: 'undecided',
      candidate: 500,
      candidatePairs: 500,
      repeat: 0,
      repeatPairs: 0,
    });
  });

  it('keeps its evidence a number that JSON can carry, however clear the difference', () => {
    const fields = verdictsAfter({ rates: { '/a': [1, 0] }, candidatePairs: 60_000, batch: 2000, seed: 2 });
    expect(JSON.parse(JSON.stringify(fields['/a']))).toMatchObject({ verdict: 'real', e: Number.MAX_VALUE });
  });

  it('says undecided on fewer than five differing pairs', () => {
    let state = startNoise();
    const batch = startBatch();
    for (let pair = 0; pair < 1000; pair++) countPair(batch, 'repeat', []);
    for (let pair = 0; pair < 4; pair++) countPair(batch, 'candidate', ['/a']);
    state = addBatch(state, batch);
    const [field] = fieldVerdicts(state);
    expect(field!.e).toBeGreaterThan(field!.threshold);
    expect(field!.verdict).toBe('undecided');
  });
});

describe('keeping the counts', () => {
  it('goes on from a state that was kept as JSON', () => {
    const traffic: Traffic = { rates: { '/a': [0.2, 0.1] }, candidatePairs: 400, seed: 5 };
    const batches = startBatch();
    countPair(batches, 'candidate', ['/a']);
    countPair(batches, 'repeat', []);
    const state = [...watch(traffic)].at(-1)!;
    const kept = JSON.parse(JSON.stringify(state)) as NoiseState;
    expect(addBatch(kept, batches)).toEqual(addBatch(state, batches));
  });

  it('is bounded by fields, and counts the rest together without judging it', () => {
    let state = startNoise();
    for (let batch = 0; batch < 10; batch++) {
      const counts = startBatch();
      for (let pair = 0; pair < 100; pair++) countPair(counts, 'candidate', [`/by-id/${batch * 100 + pair}`]);
      countPair(counts, 'repeat', []);
      state = addBatch(state, counts);
    }
    expect(Object.keys(state.fields)).toHaveLength(MAX_FOLLOWED + 1);
    const rest = fieldVerdicts(state).find(({ path }) => path === '**');
    expect(rest).toMatchObject({ verdict: 'undecided', candidate: 1000 - MAX_FOLLOWED });
  });

  it('keeps waiting counts bounded while no repeat comes', () => {
    let state = startNoise();
    for (let batch = 0; batch < 20; batch++) {
      const counts = startBatch();
      for (let pair = 0; pair < 100; pair++) countPair(counts, 'candidate', [`/by-id/${batch * 100 + pair}`]);
      state = addBatch(state, counts);
    }
    expect(Object.keys(state.waiting.candidate.fields).length).toBeLessThanOrEqual(501);
  });
});
