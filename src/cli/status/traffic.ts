/** Owns how a route's traffic reads: who has which share and why, and what each variant did of late. Pure; it prints nothing. */

import { bar, clock, lasting, ms, percent, shares, whole } from '../figures.ts';
import type { RouteStatus } from '../route.ts';
import type { Terminal } from '../terminal.ts';
import { safe, widthOf, wrap } from '../text.ts';

export interface Screen {
  /** Columns that no line may exceed. */
  columns: number;
  paint: Terminal['paint'];
  nowMs: number;
}

const GAP = '  ';
/** What the numbers of a line take beside name, weight and bar. */
const NUMBERS = ['requests', 'failed', 'p50', 'p95', 'p99'] as const;

export function trafficLines(status: RouteStatus, screen: Screen): string[] {
  return [...headLines(status, screen), '', ...variantLines(status, screen), ...noteLines(status, screen)];
}

function headLines({ name, split }: RouteStatus, { columns, paint, nowMs }: Screen): string[] {
  const age = split.at === '' ? '' : `, ${lasting(nowMs - Date.parse(split.at))} ago`;
  const title = `${name}   revision ${split.revision} by ${safe(split.by)}${age}`;
  const reason = split.reason === '' ? [] : wrap(safe(split.reason), columns - 2).map((line) => `  ${line}`);
  return [paint.bold(cut(title, columns)), ...reason.map((line) => paint.dim(line))];
}

/** Name, weight, bar and numbers in columns; the bar takes what room there is, and goes where there is none. */
function variantLines({ inForce, live }: RouteStatus, { columns, paint }: Screen): string[] {
  const names = Object.keys(inForce.weights);
  const label = (name: string) => (name === inForce.baseline ? `${name} *` : name);
  const rows = names.map((name) => numbersOf(live[name]));
  const widths = NUMBERS.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const nameWidth = Math.max(...names.map((name) => label(name).length));
  const numbersWidth = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const barWidth = Math.min(24, columns - nameWidth - numbersWidth - 2 - 9 - GAP.length);
  const hasBar = barWidth >= 6;
  const numbers = (cells: readonly string[]) => cells.map((cell, i) => GAP + cell.padStart(widths[i]!)).join('');
  const bars = (share: number) => (hasBar ? GAP + bar(share, barWidth) : '');
  const empty = hasBar ? ' '.repeat(barWidth + GAP.length) : '';
  const head = `  ${' '.repeat(nameWidth)}   weight${empty}${numbers(NUMBERS)}`;
  const lines = names.map((name, i) => {
    const weight = inForce.weights[name]!;
    const start = `  ${label(name).padEnd(nameWidth)}  ${`${weight} %`.padStart(7)}`;
    const painted = name === inForce.baseline ? paint.blue : paint.green;
    return start + painted(bars(weight / 100)) + numbers(rows[i]!);
  });
  return [paint.dim(head), ...lines];
}

function numbersOf(live: RouteStatus['live'][string] | undefined): string[] {
  if (live === undefined || live.requests === 0) return ['0', '–', '–', '–', '–'];
  const { requests, failed, p50Ms, p95Ms, p99Ms } = live;
  return [whole(requests), percent(failed / requests), ms(p50Ms), ms(p95Ms), ms(p99Ms)];
}

function noteLines({ inForce, byHand, name }: RouteStatus, { columns, paint }: Screen): string[] {
  const mirrored = Object.values(inForce.shadows).some((share) => share > 0);
  const loud = [
    ...(byHand === null
      ? []
      : [`weights set by hand (weights:${name}) beat everything; headgate manual clear ${name}`]),
    // The line above says it better.
    ...inForce.notes.filter((note) => byHand === null || note !== 'weights set by hand'),
  ];
  const quiet = [
    ...(mirrored ? [`mirrored: ${shares(inForce.shadows)}`] : []),
    '* baseline; the last ten minutes, times in ms',
  ];
  return [
    ...loud.flatMap((note) => wrap(`  ! ${safe(note)}`, columns, '    ')).map((line) => paint.yellow(line)),
    ...quiet.flatMap((note) => wrap(`  ${note}`, columns, '  ')).map((line) => paint.dim(line)),
  ];
}

/** A text of at most so many columns. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  return `${[...text].slice(0, Math.max(0, columns - 1)).join('')}…`;
}

/** `10:14:30 UTC, in 5 min 50 s`. */
export function moment(at: string, nowMs: number): string {
  const leftMs = Date.parse(at) - nowMs;
  return `${clock(at, nowMs)}, ${leftMs > 0 ? `in ${lasting(leftMs)}` : 'any moment now'}`;
}
