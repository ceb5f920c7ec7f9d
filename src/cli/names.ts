/** Owns "did you mean" on the command line: the known word that is nearest to an unknown one. Pure. */

import { nearest } from '../config/nearest.ts';

/** What to use in place of an unknown word: the nearest known one first, then all of them. */
export function didYouMean(word: string, known: readonly string[]): string {
  if (known.length === 0) return 'there is none yet';
  const meant = nearest(word, known) ?? beginning(word, known);
  const all = `known: ${known.join(', ')}`;
  return meant === null ? all : `did you mean ${meant}? (${all})`;
}

/** The only known word that begins with the given one, which people may have cut short. */
function beginning(word: string, known: readonly string[]): string | null {
  const fitting = known.filter((one) => word.length > 0 && one.startsWith(word));
  return fitting.length === 1 ? fitting[0]! : null;
}
