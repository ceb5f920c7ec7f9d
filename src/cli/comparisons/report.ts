/**
 * Owns how the report of a route's comparisons reads on a terminal: classes, accounting, failures, latency, fields, likeness,
 * numbers, scores, notes. Pure: it makes lines of at most the screen's columns and prints none.
 */

import type * as v from 'valibot';
import type { comparisonsAnswer } from '../../admin/answers.ts';
import { bar, figure, ms, percent, signed, whole } from '../figures.ts';
import { grid } from '../grid.ts';
import { columnsOfScreen, joined, noteLines, type Screen } from '../screen.ts';
import { safe, wrap } from '../text.ts';
import { fieldLines } from './fields.ts';

/** What the API answers. */
export type Comparisons = v.InferOutput<typeof comparisonsAnswer>;

const BAR_WIDTH = 28;

/** The whole report but the pairs themselves. */
export function reportLines(route: string, report: Comparisons, screen: Screen): string[] {
  return joined([
    headLines(route, report, screen),
    classLines(report, screen),
    latencyLines(report),
    fieldLines(report, screen),
    likenessLines(report),
    numberLines(report, screen),
    scoreLines(report, screen),
    noteLines(report.notes, screen),
  ]);
}

function headLines(route: string, { candidate, candidates, since }: Comparisons, { paint }: Screen): string[] {
  const others = candidates.filter((name) => name !== candidate);
  return [
    `${paint.bold(`${route}: ${candidate}`)} against the baseline, since ${minute(since)}`,
    ...others.map((name) => paint.dim(`also compared: ${name} (--candidate ${name})`)),
  ];
}

/** Eligible is compared plus skipped, exactly; were it ever not, the reader must know before any other number. */
function classLines(report: Comparisons, screen: Screen): string[] {
  const { eligible, compared, classes, skipped, failures, repeats } = report;
  const { green, yellow, red } = screen.paint;
  const paints = { match: green, 'status-mismatch': yellow, 'body-mismatch': yellow, error: red, timeout: red };
  const rows = Object.entries(classes).map(([name, n]) => [name, whole(n), percent(n / compared)]);
  const lines = grid(rows, 'lrr').map((line, i) => {
    const [name, n] = Object.entries(classes)[i]!;
    return `${line}  ${paints[name as keyof typeof paints](bar(compared === 0 ? 0 : n / compared, BAR_WIDTH))}`;
  });
  const left = sumOf(skipped);
  const account =
    eligible === compared + left
      ? `Every sampled request is accounted for: ${whole(eligible)} eligible = ${whole(compared)} compared + ${whole(left)} skipped${counted(skipped)}`
      : red(
          `The account does not close: ${eligible} eligible, ${compared} compared, ${left} skipped${counted(skipped)}`,
        );
  const again = sumOf(repeats);
  const extra = [
    account,
    ...(sumOf(failures) > 0 ? [`Failed because: ${listed(failures)}`] : []),
    ...(again > 0 ? [`Baseline against itself: ${whole(again)} repeats${counted(repeats)}`] : []),
  ];
  const columns = columnsOfScreen(screen);
  return [...lines, ...extra.flatMap((line) => wrap(`  ${line}`, columns, '    '))];
}

function latencyLines({ latency }: Comparisons): string[] {
  const row = (title: string, { p50Ms, p95Ms, p99Ms }: typeof latency.live) => [title, ms(p50Ms), ms(p95Ms), ms(p99Ms)];
  const { p50Ms, p95Ms, p99Ms } = latency.difference;
  return grid(
    [
      ['latency, ms', 'p50', 'p95', 'p99'],
      row('baseline headers', latency.headers.live),
      row('candidate headers', latency.headers.candidate),
      row('baseline total', latency.live),
      row('candidate total', latency.candidate),
      ['difference', ...[p50Ms, p95Ms, p99Ms].map((value) => signed(value, ms)), 'pair by pair; + is slower'],
    ],
    'lrrrl',
  );
}

function likenessLines({ similarity }: Comparisons): string[] {
  if (similarity === null || similarity.candidate.n === 0) return [];
  const row = (title: string, { n, mean, standardError }: typeof similarity.repeat) => [
    title,
    figure(mean),
    standardError === null ? '' : `± ${figure(1.96 * standardError)}`,
    `${whole(n)} pairs`,
  ];
  return grid(
    [
      ['likeness of texts, 0 to 1', 'mean', '', ''],
      row('candidate to baseline', similarity.candidate),
      row('baseline to itself', similarity.repeat),
    ],
    'lrrr',
  );
}

/** Numbers that are estimates where a reply named no usage; `~` marks them there. */
const ESTIMATED = new Set(['tokensIn', 'tokensOut', 'cost']);

function numberLines({ numbers }: Comparisons, screen: Screen): string[] {
  const { tokensEstimated, ...shown } = numbers;
  const names = Object.keys(shown).sort();
  if (names.length === 0) return [];
  const shares = { live: tokensEstimated?.live.mean ?? 0, candidate: tokensEstimated?.candidate.mean ?? 0 };
  const marked = (name: string, side: 'live' | 'candidate', mean: number | null) =>
    `${ESTIMATED.has(name) && shares[side] > 0 && mean !== null ? '~' : ''}${figure(mean)}`;
  const rows = names.map((name) => {
    const { live, candidate } = numbers[name]!;
    const change =
      live.mean && candidate.mean !== null ? signed(candidate.mean / live.mean - 1, (share) => percent(share)) : '–';
    return [
      safe(name.replace(/^measure:/, '')),
      marked(name, 'live', live.mean),
      marked(name, 'candidate', candidate.mean),
      change,
    ];
  });
  const lines = grid([['mean of an answer', 'baseline', 'candidate', 'change'], ...rows], 'lrrr');
  if (shares.live + shares.candidate === 0) return lines;
  const told = `~ ${percent(shares.live)} of the baseline's answers and ${percent(shares.candidate)} of the candidate's name no usage: their tokens are estimated (characters / 4)`;
  return [...lines, ...wrap(`  ${told}`, columnsOfScreen(screen), '    ')];
}

function scoreLines({ scores }: Comparisons, screen: Screen): string[] {
  if (scores === null) return [];
  const { green, red } = screen.paint;
  const { live, candidate, difference, interval } = scores;
  const [lo, hi] = interval ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const verdict =
    lo > 0 ? green('the candidate scores higher') : hi < 0 ? red('the candidate scores lower') : 'no difference found';
  const range = interval === null ? '' : `, 95 % interval ${signed(lo, figure)} to ${signed(hi, figure)}`;
  return [
    `  scores of ${whole(difference.n)} pairs: baseline ${figure(live.mean)}, candidate ${figure(candidate.mean)}`,
    ...wrap(`  difference ${signed(difference.mean, figure)}${range}`, columnsOfScreen(screen), '    '),
    `  ${verdict}`,
  ];
}

function counted(counts: Record<string, number>): string {
  return Object.keys(counts).length === 0 ? '' : ` (${listed(counts)})`;
}

function listed(counts: Record<string, number>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => `${safe(name)} ${whole(n)}`)
    .join(', ');
}

const sumOf = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, n) => sum + n, 0);

const minute = (at: string | null): string => (at === null ? '–' : `${at.slice(0, 16).replace('T', ' ')} UTC`);
