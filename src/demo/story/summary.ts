/** Owns the end of the story: what each act has shown, in numbers, and whether it went as told. Pure: it makes lines. */

import { grid } from '../../cli/grid.ts';
import { columnsOfScreen, type Screen } from '../../cli/screen.ts';
import { widthOf, wrap } from '../../cli/text.ts';

export interface Fact {
  act: string;
  what: string;
  measured: string;
}

export interface ActReport {
  facts: Fact[];
  /** What went otherwise than it is told, in sentences; empty when all is well. */
  differs: string[];
}

/** A table, or where the screen is too narrow for it, a list; then the verdict on the story. */
export function summaryLines({ facts, differs }: ActReport, screen: Screen): string[] {
  const columns = columnsOfScreen(screen);
  const rows = facts.map(({ act, what, measured }, i) => [facts[i - 1]?.act === act ? '' : act, what, measured]);
  const table = grid([['act', 'what was shown', 'measured'], ...rows], 'lll');
  const fits = table.every((line) => widthOf(line) <= columns);
  const body = fits
    ? table
    : facts.flatMap((fact) => wrap(`  ${fact.act}, ${fact.what}: ${fact.measured}`, columns, '    '));
  const { bold, green, red } = screen.paint;
  const verdict =
    differs.length === 0
      ? [green('The story went as told.')]
      : [
          red('The story did not go as told:'),
          ...differs.flatMap((sentence) => wrap(`  - ${sentence}`, columns, '    ')),
        ];
  return [bold('Summary'), ...body, '', ...verdict];
}

/** Gathers what differs: each claim with whether it holds, and what was seen. */
export function differing(claims: readonly { claim: string; holds: boolean; seen: string }[]): string[] {
  return claims.filter(({ holds }) => !holds).map(({ claim, seen }) => `${claim}: ${seen}`);
}
