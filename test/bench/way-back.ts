/**
 * `node test/bench/way-back.ts`: how long a bad candidate goes on, measured in workerd with real origins, and on paper for a
 * thousand isolates. Options: `--runs N` (runs of each scenario, 4), `--seed N`, `--side-by-side N` (4), `--only TEXT` (scenarios).
 * Each run: 100 requests a second, two of each visitor, 5 % to a candidate with 1 % errors like the baseline, which grows worse
 * after 30 s. Told is the time from then to the stop and to the last request that reached the candidate. It asserts nothing.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FlushLedger } from '../../src/rollout/flush-ledger.ts';
import { sqlStorage } from '../rollout/sqlite.ts';
import { type RolloutWorld, startRolloutWorld } from '../worker/rollout-world.ts';
import { seeded, simulate } from './way-back-simulation.ts';

const PER_SECOND = 100;
const HEALTHY_MS = 30_000;
const GIVE_UP_MS = 240_000;

interface Scenario {
  name: string;
  /** Percent of the candidate's answers that fail from then on. */
  worse: number;
  per: 'unit' | 'request';
  /** What the product promises of the median, in seconds. */
  promised: number;
}

const SCENARIOS: Scenario[] = [
  { name: '1 → 100 %', worse: 100, per: 'unit', promised: 10 },
  { name: '1 → 20 %', worse: 20, per: 'unit', promised: 25 },
  { name: '1 → 5 %, by request', worse: 5, per: 'request', promised: 60 },
  { name: '1 → 5 %', worse: 5, per: 'unit', promised: 90 },
];

interface Run {
  stoppedMs: number | null;
  lastMs: number;
  badAnswers: number;
  /** What the machine managed of the hundred: with less, everything takes longer. */
  perSecond: number;
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    'side-by-side': { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
  },
});

onPaper();
await measured(Number(values.runs), Number(values['side-by-side']), Number(values.seed));
process.exit(0);

function onPaper(): void {
  const ledger = new FlushLedger(sqlStorage());
  const intervalMs = (isolates: number) => ledger.intervalMs(isolates);
  const rows = [10, 100, 10_000].map((requestsPerSecond) => {
    const outcomes = Array.from({ length: 20 }, (_, seed) =>
      simulate({ isolates: 1_000, requestsPerSecond, seed: seed + 1, roundTripMs: 60, intervalMs }),
    );
    const lasts = outcomes.map(({ lastMs }) => lastMs).sort((a, b) => a - b);
    const sum = (of: 'requests' | 'after3s') =>
      outcomes.reduce((all, outcome) => all + outcome[of], 0) / outcomes.length;
    return {
      'requests/s': requestsPerSecond,
      'flush every s': seconds(outcomes[0]!.intervalMs),
      'last request, median s': seconds(lasts[10]!),
      'last request, worst s': seconds(lasts.at(-1)!),
      'by the old split': Math.round(sum('requests')),
      'of them after 3 s': Math.round(sum('after3s')),
    };
  });
  console.log(
    '\nOn paper: 1,000 isolates, one abort, 20 seeds. Requests by the old split, of which the candidate has its share.',
  );
  console.table(rows);
}

async function measured(runs: number, sideBySide: number, seed: number): Promise<void> {
  const rows: Record<string, unknown>[] = [];
  for (const scenario of SCENARIOS.filter(({ name }) => name.includes(values.only))) {
    const results: Run[] = [];
    for (let first = 0; first < runs; first += sideBySide) {
      const count = Math.min(sideBySide, runs - first);
      results.push(...(await batch(scenario, seed + first, count)));
    }
    const stops = results.map(({ stoppedMs }) => stoppedMs ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    const lasts = results.map(({ lastMs }) => lastMs).sort((a, b) => a - b);
    rows.push({
      errors: scenario.name,
      runs: results.length,
      'stopped, median s': seconds(median(stops)),
      'stopped, worst s': seconds(stops.at(-1)!),
      'last request, median s': seconds(median(lasts)),
      'last request, worst s': seconds(lasts.at(-1)!),
      'failed answers, median': median(results.map(({ badAnswers }) => badAnswers).sort((a, b) => a - b)),
      'requests/s, least': Math.round(Math.min(...results.map(({ perSecond }) => perSecond))),
      'promised median s': scenario.promised,
    });
    console.log(JSON.stringify(rows.at(-1)));
  }
  console.log(
    `\nMeasured: ${PER_SECOND} requests/s, 5 % canary, flush every 2 s. Times since the candidate grew worse.`,
  );
  console.table(rows);
}

/** Several runs side by side, each on a route, and so a controller, of its own. */
async function batch(scenario: Scenario, seed: number, count: number): Promise<Run[]> {
  const routes = Array.from({ length: count }, (_, n) => `run-${seed + n}`);
  const world = await startRolloutWorld(() => Object.fromEntries(routes.map((route) => [route, {}])));
  const badPercent = new Map<string, number>();
  const bad = new Map<string, number>();
  failAtRandom(world, seed, badPercent, bad);
  try {
    return await Promise.all(routes.map((route) => run(world, route, scenario, badPercent, bad)));
  } finally {
    await world.close();
  }
}

/** Both origins fail one request in a hundred, by a seeded coin; green as often as it is told. */
function failAtRandom(world: RolloutWorld, seed: number, percent: Map<string, number>, bad: Map<string, number>): void {
  const random = seeded(seed);
  for (const origin of [world.blue, world.green]) {
    const isGreen = origin === world.green;
    origin.server.prependListener('request', ({ url = '' }, response) => {
      const route = url.split('/')[1] ?? '';
      const fails = random() * 100 < (isGreen ? (percent.get(route) ?? 1) : 1);
      if (!fails) return;
      if (isGreen) bad.set(route, (bad.get(route) ?? 0) + 1);
      response.writeHead(500).end();
      // The world's own listener comes next, and finds the answer given.
      response.end = () => response;
    });
  }
}

async function run(
  world: RolloutWorld,
  route: string,
  { worse, per }: Scenario,
  badPercent: Map<string, number>,
  bad: Map<string, number>,
): Promise<Run> {
  const started = await world.api('POST', `/routes/${route}/rollout`, {
    to: 'green',
    plan: [
      { weight: 5, for: '1h' },
      { weight: 100, for: '1h' },
    ],
    guardrails: [
      { metric: 'errors', critical: true, required: true, per },
      { metric: 'rejected', critical: true, required: true, per },
    ],
    reason: 'a release that grows worse',
  });
  if (started.status !== 200) throw new Error(JSON.stringify(started.body));
  const { stop, answered } = twiceEach(world, route);
  await sleep(HEALTHY_MS);
  const worseAtMs = Date.now();
  const answeredBefore = answered();
  badPercent.set(route, worse);
  bad.set(route, 0);
  let stoppedMs: number | null = null;
  while (stoppedMs === null && Date.now() - worseAtMs < GIVE_UP_MS) {
    await sleep(1_000);
    const { entries } = (await world.api('GET', `/routes/${route}/history?limit=1`)).body;
    if (entries[0].action === 'aborted') stoppedMs = Date.parse(entries[0].at) - worseAtMs;
  }
  const perSecond = ((answered() - answeredBefore) * 1000) / (Date.now() - worseAtMs);
  await sleep(5_000);
  await stop();
  return {
    stoppedMs,
    lastMs: (world.greenSeen(route).at(-1) ?? worseAtMs) - worseAtMs,
    badAnswers: bad.get(route) ?? 0,
    perSecond,
  };
}

/** Every visitor asks twice, half a second apart. */
function twiceEach(world: RolloutWorld, route: string): { stop(): Promise<void>; answered(): number } {
  let n = 0;
  let answered = 0;
  const visit = async (user: string) => {
    await world.visit(route, user);
    answered++;
  };
  const pending = new Set<Promise<unknown>>();
  const startedMs = Date.now();
  const timer = setInterval(() => {
    for (const due = ((Date.now() - startedMs) / 1000) * (PER_SECOND / 2); n < due; n++) {
      const user = `${route}-${n}`;
      const both = visit(user)
        .then(() => sleep(500))
        .then(() => visit(user));
      pending.add(both);
      void both.finally(() => pending.delete(both));
    }
  }, 5);
  return {
    answered: () => answered,
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
    },
  };
}

function median(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? (ms / 1000).toFixed(1) : 'never';
}
