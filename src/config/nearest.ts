/** Owns "did you mean": the known word that a misspelled one is nearest to. */

import { distance } from '../levenshtein.ts';

/** The nearest of the known words, or null when none is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | null {
  const limit = word.length < 4 ? 1 : word.length < 8 ? 2 : 3;
  let best: string | null = null;
  let least = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < least) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

/** The mend of a word that is not known: the word that was meant, or else what helps. */
export function meantOr(otherwise: string, word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant === null ? otherwise : `did you mean "${meant}"?`;
}
