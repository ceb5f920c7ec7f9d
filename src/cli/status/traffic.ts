/** Owns how a route's traffic reads: who has which share and why, and what each variant did of late. Pure; it prints nothing. */

import { bar, clock, lasting, ms, percent, shares, whole } from '../figures.ts';
import type { RouteStatus } from '../route.ts';
import type { Terminal } from '../terminal.ts';
import { safe, widthOf, wrap } from '../text.ts';

/** What the picture of a route must know of the terminal. */
export interface Screen {
  /** Columns that no line may exceed. */
  columns: number;
  paint: Terminal['paint'];
  nowMs: number;
}

const GAP = '  ';
/** The numbers of a line; where there is no room for all, the first to go comes last. */
const NUMBERS = ['requests', 'failed', 'p50', 'p95', 'p99'] as const;
const FIRST_TO_GO = ['p50', 'p99', 'p95', 'failed'];
/** Indentation, two spaces and a weight such as `99.99 %`. */
const WEIGHT_WIDTH = 2 + GAP.length + 7;

/** Lines of at most `screen.columns`. */
export function trafficLines(status: RouteStatus, screen: Screen): string[] {
  return [...headLines(status, screen), '', ...variantLines(status, screen), ...noteLines(status, screen)];
}

function headLines({ name, split, byHand }: RouteStatus, { columns, paint, nowMs }: Screen): string[] {
  const age = split.at === '' ? '' : `, ${lasting(nowMs - Date.parse(split.at))} ago`;
  const made = `revision ${split.revision} by ${safe(split.by)}${age}`;
  const title = `${name}   ${byHand === null ? made : `by hand, over ${made}`}`;
  // Why the split was made explains nothing of the weights below it.
  const reason =
    split.reason === '' || byHand !== null ? [] : wrap(safe(split.reason), columns - 2).map((line) => `  ${line}`);
  return [paint.bold(cut(title, columns)), ...reason.map((line) => paint.dim(line))];
}

/** Name, weight, bar and numbers in columns. The bar takes what room the numbers leave; then the numbers give way. */
function variantLines({ inForce, live }: RouteStatus, { columns, paint }: Screen): string[] {
  const names = Object.keys(inForce.weights);
  const labels = names.map((name) => (name === inForce.baseline ? `${name} *` : name));
  const nameWidth = Math.max(...labels.map((label) => label.length));
  const rows = names.map((name) => numbersOf(live[name]));
  const shown = fitting(rows, columns - nameWidth - WEIGHT_WIDTH);
  const numbers = (cellOf: (i: number) => string) =>
    shown.map(([i, width]) => GAP + cellOf(i).padStart(width)).join('');
  const taken = shown.reduce((sum, [, width]) => sum + GAP.length + width, nameWidth + WEIGHT_WIDTH);
  const barWidth = Math.min(24, columns - taken - GAP.length);
  const bars = (share: number) => (barWidth >= 6 ? GAP + bar(share, barWidth) : '');
  const head = `  ${' '.repeat(nameWidth)}   weight${' '.repeat(bars(0).length)}${numbers((i) => NUMBERS[i]!)}`;
  const lines = names.map((name, row) => {
    const weight = inForce.weights[name]!;
    const painted = name === inForce.baseline ? paint.blue : paint.green;
    const start = `  ${labels[row]!.padEnd(nameWidth)}${GAP}${`${weight} %`.padStart(7)}`;
    return start + painted(bars(weight / 100)) + numbers((i) => rows[row]![i]!);
  });
  return [paint.dim(head), ...lines];
}

/** Which of the numbers fit into so many columns, each with its width. */
function fitting(rows: readonly (readonly string[])[], columns: number): [index: number, width: number][] {
  let shown = NUMBERS.map((title, i): [number, number] => [
    i,
    Math.max(title.length, ...rows.map((row) => row[i]!.length)),
  ]);
  const width = () => shown.reduce((sum, [, wide]) => sum + GAP.length + wide, 0);
  for (const title of FIRST_TO_GO) {
    if (width() <= columns) break;
    shown = shown.filter(([i]) => NUMBERS[i] !== title);
  }
  return shown;
}

function numbersOf(live: RouteStatus['live'][string] | undefined): string[] {
  if (live === undefined || live.requests === 0) return ['0', '–', '–', '–', '–'];
  const { requests, failed, p50Ms, p95Ms, p99Ms } = live;
  return [whole(requests), percent(failed / requests), ms(p50Ms), ms(p95Ms), ms(p99Ms)];
}

/** What to say of weights by hand that are refused: whoever wrote them believes that they decide. Empty where none are. */
export function refusedWords({ name, byHand, byHandFault }: RouteStatus): string[] {
  // A Worker of before does not say.
  if (!byHandFault) return [];
  const { path, reason, mend } = byHandFault;
  const stays = byHand === null ? 'it moves no traffic' : 'the weights before it stay';
  const why = `${path === '$' ? '' : `${path}: `}${reason}; ${mend}`;
  return [`weights:${name} in KV is refused, so ${stays}: ${why}; or take it away: headgate manual clear ${name}`];
}

function noteLines(status: RouteStatus, { columns, paint }: Screen): string[] {
  const { inForce, byHand, name } = status;
  const mirrored = Object.values(inForce.shadows).some((share) => share > 0);
  const loud = [
    ...refusedWords(status),
    ...(byHand === null ? [] : [`weights set by hand; to end that: headgate manual clear ${name}`]),
    // The line above says it better.
    ...inForce.notes.filter((note) => byHand === null || note !== 'weights set by hand'),
    ...(status.warnings ?? []),
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
