/**
 * Owns the comparison of plain texts: what counts as the same text, and how alike two different ones are. Likeness is
 * reported and never judged here. Time is bounded at every length.
 */

import { distance } from '../../analysis/levenshtein.ts';

/** Longest text, in UTF-16 units, for which each edit is counted; beyond, words are. */
export const maxLevenshteinChars = 4000;
/** Two different texts are never called wholly alike, however many words they share. */
const almostOne = 0.9999;

/**
 * The text without what carries no meaning: byte order mark, kind of line ending, white space at line ends and at the end,
 * and the composition of accents (NFC). White space inside a line stays: in code and tables it means something.
 */
export function normaliseText(text: string): string {
  const plain = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const lines = plain.includes('\r') ? plain.replace(/\r\n?/g, '\n') : plain;
  return lines.normalize('NFC').split('\n').map(trimLine).join('\n').trimEnd();
}

/** A regular expression for trailing white space is quadratic on a line of nothing else; this is not. */
function trimLine(line: string): string {
  const last = line.charCodeAt(line.length - 1);
  return last === 0x20 || last === 0x09 ? line.trimEnd() : line;
}

/**
 * How alike two normalised texts are, from 0 to 1; 1 only for equal ones. To 4,000 characters the share of characters that
 * need no edit (Levenshtein), beyond that the share of words in common (Dice coefficient over the bags of words, blind to
 * their order).
 */
export function similarity(a: string, b: string): number {
  if (a === b) return 1;
  const longest = Math.max(a.length, b.length);
  if (Math.min(a.length, b.length) === 0) return 0;
  if (longest > maxLevenshteinChars) return Math.min(almostOne, wordDice(a, b));
  const [left, right] = withoutCommonEnds(a, b);
  return Math.min(almostOne, 1 - distance(left, right) / longest);
}

/** Common beginnings and ends never change the distance, and answers to one prompt have long ones. */
function withoutCommonEnds(a: string, b: string): [string, string] {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a.charCodeAt(head) === b.charCodeAt(head)) head++;
  let tail = 0;
  while (tail < shorter - head && a.charCodeAt(a.length - 1 - tail) === b.charCodeAt(b.length - 1 - tail)) tail++;
  return [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
}

function wordDice(a: string, b: string): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const word of words(a)) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    total++;
  }
  let shared = 0;
  for (const word of words(b)) {
    total++;
    const left = counts.get(word) ?? 0;
    if (left === 0) continue;
    counts.set(word, left - 1);
    shared++;
  }
  return total === 0 ? 0 : (2 * shared) / total;
}

/** Scripts written without spaces have a word for each character, else a Chinese answer would be one word. */
const wordPattern = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}]|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu;
const asciiWordPattern = /\w+|[^\s\w]/g;

function words(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range is meant.
  return text.match(/[^\x00-\x7f]/.test(text) ? wordPattern : asciiWordPattern) ?? [];
}
