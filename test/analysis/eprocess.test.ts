import { describe, expect, it } from 'vitest';
import {
  addConcurrentTick,
  addReferenceTick,
  addTick,
  type EProcess,
  judgedByReference,
  logE,
  logMeanExp,
  pAnytime,
  startEProcess,
  THETAS,
} from '../../src/analysis/eprocess.ts';

const repeat = (times: number, step: (process: EProcess) => EProcess): EProcess => {
  let process = startEProcess();
  for (let i = 0; i < times; i++) process = step(process);
  return process;
};

describe('the count e-process', () => {
  it('bets on 24 ratios from 1.1 to 64', () => {
    expect(THETAS).toHaveLength(24);
    expect(THETAS[0]).toBeCloseTo(1.1, 12);
    expect(THETAS[23]).toBeCloseTo(64, 10);
    expect(THETAS[1]! / THETAS[0]!).toBeCloseTo(THETAS[23]! / THETAS[22]!, 10);
  });

  it('has an expected value of one under equal rates, tick by tick', () => {
    // All 2^… outcomes of a small tick, weighed by their chance: the mean of E must be exactly 1.
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
    const bad = 6;
    const w = 0.2;
    let mean = 0;
    for (let kc = 0; kc <= bad; kc++) {
      const process = addConcurrentTick(startEProcess(), { nc: 20, kc, nb: 80, kb: bad - kc });
      mean += choose(bad, kc) * w ** kc * (1 - w) ** (bad - kc) * Math.exp(logE(process));
    }
    expect(mean).toBeCloseTo(1, 12);
  });

  it('has an expected value of at most one against a reference rate that holds', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k);
    const p0 = 0.05;
    let mean = 0;
    for (let kc = 0; kc <= 30; kc++) {
      const chance = choose(30, kc) * p0 ** kc * (1 - p0) ** (30 - kc);
      mean += chance * Math.exp(logE(addReferenceTick(startEProcess(), { nc: 30, kc }, p0)));
    }
    expect(mean).toBeLessThanOrEqual(1);
    expect(mean).toBeGreaterThan(0.05);
  });

  it('is not moved by an outage that both arms share', () => {
    const process = repeat(100, (before) => addConcurrentTick(before, { nc: 50, kc: 25, nb: 950, kb: 475 }));
    expect(logE(process)).toBeLessThan(0);
  });

  it('charges the same outage to a candidate that has no concurrent baseline', () => {
    expect(logE(addReferenceTick(startEProcess(), { nc: 50, kc: 25 }, 0.01))).toBeGreaterThan(Math.log(200));
  });

  it('does not overflow however bad the candidate is', () => {
    const process = repeat(10_000, (before) => addConcurrentTick(before, { nc: 500, kc: 500, nb: 500, kb: 0 }));
    expect(Number.isFinite(logE(process))).toBe(true);
    expect(logE(process)).toBeGreaterThan(1e6);
    expect(pAnytime(process)).toBe(0);
  });

  it('survives storage as JSON without a change', () => {
    const process = repeat(3, (before) => addConcurrentTick(before, { nc: 50, kc: 3, nb: 950, kb: 9 }));
    expect(JSON.parse(JSON.stringify(process))).toEqual(process);
  });

  it('keeps the smallest p-value after the evidence has faded', () => {
    const strong = repeat(3, (before) => addConcurrentTick(before, { nc: 50, kc: 5, nb: 950, kb: 10 }));
    let faded = strong;
    for (let i = 0; i < 500; i++) faded = addConcurrentTick(faded, { nc: 50, kc: 0, nb: 950, kb: 10 });
    expect(logE(faded)).toBeLessThan(logE(strong));
    expect(pAnytime(faded)).toBe(pAnytime(strong));
  });

  it.each([
    { nc: 500, nb: 19, reference: true, why: 'the baseline is nearly gone' },
    { nc: 500, nb: 20, reference: false, why: 'the baseline still answers enough' },
    { nc: 3, nb: 0, reference: true, why: 'the baseline is gone' },
    { nc: 37, nb: 19, reference: false, why: 'less than two to one is a comparison at little traffic too' },
    { nc: 38, nb: 19, reference: true, why: 'two to one at little traffic is hardly one' },
    { nc: 1, nb: 15, reference: false, why: 'a small service is thin on both arms, and shares its outages' },
  ])('uses the earlier rate: $reference for $nc against $nb trials, since $why', ({ nc, nb, reference }) => {
    expect(judgedByReference({ nc, nb })).toBe(reference);
    const tick = { nc, kc: 1, nb, kb: 0 };
    const expected = reference
      ? addReferenceTick(startEProcess(), tick, 0.01)
      : addConcurrentTick(startEProcess(), tick);
    expect(addTick(startEProcess(), tick, 0.01)).toEqual(expected);
    expect(addTick(startEProcess(), tick, null)).toEqual(addConcurrentTick(startEProcess(), tick));
  });

  it('averages exponentials that no double can hold', () => {
    expect(logMeanExp([1000, 1000])).toBe(1000);
    expect(logMeanExp([-2000, -2000, -2000])).toBe(-2000);
    expect(logMeanExp([Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
  });
});
