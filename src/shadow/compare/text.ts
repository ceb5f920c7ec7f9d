/**
 * Owns the comparison of plain texts: what counts as the same text, and how alike two different ones are. Likeness is
 * reported and never judged here. Time is bounded at every length.
 */

import { distance } from '../../levenshtein.ts';
import { ALMOST_ONE, MAX_LEVENSHTEIN } from './limits.ts';

/**
 * The text without what carries no meaning: byte order mark, kind of line ending, white space at line ends and at the end,
 * and the composition of accents (NFC). White space inside a line stays: in code and tables it means something.
 */
export function normaliseText(text: string): string {
  // A regular expression for trailing white space is quadratic on a line of nothing else; this is not.
  const lines = text
    .replace(/^\ufeff/, '')
    .normalize('NFC')
    .split(/\r\n?|\n/);
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}

/**
 * How alike two normalised texts are, from 0 to 1; 1 only for equal ones. To 4,000 characters the share of characters that
 * need no edit (Levenshtein), beyond that the share of words in common (Dice coefficient over the bags of words, blind to
 * their order).
 */
export function similarity(a: string, b: string): number {
  if (a === b) return 1;
  const longest = Math.max(a.length, b.length);
  if (longest > MAX_LEVENSHTEIN) return Math.min(ALMOST_ONE, wordDice(a, b));
  // A common beginning never changes the distance, and answers to one prompt have a long one.
  const same = commonLength(a, b);
  return Math.min(ALMOST_ONE, 1 - distance(a.slice(same), b.slice(same)) / longest);
}

/** Cuts at a character boundary and shows that it did. */
export function clip(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`;
}

/** How many UTF-16 units two texts have in common before they part. */
export function commonLength(a: string, b: string): number {
  let same = 0;
  while (same < a.length && a.charCodeAt(same) === b.charCodeAt(same)) same++;
  return same;
}

function wordDice(a: string, b: string): number {
  const [left, right] = [words(a), words(b)];
  const waiting = new Map<string, number>();
  for (const word of left) waiting.set(word, (waiting.get(word) ?? 0) + 1);
  let shared = 0;
  for (const word of right) {
    const count = waiting.get(word) ?? 0;
    if (count > 0) shared++;
    waiting.set(word, count - 1);
  }
  return (2 * shared) / (left.length + right.length || 1);
}

/** Scripts written without spaces have a word for each character, else a Chinese answer would be one word. */
const wordPattern = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu;

function words(text: string): string[] {
  return text.match(wordPattern) ?? [];
}
