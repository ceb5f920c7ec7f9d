import { beforeEach, describe, expect, it } from 'vitest';
import { intervalBar } from '../../../src/cli/experiment/interval.ts';
import type { Report } from '../../../src/cli/experiment/report.ts';
import { widthOf } from '../../../src/cli/text.ts';
import type { RouteStatus } from '../../../src/rollout/status.ts';
import { nowMs, refusal, rolloutWith, sessionWithApi, statusWith } from '../api.ts';

const { session, api } = sessionWithApi();

type Metric = Report['metrics'][number];

function metricWith(changes: Partial<Metric> = {}): Metric {
  return {
    name: 'helpful',
    role: 'primary',
    kind: 'conversion',
    goal: 'increase',
    variant: 'green',
    state: 'better',
    label: 'better',
    by: 'final',
    arms: { blue: { n: 5012, mean: 0.1, successes: 501 }, green: { n: 4988, mean: 0.12, successes: 599 } },
    difference: 0.0201,
    lift: 0.201,
    interval: [0.0071, 0.0331],
    p: 0.00135,
    ...changes,
  };
}

function reportWith(changes: Partial<Report> = {}): Report {
  return {
    id: 'chat-m2',
    sampleRatio: { p: 0.81, sequentialP: 1, alarm: false, since: null, stays: false },
    plannedUnits: 14_751,
    units: { blue: 5012, green: 4988 },
    crossovers: 0,
    since: '2026-11-20T08:00:00.000Z',
    unitsPerDay: 3000,
    daysLeft: 1.58,
    reachedAt: null,
    closesAt: null,
    closed: false,
    changed: [],
    metrics: [metricWith()],
    segments: [],
    notes: [],
    ...changes,
  };
}

const config = JSON.stringify({
  version: 1,
  routes: [{ name: 'detect', variants: { blue: { url: 'https://b.example' }, green: { url: 'https://g.example' } } }],
});

/** The route while its experiment counts. */
const counting = (changes: Partial<RouteStatus['inForce']> = {}) =>
  statusWith({ inForce: { ...statusWith().inForce, experiment: 'chat-m2', ...changes } });

function answers(report: unknown, more: Record<string, unknown> = {}) {
  const done = () => ({ ...statusWith({ rollout: rolloutWith() }), warnings: [] });
  return {
    'GET /api/routes': { routes: [statusWith()] },
    'GET /api/routes/detect': counting(),
    'GET /api/routes/detect/experiment': report,
    'GET /api/config': () => new Response(config, { headers: { etag: '"cafe"' } }),
    'POST /api/routes/detect/rollout': done,
    'PUT /api/routes/detect/split': done,
    ...more,
  };
}

beforeEach(() => {
  session.columns = Number.POSITIVE_INFINITY;
  session.confirm = null;
  session.now = () => nowMs;
  api.answer(answers(reportWith()));
});

describe('headgate report', () => {
  it('tells both arms, difference, lift, interval, p and what is found, with the words for how', async () => {
    expect(await session.run('report', 'detect')).toBe(0);
    const lines = session.out.split('\n').map((line) => line.trim());
    expect(lines).toEqual([
      'detect: experiment chat-m2, since 2026-11-20 08:00 UTC',
      '',
      '✔ the arms have the sizes that were asked for (p 0.81, sequential 1)',
      'blue 5,012, green 4,988 units',
      '10,000 of 14,751 planned units (67.8 %), 1.6 days left',
      '',
      'helpful, green (primary, more is better)',
      expect.stringMatching(/^blue +501 of +5,012 units +10\.0 %$/),
      expect.stringMatching(/^green +599 of +4,988 units +12\.0 %$/),
      'difference +2.01 pp, lift +20.1 %, p 0.0014',
      expect.stringMatching(/^·+│··├─+●─+┤ {2}\+0\.71 pp to \+3\.31 pp$/),
      '✔ better (test at the planned size)',
      '',
    ]);
  });

  it('shows no interval without width where no unit was converted yet: 0 to 0 would read as proven equal', async () => {
    const arms = { blue: { n: 7, mean: 0, successes: 0 }, green: { n: 8, mean: 0, successes: 0 } };
    const changes = {
      state: 'keep running',
      label: 'keep running: 1 %',
      by: null,
      difference: 0,
      lift: null,
      p: 1,
    } as const;
    api.answer(answers(reportWith({ metrics: [metricWith({ ...changes, arms, interval: [0, 0] })] })));
    expect(await session.run('report', 'detect')).toBe(0);
    expect(session.out).toContain('no interval: each unit of an arm did the same');
    expect(session.out).not.toContain('0.00 pp to');
  });

  it('puts the alarm of the sample ratio above all else', async () => {
    const sampleRatio = { p: 1e-9, sequentialP: 0.0004, alarm: true, since: null, stays: true };
    api.answer(answers(reportWith({ sampleRatio, notes: ['find out why first'] })));
    await session.run('report', 'detect');
    expect(session.out).toMatch(/✗ SAMPLE RATIO ALARM \(p < 0\.0001, sequential 0\.0004\)[\s\S]*helpful/);
    expect(session.out).toContain('! find out why first');
  });

  it.each([
    [{ state: 'worse', label: 'worse', by: 'early' }, '✗ worse (early stop)'],
    [{ state: 'no difference found', label: 'no difference found', by: 'final' }, '= no difference found (test'],
    [{ state: 'keep running: 62 %', label: 'keep running: 62 %, too few', by: null }, '… keep running: 62 %, too few'],
  ] as const)('says %j', async (changes, words) => {
    api.answer(answers(reportWith({ metrics: [metricWith(changes)] })));
    await session.run('report', 'detect');
    expect(session.out).toContain(words);
  });

  it('shows means as sums and in their own measure, and an absent lift as a dash', async () => {
    const arms = { blue: { n: 400, mean: 0, sum: 0 }, green: { n: 380, mean: 12.5, sum: 4750 } };
    const spend = metricWith({ name: 'spend', kind: 'mean', role: 'secondary', arms, difference: 12.5, lift: null });
    api.answer(answers(reportWith({ metrics: [spend] })));
    await session.run('report', 'detect');
    expect(session.out).toMatch(/green +sum 4,750, +380 units +12\.5\n/);
    expect(session.out).toContain('difference +12.5, lift –');
  });

  it('tells quantiles of the units, and chances that are no verdict', async () => {
    const arm = (value: number) => ({
      ...{ n: 5000, mean: value, sum: 5000 * value, pBest: value < 200 ? 0.97 : 0.03, expectedLoss: value / 1000 },
      quantiles: [{ q: 0.95, value: 2 * value, lo: 2 * value - 9, hi: 2 * value + 9 }],
    });
    const latency = metricWith({ name: 'latency', kind: 'mean', arms: { blue: arm(210), green: arm(180) } });
    api.answer(answers(reportWith({ metrics: [latency] })));
    await session.run('report', 'detect');
    expect(session.out).toContain('p95 of the units: blue 420 ms (411 to 429), green 360 ms (351 to 369)');
    expect(session.out).toContain('chance to be best, no verdict: blue 3.0 %, green 97.0 %\n');
    expect(session.out).toContain('expected loss, if chosen: blue 0.21, green 0.18\n');
  });

  it('tells the segments apart, and that they decide nothing', async () => {
    const arms = { blue: { n: 1200, mean: 0.1, successes: 120 }, green: { n: 1100, mean: 0.14, successes: 154 } };
    const slice = { value: 'pro', metric: 'helpful', variant: 'green', arms, difference: 0.04, lift: 0.4 };
    const nobody = { ...arms, green: { n: 0, mean: 0, successes: 0 } };
    const segments: Report['segments'] = [
      {
        name: 'plan',
        exploratory: true,
        slices: [
          { ...slice, interval: [-0.01, 0.09] },
          { ...slice, value: 'other', arms: nobody, interval: [0, 0] },
        ],
      },
    ];
    api.answer(answers(reportWith({ segments })));
    await session.run('report', 'detect');
    const lines = session.out.split('\n').map((line) => line.trim().split(/ {2,}/));
    expect(session.out).toMatch(/plan \(exploratory: [\s\S]*decides\s+nothing\)\n/);
    expect(lines).toContainEqual(['helpful', 'blue', 'green', 'difference']);
    expect(lines).toContainEqual(['pro', '10.0 % of 1,200', '14.0 % of 1,100', '+4.00 pp', '−1.00 pp to +9.00 pp']);
    expect(lines).toContainEqual(['other', '10.0 % of 1,200', '–', '–']);
    session.columns = 44;
    await session.run('report', 'detect');
    for (const line of session.out.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(44);
  });

  it('says when the planned size is reached', async () => {
    api.answer(answers(reportWith({ units: { blue: 7400, green: 7400 }, daysLeft: 0 })));
    await session.run('report', 'detect');
    expect(session.out).toContain('14,800 of 14,751 planned units (100.3 %): reached\n');
  });

  it('says nothing of days in the first hour, nor of a difference to an arm that nobody has met', async () => {
    const arms = { blue: { n: 1, mean: 1, successes: 1 }, green: { n: 0, mean: 0, successes: 0 } };
    const early = { units: { blue: 1, green: 0 }, unitsPerDay: 20_000, metrics: [metricWith({ arms })] };
    api.answer(answers(reportWith(early)));
    await session.run('report', 'detect');
    expect(session.out).toMatch(/green +0 of +0 units +–\n +✔/);
    expect(session.out).not.toContain('left');
  });

  it('says when nobody has been counted yet', async () => {
    const units = { blue: 0, green: 0 };
    api.answer(answers(reportWith({ since: null, units, unitsPerDay: null, daysLeft: null, metrics: [] })));
    await session.run('report', 'detect');
    expect(session.out).toContain('nobody has been counted yet');
    expect(session.out).not.toMatch(/left|NaN/);
  });

  const begun = reportWith();
  const nobody = reportWith({ since: null, units: { blue: 0, green: 0 }, unitsPerDay: null, daysLeft: null });
  const allBlue = { weights: { blue: 100, green: 0 } };
  it.each<[string, Report, unknown, string | null]>([
    [
      'one variant has all the weight',
      nobody,
      counting(allBlue),
      'blue has all the weight, so nobody is counted: headgate weights detect …',
    ],
    [
      'weights by hand give it all',
      nobody,
      counting({ ...allBlue, source: 'weights' }),
      'blue has all the weight, so nobody is counted: headgate manual clear detect',
    ],
    [
      'a rollout runs beside it',
      nobody,
      counting({ experiment: null }),
      'a rollout runs in a step without the experiment, so nobody is counted',
    ],
    ['nobody came', nobody, counting(), 'no unit has come yet, so there are no arms to measure'],
    ['nobody came, as far as is known', nobody, () => refusal(503, 'no_controller', 'no'), 'no unit has come yet'],
    ['one has it all by now', begun, counting(allBlue), 'blue has all the weight, so nobody new is counted\n'],
    ['it is closed', { ...begun, closed: true }, counting(allBlue), null],
    ['nothing is in the way', begun, counting(), null],
  ])('says why nobody is counted, and praises no arms that have nobody: %s', async (_, report, status, words) => {
    api.answer(answers(report, { 'GET /api/routes/detect': status }));
    expect(await session.run('report', 'detect')).toBe(0);
    if (words === null) expect(session.out).not.toMatch(/counted|no unit/);
    else expect(session.out).toContain(`  … ${words}`);
    expect(session.out.includes('✔ the arms')).toBe(report !== nobody);
  });

  it('fits a narrow terminal', async () => {
    session.columns = 50;
    await session.run('report', 'detect');
    for (const line of session.out.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(50);
  });

  it('gives the API’s answer as JSON', async () => {
    await session.run('report', 'detect', '--json');
    expect(JSON.parse(session.out)).toEqual(reportWith());
  });

  it('says what to do where there is no experiment', async () => {
    const none = () =>
      refusal(404, 'no_experiment', 'Route detect has no experiment.', { mend: 'declare "experiment"' });
    api.answer(answers(none));
    expect(await session.run('report', 'detect')).toBe(1);
    expect(session.notes).toMatch(/has no experiment\.[\s\S]*→ declare "experiment"/);
  });
});

describe('the bar of an interval', () => {
  it.each([
    [[-1, 1], 0, '├─────●─────┤'],
    [[-0.5, 1], 0.25, '···├──┼─●───┤'],
    [[0.5, 1], 0.75, '······│··├─●┤'],
    [[-1, -0.5], -0.75, '├─●┤··│······'],
    [[0, 0], 0, '······●······'],
    [[0.001, 1], 0.5, '······│├─●──┤'],
  ] as const)('of %j around %d lies where it should, and touches zero only if it does', (interval, difference, bar) => {
    expect(intervalBar(interval, difference, 13)).toBe(bar);
  });
});

describe('headgate sample-size', () => {
  it('tells rates apart that are close to each other', async () => {
    expect(await session.run('sample-size', '--baseline', '0.4%', '--lift', '10%')).toBe(0);
    expect(session.out).toContain('To find 0.40 % → 0.44 % (lift');
  });

  const sizeOf = async (...options: string[]) => {
    expect(await session.run('sample-size', '--baseline', '0.10', '--lift', '5%', ...options)).toBe(0);
    return session.out;
  };

  it('plans without a Worker', async () => {
    session.env = { HEADGATE_URL: 'http://127.0.0.1:1' };
    expect(await sizeOf()).toMatch(/10\.0 % → 10\.5 %[\s\S]*57,763 in each arm, "plannedUnits": 115526/);
    expect(await sizeOf('--power', '0.9')).toContain('90 % power');
    expect(JSON.parse(await sizeOf('--json'))).toMatchObject({ plannedUnits: 115_526 });
  });

  it('reckons unequal arms', async () => {
    expect(await sizeOf('--ratio', '0.25')).toMatch(/with the baseline, [\d,]+ with the variant/);
  });

  it('says how many whole weeks it takes, and what some weeks can see', async () => {
    const text = await sizeOf('--per-day', '5000');
    expect(text).toContain('4 whole weeks (28 days)');
    expect(text).toMatch(/1 week +\+\d+\.\d %\n +2 weeks/);
  });

  it('takes the units a day that the route’s experiment has counted', async () => {
    expect(await sizeOf('--route', 'detect')).toContain('6 whole weeks (42 days) at 3,000 units a day');
  });

  it('takes requests where no experiment has counted, and says that this is too good', async () => {
    const points = [10, 20].map((minutes) => ({
      at: new Date(nowMs - minutes * 60_000).toISOString(),
      ...{ variant: 'blue', requests: 1000, failed: 0 },
    }));
    const none = () => refusal(404, 'no_experiment', 'no');
    api.answer(answers(none, { 'GET /api/routes/detect/series': { width: '1m', points } }));
    const text = await sizeOf('--route', 'detect');
    expect(text).toContain('at 144,000 requests a day, as measured');
    expect(text).toContain('a unit sends several requests');
    api.answer(answers(none, { 'GET /api/routes/detect/series': { width: '1m', points: [] } }));
    const argv = ['sample-size', '--baseline', '0.1', '--lift', '5%', '--route', 'detect'];
    expect(await session.run(...argv)).toBe(1);
    expect(session.notes).toMatch(/had no traffic[\s\S]*--per-day/);
  });

  it.each([
    [['--baseline', '1.2', '--lift', '5%'], /--baseline is a rate between 0 and 1/],
    [['--baseline', '0.1', '--lift', 'much'], /--lift is a relative change/],
    [['--baseline', '0.1', '--lift', '950%'], /must lead to another rate/],
    [['--baseline', '0.1', '--lift', '5%', '--per-day', '0'], /--per-day/],
    [['--baseline', '0.1', '--lift', '5%', '--per-day', '9', '--route', 'detect'], /do not go together/],
    [['--lift', '5%'], /baseline/i],
  ])('refuses %j', async (options, words) => {
    expect(await session.run('sample-size', ...options)).toBe(2);
    expect(session.notes).toMatch(words);
  });
});

describe('headgate experiment decide', () => {
  const decide = (winner: string, ...options: string[]) =>
    session.run('experiment', 'decide', 'detect', '--winner', winner, ...options);

  it('starts a rollout to the winner, bound to what was shown, and says what to do afterwards', async () => {
    expect(await decide('green')).toBe(0);
    expect(api.writes()).toMatchObject([
      {
        path: '/api/routes/detect/rollout',
        body: { to: 'green', plan: 'canary', reason: 'experiment chat-m2: green wins' },
        ifMatch: '"12"',
      },
    ]);
    expect(session.out).toMatch(/green has won[\s\S]*take "experiment" out of the route/);
  });

  it('shows the metrics and the plan’s steps before it acts', async () => {
    expect(await decide('green', '--dry-run', '--plan', '[{"weight":100,"for":"1h"}]')).toBe(0);
    expect(session.out).toMatch(/helpful: green against blue: better\n +green against blue:\n +1 {2}100 % for 1 h/);
    await decide('green', '--dry-run', '--json');
    expect(JSON.parse(session.out)).toMatchObject({ dryRun: true, experiment: 'chat-m2', winner: 'green' });
    expect(api.writes()).toEqual([]);
  });

  it('gives everything back to the baseline where that has won', async () => {
    const nothing = { state: 'no difference found', label: 'no difference found' };
    api.answer(answers(reportWith({ metrics: [metricWith(nothing)] })));
    expect(await decide('blue', '--reason', 'cheaper')).toBe(0);
    expect(api.writes()).toMatchObject([{ method: 'PUT', body: { weights: { blue: 100 }, reason: 'cheaper' } }]);
  });

  const worse = reportWith({ metrics: [metricWith({ state: 'worse', label: 'worse' })] });
  const alarmed = reportWith({ sampleRatio: { p: 0, sequentialP: 0, alarm: true, since: null, stays: true } });
  const level = { state: 'no difference found', label: 'no difference found' } as const;
  const third = reportWith({ metrics: [metricWith(level), metricWith({ variant: 'third' })] });
  it.each([
    ['a winner that is worse', 'green', worse, 'green is worse than blue in helpful'],
    ['a baseline that is beaten', 'blue', reportWith(), 'green is better than blue in helpful'],
    ['anybody after a sample-ratio alarm', 'green', alarmed, 'no result can be trusted'],
    ['a winner that is level where a third variant is better', 'green', third, 'third is better than blue in helpful'],
  ])('refuses %s, unless with --force', async (_, winner, report, words) => {
    api.answer(answers(report));
    expect(await decide(winner)).toBe(1);
    expect(session.notes).toContain(words);
    expect(session.notes).toContain('--force');
    expect(api.writes()).toEqual([]);
    expect(await decide(winner, '--force')).toBe(0);
    expect(api.writes()).toHaveLength(1);
  });

  it('speaks of the baseline that the experiment had, also when its winner is the route’s by now', async () => {
    const { inForce } = statusWith();
    const promoted = counting({ ...inForce, baseline: 'green', weights: { blue: 0, green: 100 } });
    const once = (report: Report) => api.answer(answers(report, { 'GET /api/routes/detect': promoted }));
    once(reportWith());
    expect(await decide('green', '--dry-run')).toBe(0);
    expect(session.out).toContain('helpful: green against blue: better');
    expect(await decide('blue')).toBe(1);
    expect(session.notes).toContain('green is better than blue in helpful.');
    once(worse);
    expect(await decide('green')).toBe(1);
    expect(session.notes).toContain('green is worse than blue in helpful');
    expect(await decide('blue', '--dry-run')).toBe(0);
    expect(session.out).toContain('helpful: green against blue: worse');
    expect(api.writes()).toEqual([]);
  });

  it('lets either of two variants win where both are better, and shows both', async () => {
    api.answer(answers(reportWith({ metrics: [metricWith(), metricWith({ variant: 'third' })] })));
    expect(await decide('green', '--dry-run')).toBe(0);
    expect(session.out).toMatch(/helpful: green against blue: better\n +helpful: third against blue: better/);
  });

  it('does not take a secondary metric for a verdict', async () => {
    api.answer(answers(reportWith({ metrics: [metricWith({ role: 'secondary', state: 'worse' }), metricWith()] })));
    expect(await decide('green')).toBe(0);
  });

  it('names the nearest variant and plan for those that are not there', async () => {
    expect(await decide('gren')).toBe(1);
    expect(session.notes).toContain('did you mean green');
    expect(await decide('green', '--plan', 'canry')).toBe(1);
    expect(session.notes).toContain('did you mean canary');
    expect(api.writes()).toEqual([]);
  });

  it.each([
    ['green', statusWith({ rollout: rolloutWith() }), /Rollout r-20261123-1 to green is progressing/],
    ['green', statusWith({ byHand: { blue: 100 } }), /Weights set by hand decide/],
  ])('does not promise with --dry-run what the Worker would refuse: %s', async (winner, shown, words) => {
    api.answer(answers(reportWith(), { 'GET /api/routes/detect': shown }));
    expect(await decide(winner, '--dry-run')).toBe(1);
    expect(session.notes).toMatch(words);
  });

  it('starts no rollout to the variant that the config made the baseline since', async () => {
    api.answer(answers(reportWith(), { 'GET /api/routes/detect': statusWith({ nextBaseline: 'green' }) }));
    expect(await decide('green')).toBe(0);
    expect(api.writes()).toMatchObject([{ method: 'PUT', body: { weights: { green: 100 } } }]);
  });

  it('takes a person’s no', async () => {
    session.confirm = async () => false;
    expect(await decide('green')).toBe(1);
    expect(session.notes).toMatch(/helpful: green against blue: better[\s\S]*Nothing was changed/);
    expect(api.writes()).toEqual([]);
  });
});
