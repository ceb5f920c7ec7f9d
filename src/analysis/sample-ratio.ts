/**
 * Owns the sample-ratio check: do the arms hold the shares that were asked for? It refuses to explain a mismatch; it only
 * says that no result of such an experiment can be trusted (Fabijan et al., KDD 2019). Weights may change while units come, so
 * each unit is held against those under which it was dealt.
 */

import { logMeanExp } from './eprocess.ts';
import { gammaQ, lgamma } from './special.ts';

/**
 * By which p each form rings. Fair splits ring in 0.1 % of experiments at most (design, section 10), by all together: the
 * sequential form, which may be looked at always, and χ², looked at once, at the end, have half of it each. On halves looked at after
 * every unit the first rings in 0.016 % by 15,000 units and in 0.033 % by 200,000, which leaves room for the likelihood ratio, so far
 * out that no number of looks makes it likely: 0.004 %.
 */
export const SAMPLE_RATIO_ALPHA = { sequential: 0.0005, atOnce: 1e-6, final: 0.0005 };

/** The concentrations c over which the sequential check averages its prior a = c·p0. */
const CONCENTRATIONS: readonly number[] = [100, 1000, 10_000];

/** The units that were dealt under the same weights, by arm; weights are on any scale. */
export interface Dealt {
  weights: Record<string, number>;
  units: Record<string, number>;
}

/** Arms of weight 0 take no part; arms with weight and no units do. */
function armsOf({ weights, units }: Dealt) {
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const arms = Object.entries(weights).filter(([, weight]) => weight > 0);
  return arms.map(([name, weight]) => ({ name, count: units[name] ?? 0, share: weight / total }));
}

/**
 * Pearson's χ² of the units x_i of each arm against Σ_s n_s·p0_si, what the weights of all strata s asked for it: looked at once. With
 * several strata its p is too large rather than too small, since the sum varies less than one draw by the mean shares would.
 * p = 1 with a single arm, and where an arm should have no more units than `least`: χ² only fits arms that are not too small.
 */
export function sampleRatioChiSquare(strata: readonly Dealt[], least = 0): { chi2: number; df: number; p: number } {
  const { arms, df } = expectedOf(strata);
  if (df < 1 || arms.some(({ expected }) => expected <= least)) return { chi2: 0, df, p: 1 };
  const chi2 = arms.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0);
  return { chi2, df, p: gammaQ(df / 2, chi2 / 2) };
}

/** p by the likelihood ratio 2·Σ x_i·ln(x_i/expected_i), whose far tail also fits arms that are small. 1 where nobody was dealt. */
export function sampleRatioLikelihood(strata: readonly Dealt[]): number {
  const { arms, df } = expectedOf(strata);
  const half = arms.reduce((sum, { count, expected }) => sum + (count && count * Math.log(count / expected)), 0);
  return df < 1 ? 1 : gammaQ(df / 2, half);
}

function expectedOf(strata: readonly Dealt[]) {
  const sums: Record<string, { count: number; expected: number }> = Object.create(null);
  for (const arms of strata.map(armsOf)) {
    const n = totalOf(arms);
    for (const { name, count, share } of arms) {
      sums[name] ??= { count: 0, expected: 0 };
      sums[name].count += count;
      sums[name].expected += n * share;
    }
  }
  const arms = Object.values(sums);
  return { arms, df: arms.length - 1 };
}

/**
 * The log Bayes factor of "some other split" against the asked one for running totals: a Dirichlet–multinomial mixture, multiplied
 * over the strata s, averaged over c. With a_i = c·p0_si:
 *
 * ln mean_c exp Σ_s { lnΓ(c) − lnΓ(c+n_s) + Σ_i [lnΓ(a_i+x_si) − lnΓ(a_i) − x_si·ln p0_si] }
 *
 * The weights are fixed before a unit is dealt, so on fair splits each unit multiplies every product by 1 on average, whatever the
 * weights are then: 1/BF is a valid p however often one looks, and however they change.
 */
export function sampleRatioLogBF(strata: readonly Dealt[], concentrations: readonly number[] = CONCENTRATIONS): number {
  const dealt = strata.map(armsOf);
  return logMeanExp(
    concentrations.map((c) =>
      dealt.reduce(
        (total, arms) =>
          arms.reduce(
            (sum, { count, share }) => sum + lgamma(c * share + count) - lgamma(c * share) - count * Math.log(share),
            total + lgamma(c) - lgamma(c + totalOf(arms)),
          ),
        0,
      ),
    ),
  );
}

function totalOf(arms: readonly { count: number }[]): number {
  return arms.reduce((sum, { count }) => sum + count, 0);
}
