import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDuration,
  decodeHistogram,
  emptyHistogram,
  encodeHistogram,
  type Histogram,
  histogramCount,
  mergeHistogram,
  quantile,
  valueAtRank,
} from '../../src/analysis/histogram.ts';
import { quantileInterval } from '../../src/analysis/ranks.ts';
import { normal, seeded } from '../bench/stats/random.ts';

function histogramOf(values: readonly number[]): Histogram {
  const histogram = emptyHistogram();
  for (const value of values) addDuration(histogram, value);
  return histogram;
}

const durations = fc.array(fc.double({ min: 0.02, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('the latency histogram', () => {
  it('gives any quantile within one percent', () => {
    fc.assert(
      fc.property(durations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1]!;
        expect(Math.abs(quantile(histogramOf(values), q)! / exact - 1)).toBeLessThanOrEqual(0.01 + 1e-9);
      }),
    );
  });

  it('is the same whether filled at once or merged from isolates in any order', () => {
    fc.assert(
      fc.property(durations, durations, (a, b) => {
        const merged = histogramOf(b);
        mergeHistogram(merged, histogramOf(a));
        expect(encodeHistogram(merged)).toBe(encodeHistogram(histogramOf([...a, ...b])));
      }),
    );
  });

  it('comes back from its text unchanged', () => {
    fc.assert(
      fc.property(durations, (values) => {
        const histogram = histogramOf([...values, 0, 0.001]);
        const back = decodeHistogram(encodeHistogram(histogram))!;
        expect(encodeHistogram(back)).toBe(encodeHistogram(histogram));
        expect(histogramCount(back)).toBe(values.length + 2);
      }),
    );
  });

  it('stays small: a million latencies in well under a kilobyte', () => {
    const random = seeded(1);
    const histogram = emptyHistogram();
    for (let i = 0; i < 1_000_000; i++) addDuration(histogram, 80 * Math.exp(0.5 * normal(random)));
    expect(encodeHistogram(histogram).length).toBeLessThan(1000);
    expect(quantile(histogram, 0.5)).toBeGreaterThan(79);
    expect(quantile(histogram, 0.5)).toBeLessThan(81);
  });

  it('has a bounded number of buckets whatever it is given', () => {
    const histogram = emptyHistogram();
    for (let exponent = -30; exponent < 300; exponent++) addDuration(histogram, 1.9 ** exponent);
    addDuration(histogram, Number.POSITIVE_INFINITY);
    addDuration(histogram, -5);
    addDuration(histogram, Number.NaN);
    for (const index of histogram.buckets.keys()) expect(Math.abs(index)).toBeLessThan(1200);
    expect(histogramCount(histogram)).toBe(332);
  });

  it('says nothing where it knows nothing', () => {
    expect(quantile(emptyHistogram(), 0.5)).toBeNull();
    expect(quantileInterval(emptyHistogram(), 0.5)).toBeNull();
    expect([valueAtRank(histogramOf([5]), 0), valueAtRank(histogramOf([5]), 2)]).toEqual([null, null]);
    expect(quantile(histogramOf([0, 0, 7]), 0.5)).toBe(0);
  });

  it.each(['', 'x y', '1;', '1;2', '1;2:', '1;2:0', '1;zzz:1', '1;2:1,,1', '-1', '0;1:1e+3', '0;1:99999999999999'])(
    'refuses the text %j',
    (text) => {
      expect(decodeHistogram(text)).toBeNull();
    },
  );

  it('puts an interval around a quantile that holds the true one', () => {
    const random = seeded(4);
    let held = 0;
    for (let run = 0; run < 200; run++) {
      const interval = quantileInterval(histogramOf(Array.from({ length: 500 }, () => 1 + 99 * random())), 0.9)!;
      // The buckets may move each end by their 1 %.
      if (interval.lo * 0.99 <= 90.1 && 90.1 <= interval.hi * 1.01) held++;
    }
    expect(held).toBeGreaterThanOrEqual(186);
  });
});
