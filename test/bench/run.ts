/**
 * `npm run bench`: what the splitter costs against a bare pass-through Worker in the same workerd, under the same load, before
 * the same origin. Options: `--quick` (a look in under a minute), `--only NAME` (scenarios whose name or group contains it).
 * It prints a table and writes `.headgate/bench.json`. It asserts nothing: a shared machine's clock proves nothing.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nextMessage, startModule, stopAll } from './processes.ts';
import { startProxies } from './proxies.ts';
import { type Line, type Report, save, table } from './report.ts';
import { measure, type Plan, type Target } from './rounds.ts';
import { type Addition, additions, type Scenario, scenarios, TWO_VARIANTS, wire } from './scenarios.ts';
import { bare, bundleSplitter, splitter, startWorkerd, workerdVersion } from './workers.ts';

const FULL = { cpu: { rounds: 14, slotMs: 250 }, latency: { rounds: 5, slotMs: 700 } };
const QUICK = { cpu: { rounds: 5, slotMs: 150 }, latency: { rounds: 2, slotMs: 300 } };
/** Until the hot path is compiled. */
const WARM_UP = { rounds: 1, slotMs: 600, connections: 16 };

const { values } = optionsOf();
const chosen = scenarios.filter(({ name, group }) => `${group} ${name}`.includes(values.only ?? ''));
const added = additions.filter(({ name }) => name.includes(values.only ?? ''));
if (chosen.length + added.length === 0) {
  const names = [...scenarios, ...additions].map(({ name }) => name);
  console.error(`No scenario is called "${values.only}". There are: ${names.join(' · ')}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
try {
  const report = await bench();
  console.log(`\n${table(report)}`);
  save(report, join(import.meta.dirname, '../../.headgate/bench.json'));
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function bench(): Promise<Report> {
  const origin = startModule('origin.ts');
  const { port } = await nextMessage<{ port: number }>(origin);
  const address = `http://127.0.0.1:${port}`;
  const load = startModule('load.ts');
  const bundle = await bundleSplitter();
  const bareWorker = await startWorkerd(bare(address), folder);
  const targets = new Map<string, Target>();
  const targetOf = async ({ name, config, traffic, objects }: Scenario): Promise<Target> => {
    let target = targets.get(name);
    if (target === undefined) {
      const running = await startWorkerd(splitter(name, bundle, config(address), objects), folder);
      target = { name, ...running, requests: await wire(traffic) };
      targets.set(name, target);
    }
    return target;
  };
  for (const scenario of chosen) await targetOf(scenario);
  const { proxies, missing } = await startProxies(address, folder);

  const report: Report = {
    at: new Date().toISOString(),
    quick: values.quick,
    node: process.version,
    workerd: workerdVersion,
    cores: availableParallelism(),
    groups: [],
    lines: [],
    additions: [],
    missing,
  };
  for (const { name, group, perSecond, traffic, target } of chosen) {
    const reference = { name: 'bare pass-through', ...bareWorker, requests: await wire(traffic) };
    const pair = await measurePair(load, targets.get(name)!, reference, perSecond);
    if (!report.groups.some((known) => known.group === group)) report.groups.push({ group, perSecond });
    report.lines.push({ name, group, ...pair, target });
    if (name !== TWO_VARIANTS) continue;
    for (const proxy of proxies) {
      const subject = { ...proxy, requests: reference.requests };
      report.lines.push({ name: proxy.name, group, ...(await measurePair(load, subject, reference, perSecond)) });
    }
  }
  for (const addition of added) {
    const [subject, reference] = [await targetOf(addition.subject), await targetOf(addition.reference)];
    report.additions.push(await measureAddition(load, addition, subject, reference));
  }
  return report;
}

/** A few percent are looked for, so there are more rounds, and shorter ones: the machine's noise drifts less between them. */
async function measureAddition(
  load: ChildProcess,
  { name, target }: Addition,
  subject: Target,
  reference: Target,
): Promise<Report['additions'][number]> {
  console.error(name);
  await measure(load, subject, reference, WARM_UP);
  const plan = { rounds: values.quick ? 10 : 80, slotMs: 120, connections: 16 };
  return { name, target, cpu: (await measure(load, subject, reference, plan)).ratios.cpuUs };
}

async function measurePair(
  load: ChildProcess,
  subject: Target,
  reference: Target,
  perSecond: number,
): Promise<Pick<Line, 'closed' | 'open'>> {
  console.error(subject.name);
  await measure(load, subject, reference, WARM_UP);
  const closed = await measure(load, subject, reference, closedLoop());
  const { latency } = values.quick ? QUICK : FULL;
  const open = await measure(load, subject, reference, { ...latency, perSecond, connections: 64 });
  return { closed, open };
}

function closedLoop(): Plan {
  return { ...(values.quick ? QUICK : FULL).cpu, connections: 16 };
}

function optionsOf() {
  try {
    return parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } });
  } catch (cause) {
    console.error(`${(cause as Error).message}\nnpm run bench -- [--quick] [--only NAME]`);
    process.exit(2);
  }
}
