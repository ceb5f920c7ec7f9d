/** Owns the tables of `npm start -- --shadow`. Pure: it makes lines and prints none. */

import type { Comparisons } from '../../cli/comparisons/report.ts';
import { bar, ms, percent, signed, whole } from '../../cli/figures.ts';
import { grid } from '../../cli/grid.ts';
import type { LanguageRow, ShadowBoard } from './board.ts';

const BAR_WIDTH = 24;
const LIVE_LANGUAGES = 6;
const END_LANGUAGES = 15;
const END_EXAMPLES = 6;
const names = new Intl.DisplayNames('en', { type: 'language' });

export interface Names {
  baseline: string;
  candidate: string;
}

/** What is known while it runs. `scores` come from the controller, later than the rest. */
export function liveLines(board: ShadowBoard, { baseline, candidate }: Names, scores: Comparisons['scores']): string[] {
  if (board.pairs === 0) return [`  no pair yet of ${baseline} and ${candidate}`];
  const alike = (board.classes.match ?? 0) / board.pairs;
  return [
    `  ${whole(board.pairs)} pairs   alike ${bar(alike, BAR_WIDTH)} ${percent(alike)}${others(board)}`,
    '',
    ...timeLines(board, { baseline, candidate }),
    '',
    ...languageLines(board.languages().slice(0, LIVE_LANGUAGES), { baseline, candidate }),
    ...(scores === null ? [] : ['', ...scoreLines(scores, { baseline, candidate })]),
  ];
}

/** Where the two disagree, and real texts. */
export function endLines(board: ShadowBoard, who: Names): string[] {
  const languages = board.languages();
  if (languages.length === 0) return ['  The two never disagreed.'];
  const more = languages.length - END_LANGUAGES;
  return [
    ...languageLines(languages.slice(0, END_LANGUAGES), who),
    ...(more > 0 ? [`  and seldom in ${more} more`] : []),
    ...exampleLines(board, who),
  ];
}

/** The newest text of each language, those first in which the two disagree most. */
function exampleLines(board: ShadowBoard, who: Names): string[] {
  const texts = board.disagreements().filter(({ answers }) => answers !== null);
  const examples = board
    .languages()
    .flatMap(({ language }) => texts.find((text) => text.language === language) ?? [])
    .slice(0, END_EXAMPLES);
  return examples.flatMap(({ text, language, answers }) => {
    const said = (variant: string, answer: string | null) =>
      `${variant} says ${nameOf(answer ?? 'nothing')}${answer === language ? ' ✓' : ''}`;
    return [
      '',
      `  “${text}”`,
      `    ${nameOf(language)}: ${said(who.baseline, answers!.baseline)}, ${said(who.candidate, answers!.candidate)}`,
    ];
  });
}

function others({ classes, skipped }: ShadowBoard): string {
  const parts = Object.entries({ ...classes, skipped }).filter(([name, n]) => name !== 'match' && n > 0);
  return parts.map(([name, n]) => `, ${name} ${whole(n)}`).join('');
}

function timeLines(board: ShadowBoard, { baseline, candidate }: Names): string[] {
  const [median, high] = [board.times(0.5), board.times(0.95)];
  if (median === null || high === null) return [];
  return grid(
    [
      ['time to answer, ms', 'p50', 'p95'],
      [baseline, ms(median.baseline), ms(high.baseline)],
      [candidate, ms(median.candidate), ms(high.candidate)],
      ['difference', signed(median.slower, ms), signed(high.slower, ms), `pair by pair; + is ${candidate} slower`],
    ],
    'lrrl',
  );
}

function languageLines(rows: readonly LanguageRow[], { baseline, candidate }: Names): string[] {
  if (rows.length === 0) return ['  no disagreement yet'];
  return grid(
    [
      ['disagree in', 'pairs', 'differ', '', `${baseline} right`, `${candidate} right`, 'neither'],
      ...rows.map((row) => [
        nameOf(row.language),
        whole(row.pairs),
        whole(row.differ),
        percent(row.differ / row.pairs),
        whole(row.baselineRight),
        whole(row.candidateRight),
        whole(row.neitherRight),
      ]),
    ],
    'lrrrrrr',
  );
}

function scoreLines({ live, candidate, difference, interval }: NonNullable<Comparisons['scores']>, who: Names) {
  const points = (value: number) => (value * 100).toFixed(1);
  const range =
    interval === null ? '' : `, 95 % interval ${signed(interval[0], points)} to ${signed(interval[1], points)}`;
  return [
    `  right by the scorer: ${who.baseline} ${percent(live.mean ?? 0)}, ${who.candidate} ${percent(candidate.mean ?? 0)}`,
    `  that is ${signed(difference.mean, points)} points${range}, of ${whole(difference.n)} pairs`,
  ];
}

/** A person's word for a language; the code where there is none. */
function nameOf(code: string): string {
  if (code === 'und') return 'no language';
  return /^[a-z]{3}$/.test(code) ? (names.of(code) ?? code) : code;
}
