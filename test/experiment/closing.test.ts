import { beforeEach, describe, expect, it } from 'vitest';
import { Closing } from '../../src/experiment/closing.ts';
import { Delays } from '../../src/experiment/delays.ts';
import { planOf } from '../../src/experiment/plan.ts';
import { SumChange, Sums } from '../../src/experiment/sums.ts';
import type { ExperimentPlan, Grace } from '../../src/experiment/words.ts';
import { Meta } from '../../src/rollout/meta.ts';
import { routeOf, routeWith } from '../config/sample.ts';
import { storage } from '../rollout/sqlite.ts';

const HOUR_MS = 3_600_000;
const T0 = Date.parse('2026-11-23T10:00:00Z');

let sums: Sums;
let delays: Delays;
let closing: Closing;

beforeEach(() => {
  const store = storage() as unknown as DurableObjectStorage;
  sums = new Sums(store.sql);
  delays = new Delays(store.sql);
  closing = new Closing(new Meta(store), sums, delays);
});

const plan = (grace: Grace): ExperimentPlan => ({
  id: 'e',
  baseline: 'blue',
  weights: { blue: 50, green: 50 },
  definitions: {},
  plannedUnits: 100,
  grace,
  metrics: [],
});

function come(units: number): void {
  const change = new SumChange();
  change.arm('blue', { units });
  sums.apply(change);
}

/** How long the figures stay open when the planned size is reached now. */
function graceMs(grace: Grace): number {
  closing.learn(plan(grace));
  come(100);
  closing.reachIfDue(T0);
  return closing.reached!.closesAtMs - T0;
}

describe('the figures of an experiment', () => {
  it('stay open for what shows itself later than the response', () => {
    expect(graceMs({ declaredMs: null, outcomes: [], measuredMs: 60_000 })).toBe(60_000);
    const route = (primary: string[]) => routeOf(routeWith({ experiment: { id: 'e', primary } }));
    const of = (primary: string[]) => planOf({ route: route(primary), inForce } as never)?.grace.measuredMs;
    const inForce = { baseline: 'blue', weights: {} };
    expect([of(['returned', 'error']), of(['retry']), of(['latency'])]).toEqual([7 * 24 * HOUR_MS, 60_000, 0]);
  });

  it('close once, when the grace after the planned size is over, as they stand then', () => {
    closing.learn(plan({ declaredMs: HOUR_MS, outcomes: ['helpful'] }));
    come(99);
    closing.reachIfDue(T0);
    expect(closing.isReached).toBe(false);
    come(1);
    closing.reachIfDue(T0 + 1);
    closing.closeIfDue(T0 + HOUR_MS);
    const reached = { atMs: T0 + 1, closesAtMs: T0 + 1 + HOUR_MS, planned: 100 };
    expect([closing.reached, closing.figures]).toEqual([reached, null]);
    come(7);
    closing.closeIfDue(T0 + 1 + HOUR_MS);
    expect(closing.figures?.arms.blue?.units).toBe(107);
    come(1);
    closing.closeIfDue(T0 + 9 * HOUR_MS);
    closing.reachIfDue(T0 + 9 * HOUR_MS);
    expect(closing.figures?.arms.blue?.units).toBe(107);
  });

  it('keep the time that was fixed when the size was reached, also when the config says another later', () => {
    expect(graceMs({ declaredMs: HOUR_MS, outcomes: [] })).toBe(HOUR_MS);
    closing.learn(plan({ declaredMs: 0, outcomes: [] }));
    closing.closeIfDue(T0 + HOUR_MS - 1);
    expect(closing.figures).toBeNull();
  });

  it('close at once where nothing can be late: what is measured from responses came with them', () => {
    expect(graceMs({ declaredMs: null, outcomes: [] })).toBe(0);
    expect(closing.figures).not.toBeNull();
  });

  it('wait as long as 95 % of the outcomes took, of the slowest primary metric', () => {
    for (let n = 1; n <= 100; n++) {
      delays.add('helpful', n * 1_000);
      delays.add('bought', n * 60_000);
    }
    const waited = graceMs({ declaredMs: null, outcomes: ['helpful', 'bought'] });
    expect(waited).toBeGreaterThanOrEqual(95 * 60_000);
    expect(waited).toBeLessThan(95 * 60_000 * 1.2);
  });

  it('wait a day while too few outcomes came to know', () => {
    for (let n = 0; n < 24; n++) delays.add('helpful', 1_000);
    expect(delays.usualMs('helpful')).toBeNull();
    expect(graceMs({ declaredMs: null, outcomes: ['helpful'] })).toBe(24 * HOUR_MS);
  });

  it('wait for a slow metric no longer than a receipt is valid', () => {
    for (let n = 0; n < 25; n++) delays.add('bought', 400 * HOUR_MS);
    expect(graceMs({ declaredMs: null, outcomes: ['bought'] })).toBe(7 * 24 * HOUR_MS);
  });
});

describe('the delay of outcomes', () => {
  it('is none where a clock is behind', () => {
    for (let n = 0; n < 30; n++) delays.add('helpful', -5_000);
    expect(delays.usualMs('helpful')).toBe(1);
  });

  it('is not moved by a few that come very late', () => {
    for (let n = 0; n < 96; n++) delays.add('helpful', 900);
    for (let n = 0; n < 4; n++) delays.add('helpful', 100 * HOUR_MS);
    expect(delays.usualMs('helpful')).toBe(1_024);
  });
});
