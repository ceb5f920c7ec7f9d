import { describe, expect, it } from 'vitest';
import { FlushLedger } from '../../src/rollout/flush-ledger.ts';
import { sqlStorage } from './sqlite.ts';

const DAY_MS = 86_400_000;

describe('the memory of batches', () => {
  it('takes each number of an isolate once, and isolates apart', () => {
    const ledger = new FlushLedger(sqlStorage());
    expect(ledger.isNew({ isolate: 'a', sequence: 1 }, 0)).toBe(true);
    expect(ledger.isNew({ isolate: 'a', sequence: 1 }, 1)).toBe(false);
    expect(ledger.isNew({ isolate: 'b', sequence: 1 }, 2)).toBe(true);
    expect(ledger.isNew({ isolate: 'a', sequence: 2 }, 3)).toBe(true);
    expect(ledger.isNew({ isolate: 'a', sequence: 1 }, 4)).toBe(false);
    expect(ledger.isNew({ isolate: 'a', sequence: 2 }, 5)).toBe(false);
  });

  it('outlives the object', () => {
    const sql = sqlStorage();
    new FlushLedger(sql).isNew({ isolate: 'a', sequence: 7 }, 0);
    expect(new FlushLedger(sql).isNew({ isolate: 'a', sequence: 7 }, 1)).toBe(false);
    expect(new FlushLedger(sql).isNew({ isolate: 'a', sequence: 8 }, 1)).toBe(true);
  });

  it('forgets isolates after a day of silence, and so stays small', () => {
    const sql = sqlStorage();
    const ledger = new FlushLedger(sql);
    for (let i = 0; i < 100; i++) ledger.isNew({ isolate: `gone-${i}`, sequence: 1 }, i);
    ledger.isNew({ isolate: 'here', sequence: 1 }, DAY_MS + 200);
    expect(sql.exec<{ n: number }>('SELECT count(*) AS n FROM flushes').one().n).toBe(1);
  });
});

describe('back-pressure', () => {
  it('counts the isolates of the last minute', () => {
    const ledger = new FlushLedger(sqlStorage());
    ledger.isNew({ isolate: 'a', sequence: 1 }, 0);
    ledger.isNew({ isolate: 'b', sequence: 1 }, 30_000);
    ledger.isNew({ isolate: 'b', sequence: 1 }, 40_000);
    expect(ledger.activeIsolates(59_999)).toBe(2);
    expect(ledger.activeIsolates(60_000)).toBe(1);
  });

  it.each([
    [1, 5],
    [400, 2_000],
    [1_000, 5_000],
    [4_000, 20_000],
  ])('keeps %d isolates below 200 flushes a second', (isolates, intervalMs) => {
    const ledger = new FlushLedger(sqlStorage());
    expect(ledger.intervalMs(isolates)).toBe(intervalMs);
    expect((isolates / intervalMs) * 1000).toBeLessThanOrEqual(200);
  });

  it('never asks for more than the platform lets an isolate wait', () => {
    expect(new FlushLedger(sqlStorage()).intervalMs(100_000)).toBe(20_000);
  });
});
