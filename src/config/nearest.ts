/** Owns "did you mean": the known word that a misspelled one is nearest to. */

/** The nearest of the known words, or null when none is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | null {
  const limit = word.length < 4 ? 1 : word.length < 8 ? 2 : 3;
  let best: string | null = null;
  let least = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = edits(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
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

/** Levenshtein distance; both words are short, since the caller compares lengths first. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
