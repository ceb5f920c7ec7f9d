/**
 * Owns Student's t: tails, quantiles, and the non-central tail that a planner of means needs. It refuses approximations
 * by the normal: the few degrees of freedom of small arms are where they mislead.
 */

import { betaI, lgamma, normCdf, positiveRoot } from './special.ts';

/** P(T > t) with `df` degrees of freedom (any positive number), right also in the far tail. */
export function tSf(t: number, df: number): number {
  const tt = t * t;
  // The larger of the two arguments is never formed as 1 − the smaller.
  const half = betaI(df / 2, 0.5, df / (df + tt), tt / (df + tt)) / 2;
  return t >= 0 ? half : 1 - half;
}

/** The t with P(T > t) = q; NaN for a q outside [0, 1] or degrees of freedom that are not positive. */
export function tIsf(q: number, df: number): number {
  if (!(q >= 0 && q <= 1 && df > 0)) return Number.NaN;
  if (q === 0) return Infinity;
  if (q >= 0.5) return q === 0.5 ? 0 : -tIsf(1 - q, df);
  return positiveRoot((t) => q - tSf(t, df));
}

/** The t with P(T ≤ t) = p. */
export const tPpf = (p: number, df: number): number => -tIsf(p, df);

/**
 * P(T ≤ t) for the non-central t with non-centrality `delta`: the mean of Φ(t·s − δ) over s = √(χ²_df/df), by Simpson's
 * rule. Right to about 1e-12 for df ≥ 5.
 */
export function noncentralTCdf(t: number, df: number, delta: number): number {
  const spread = 1 / Math.sqrt(2 * df);
  const from = Math.max(1e-9, 1 - 12 * spread);
  const to = 1 + 12 * spread;
  const steps = 800;
  const h = (to - from) / steps;
  const lnLead = Math.LN2 + (df / 2) * Math.log(df / 2) - lgamma(df / 2);
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const s = from + i * h;
    const density = Math.exp(lnLead + (df - 1) * Math.log(s) - (df * s * s) / 2);
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * density * normCdf(t * s - delta);
  }
  return (sum * h) / 3;
}
