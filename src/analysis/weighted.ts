/**
 * Owns estimates from sampled records, where each row stands for `_sample_interval` others (Analytics Engine). It refuses
 * to count rows as if they were requests. For reference: the Worker does not use it, vectors hold it.
 */

/** The effective number of rows, (Σw)²/Σw² (Kish 1965); 0 for none. */
export function effectiveSize(weights: readonly number[]): number {
  const sum = weights.reduce((total, w) => total + w, 0);
  const squares = weights.reduce((total, w) => total + w * w, 0);
  return squares > 0 ? (sum * sum) / squares : 0;
}

/** A rate from the weights of the bad rows and of all rows (Hájek's ratio), with its error at the effective size. */
export function weightedRate(
  badWeights: readonly number[],
  allWeights: readonly number[],
): { rate: number; nEff: number; se: number } {
  const sum = (values: readonly number[]) => values.reduce((total, w) => total + w, 0);
  const rate = sum(badWeights) / sum(allWeights);
  const nEff = effectiveSize(allWeights);
  return { rate, nEff, se: Math.sqrt((rate * (1 - rate)) / nEff) };
}
