/**
 * Owns what the scorer knows: the true language of every text that the demo may send, as hashes, since a Worker cannot read the
 * declarations themselves. `truth.json` is made by `node src/demo/scorer/emit-truth.ts`; a test holds it to the texts.
 */

import { murmur3 } from '../../split/murmur3.ts';
import type { LabelledText } from '../texts.ts';

/** Hashes of the texts of each language in base 36, sorted, with blanks between. */
type Truth = Record<string, string>;

export function truthOf(texts: readonly LabelledText[]): Truth {
  const hashes: Record<string, Set<string>> = {};
  for (const { text, language } of texts) {
    hashes[language] ??= new Set();
    hashes[language].add(hashOf(text));
  }
  return Object.fromEntries(
    Object.keys(hashes)
      .sort()
      .map((language) => [language, [...hashes[language]!].sort().join(' ')]),
  );
}

/** Asks the truth: the languages that a text is in (one line is the same in two), none for a text it does not know. */
export function languagesOf(truth: Truth): (text: string) => readonly string[] {
  const languages = new Map<string, string[]>();
  for (const [language, hashes] of Object.entries(truth)) {
    for (const hash of hashes.split(' ')) languages.set(hash, [...(languages.get(hash) ?? []), language]);
  }
  return (text) => languages.get(hashOf(text)) ?? [];
}

const hashOf = (text: string): string => murmur3(text).toString(36);
