/** Owns how lists, tables and faults look on a terminal. It prints nothing itself. */

import type { Fault } from '../result.ts';
import type { Terminal } from './terminal.ts';
import { safe } from './text.ts';

/** Each fault as path, reason and what to do, in three short lines at most. */
export function faultLines(faults: readonly Fault[], { paint }: Terminal): string[] {
  return faults.flatMap(({ path, reason, mend }) => [
    `  ${paint.bold(safe(path || '(document)'))}  ${safe(reason)}`,
    ...(mend ? [`    ${paint.dim('→')} ${safe(mend)}`] : []),
  ]);
}

/** One column of a table. */
export interface Column<Row> {
  title: string;
  cell(row: Row): string;
  align?: 'right';
}

/** No column gets narrower than this. */
const minWidth = 5;
const gap = '  ';

/** Lines of a table, the head first. Where it is too wide, the widest columns are cut, so that short ones stay whole. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[], maxColumns: number): string[] {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => safe(column.cell(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => [...line[i]!].length)));
  const room = maxColumns - gap.length * (columns.length - 1);
  while (sum(widths) > room) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= minWidth) break;
    widths[widest]! -= 1;
  }
  return cells.map((line) =>
    line
      .map((cell, i) => padOrCut(cell, widths[i]!, columns[i]!.align))
      .join(gap)
      .trimEnd(),
  );
}

function padOrCut(cell: string, width: number, align: 'right' | undefined): string {
  const characters = [...cell];
  if (characters.length > width) return `${characters.slice(0, width - 1).join('')}…`;
  const padding = ' '.repeat(width - characters.length);
  return align === 'right' ? padding + cell : cell + padding;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
