/** Owns how a report's segments read: a row for each value, and above them that they decide nothing. Pure. */

import type { Report, SegmentReport } from '../../experiment/report.ts';
import { figure, percent, signed, whole } from '../figures.ts';
import { grid } from '../grid.ts';
import { columnsOfScreen, type Screen } from '../screen.ts';
import { safe, widthOf, wrap } from '../text.ts';
import { differenceWords } from './differences.ts';
import { isNone } from './interval.ts';

type Slice = SegmentReport['slices'][number];

/** One segment: by primary metric and value both arms, difference and interval. */
export function segmentLines({ name, slices }: SegmentReport, report: Report, screen: Screen): string[] {
  const columns = columnsOfScreen(screen);
  const { bold, dim } = screen.paint;
  const note = 'exploratory: of several values one looks good by chance, so this decides nothing';
  const title = wrap(`  ${bold(safe(name))} ${dim(`(${note})`)}`, columns, '    ');
  const tables = Object.values(Object.groupBy(slices, ({ metric, variant }) => `${metric} ${variant}`));
  return [...title, ...tables.flatMap((table) => tableLines(table!, report, columns))];
}

function tableLines(slices: readonly Slice[], report: Report, columns: number): string[] {
  const { metric, arms } = slices[0]!;
  const kind = report.metrics.find((one) => one.name === metric)?.kind ?? 'mean';
  const rows = slices.map((slice) => rowOf(slice, kind));
  const lines = grid([[safe(metric), ...Object.keys(arms), 'difference', ''], ...rows], 'lrrrl').map(
    (line) => `  ${line}`,
  );
  if (lines.every((line) => widthOf(line) <= columns)) return lines;
  // Where the rows do not fit, each is a sentence.
  const head = `    ${safe(metric)}, ${Object.keys(arms).join(' against ')}:`;
  return [head, ...rows.map((row) => `    ${row.join('  ')}`)].flatMap((line) => wrap(line, columns, '      '));
}

function rowOf({ value, arms, difference, interval }: Slice, kind: 'conversion' | 'mean'): string[] {
  const words = (number: number) => differenceWords(number, kind);
  const shown = Object.values(arms).map(({ n, mean }) =>
    n === 0 ? '–' : `${kind === 'conversion' ? percent(mean) : figure(mean)} of ${whole(n)}`,
  );
  if (shown.includes('–')) return [safe(value), ...shown, '–', ''];
  const range = isNone(interval) ? '' : interval.map((end) => signed(end, words)).join(' to ');
  return [safe(value), ...shown, signed(difference, words), range];
}
