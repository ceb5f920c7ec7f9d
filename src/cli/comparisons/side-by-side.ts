/**
 * Owns two texts side by side with what differs marked: by colour, and by a sign between them where there is none. Pure. JSON
 * is laid out member by member in one order first, so that only what differs looks different.
 */

import { diffArrays, diffWordsWithSpace } from 'diff';
import { ExactNumber, parseJson } from '../../shadow/compare/json-text.ts';
import type { Screen } from '../screen.ts';
import { columnsOf, safe, widthOf } from '../text.ts';

interface Piece {
  text: string;
  differs: boolean;
}
/** `=` alike, `≠` changed, `-` only on the left, `+` only on the right. */
interface Row {
  sign: '=' | '≠' | '-' | '+';
  left: Piece[];
  right: Piece[];
}

/** Rows that are alike around a difference; more are folded. */
const CONTEXT = 2;

interface Titled {
  title: string;
  text: string;
}

/** Lines of both texts under their titles, each half as wide as `columns` allows. */
export function sideBySide(left: Titled, right: Titled, columns: number, { paint }: Pick<Screen, 'paint'>): string[] {
  const width = Math.max(12, Math.floor((columns - 5) / 2));
  const title = `  ${left.title}${' '.repeat(Math.max(0, width - widthOf(left.title)))}   ${right.title}`;
  const lines = folded(rowsOf(linesOf(left.text), linesOf(right.text))).flatMap((row) => {
    if (typeof row === 'number') return [paint.dim(`  … ${row} lines alike`)];
    const isAlike = row.sign === '=';
    const lefts = wrapped(row.left, width);
    const rights = wrapped(row.right, width);
    return Array.from({ length: Math.max(lefts.length, rights.length) }, (_, i) => {
      const mark = isAlike ? ' ' : row.sign;
      const shown = [lefts[i] ?? [], rights[i] ?? []].map((pieces, side) => {
        const colour = isAlike ? paint.dim : side === 0 ? paint.red : paint.green;
        const text = pieces.map((piece) => (isAlike || piece.differs ? colour(piece.text) : piece.text)).join('');
        return side === 0
          ? text + ' '.repeat(width - pieces.reduce((sum, piece) => sum + widthOf(piece.text), 0))
          : text;
      });
      return `  ${shown[0]} ${mark} ${shown[1]}`.trimEnd();
    });
  });
  return [paint.bold(title), ...lines];
}

function rowsOf(left: string[], right: string[]): Row[] {
  const rows: Row[] = [];
  let removed: string[] = [];
  const plain = (text: string): Piece[] => [{ text, differs: false }];
  const whole = (text: string): Piece[] => [{ text, differs: true }];
  const flush = (added: string[]) => {
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      const [a, b] = [removed[i], added[i]];
      if (a === undefined) rows.push({ sign: '+', left: [], right: whole(b!) });
      else if (b === undefined) rows.push({ sign: '-', left: whole(a), right: [] });
      else rows.push({ sign: '≠', ...words(a, b) });
    }
    removed = [];
  };
  for (const { value, added, removed: isRemoved } of diffArrays(left, right)) {
    if (isRemoved) removed = value;
    else if (added) flush(value);
    else {
      flush([]);
      for (const text of value) rows.push({ sign: '=', left: plain(text), right: plain(text) });
    }
  }
  flush([]);
  return rows;
}

function words(left: string, right: string): { left: Piece[]; right: Piece[] } {
  const changes = diffWordsWithSpace(left, right);
  const side = (leave: 'added' | 'removed') =>
    changes
      .filter((change) => !change[leave])
      .map(({ value, added, removed }) => ({ text: value, differs: added || removed }));
  return { left: side('added'), right: side('removed') };
}

/** Long runs of rows that are alike become their number. */
function folded(rows: Row[]): (Row | number)[] {
  const isNear = rows.map((_, i) =>
    rows.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ sign }) => sign !== '='),
  );
  const shown: (Row | number)[] = [];
  rows.forEach((row, i) => {
    const last = shown.at(-1);
    if (isNear[i]) shown.push(row);
    else if (typeof last === 'number') shown[shown.length - 1] = last + 1;
    else shown.push(1);
  });
  return shown;
}

/** Pieces broken into lines of at most `width` columns; nothing is cut off. */
function wrapped(pieces: Piece[], width: number): Piece[][] {
  const lines: Piece[][] = [[]];
  let used = 0;
  for (const { text, differs } of pieces) {
    let run = '';
    for (const character of text) {
      const columns = columnsOf(character);
      if (used + columns > width) {
        lines.at(-1)!.push({ text: run, differs });
        lines.push([]);
        run = '';
        used = 0;
      }
      run += character;
      used += columns;
    }
    lines.at(-1)!.push({ text: run, differs });
  }
  return lines;
}

/** A text's lines, fit for a terminal; JSON laid out anew with its members in order. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  const document = parseJson(text);
  const laidOut = typeof document === 'object' && document !== null ? pretty(document, '') : text;
  return laidOut.split(/\r?\n/).map((line) => safe(line.replaceAll('\t', '  ')));
}

/** One member a line and no commas: they would make a line differ because of the one after it. */
function pretty(value: unknown, indent: string): string {
  if (value instanceof ExactNumber) return value.source;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = Array.isArray(value)
    ? value.map((item) => pretty(item, inner))
    : Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, member]) => `${JSON.stringify(name)}: ${pretty(member, inner)}`);
  return parts.length === 0
    ? `${open}${close}`
    : [open, ...parts.map((part) => inner + part), indent + close].join('\n');
}
