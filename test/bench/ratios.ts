/**
 * Owns the figures of the bench: medians, quartiles, and ratios of neighbours in time. A shared machine's absolute figures
 * drift by tens of percent within a minute; the ratio of two slots that lie side by side does not.
 */

/** A ratio over many rounds: its median and its quartiles. */
export interface Spread {
  median: number;
  q1: number;
  q3: number;
}

/** The value at a share (0 to 1) of the sorted list, linear between neighbours. NaN for an empty list. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), q1: quantile(values, 0.25), q3: quantile(values, 0.75) };
}

/**
 * Each subject against the reference that was measured just before and just after it, so that a drift that is linear over
 * three slots cancels out. `references` has one more entry than `subjects`.
 */
export function againstNeighbours(subjects: readonly number[], references: readonly number[]): number[] {
  if (references.length !== subjects.length + 1) throw new RangeError('a reference stands on each side of a subject');
  return subjects.map((value, index) => (2 * value) / (references[index]! + references[index + 1]!));
}
