/** Owns the small grids of a report: columns as wide as their widest cell, two columns from the left. Pure. */

import { widthOf } from './text.ts';

/** Lines of a grid; `align` has `l` or `r` for each column. A missing cell is empty. */
export function grid(rows: readonly (readonly string[])[], align: string): string[] {
  const widths = [...align].map((_, i) => Math.max(...rows.map((row) => widthOf(row[i] ?? ''))));
  return rows.map((row) =>
    `  ${[...align]
      .map((side, i) => {
        const cell = row[i] ?? '';
        const space = ' '.repeat(widths[i]! - widthOf(cell));
        return side === 'r' ? space + cell : cell + space;
      })
      .join('  ')}`.trimEnd(),
  );
}
