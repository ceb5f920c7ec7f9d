/** Owns the screen that reports are laid out for: how wide it is, and the form that all of them have. It knows no report. */

import type { Terminal } from './terminal.ts';
import { safe, wrap } from './text.ts';

/** What a report must know of the terminal. */
export type Screen = Pick<Terminal, 'columns' | 'paint'>;

/** Where nothing is cut (a pipe), lines are laid out as for this. */
const PIPE_COLUMNS = 80;

/** The columns to lay lines out for. */
export const columnsOfScreen = ({ columns }: Pick<Screen, 'columns'>): number =>
  Number.isFinite(columns) ? columns : PIPE_COLUMNS;

/** The lines of all sections that have any, with an empty line between two. */
export function joined(sections: readonly (readonly string[])[]): string[] {
  return sections.filter((lines) => lines.length > 0).flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

/** Notes at the end of a report. */
export function noteLines(notes: readonly string[], screen: Screen): string[] {
  return notes.flatMap((note) =>
    wrap(`  ! ${safe(note)}`, columnsOfScreen(screen), '    ').map((line) => screen.paint.yellow(line)),
  );
}
