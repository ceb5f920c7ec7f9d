/** Owns what the bench says: a table for people, a file for comparison with later runs. It judges no more than the targets. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Spread } from './ratios.ts';
import type { Seen } from './rounds.ts';

/** One line of the table: CPU time from the closed loop, latency from the open one. */
export interface Line {
  name: string;
  group: string;
  closed: Seen;
  open: Seen;
  target?: number;
}

export interface Report {
  at: string;
  /** Shorter slots and fewer rounds: good for a look, not for a claim. */
  quick: boolean;
  node: string;
  workerd: string;
  cores: number;
  bare: { group: string; closed: Seen; open: Seen; perSecond: number }[];
  lines: Line[];
  /** CPU time with the last of 100 routes over that with one, in the same rounds; null when not measured. */
  hundredRoutes: number | null;
  missing: string[];
}

export const HUNDRED_ROUTES_TARGET = 1.05;
const P99_TARGET = 1.1;

const times = (ratio: number) => `${ratio.toFixed(2)}×`;
const spread = ({ q1, q3 }: Spread) => `${q1.toFixed(2)}–${q3.toFixed(2)}`;

/** The report as text. */
export function table(report: Report): string {
  const rows: string[][] = [
    ['', 'CPU/request', '× bare', 'quartiles', 'req/s, 16 conn.', 'p50', '× bare', 'p99', '× bare', 'quartiles'],
  ];
  for (const { group, closed, open, perSecond } of report.bare) {
    rows.push([`${group}, ${perSecond} req/s`]);
    rows.push(['  bare pass-through', us(closed), '', '', rate(closed), ms(open.p50Ms), '', ms(open.p99Ms)]);
    for (const line of report.lines.filter((one) => one.group === group)) rows.push(rowOf(line));
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
    us(closed),
    times(closed.cpuRatio.median),
    spread(closed.cpuRatio),
    rate(closed),
    ms(open.p50Ms),
    times(open.p50Ratio.median),
    ms(open.p99Ms),
    times(open.p99Ratio.median),
    spread(open.p99Ratio),
  ];
}

function notes({ lines, hundredRoutes, missing, quick }: Report): string[] {
  const said: string[] = [];
  const judge = (what: string, ratio: number, target: number) =>
    said.push(`${ratio <= target ? 'held  ' : 'missed'}  ${what}: ${ratio.toFixed(3)}, at most ${target}`);
  for (const { name, closed, open, target } of lines) {
    if (target === undefined) continue;
    judge(`CPU a request, ${name}`, closed.cpuRatio.median, target);
    judge(`p99 at a fixed rate, ${name}`, open.p99Ratio.median, P99_TARGET);
  }
  if (hundredRoutes !== null) judge('CPU a request, 100 routes over one', hundredRoutes, HUNDRED_ROUTES_TARGET);
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

const us = ({ cpuUs }: Seen) => `${Math.round(cpuUs)} µs`;
const rate = ({ perSecond }: Seen) => Math.round(perSecond).toString();
const ms = (value: number) => `${value.toFixed(2)} ms`;
