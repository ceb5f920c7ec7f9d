/** Owns the table of fields that differ: raw counts of candidate and repeat, and the verdict with its evidence. Pure. */

import { evidence, percent, whole } from '../figures.ts';
import { grid } from '../grid.ts';
import type { Screen } from '../screen.ts';
import { safe, widthOf } from '../text.ts';
import type { Comparisons } from './report.ts';

/** Fields shown; the API has all. */
const SHOWN = 12;
const MIN_PATH = 16;

/** Most telling first, as the API sorts them: real ones, undecided ones, noise. */
export function fieldLines({ fields }: Pick<Comparisons, 'fields'>, { columns, paint }: Screen): string[] {
  if (fields.length === 0) return [];
  const shown = fields.slice(0, SHOWN);
  const cells = shown.map((field) => [
    counted(field.candidate, field.candidatePairs),
    counted(field.repeat, field.repeatPairs),
    field.verdict,
    `e ${evidence(field.e)}, bar ${evidence(field.threshold)}`,
  ]);
  const others = grid([['candidate', 'repeat', 'verdict', ''], ...cells], 'rrll');
  const room = Math.max(MIN_PATH, columns - Math.max(...others.map(widthOf)) - 2);
  const paths = ['fields that differ', ...shown.map(({ path }) => cut(safe(path === '' ? '(whole)' : path), room))];
  const width = Math.max(...paths.map(widthOf));
  const lines = paths.map((path, i) => {
    const line = `  ${path}${' '.repeat(width - widthOf(path))}${others[i]!}`;
    const verdict = shown[i - 1]?.verdict;
    return verdict === 'real' ? paint.red(line) : verdict === 'noise' ? paint.dim(line) : line;
  });
  const more = fields.length - shown.length;
  return more > 0 ? [...lines, `  and ${whole(more)} more (--json has them all)`] : lines;
}

function counted(differ: number, pairs: number): string {
  return `${whole(differ)}/${whole(pairs)} ${percent(differ / pairs).padStart(7)}`;
}

/** The end of a path tells more than its beginning. */
function cut(path: string, width: number): string {
  if (widthOf(path) <= width) return path;
  const characters = [...path];
  while (widthOf(characters.join('')) > width - 1) characters.shift();
  return `…${characters.join('')}`;
}
