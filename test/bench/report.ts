/** Owns what the bench says: a table for people, a file for comparison with later runs. It judges no more than the targets. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Spread } from './ratios.ts';
import type { Pair } from './rounds.ts';

/** One line of the table: CPU time from the closed loop, latency from the open one. */
export interface Line {
  name: string;
  group: string;
  closed: Pair;
  open: Pair;
  target?: number;
}

export interface Report {
  at: string;
  /** Shorter slots and fewer rounds: good for a look, not for a claim. */
  quick: boolean;
  node: string;
  workerd: string;
  cores: number;
  /** Scenarios that were measured with one kind of request and answer, and the rate of the open loop. */
  groups: { group: string; perSecond: number }[];
  lines: Line[];
  /** CPU time a request of the splitter with one more thing over that without it, side by side. */
  additions: { name: string; cpu: Spread; target: number }[];
  missing: string[];
}

const P99_TARGET = 1.1;

const times = ({ median }: Spread) => `${median.toFixed(2)}×`;
const spread = ({ q1, q3 }: Spread) => `${q1.toFixed(2)}–${q3.toFixed(2)}`;

/** The report as text. */
export function table(report: Report): string {
  const rows: string[][] = [
    ['', 'CPU/request', '× bare', 'quartiles', 'req/s, 16 conn.', 'p50', '× bare', 'p99', '× bare', 'quartiles'],
  ];
  for (const { group, perSecond } of report.groups) {
    rows.push([`${group}, ${perSecond} req/s`]);
    const lines = report.lines.filter((one) => one.group === group);
    const { closed, open } = lines[0]!;
    const { cpuUs, perSecond: most } = closed.reference;
    const { p50Ms, p99Ms } = open.reference;
    rows.push(['  bare pass-through', us(cpuUs), '', '', most.toFixed(0), ms(p50Ms), '', ms(p99Ms), '', '']);
    for (const line of lines) rows.push(rowOf(line));
  }
  const widths = rows[0]!.map((_, column) =>
    Math.max(...rows.map((row) => (row.length > 1 ? (row[column] ?? '') : '').length)),
  );
  const text = rows.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
  );
  return [...text.map((line) => line.trimEnd()), '', ...notes(report)].join('\n');
}

function rowOf({ name, closed, open }: Line): string[] {
  return [
    `  ${name}`,
    us(closed.subject.cpuUs),
    times(closed.ratios.cpuUs),
    spread(closed.ratios.cpuUs),
    closed.subject.perSecond.toFixed(0),
    ms(open.subject.p50Ms),
    times(open.ratios.p50Ms),
    ms(open.subject.p99Ms),
    times(open.ratios.p99Ms),
    spread(open.ratios.p99Ms),
  ];
}

function notes({ lines, additions, missing, quick }: Report): string[] {
  const said: string[] = [];
  const judge = (what: string, ratio: number, target: number) =>
    said.push(`${ratio <= target ? 'held  ' : 'missed'}  ${what}: ${ratio.toFixed(3)}, at most ${target}`);
  for (const { name, closed, open, target } of lines) {
    if (target === undefined) continue;
    judge(`CPU a request, ${name}`, closed.ratios.cpuUs.median, target);
    judge(`p99 at a fixed rate, ${name}`, open.ratios.p99Ms.median, P99_TARGET);
  }
  for (const { name, cpu, target } of additions) judge(`CPU a request, ${name} (${spread(cpu)})`, cpu.median, target);
  for (const name of missing) said.push(`${name}: not installed`);
  if (lines.some(({ name }) => name.includes('records'))) {
    said.push(
      'Records: rows are built, checked and handed to a dataset that does nothing; what the platform spends on them is not here.',
    );
  }
  said.push(
    'Ratios are medians over rounds, each against the bare Worker just before and after; the same cores bear load and origin.',
  );
  if (quick) said.push('A quick run: figures for a look, not for a claim.');
  return said;
}

/** Writes the report where later runs can be held against it. */
export function save(report: Report, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

const us = (value: number) => `${Math.round(value)} µs`;
const ms = (value: number) => `${value.toFixed(2)} ms`;
