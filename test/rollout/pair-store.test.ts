import { describe, expect, it } from 'vitest';
import { PairStore } from '../../src/rollout/pair-store.ts';
import { comparison } from '../../src/shadow/compare/compare.ts';
import { MAX_SAMPLES } from '../../src/shadow/limits.ts';
import { type PairBatch, PairTally } from '../../src/shadow/tally.ts';
import { json } from '../shadow/compare/observed.ts';
import { sqlStorage } from './sqlite.ts';

const DAY_MS = 86_400_000;

/** A batch of matching pairs, with as many samples and tokens. */
function batchOf(candidate: string, pairs: number, first = 0): PairBatch {
  const tally = new PairTally(candidate);
  for (let i = 0; i < pairs; i++) tally.pair(comparison('match', ''), json(1), json(1));
  tally.spent(pairs);
  const sample = { at: '', role: 'candidate', class: 'match', reason: '', method: '', path: '' } as const;
  const rest = { liveStatus: 200, candidateStatus: 200, fields: [], request: '', live: '', candidate: '' };
  const samples = Array.from({ length: pairs }, (_, i) => ({ ...sample, ...rest, requestId: `r-${first + i}` }));
  return { ...tally.take(), samples };
}

describe('the pairs of a route', () => {
  it('add up by candidate, and outlive the object', () => {
    const sql = sqlStorage();
    const store = new PairStore(sql);
    store.add(batchOf('green', 3), 0);
    store.add(batchOf('teal', 1), 0);
    store.add(batchOf('green', 2), 0);
    for (const one of [store, new PairStore(sql)]) {
      expect(one.candidates()).toEqual(['green', 'teal']);
      expect(one.report('green')).toMatchObject({ eligible: 5, classes: { match: 5 } });
      expect(one.report('teal')).toMatchObject({ eligible: 1 });
      expect(one.report('blue')).toBeNull();
    }
  });

  it('name the candidate first that was told of last, also after a restart', () => {
    const sql = sqlStorage();
    const store = new PairStore(sql);
    for (const candidate of ['amber', 'teal', 'green', 'teal']) store.add(batchOf(candidate, 1), 0);
    for (const one of [store, new PairStore(sql)]) expect(one.candidates()).toEqual(['teal', 'green', 'amber']);
  });

  it('add up within a flush that bears two batches of a candidate, of before a rollout and of it', () => {
    const store = new PairStore(sqlStorage());
    store.add(batchOf('green', 3), 0);
    for (const batch of [batchOf('green', 30), batchOf('green', 31)]) store.add(batch, 0);
    expect(store.report('green')).toMatchObject({ eligible: 64, classes: { match: 64 } });
  });

  it('keep the newest samples, newest first', () => {
    const store = new PairStore(sqlStorage());
    for (let i = 0; i < 15; i++) store.add(batchOf('green', 20, i * 20), 0);
    const kept = store.samples('green');
    expect(kept).toHaveLength(MAX_SAMPLES);
    expect(kept[0]!.requestId).toBe('r-299');
    expect(kept.at(-1)!.requestId).toBe('r-100');
    expect(store.samples('green', 3).map(({ requestId }) => requestId)).toEqual(['r-299', 'r-298', 'r-297']);
  });

  it('tell the tokens of today, by candidate', () => {
    const store = new PairStore(sqlStorage());
    store.add(batchOf('green', 3), 1);
    store.add(batchOf('green', 4), DAY_MS - 1);
    store.add(batchOf('teal', 1), DAY_MS - 1);
    expect(store.tokensToday(DAY_MS - 1)).toEqual({ green: 7, teal: 1 });
    expect(store.tokensToday(DAY_MS)).toEqual({});
  });

  it('are not forgotten of a day to which the clock is set back', () => {
    const store = new PairStore(sqlStorage());
    store.add(batchOf('green', 4), DAY_MS - 1);
    store.add(batchOf('green', 1), DAY_MS + 1);
    expect(store.tokensToday(DAY_MS - 1)).toEqual({ green: 4 });
  });

  it('begin at zero for one candidate when they are cleared, and the budget of tokens does not', () => {
    const store = new PairStore(sqlStorage());
    store.add(batchOf('green', 3), 0);
    store.add(batchOf('teal', 2), 0);
    store.clear('green', 1);
    expect(store.candidates()).toEqual(['teal']);
    expect(store.samples('green')).toEqual([]);
    expect(store.samples('teal')).toHaveLength(2);
    expect(store.tokensToday(0)).toEqual({ green: 3, teal: 2 });
  });

  it('leave out what isolates had counted before they were cleared, and not yet told', () => {
    const sql = sqlStorage();
    new PairStore(sql).clear('green', 10_000);
    // An object is restarted between two flushes.
    const store = new PairStore(sql);
    store.add(batchOf('green', 3), 12_000, 9_999);
    store.add(batchOf('teal', 1), 12_000, 9_999);
    expect(store.candidates()).toEqual(['teal']);
    expect(store.samples('green')).toEqual([]);
    store.add(batchOf('green', 2), 13_000, 10_000);
    store.add(batchOf('green', 2), 14_000);
    expect(store.report('green')).toMatchObject({ eligible: 4 });
    expect(store.tokensToday(14_000)).toEqual({ green: 7, teal: 1 });
  });
});
