/**
 * Owns the table of what the statistics do in simulation: false stops, detection, false wins, power. Seeded, so that two
 * runs print the same. `npm run bench:stats`; an argument scales the number of runs (0.1 is quick, 5 is thorough).
 */

import { type Dealing, experiment, ratioAlarms, type Trial } from './experiments.ts';
import { seeded } from './random.ts';
import { type Plan, rollOut, secondsToStop, type Traffic, World, watchBaseline } from './rollouts.ts';
import { CANARY, good, regression, sharedOutages } from './scenarios.ts';

const scale = Number(process.argv[2] ?? 1);
const runs = (n: number) => Math.max(1, Math.round(n * scale));
const each = <T>(n: number, run: (seed: number) => T): T[] => Array.from({ length: n }, (_, i) => run(i + 1));
const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;
const print = (...cells: string[]) => console.log(`| ${cells.join(' | ')} |`);

function heading(title: string, ...columns: string[]): void {
  console.log(`\n## ${title}\n`);
  print(...columns);
  print(...columns.map(() => '---'));
}

function quantileOf(values: readonly (number | null)[], q: number): string {
  const sorted = values.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
  return Number.isFinite(value) ? `${value}` : 'not found';
}

function falseStops(): void {
  heading('A good canary, 5 %, looked at every 2 s: false stops', 'traffic', 'counted by', 'hours', 'runs', 'stopped');
  for (const [name, traffic] of Object.entries(good(20))) {
    for (const per of ['unit', 'request'] as const) {
      const n = runs(per === 'unit' ? 100 : 20);
      const stops = each(n, (seed) =>
        secondsToStop(new World(seeded(seed), traffic, per), { shares: [0.05], per }, 86_400),
      );
      const stopped = stops.filter((seconds) => seconds !== null).length;
      print(name, per, '24', String(n), `${stopped} (${percent(stopped, n)})`);
    }
  }
}

function detection(): void {
  const title = 'A bad canary, 5 % of 100 requests a second: seconds until stopped';
  heading(title, 'clients', 'counted by', 'errors', 'median', '95 % within');
  const kinds: Traffic['clients'][] = [{ kind: 'fresh' }, { kind: 'flat', n: 5000 }, { kind: 'zipf', n: 5000 }];
  for (const per of ['unit', 'request'] as const) {
    for (const clients of kinds) {
      for (const bad of [0.05, 0.2, 1]) {
        const traffic = regression(clients, bad);
        const found = each(runs(400), (seed) =>
          secondsToStop(new World(seeded(seed), traffic, per), { shares: [0.05], per }, 600),
        );
        print(clients.kind, per, `1 → ${100 * bad} %`, quantileOf(found, 0.5), quantileOf(found, 0.95));
      }
    }
  }
}

function endsOf(n: number, run: (seed: number) => ReturnType<typeof rollOut>): string[] {
  const outcomes = each(n, run);
  const count = (end: string) => String(outcomes.filter((outcome) => outcome.end === end).length);
  return [
    String(n),
    count('promoted'),
    count('aborted'),
    count('paused'),
    quantileOf(
      outcomes.map((o) => o.seconds),
      0.5,
    ),
  ];
}

function wholeRollouts(): void {
  heading('Whole canaries: 5, 25, 50, 100 %', 'case', 'runs', 'promoted', 'aborted', 'paused', 'median seconds');
  const canary = (traffic: Traffic, plan: Plan, n: number) =>
    endsOf(runs(n), (seed) => rollOut(new World(seeded(seed), traffic, plan.per), plan));
  for (const [name, traffic] of Object.entries(good(100))) print(`good, ${name}`, ...canary(traffic, CANARY, 100));
  for (const clients of [{ kind: 'fresh' }, { kind: 'flat', n: 5000 }, { kind: 'zipf', n: 5000 }] as const) {
    print(`1 → 2 %, ${clients.kind}`, ...canary(regression(clients, 0.02), CANARY, 1000));
  }
  print('1 → 2 %, shared outages', ...canary(sharedOutages(regression({ kind: 'fresh' }, 0.02)), CANARY, 1000));
  const late = regression({ kind: 'fresh' }, 0.05, { fromSecond: 1900 });
  print('turns to 5 % in the bake', ...canary(late, CANARY, 100));
}

function blueGreen(): void {
  heading(
    'Blue-green, judged by the hour before; 6 s until all isolates know',
    'case',
    'runs',
    'promoted',
    'aborted',
    'paused',
    'median seconds',
  );
  const cases: [string, Traffic][] = [
    ...Object.entries(good(100)).filter(([name]) => name !== 'shared outages'),
    ['1 → 2 %', regression({ kind: 'fresh' }, 0.02, { bothArms: true, fromSecond: 3600 })],
    ['1 → 5 %', regression({ kind: 'fresh' }, 0.05, { bothArms: true, fromSecond: 3600 })],
    ['1 → 5 %, 10 requests a second', { ...regression({ kind: 'fresh' }, 0.05), requestsPerSecond: 10 }],
  ];
  for (const [name, traffic] of cases) {
    const row = endsOf(runs(100), (seed) => {
      const world = new World(seeded(seed), traffic, 'unit');
      const { before, looks } = watchBaseline(world, 3600);
      return rollOut(world, { shares: [1], forSeconds: 1800, per: 'unit', before, lagSeconds: 6 }, looks);
    });
    print(name, ...row);
  }
}

function experiments(): void {
  heading('Experiments at 336 looks', 'case', 'split', 'units', 'runs', 'decided', 'early', 'fixed test, once');
  const rate = (baseline: number, variant: number) => ({ kind: 'conversion', baseline, variant }) as const;
  const cases: [string, Trial, number][] = [
    ['A/A conversion', { plannedUnits: 29_502, share: 0.5, metric: rate(0.1, 0.1) }, 4000],
    ['A/A conversion', { plannedUnits: 40_000, share: 0.05, metric: rate(0.1, 0.1) }, 4000],
    ['A/B conversion 10 → 11 %', { plannedUnits: 29_502, share: 0.5, metric: rate(0.1, 0.11) }, 4000],
    ['A/A mean', { plannedUnits: 10_000, share: 0.5, metric: { kind: 'mean', lift: 0 } }, 1500],
    ['A/A mean', { plannedUnits: 10_000, share: 0.05, metric: { kind: 'mean', lift: 0 } }, 1500],
    ['A/A capped revenue', { plannedUnits: 20_000, share: 0.5, metric: { kind: 'revenue', cap: 100 } }, 1000],
    ['A/A capped revenue', { plannedUnits: 40_000, share: 0.05, metric: { kind: 'revenue', cap: 100 } }, 1000],
    ['A/A clustered requests', { plannedUnits: 10_000, share: 0.5, metric: { kind: 'clustered' } }, 500],
    ['A/A clustered requests', { plannedUnits: 20_000, share: 0.05, metric: { kind: 'clustered' } }, 500],
  ];
  for (const [name, trial, count] of cases) {
    const n = runs(count);
    const decisions = each(n, (seed) => experiment(seeded(seed), trial));
    const decided = decisions.filter(({ state }) => state === 'better' || state === 'worse').length;
    const early = decisions.filter(({ by }) => by === 'early').length;
    const fixed = decisions.filter(({ fixedWins }) => fixedWins).length;
    const split = `${100 - 100 * trial.share}/${100 * trial.share}`;
    const fixedCell = trial.metric.kind === 'conversion' ? percent(fixed, n) : '';
    print(name, split, String(trial.plannedUnits), String(n), percent(decided, n), percent(early, n), fixedCell);
  }
}

function sampleRatio(): void {
  const title = 'Sample ratio: looked at every 50 units, and by χ² once, at the planned size';
  heading(title, 'case', 'planned', 'runs', 'alarms', 'sequential', 'by χ²', 'median units, sequential');
  const dealing = (units: number, asked: number, real = asked): Dealing => ({ asked, real, units });
  const ramp = (kept: number) =>
    [0.1, 0.25, 0.5].map((asked) => dealing(5_000, asked, (asked * kept) / (1 - asked + asked * kept)));
  const cases: [string, Dealing[], number][] = [
    ['fair 50/50', [dealing(15_000, 0.5)], 40_000],
    ['fair 95/5', [dealing(30_000, 0.05)], 20_000],
    ['fair, 10 → 25 → 50 %', ramp(1), 20_000],
    ['52/48 instead of 50/50', [dealing(15_000, 0.5, 0.48)], 10_000],
    ['52/48 instead of 50/50', [dealing(30_000, 0.5, 0.48)], 4_000],
    ['10 → 25 → 50 %, a tenth of the variant lost', ramp(0.9), 4_000],
  ];
  for (const [name, dealings, count] of cases) {
    const n = runs(count);
    const found = each(n, (seed) => ratioAlarms(seeded(seed), dealings));
    const sequential = found.filter(({ sequentialAt }) => sequentialAt !== null).length;
    const final = found.filter((one) => one.final).length;
    const either = found.filter((one) => one.final || one.sequentialAt !== null).length;
    const planned = dealings.reduce((sum, { units }) => sum + units, 0);
    const rates = [either, sequential, final].map((part) => percent(part, n));
    const at = found.map(({ sequentialAt }) => sequentialAt);
    print(name, String(planned), String(n), ...rates, quantileOf(at, 0.5));
  }
}

for (const table of [falseStops, detection, wholeRollouts, blueGreen, experiments, sampleRatio]) table();
