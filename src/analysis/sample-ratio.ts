/**
 * Owns the sample-ratio check: do the arms hold the shares that were asked for? It refuses to explain a mismatch; it only
 * says that no result of such an experiment can be trusted (Fabijan et al., KDD 2019).
 */

import { logMeanExp } from './eprocess.ts';
import { gammaQ, lgamma } from './special.ts';

/** Below this p a sample-ratio mismatch is called (design, section 10). */
export const SAMPLE_RATIO_ALPHA = 0.001;

/** The concentrations c over which the sequential check averages its prior a = c·p0. */
export const CONCENTRATIONS: readonly number[] = [100, 1000, 10_000];

/** Arms of weight 0 take no part; arms with weight and no units do. */
function served(observed: readonly number[], weights: readonly number[]) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return observed.map((count, i) => ({ count, share: weights[i]! / total })).filter(({ share }) => share > 0);
}

/** Pearson's χ² of units against weights (any scale), looked at once; p = 1 with no units or a single arm. */
export function sampleRatioChiSquare(
  observed: readonly number[],
  weights: readonly number[],
): { chi2: number; df: number; p: number } {
  const arms = served(observed, weights);
  const n = arms.reduce((sum, { count }) => sum + count, 0);
  const df = arms.length - 1;
  if (n === 0 || df < 1) return { chi2: 0, df, p: 1 };
  const chi2 = arms.reduce((sum, { count, share }) => sum + (count - n * share) ** 2 / (n * share), 0);
  return { chi2, df, p: gammaQ(df / 2, chi2 / 2) };
}

/**
 * The log Bayes factor of "some other split" against the asked one for running totals: a Dirichlet–multinomial mixture,
 * averaged over concentrations (Lindon & Malek 2020/2022). An e-process: it may be looked at after every batch.
 */
export function sampleRatioLogBF(
  observed: readonly number[],
  weights: readonly number[],
  concentrations: readonly number[] = CONCENTRATIONS,
): number {
  const arms = served(observed, weights);
  const n = arms.reduce((sum, { count }) => sum + count, 0);
  return logMeanExp(
    concentrations.map((c) =>
      arms.reduce(
        (sum, { count, share }) => sum + lgamma(c * share + count) - lgamma(c * share) - count * Math.log(share),
        lgamma(c) - lgamma(c + n),
      ),
    ),
  );
}

/** What the sequential check keeps between looks: only the smallest p so far. */
export interface SampleRatioState {
  logBF: number;
  p: number;
}

/** One more look at the running totals: p is the running minimum of 1/BF, and an alarm once rung stays rung. */
export function lookAtSampleRatio(
  before: SampleRatioState | null,
  observed: readonly number[],
  weights: readonly number[],
  concentrations: readonly number[] = CONCENTRATIONS,
): SampleRatioState & { alarm: boolean } {
  const logBF = sampleRatioLogBF(observed, weights, concentrations);
  const p = Math.min(before?.p ?? 1, Math.exp(-logBF), 1);
  return { logBF, p, alarm: p < SAMPLE_RATIO_ALPHA };
}
