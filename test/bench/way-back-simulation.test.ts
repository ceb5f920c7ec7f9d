import { describe, expect, it } from 'vitest';
import { FlushLedger } from '../../src/rollout/flush-ledger.ts';
import { sqlStorage } from '../rollout/sqlite.ts';
import { simulate } from './way-back-simulation.ts';

const ledger = new FlushLedger(sqlStorage());
const intervalMs = (isolates: number) => ledger.intervalMs(isolates);

const worst = (isolates: number, requestsPerSecond: number) =>
  Array.from({ length: 5 }, (_, seed) =>
    simulate({ isolates, requestsPerSecond, seed, roundTripMs: 60, intervalMs }),
  ).reduce((a, b) => (a.lastMs > b.lastMs ? a : b));

describe('the way back on paper', () => {
  it('takes at most one interval and one gap on isolates with steady traffic', () => {
    const { lastMs } = worst(400, 4_000);
    expect(lastMs).toBeGreaterThan(1_500);
    expect(lastMs).toBeLessThan(3_000);
  });

  it('takes the five seconds that a thousand busy isolates are asked to wait, and a gap', () => {
    const outcome = worst(1_000, 10_000);
    expect(outcome.intervalMs).toBe(5_000);
    expect(outcome.lastMs).toBeLessThan(6_000);
  });

  it('takes no longer than a confirmation is good for, and an interval, however seldom requests come', () => {
    for (const requestsPerSecond of [10, 100, 1_000]) {
      const { lastMs, intervalMs: asked } = worst(1_000, requestsPerSecond);
      expect(lastMs).toBeLessThan(15_000 + asked + 100);
    }
  });
});
