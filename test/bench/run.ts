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
import { type Scenario, scenarios, TWO_VARIANTS, wire } from './scenarios.ts';
import { bare, bundleSplitter, splitter, startWorkerd, workerdVersion } from './workers.ts';

const FULL = { cpu: { rounds: 10, slotMs: 500 }, latency: { rounds: 6, slotMs: 1_000 } };
const QUICK = { cpu: { rounds: 4, slotMs: 250 }, latency: { rounds: 2, slotMs: 500 } };
const WARM_UP = { rounds: 1, slotMs: 700, connections: 16 };

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } });
const chosen = scenarios.filter(({ name, group }) => `${group} ${name}`.includes(values.only ?? ''));
if (chosen.length === 0) {
  console.error(`No scenario is called "${values.only}". There are: ${scenarios.map(({ name }) => name).join(' · ')}`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
try {
  const report = await bench(chosen);
  console.log(`\n${table(report)}`);
  save(report, join(import.meta.dirname, '../../.headgate/bench.json'));
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

async function bench(chosen: Scenario[]): Promise<Report> {
  const origin = startModule('origin.ts');
  const { port } = await nextMessage<{ port: number }>(origin);
  const address = `http://127.0.0.1:${port}`;
  const load = startModule('load.ts');
  const bundle = await bundleSplitter();
  const sources = chosen.map(({ name, config }) => splitter(name, bundle, config(address)));
  const splitters = await startWorkerd(sources, folder);
  const bareWorker = await startWorkerd([bare(address)], folder);
  const reference = { name: 'bare pass-through', pid: bareWorker.pid, port: bareWorker.ports.get('bare')! };
  const { proxies, missing } = await startProxies(address, folder);

  const report: Report = {
    at: new Date().toISOString(),
    quick: values.quick,
    node: process.version,
    workerd: workerdVersion,
    cores: availableParallelism(),
    bare: [],
    lines: [],
    hundredRoutes: null,
    missing,
  };
  for (const group of new Set(chosen.map((scenario) => scenario.group))) {
    const members = chosen.filter((scenario) => scenario.group === group);
    const targets: Target[] = members.map(({ name, traffic }) => {
      return { name, pid: splitters.pid, port: splitters.ports.get(name)!, requests: wire(traffic) };
    });
    const isSmall = members.some(({ name }) => name === TWO_VARIANTS);
    if (isSmall) targets.push(...proxies.map((proxy) => ({ ...proxy, requests: wire(members[0]!.traffic) })));
    await measureGroup({ report, load, reference, targets, members });
  }
  report.hundredRoutes = hundredRoutes(report.lines);
  return report;
}

async function measureGroup(on: {
  report: Report;
  load: ChildProcess;
  reference: Omit<Target, 'requests'>;
  targets: Target[];
  members: Scenario[];
}): Promise<void> {
  const { report, load, reference, targets, members } = on;
  const { group, perSecond } = members[0]!;
  const { cpu, latency } = values.quick ? QUICK : FULL;
  const looking = (what: string, plan: Plan) => {
    console.error(`${group}: ${what}, ${plan.rounds} rounds of ${targets.length * 2 + 1} slots`);
    return measure(load, targets, reference, plan);
  };
  await looking('warming up', WARM_UP);
  const closed = await looking('CPU time', { ...cpu, connections: 16 });
  const open = await looking('latency', { ...latency, perSecond, connections: 64 });
  report.bare.push({ group, closed: closed.reference, open: open.reference, perSecond });
  for (const [index, { name }] of targets.entries()) {
    const target = members.find((member) => member.name === name)?.target;
    const line: Line = { name, group, closed: closed.subjects[index]!, open: open.subjects[index]!, target };
    report.lines.push(line);
  }
}

/** Both were measured in the same rounds against the same bare slots. */
function hundredRoutes(lines: Line[]): number | null {
  const ratioOf = (name: string) => lines.find((line) => line.name === name)?.closed.cpuRatio.median;
  const one = ratioOf(TWO_VARIANTS);
  const hundred = ratioOf('the last of 100 routes');
  return one === undefined || hundred === undefined ? null : hundred / one;
}
