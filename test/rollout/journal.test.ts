import { describe, expect, it } from 'vitest';
import { Journal } from '../../src/rollout/journal.ts';
import { storage } from './sqlite.ts';
import { T0 } from './world.ts';

const entry = (action: string) => ({
  at: new Date(T0).toISOString(),
  actor: 'ada',
  action,
  reason: 'because',
  before: null,
  after: { weights: { blue: 100 } },
});

const split = (revision: number) => ({
  ...{ revision, weights: { blue: 100 }, shadows: {}, baseline: 'blue', salt: '', rollout: null, variants: 'hash-1' },
  ...{ by: 'ada', reason: 'because', at: new Date(T0).toISOString() },
});

describe('the history', () => {
  it('is read newest first and page by page, also after a restart', () => {
    const { sql } = storage();
    const journal = new Journal(sql);
    for (const action of ['one', 'two', 'three']) journal.write(entry(action), T0);
    const again = new Journal(sql);
    const page = again.read(2, null);
    expect(page.entries.map(({ action }) => action)).toEqual(['three', 'two']);
    again.write(entry('four'), T0);
    expect(again.read(2, page.next).entries.map(({ action }) => action)).toEqual(['one']);
    expect(page.entries[1]).toMatchObject(entry('two'));
  });
});

describe('splits', () => {
  it('are all kept, with what each was a return to; the newest is in force', () => {
    const journal = new Journal(storage().sql);
    expect(journal.split()).toBeNull();
    journal.keep(split(0), null);
    journal.keep(split(1), null);
    journal.keep(split(2), 0);
    expect(journal.split()?.revision).toBe(2);
    expect(journal.kept().map(({ revision, restores }) => [revision, restores])).toEqual([
      [0, undefined],
      [1, undefined],
      [2, 0],
    ]);
  });

  it('get numbers above everything that anybody has seen', () => {
    const journal = new Journal(storage().sql);
    expect(journal.nextRevision(0, 0)).toBe(1);
    expect(journal.nextRevision(12, 9)).toBe(13);
    expect(journal.nextRevision(3, 41)).toBe(42);
    journal.keep(split(50), null);
    expect(journal.nextRevision(12, 9)).toBe(51);
  });

  it('of rollouts bear ids that were never given out before', () => {
    const journal = new Journal(storage().sql);
    expect(journal.newRolloutId(T0)).toBe('r-20261123-1');
    journal.usedRolloutId('r-20261123-4');
    journal.usedRolloutId('r-20261123-4');
    expect(journal.newRolloutId(T0)).toBe('r-20261123-5');
    expect(journal.newRolloutId(T0 + 86_400_000)).toBe('r-20261124-1');
  });
});
