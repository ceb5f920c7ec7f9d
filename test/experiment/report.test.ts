import { describe, expect, it } from 'vitest';
import type { Moments } from '../../src/analysis/means.ts';
import type { Reached } from '../../src/experiment/closing.ts';
import { DEFAULT_PLANNED_UNITS } from '../../src/experiment/limits.ts';
import { type Looks, lookAtRatio, reportOf, type SampleRatio } from '../../src/experiment/report.ts';
import type { Figures } from '../../src/experiment/sums.ts';
import type { ExperimentPlan, PlannedMetric } from '../../src/experiment/words.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-23T10:00:00Z');
const helpful: PlannedMetric = { name: 'helpful', role: 'primary', kind: 'conversion', goal: 'increase' };
const plan: ExperimentPlan = {
  id: 'e-1',
  baseline: 'blue',
  weights: { blue: 50, green: 50 },
  definitions: {},
  plannedUnits: 20_000,
  grace: { declaredMs: null, outcomes: ['helpful'] },
  metrics: [helpful],
};

const moments = (n: number, successes: number): Moments => ({
  n,
  sum: successes,
  sumSquares: successes,
  sumCubes: successes,
  nonZero: successes,
});

/** Arms by variant: units and how many of them were helped. */
function figures(arms: Record<string, [units: number, successes: number]>, metric = 'helpful'): Figures {
  const entries = Object.entries(arms);
  return {
    arms: Object.fromEntries(entries.map(([name, [units]]) => [name, { units, requests: units, crossovers: 0 }])),
    metrics: { [metric]: Object.fromEntries(entries.map(([name, [units, hits]]) => [name, moments(units, hits)])) },
  };
}

interface More {
  plan?: ExperimentPlan;
  atPlanned?: Figures;
  looks?: Looks;
  reached?: Reached;
  slices?: Record<string, Figures>;
  /** All units, where some came later. */
  arms?: Figures['arms'];
}

function look(now: Figures, more: More = {}) {
  const asked = more.plan ?? plan;
  return reportOf({
    plan: asked,
    now,
    arms: more.arms ?? now.arms,
    reached: more.reached ?? null,
    slices: more.slices,
    atPlanned: more.atPlanned ?? null,
    looks: more.looks ?? null,
    began: null,
    sinceMs: NOW - 2 * DAY_MS,
    nowMs: NOW,
  });
}

describe('a report', () => {
  it('says how far a running experiment is, and how many days it needs at the measured rate', () => {
    const { report } = look(figures({ blue: [6200, 620], green: [6200, 650] }));
    expect(report).toMatchObject({
      id: 'e-1',
      plannedUnits: 20_000,
      units: { blue: 6200, green: 6200 },
      unitsPerDay: 6200,
    });
    expect(report.daysLeft).toBeCloseTo((20_000 - 12_400) / 6200, 6);
    expect(report.metrics[0]).toMatchObject({
      state: 'keep running: 62 %',
      arms: { blue: { n: 6200, successes: 620, mean: 0.1 }, green: { n: 6200, successes: 650 } },
    });
    const [low, high] = report.metrics[0]!.interval;
    expect(low < report.metrics[0]!.difference && report.metrics[0]!.difference < high).toBe(true);
  });

  it('decides early only on what no peeking explains, and keeps the strongest look', () => {
    const strong = look(figures({ blue: [5000, 500], green: [5000, 700] }));
    expect(strong.report.metrics[0]).toMatchObject({ state: 'better', by: 'early' });
    const later = look(figures({ blue: [6000, 600], green: [6000, 640] }), { looks: strong.looks });
    expect(later.report.metrics[0]).toMatchObject({ state: 'better', by: 'early' });
    expect(look(figures({ blue: [6000, 600], green: [6000, 640] })).report.metrics[0]!.state).toBe(
      'keep running: 60 %',
    );
  });

  it('begins anew for a metric that has become one of another kind', () => {
    const strong = look(figures({ blue: [5000, 500], green: [5000, 700] }));
    const mean = { ...plan, metrics: [{ ...helpful, kind: 'mean' as const }] };
    const later = look(figures({ blue: [6000, 600], green: [6000, 640] }), { looks: strong.looks, plan: mean });
    expect(later.report.metrics[0]!.state).toBe('keep running: 60 %');
  });

  it('decides at the planned size on what was frozen then', () => {
    const atPlanned = figures({ blue: [10_000, 1000], green: [10_000, 1090] });
    const now = figures({ blue: [15_000, 1500], green: [15_000, 1200] });
    const { report } = look(now, { atPlanned });
    expect(report.metrics[0]).toMatchObject({ state: 'better', by: 'final', arms: { green: { successes: 1090 } } });
    expect(report).toMatchObject({ units: { green: 15_000 }, daysLeft: 0 });
  });

  it('waits for late outcomes of the planned units before it makes the final test, and says until when', () => {
    const now = figures({ blue: [10_000, 1000], green: [10_000, 1090] });
    const reached = { atMs: NOW, closesAtMs: NOW + DAY_MS };
    const open = look(now, { reached }).report;
    expect(open).toMatchObject({ closed: false, closesAt: '2026-11-24T10:00:00.000Z', daysLeft: 0 });
    expect(open.metrics[0]).toMatchObject({
      state: 'keep running: 99 %',
      label: 'keep running: 99 %, late outcomes count until 2026-11-24 10:00 UTC',
      by: null,
    });
    expect(open.notes.join()).toContain('Figures close on 2026-11-24 10:00 UTC');
    const closed = look(now, { reached, atPlanned: now }).report;
    expect(closed).toMatchObject({ closed: true, notes: [] });
    expect(closed.metrics[0]).toMatchObject({ state: 'better', by: 'final' });
  });

  it('keeps the rate at which the planned units came, however long ago that was', () => {
    const now = figures({ blue: [10_000, 1000], green: [10_000, 1090] });
    const later = figures({ blue: [11_000, 1000], green: [11_000, 1090] });
    const reached = { atMs: NOW - DAY_MS, closesAtMs: NOW - DAY_MS, planned: 20_000 };
    const { report } = look(now, { reached, atPlanned: now, arms: later.arms });
    expect(report).toMatchObject({ units: { blue: 11_000 }, unitsPerDay: 20_000, daysLeft: 0 });
  });

  it('goes by the size that was reached, also when the config says another later, and says so', () => {
    const now = figures({ blue: [10_000, 1000], green: [10_000, 1090] });
    const reached = { atMs: NOW, closesAtMs: NOW, planned: 20_000 };
    const raised = look(now, { reached, atPlanned: now, plan: { ...plan, plannedUnits: 50_000 } }).report;
    expect(raised).toMatchObject({ plannedUnits: 20_000, daysLeft: 0 });
    const note = 'The size was reached at 20000 units; another plannedUnits needs another id.';
    expect(raised.notes).toEqual([note]);
  });

  it('asks more of each primary metric when there are several, and nothing of secondary ones', () => {
    const frozen = figures({ blue: [10_000, 1000], green: [10_000, 1090] });
    frozen.metrics.other = figures({ blue: [10_000, 1000], green: [10_000, 1001] }, 'other').metrics.other!;
    const other = { ...helpful, name: 'other' };
    const both = { ...plan, metrics: [helpful, other] };
    const states = (asked: ExperimentPlan) =>
      look(frozen, { plan: asked, atPlanned: frozen }).report.metrics.map(({ state }) => state);
    expect(states(both)).toEqual(['no difference found', 'no difference found']);
    expect(states({ ...plan, metrics: [helpful, { ...other, role: 'secondary' }] })[0]).toBe('better');
  });

  it('calls fewer errors better where the goal is to decrease', () => {
    const error: PlannedMetric = { name: 'error', role: 'primary', kind: 'conversion', goal: 'decrease' };
    const { report } = look(figures({ blue: [5000, 700], green: [5000, 500] }, 'error'), {
      plan: { ...plan, metrics: [error] },
    });
    expect(report.metrics[0]!.state).toBe('better');
  });

  it('holds each of several variants against the baseline', () => {
    const three = { ...plan, weights: { blue: 40, green: 30, red: 30 } };
    const { report } = look(figures({ blue: [4000, 400], green: [3000, 300], red: [3000, 480] }), { plan: three });
    expect(report.metrics.map(({ variant, state }) => [variant, state])).toEqual([
      ['green', 'keep running: 50 %'],
      ['red', 'better'],
    ]);
  });

  it('takes a size where the config plans none, and says so', () => {
    const { report } = look(figures({ blue: [10, 1], green: [10, 1] }), { plan: { ...plan, plannedUnits: null } });
    expect(report.plannedUnits).toBe(DEFAULT_PLANNED_UNITS);
    expect(report.notes.join()).toContain('plannedUnits');
  });

  it('has arms of nobody before the first unit', () => {
    const { report } = look({ arms: {}, metrics: {} });
    expect(report).toMatchObject({
      units: { blue: 0, green: 0 },
      unitsPerDay: null,
      daysLeft: null,
      sampleRatio: { p: 1, alarm: false },
    });
    expect(report.metrics[0]).toMatchObject({ state: 'keep running: 0 %', p: 1, difference: 0 });
  });
});

describe('what a report shows beside its verdicts', () => {
  it('is the chance of each arm to be best, which changes no state', () => {
    const { report } = look(figures({ blue: [6200, 620], green: [6200, 690] }));
    const { arms, state } = report.metrics[0]!;
    expect(state).toBe('keep running: 62 %');
    expect(arms.green!.pBest! > 0.95 && arms.blue!.pBest! < 0.05).toBe(true);
    expect(arms.blue!.pBest! + arms.green!.pBest!).toBeCloseTo(1, 6);
  });

  it('counts for tokens and cost only the units of which they are known', () => {
    const cost: PlannedMetric = { name: 'cost', role: 'primary', kind: 'mean', goal: 'decrease', ofKnown: true };
    const of = (sum: number) => ({ n: 1_000, sum, sumSquares: sum, sumCubes: sum, nonZero: 250 });
    const now = figures({ blue: [1_000, 0], green: [1_000, 0] });
    now.metrics = {
      cost: { blue: of(250), green: of(500) },
      'known:cost': { blue: moments(1_000, 250), green: moments(1_000, 400) },
    };
    const { report } = look(now, { plan: { ...plan, metrics: [cost] } });
    expect(report.metrics[0]!.arms).toMatchObject({ blue: { n: 250, mean: 1 }, green: { n: 400, mean: 1.25 } });
  });
});

describe('the segments of a report', () => {
  const segmented: ExperimentPlan = {
    ...plan,
    segments: ['plan', 'device'],
    metrics: [helpful, { ...helpful, name: 'other', role: 'secondary' }],
  };
  const slices = {
    'plan=free': figures({ blue: [3000, 300], green: [3000, 480] }),
    'plan=a=b': figures({ blue: [4000, 400], green: [4000, 410] }),
    'old=x': figures({ blue: [10, 1], green: [10, 1] }),
    'device=gone': figures({ blue: [0, 0], green: [0, 0] }),
  };

  it('tell the arms of each declared value, the largest first, in the primary metrics', () => {
    const { report } = look(figures({ blue: [7000, 700], green: [7000, 890] }), { plan: segmented, slices });
    expect(report.segments).toMatchObject([{ name: 'plan', exploratory: true }]);
    const [largest, free] = report.segments[0]!.slices;
    expect(largest).toMatchObject({ value: 'a=b', metric: 'helpful', variant: 'green' });
    expect(free).toMatchObject({ value: 'free', arms: { blue: { n: 3000, successes: 300, mean: 0.1 } } });
    expect(free!.difference).toBeCloseTo(0.06, 9);
    expect(free!.interval[0] > 0 && free!.interval[1] > free!.difference).toBe(true);
    expect(report.segments[0]!.slices).toHaveLength(2);
  });

  it('decide nothing: a value that is clear of zero changes no state', () => {
    const now = figures({ blue: [7000, 700], green: [7000, 710] });
    const { report } = look(now, { plan: segmented, slices });
    expect(report.metrics.map(({ state }) => state)).toEqual(
      look(now)
        .report.metrics.concat(look(now).report.metrics)
        .map(({ state }) => state),
    );
    expect(report.segments[0]!.slices[0]).not.toHaveProperty('state');
  });
});

describe('the sample ratio', () => {
  const MINUTE_MS = 60_000;
  const even = { blue: 50, green: 50 };

  /** Figures of units that were dealt: [weights, blue, green] of each share that was asked for. */
  function dealt(...strata: [weights: Record<string, number>, blue: number, green: number][]): Figures {
    const of = (n: number) => moments(n, n);
    const metrics = strata.map(([weights, blue, green]) => [
      `${JSON.stringify(weights)}`,
      { blue: of(blue), green: of(green) },
    ]);
    return { arms: {}, metrics: Object.fromEntries(metrics) };
  }

  const lookAt = (now: Figures, { before, atPlanned = null, nowMs = NOW }: Partial<Look> = {}) =>
    lookAtRatio(before, { now, atPlanned, nowMs });
  interface Look {
    before: SampleRatio;
    atPlanned: Figures | null;
    nowMs: number;
  }

  it('alarms on shares that chance does not explain, and says so before all', () => {
    const { report } = look(dealt([even, 7800, 7200]));
    expect(report.sampleRatio).toMatchObject({ alarm: true, stays: false });
    expect(report.sampleRatio.p).toBeLessThan(0.001);
    expect(report.notes[0]).toContain('trust no result before you know why');
  });

  it.each([
    [75, 150],
    [0, 30],
    [400, 600],
  ])('alarms on %i and %i of equal arms at any look', (blue, green) => {
    expect(lookAt(dealt([even, blue, green]))).toMatchObject({ alarm: true });
  });

  it('is quiet on few units of a small arm, which chance does explain', () => {
    expect(lookAt(dealt([{ blue: 95, green: 5 }, 90, 14]))).toMatchObject({ alarm: false });
    expect(lookAt(dealt([even, 0, 16]))).toMatchObject({ alarm: false });
  });

  it('is quiet on fair shares, also while nobody was dealt', () => {
    expect(lookAt(dealt([even, 5030, 4970]))).toMatchObject({ alarm: false, since: null });
    expect(lookAt(dealt())).toMatchObject({ p: 1, sequentialP: 1, alarm: false });
  });

  it('holds each unit against the weights under which it was dealt, however often they change', () => {
    const ramp = dealt([{ blue: 90, green: 10 }, 9000, 1000], [even, 2510, 2490], [{ blue: 0, green: 100 }, 0, 400]);
    expect(lookAt(ramp)).toMatchObject({ alarm: false });
    expect(lookAt(ramp).p).toBeGreaterThan(0.5);
    expect(lookAt(dealt([{ blue: 90, green: 10 }, 9000, 1000], [even, 2700, 2300])).alarm).toBe(true);
  });

  it('is not all that changed weights spoil, which the report says', () => {
    const changed = /^Weights changed while it ran/;
    const notesOf = (figures: Figures) => look(figures).report.notes.filter((note) => changed.test(note));
    expect(notesOf(dealt([even, 500, 500], [{ blue: 0, green: 100 }, 0, 40]))).toEqual([]);
    const same = [
      { green: 50, blue: 50 },
      { ...even, red: 0 },
    ].map((weights): [typeof even, number, number] => [weights, 50, 50]);
    expect(notesOf(dealt([even, 500, 500], ...same))).toEqual([]);
    expect(notesOf(dealt([{ blue: 90, green: 10 }, 900, 100], [even, 250, 250]))).toHaveLength(1);
  });

  it('stays rung once it has outlasted answers that were on their way, and not before', () => {
    const broken = dealt([even, 7800, 7200]);
    const first = lookAt(broken);
    expect(first).toMatchObject({ alarm: true, stays: false, since: '2026-11-23T10:00:00.000Z' });
    // A quick arm's first units come before a slow arm's; a minute later both are there.
    const fair = lookAt(dealt([even, 9000, 9000]), { before: first, nowMs: NOW + MINUTE_MS });
    expect(fair).toMatchObject({ alarm: false, stays: false, since: null });
    const later = lookAt(broken, { before: first, nowMs: NOW + 10 * MINUTE_MS });
    expect(later).toMatchObject({ alarm: true, stays: true });
    expect(lookAt(dealt([even, 90_000, 90_000]), { before: later })).toMatchObject({ alarm: true, stays: true });
  });

  it('is kept from look to look', () => {
    const { looks } = look(dealt([even, 7800, 7200]));
    expect(looks.sampleRatio).toMatchObject({ alarm: true, stays: false });
    const kept = {
      ...looks,
      sampleRatio: { ...looks.sampleRatio, since: new Date(NOW - 10 * MINUTE_MS).toISOString() },
    };
    expect(look(dealt([even, 7800, 7200]), { looks: kept }).report.sampleRatio).toMatchObject({ stays: true });
  });

  it('is looked at once more by χ² when the figures have closed, which finds what the sequential form does not yet', () => {
    const now = dealt([even, 7715, 7285]);
    expect(lookAt(now)).toMatchObject({ alarm: false });
    expect(lookAt(now, { atPlanned: now })).toMatchObject({ alarm: true, stays: true });
    const few = dealt([{ blue: 99.9, green: 0.1 }, 9980, 20]);
    expect(lookAt(few, { atPlanned: few })).toMatchObject({ alarm: false });
  });
});
