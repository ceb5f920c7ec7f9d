import { describe, expect, it } from 'vitest';
import { type Arms, type Comparison, decideTogether } from '../../src/analysis/hybrid.ts';
import { addUnit, type Moments, NO_MOMENTS } from '../../src/analysis/means.ts';
import { normal, seeded } from '../bench/stats/random.ts';

const conversions = (n: number, baseline: number, variant: number): Arms => ({
  kind: 'conversion',
  baseline: { n, bad: baseline },
  variant: { n, bad: variant },
});

const compare = (arms: Arms, more: Partial<Comparison> = {}): Comparison => ({
  arms,
  plannedUnits: 20_000,
  goal: 'increase',
  atPlanned: null,
  early: null,
  ...more,
});

const decide = (comparison: Comparison) => decideTogether([comparison])[0]!;

function spending(mean: number, n: number, seed: number): Moments {
  const random = seeded(seed);
  let moments: Moments = NO_MOMENTS;
  for (let i = 0; i < n; i++) moments = addUnit(moments, mean * Math.exp(0.5 * normal(random)));
  return moments;
}

describe('an experiment', () => {
  it('keeps running while nothing is certain, and says how far it is', () => {
    const finding = decide(compare(conversions(6200, 620, 650)));
    expect(finding).toMatchObject({ state: 'keep running', label: 'keep running: 62 %', by: null });
    expect(finding.interval[0]).toBeLessThan(0);
    expect(finding.interval[1]).toBeGreaterThan(0);
  });

  it('stops early on a difference that no amount of peeking explains', () => {
    expect(decide(compare(conversions(5000, 500, 700)))).toMatchObject({ state: 'better', by: 'early' });
    expect(decide(compare(conversions(5000, 500, 700), { goal: 'decrease' })).state).toBe('worse');
    expect(decide(compare(conversions(5000, 700, 500))).state).toBe('worse');
  });

  it('does not stop early on what a fixed test, looked at once, would have called significant', () => {
    const finding = decide(compare(conversions(5000, 500, 570)));
    expect(finding.state).toBe('keep running');
  });

  it('decides at the planned size by the fixed test at 4 %', () => {
    const done = conversions(10_000, 1000, 1090);
    expect(decide(compare(done, { atPlanned: done }))).toMatchObject({ state: 'better', by: 'final' });
    const close = conversions(10_000, 1000, 1085);
    expect(decide(compare(close, { atPlanned: close }))).toMatchObject({ state: 'no difference found', by: 'final' });
  });

  it('is not reopened by data that comes after the planned size', () => {
    const atPlanned = conversions(10_000, 1000, 1010);
    const later = decide(compare(conversions(12_000, 1200, 1330), { atPlanned }));
    expect(later).toMatchObject({ state: 'no difference found', difference: expect.closeTo(0.001, 9) });
  });

  it('remembers the smallest early p-value of all looks', () => {
    const first = decide(compare(conversions(5000, 500, 620)));
    const second = decide(compare(conversions(6000, 600, 640), { early: first.early }));
    expect(second.early).toBe(first.early);
  });

  it('stays with the side that it was decided for early, whatever comes later', () => {
    const first = decide(compare(conversions(5000, 500, 700)));
    const turned = compare(conversions(6000, 900, 840), { early: first.early });
    expect(decide(turned)).toMatchObject({ state: 'better', by: 'early', difference: expect.closeTo(-0.01, 9) });
    expect(decide({ ...turned, goal: 'decrease' }).state).toBe('worse');
    const stronger = decide(compare(conversions(6000, 900, 500), { early: first.early }));
    expect(stronger.state).toBe('worse');
  });

  it('says nothing with fewer than 25 successes in an arm, however far apart', () => {
    const few = conversions(400, 0, 24);
    expect(decide(compare(few)).label).toBe('keep running: 4 %, fewer than 25 successes or failures in an arm');
    expect(decide(compare(few, { atPlanned: few }))).toMatchObject({ state: 'no difference found', p: 1, by: null });
    expect(decide(compare(conversions(400, 376, 400))).state).toBe('keep running');
  });

  it('says nothing of means with fewer than 100 units that have a value', () => {
    const arms: Arms = { kind: 'mean', baseline: spending(10, 99, 1), variant: spending(90, 5000, 2) };
    expect(decide(compare(arms)).label).toContain('fewer than 100 units with a value');
    const enough: Arms = { kind: 'mean', baseline: spending(10, 200, 1), variant: spending(90, 5000, 2) };
    const finding = decide(compare(enough));
    expect(finding).toMatchObject({ state: 'better', by: 'early' });
    expect(finding.lift).toBeGreaterThan(7);
    expect(finding.lift).toBeLessThan(9);
  });

  it('gives means a finite interval however few of the planned units are there, and no narrower one the fewer they are', () => {
    const arms: Arms = { kind: 'mean', baseline: spending(10, 125, 1), variant: spending(10, 125, 2) };
    const widths = [1e5, 4e5, 1e6, 1e9, 1e12].map((plannedUnits) => {
      const [low, high] = decide({ ...compare(arms), plannedUnits }).interval;
      return high - low;
    });
    expect(widths.every(Number.isFinite)).toBe(true);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
  });

  it('gives means an interval that agrees with their decision', () => {
    for (const [seed, mean] of [10, 10.2, 10.4, 10.6, 9.6].entries()) {
      const arms: Arms = {
        kind: 'mean',
        baseline: spending(10, 4000, 50 + seed),
        variant: spending(mean, 400, 70 + seed),
      };
      const finding = decide(compare(arms, { plannedUnits: 4400, atPlanned: arms }));
      const excludesZero = finding.interval[0] > 0 || finding.interval[1] < 0;
      expect(excludesZero).toBe(finding.by === 'final' && finding.state !== 'no difference found');
    }
  });

  it('has nothing to show, and no NaN, before the first unit', () => {
    const empty = decide(compare({ kind: 'mean', baseline: NO_MOMENTS, variant: NO_MOMENTS }));
    expect(empty).toMatchObject({ state: 'keep running', difference: 0, lift: null, interval: [0, 0], p: 1 });
    expect(decide(compare(conversions(0, 0, 0)))).toMatchObject({ state: 'keep running', interval: [0, 0] });
  });

  it('asks more of each primary metric when there are several', () => {
    const done = conversions(10_000, 1000, 1090);
    const nothing = conversions(10_000, 1000, 1001);
    const one = compare(done, { atPlanned: done });
    const other = compare(nothing, { atPlanned: nothing });
    expect(decideTogether([one])[0]!.state).toBe('better');
    expect(decideTogether([one, other]).map(({ state }) => state)).toEqual([
      'no difference found',
      'no difference found',
    ]);
  });
});
