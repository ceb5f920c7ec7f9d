import { describe, expect, it } from 'vitest';
import { addSightings, closeTicks, type Sighting, startUnitEvidence } from '../../src/analysis/units.ts';
import { type Dealing, experiment, ratioAlarms, type Trial } from '../bench/stats/experiments.ts';
import { seeded } from '../bench/stats/random.ts';
import { rollOut, secondsToStop, type Traffic, World, watchBaseline } from '../bench/stats/rollouts.ts';
import { CANARY, good, regression, sharedOutages } from '../bench/stats/scenarios.ts';

/** Short forms of test/bench/stats/run.ts: few runs, wide limits, the same code. */
const each = <T>(n: number, run: (seed: number) => T): T[] => Array.from({ length: n }, (_, i) => run(i + 1));
const median = (values: (number | null)[]) =>
  values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)[values.length >> 1]!;

describe('a good canary', () => {
  it.each(Object.entries(good(20)))('is not stopped in four hours of looking: %s', (_, traffic) => {
    const stops = each(4, (seed) =>
      secondsToStop(new World(seeded(seed), traffic, 'unit'), { shares: [0.05], per: 'unit' }, 4 * 3600),
    );
    expect(stops).toEqual([null, null, null, null]);
  });

  it('would be stopped often if every request of clustered errors counted', () => {
    const traffic = good(20)['clustered errors']!;
    const stops = each(10, (seed) =>
      secondsToStop(new World(seeded(seed), traffic, 'request'), { shares: [0.05], per: 'request' }, 8 * 3600),
    );
    expect(stops.filter((seconds) => seconds !== null).length).toBeGreaterThanOrEqual(2);
  });

  it('is promoted', () => {
    const traffic = good(100)['new visitors']!;
    const ends = each(5, (seed) => rollOut(new World(seeded(seed), traffic, 'unit'), CANARY).end);
    expect(ends).toEqual(Array(5).fill('promoted'));
  });

  it.each([0, 6])('survives a blue-green switch that is judged by the hour before, with %i s of lag', (lagSeconds) => {
    const traffic = good(100)['20 clients always fail']!;
    const ends = each(3, (seed) => {
      const world = new World(seeded(seed), traffic, 'unit');
      const { before, looks } = watchBaseline(world, 3600);
      return rollOut(world, { shares: [1], forSeconds: 600, per: 'unit', before, lagSeconds }, looks).end;
    });
    expect(ends).toEqual(['promoted', 'promoted', 'promoted']);
  });
});

describe('a bad canary at 5 % of 100 requests a second', () => {
  it.each([
    { bad: 0.05, per: 'unit', seconds: 90 },
    { bad: 0.05, per: 'request', seconds: 60 },
    { bad: 0.2, per: 'unit', seconds: 25 },
    { bad: 1, per: 'unit', seconds: 10 },
  ] as const)('with $bad errors is stopped within $seconds s (median, by $per)', ({ bad, per, seconds }) => {
    const traffic = regression({ kind: 'fresh' }, bad);
    const found = each(40, (seed) =>
      secondsToStop(new World(seeded(seed), traffic, per), { shares: [0.05], per }, 600),
    );
    expect(median(found)).toBeLessThanOrEqual(seconds);
  });

  it.each<[string, Traffic]>([
    ['new visitors', regression({ kind: 'fresh' }, 0.02)],
    ['heavy users', regression({ kind: 'zipf', n: 5000 }, 0.02)],
    ['an outage that both arms share', sharedOutages(regression({ kind: 'fresh' }, 0.02))],
  ])('that doubles the errors is never promoted: %s', (_, traffic) => {
    const ends = each(30, (seed) => rollOut(new World(seeded(seed), traffic, 'unit'), CANARY).end);
    expect(ends.filter((end) => end === 'promoted')).toEqual([]);
  });
});

describe('a bad version that is switched to at 10 requests a second', () => {
  it.each([
    { bad: 0.05, lagSeconds: 6 },
    { bad: 0.2, lagSeconds: 6 },
  ])('is taken back: $bad errors, $lagSeconds s until all isolates know', ({ bad, lagSeconds }) => {
    const traffic = { ...regression({ kind: 'fresh' }, bad), requestsPerSecond: 10 };
    const ends = each(6, (seed) => {
      const world = new World(seeded(seed), traffic, 'unit');
      const { before, looks } = watchBaseline(world, 3600);
      return rollOut(world, { shares: [1], forSeconds: 600, per: 'unit', before, lagSeconds }, looks).end;
    });
    expect(ends).toEqual(Array(6).fill('aborted'));
  });
});

describe('the simulation', () => {
  it('counts units exactly as the product does', () => {
    const sightings = new Map<number, Sighting[]>();
    const traffic = { ...good(50)['20 clients always fail']!, clients: { kind: 'flat', n: 300 } as const };
    const world = new World(seeded(3), traffic, 'unit', (tick, unit, candidate, bad) => {
      const variant = candidate ? 'green' : 'blue';
      const seen = { unit: unit.toString(16).padStart(16, '0'), variant, active: 1, bad: bad ? 1 : 0 };
      sightings.set(tick, [...(sightings.get(tick) ?? []), seen]);
    });
    const evidence = startUnitEvidence(1);
    for (let tick = 0; tick < 20; tick++) {
      const expected = { green: { n: 0, bad: 0 }, blue: { n: 0, bad: 0 } };
      for (let look = 5 * tick; look < 5 * tick + 5; look++) {
        const { nc, kc, nb, kb } = world.look(look, 0.3);
        expected.green = { n: expected.green.n + nc, bad: expected.green.bad + kc };
        expected.blue = { n: expected.blue.n + nb, bad: expected.blue.bad + kb };
      }
      addSightings(evidence, tick, sightings.get(tick)!);
      expect(closeTicks(evidence, tick)[0]!.counts[0]).toEqual(expected);
    }
  });
});

describe('an experiment that is looked at 336 times', () => {
  const conversion = (variant: number, share = 0.5): Trial => ({
    plannedUnits: share === 0.5 ? 29_502 : 40_000,
    share,
    metric: { kind: 'conversion', baseline: 0.1, variant },
  });
  const won = ({ state }: { state: string }) => state === 'better' || state === 'worse';

  it.each<[string, Trial, number]>([
    ['conversions', conversion(0.1), 400],
    ['conversions at 5/95', conversion(0.1, 0.05), 400],
    ['means', { plannedUnits: 4000, share: 0.5, metric: { kind: 'mean', lift: 0 } }, 80],
    ['capped revenue at 5/95', { plannedUnits: 20_000, share: 0.05, metric: { kind: 'revenue', cap: 100 } }, 50],
    ['clustered requests', { plannedUnits: 4000, share: 0.5, metric: { kind: 'clustered' } }, 50],
  ])('finds next to nothing where there is nothing: %s', (_, trial, runs) => {
    const wins = each(runs, (seed) => experiment(seeded(1000 + seed), trial)).filter(won).length;
    // 5.5 % and three standard errors of so few runs.
    expect(wins / runs).toBeLessThan(0.055 + 3 * Math.sqrt((0.055 * 0.945) / runs));
  });

  it('finds a true difference nearly as often as one fixed test would', () => {
    const decisions = each(400, (seed) => experiment(seeded(seed), conversion(0.11)));
    const hybrid = decisions.filter(({ state }) => state === 'better').length;
    const fixed = decisions.filter(({ fixedWins }) => fixedWins).length;
    expect(hybrid).toBeGreaterThan(fixed - 16);
    expect(hybrid / 400).toBeGreaterThan(0.7);
  });

  it('finds a split of 52/48 by 15,000 units, and leaves fair ones in peace, also when their weights change', () => {
    const dealing = (units: number, asked: number, real = asked): Dealing => ({ asked, real, units });
    const rung = (runs: number, dealings: Dealing[]) =>
      each(runs, (seed) => ratioAlarms(seeded(seed), dealings)).filter((one) => one.final || one.sequentialAt !== null);
    expect(rung(200, [dealing(15_000, 0.5)])).toEqual([]);
    expect(rung(200, [dealing(5_000, 0.1), dealing(10_000, 0.5)])).toEqual([]);
    expect(rung(200, [dealing(15_000, 0.5, 0.48)]).length).toBeGreaterThan(170);
  });
});
