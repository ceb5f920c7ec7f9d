/** Owns "did you mean" on the command line: a word that nobody knows, and the known one that it is nearest to. Pure. */

import { nearest } from '../config/nearest.ts';

/** How to mend an unknown word: the nearest known one first, then all of them. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return 'there is none yet';
  const meant = nearest(word, known) ?? beginning(word, known);
  const all = `known: ${known.join(', ')}`;
  return meant === null ? all : `did you mean ${meant}? (${all})`;
}

/** The one word that begins as this one does: people cut words short. */
function beginning(word: string, known: readonly string[]): string | null {
  const fitting = known.filter((one) => word.length > 0 && one.startsWith(word));
  return fitting.length === 1 ? fitting[0]! : null;
}
