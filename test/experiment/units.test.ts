import { describe, expect, it } from 'vitest';
import { decodeHistogram, histogramCount } from '../../src/analysis/histogram.ts';
import { type Figures, SumChange, Sums } from '../../src/experiment/sums.ts';
import { Units } from '../../src/experiment/units.ts';
import type { Exposure } from '../../src/experiment/words.ts';
import { sqlStorage } from '../rollout/sqlite.ts';

const T0 = Date.parse('2026-11-23T10:00:00Z');
const HOUR = 3_600_000;
const hash = (n: number) => n.toString(16).padStart(16, '0');

function exposure(n: number, more: Partial<Exposure> = {}): Exposure {
  const variant = n % 2 === 0 ? 'blue' : 'green';
  return { unit: hash(n), variant, firstAtMs: T0, requests: 1, errors: 0, latencyMs: 10, firstByteMs: 5, ...more };
}

function world(sql = sqlStorage()) {
  const units = new Units(sql);
  const sums = new Sums(sql);
  const within = <T>(work: (change: SumChange) => T): T => {
    const change = new SumChange();
    const value = work(change);
    sums.apply(change);
    return value;
  };
  return {
    sql,
    units,
    sums,
    within,
    expose: (...exposures: Exposure[]) => within((change) => units.expose(exposures, change)),
    forget: (n: number) => within((change) => units.forget(hash(n), change)),
    of: (metric: string, variant = 'blue') => sums.read().metrics[metric]?.[variant],
  };
}

describe('a unit that was dealt', () => {
  const even = '{"blue":50,"green":50}';
  const ramped = '{"blue":90,"green":10}';

  it('is counted once, under the weights of its first visit, also where a later visit is heard of first', () => {
    const { expose, of } = world();
    expose(exposure(0, { weights: even }), exposure(2));
    expose(exposure(0, { weights: ramped }), exposure(2));
    expect([of(even), of(ramped)]).toMatchObject([{ nonZero: 1 }, undefined]);
    expose(exposure(2, { weights: ramped }), exposure(1, { weights: ramped }));
    expect(of(ramped)).toMatchObject({ nonZero: 1 });
    expect(of(ramped, 'green')).toMatchObject({ nonZero: 1 });
  });

  it('was dealt nevertheless when it is forgotten', () => {
    const { expose, forget, of } = world();
    expose(exposure(0, { weights: even }));
    expect(forget(0)).toBe(true);
    expect(of(even)).toMatchObject({ nonZero: 1 });
  });

  it('is there before its first answer has ended, with no time and no error of it', () => {
    const { expose, forget, sums, of } = world();
    const begun = { requests: 0, latencyMs: 0, firstByteMs: 0 };
    expose(exposure(0, { ...begun, weights: even }), exposure(2, { ...begun, weights: even }));
    expect(sums.read()).toMatchObject({ arms: { blue: { units: 2, requests: 0 } } });
    expect([of('known:latency'), of('known:error'), sums.read().spreads]).toEqual([undefined, undefined, undefined]);
    // The mean is of what did not fail.
    expose(exposure(0, { requests: 2, latencyMs: 9_000, errors: 1 }));
    expect(of('latency')).toMatchObject({ n: 2, sum: 9_000 });
    expect([of('known:latency'), of('known:error'), of('error')]).toMatchObject(Array(3).fill({ nonZero: 1 }));
    expect(histogramCount(decodeHistogram(sums.read().spreads!.latency!.blue!)!)).toBe(1);
    for (const n of [0, 2]) forget(n);
    expect(sums.read().arms.blue).toMatchObject({ units: 0, requests: 0 });
    expect([of('known:latency'), of('latency')]).toMatchObject(Array(2).fill({ nonZero: 0, sum: 0 }));
  });
});

describe('a batch', () => {
  it('is written in texts under the platform’s 2 MB, whatever the declared values of ten segments are', () => {
    const sql = sqlStorage();
    let longest = 0;
    const exec = (query: string, ...bindings: unknown[]) => {
      for (const one of bindings) longest = Math.max(longest, new TextEncoder().encode(String(one)).length);
      return sql.exec(query, ...bindings);
    };
    const { expose } = world({ exec } as SqlStorage);
    const segmentOf = (n: number) =>
      Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`${at}`, `${n % 10}`.padEnd(512, '\u0001')]));
    expose(...Array.from({ length: 120 }, (_, n) => exposure(n, { segment: segmentOf(n), retries: 1 })));
    expect(longest).toBeGreaterThan(500_000);
    expect(longest).toBeLessThan(2_000_000);
  });
});

describe('what responses tell of a unit', () => {
  it('counts once whom an earlier deployment timed in failures too', () => {
    const { sql, expose, forget, of } = world();
    sql.exec(`INSERT INTO units VALUES ('${hash(0)}', 'blue', ${T0}, 1, 1, 300, 300, '{}', '');
      INSERT INTO arms VALUES ('blue', 1, 1, 0);
      INSERT INTO sums VALUES ('blue', 'latency', 300, 90000, 27000000, 1), ('blue', 'known:latency', 1, 1, 1, 1)`);
    expose(exposure(0, { latencyMs: 20 }));
    expect(of('known:latency')).toMatchObject({ nonZero: 1, sum: 1 });
    expect(of('latency')).toMatchObject({ nonZero: 1, sum: 320 });
    forget(0);
    expect([of('known:latency'), of('latency')]).toMatchObject(Array(2).fill({ nonZero: 0, sum: 0 }));
  });

  it('is whether it came back, a day or more after its first exposure, in whatever order that is heard', () => {
    const { expose, of } = world();
    expose(
      exposure(0, { firstAtMs: T0 + 24 * HOUR, lastAtMs: T0 + 25 * HOUR }),
      exposure(2, { lastAtMs: T0 + 23 * HOUR }),
    );
    expect(of('returned')).toBeUndefined();
    expose(exposure(0), exposure(2, { firstAtMs: T0 + HOUR, lastAtMs: T0 + 24 * HOUR - 1 }));
    expect(of('returned')).toMatchObject({ n: 2, sum: 1 });
    expose(exposure(2, { variant: 'green', firstAtMs: T0 + 24 * HOUR }));
    expect(of('returned')).toMatchObject({ n: 2, sum: 2 });
  });

  it('is whether it ever asked the same again, once a unit', () => {
    const { expose, of } = world();
    expose(exposure(0, { retries: 2 }), exposure(2));
    expose(exposure(0, { retries: 1 }));
    expect(of('retry')).toMatchObject({ n: 2, sum: 1, nonZero: 1 });
  });

  it('is the mean of what its answers used, of those that name it', () => {
    const { expose, of } = world();
    expose(exposure(0, { used: { answers: 2, tokensOut: 60, priced: 1, cost: 0.5 } }), exposure(2));
    expose(exposure(0, { requests: 3, used: { answers: 1, tokensOut: 30, priced: 0, cost: 0 } }));
    expect(of('tokensOut')).toMatchObject({ sum: 30 });
    expect(of('cost')).toMatchObject({ sum: 0.5 });
    expect(of('known:tokensOut')).toMatchObject({ n: 2, nonZero: 1 });
    expect(of('known:cost')).toMatchObject({ nonZero: 1 });
  });

  it('knows an answer of no tokens from one that names none', () => {
    const { expose, of } = world();
    expose(exposure(0, { used: { answers: 1, tokensOut: 0, priced: 0, cost: 0 } }));
    expect(of('known:tokensOut')).toMatchObject({ nonZero: 1 });
    expect(of('known:cost')).toBeUndefined();
  });

  it('lies among the times of its arm, one for each unit', () => {
    const { expose, forget, sums } = world();
    expose(exposure(0, { latencyMs: 100 }), exposure(2, { latencyMs: 400 }));
    expose(exposure(0, { latencyMs: 300 }));
    const spread = () => decodeHistogram(sums.read().spreads!.latency!.blue!)!;
    expect(histogramCount(spread())).toBe(2);
    const estimates = [...spread().buckets.keys()].map((index) =>
      Math.round((2 * 1.0202020202 ** index) / 2.0202020202),
    );
    for (const [at, ms] of [400, 200].entries())
      expect(Math.abs(estimates.toSorted((a, b) => b - a)[at]! - ms)).toBeLessThan(ms / 50);
    forget(2);
    expect(histogramCount(spread())).toBe(1);
  });

  it('leaves nothing behind when the unit is forgotten', () => {
    const { expose, forget, sums } = world();
    const used = { answers: 1, tokensOut: 3, priced: 1, cost: 0.1 };
    const segment = { plan: 'pro' };
    expose(exposure(0, { errors: 1, retries: 1, lastAtMs: T0 + 48 * HOUR, used, segment }));
    expect(forget(0)).toBe(true);
    const zero = (figures: Figures) => Object.values(figures.metrics).flatMap((arms) => Object.values(arms));
    const left = [...zero(sums.read()), ...Object.values(sums.readSlices()).flatMap(zero)];
    expect(left.length).toBeGreaterThan(8);
    for (const { n, sum, nonZero } of left) expect([n, Math.abs(sum) < 1e-12, nonZero]).toEqual([0, true, 0]);
  });
});

describe('the slices of the declared segments', () => {
  it('count units and what they did apart', () => {
    const { expose, within, units, sums } = world();
    expose(exposure(0, { segment: { plan: 'pro' } }), exposure(2, { segment: { plan: 'free' } }), exposure(4));
    const { slices } = units.exposureOf(hash(0))!;
    within((change) => change.within(slices[0]!).value('blue', 'helpful', 0, 1));
    const { 'plan=pro': pro, 'plan=free': free } = sums.readSlices();
    expect(pro).toMatchObject({ arms: { blue: { units: 1 } }, metrics: { helpful: { blue: { n: 1, sum: 1 } } } });
    expect(free).toMatchObject({ arms: { blue: { units: 1 } }, metrics: { latency: { blue: { n: 1, sum: 10 } } } });
    expect(sums.read().arms.blue!.units).toBe(3);
  });

  it('are ten and other, and a unit stays where its first exposure put it', () => {
    const { expose, sums, units } = world();
    for (let n = 0; n < 15; n++) expose(exposure(2 * n, { segment: { plan: `v${n}` } }));
    expose(exposure(0, { segment: { plan: 'v14' } }), exposure(100, { segment: { plan: 'v3' } }));
    const counted = Object.entries(sums.readSlices()).map(([slice, { arms }]) => [slice, arms.blue!.units]);
    expect(counted).toHaveLength(11);
    expect(Object.fromEntries(counted)).toMatchObject({ 'plan=v0': 1, 'plan=v3': 2, 'plan=v9': 1, 'plan=other': 5 });
    expect(units.exposureOf(hash(0))!.slices).toEqual(['plan=v0']);
  });

  it('get what a unit did before its exposure was heard of', () => {
    const { expose, within, units, sums } = world();
    within((change) => {
      units.begin(hash(0), 'blue', T0, change);
      units.setValue(hash(0), 'helpful', { total: 1, counted: 1 });
      change.value('blue', 'helpful', 0, 1);
    });
    expose(exposure(0, { segment: { plan: 'pro' } }));
    expect(sums.readSlices()['plan=pro']).toMatchObject({ metrics: { helpful: { blue: { n: 1, sum: 1 } } } });
  });
});
