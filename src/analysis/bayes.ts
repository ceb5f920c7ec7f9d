/**
 * Owns the Bayesian figures that people like to read: the chance to be best and the expected loss. For display only: it
 * refuses to be a stopping rule, since neither is safe to look at repeatedly.
 */

import { betaI, betaPdf, normCdf, normPdf, normSf } from './special.ts';

/** What is believed of one arm's rate or mean. */
export interface Posterior {
  sd: number;
  /** What it leaves out on either side is less than any digit shown. */
  from: number;
  to: number;
  pdf(x: number): number;
  cdf(x: number): number;
  sf(x: number): number;
}

/** The posterior of a rate after `x` successes of `n`, from a Beta prior (uniform unless told; each parameter at least 1). */
export function betaPosterior(x: number, n: number, prior: readonly [number, number] = [1, 1]): Posterior {
  const a = prior[0] + x;
  const b = prior[1] + n - x;
  const m = a / (a + b);
  const sd = Math.sqrt((m * (1 - m)) / (a + b + 1));
  return {
    sd,
    from: Math.max(0, m - 10 * sd),
    to: Math.min(1, m + 10 * sd),
    pdf: (p) => betaPdf(p, 1 - p, a, b),
    cdf: (p) => betaI(a, b, p),
    sf: (p) => betaI(b, a, 1 - p, p),
  };
}

/** The posterior of a mean: normal, with the arm's standard error. */
export function normalPosterior(mean: number, se: number): Posterior {
  return {
    sd: se,
    from: mean - 10 * se,
    to: mean + 10 * se,
    pdf: (x) => normPdf((x - mean) / se) / se,
    cdf: (x) => normCdf((x - mean) / se),
    sf: (x) => normSf((x - mean) / se),
  };
}

/** Four steps for each width of the narrowest arm are the least. */
const MAX_STEPS = 20_000;
const MAX_WIDTHS = MAX_STEPS / 4;

/** The chance to be best, and what choosing this arm would lose on average, in the metric's unit. */
interface Standing {
  pBest: number;
  expectedLoss: number;
}

/**
 * Every arm's standing when larger is better, for two arms or more. By Simpson's rule over products of tails, which
 * stay right where the loss is a billionth:
 * P(i best) = ∫ f_i ∏F_j, loss_i = E[(max_j − i)₊] = ∫ F_i·(1 − ∏F_j).
 */
export function standings(arms: readonly Posterior[]): Standing[] {
  const lo = Math.min(...arms.map((arm) => arm.from));
  const hi = Math.max(...arms.map((arm) => arm.to));
  const narrowest = Math.min(...arms.map((arm) => arm.sd));
  const widths = (hi - lo) / narrowest;
  // An arm too narrow for the grid would fall between its points.
  if (!(widths <= MAX_WIDTHS)) return arms.map(() => ({ pBest: Number.NaN, expectedLoss: Number.NaN }));
  const steps = Math.min(MAX_STEPS, 2 * Math.ceil(widths * 8));
  const h = (hi - lo) / steps;
  const totals = arms.map(() => ({ pBest: 0, expectedLoss: 0 }));
  for (let i = 0; i <= steps; i++) {
    const x = lo + i * h;
    const weight = ((i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * h) / 3;
    addPoint(totals, arms, x, weight);
  }
  return totals;
}

function addPoint(totals: Standing[], arms: readonly Posterior[], x: number, weight: number): void {
  const cdf = arms.map((arm) => arm.cdf(x));
  const lnCdf = arms.map((arm, j) => (cdf[j]! > 0.5 ? Math.log1p(-arm.sf(x)) : Math.log(cdf[j]!)));
  arms.forEach((arm, i) => {
    const lnOthers = lnCdf.reduce((sum, value, j) => (j === i ? sum : sum + value), 0);
    totals[i]!.pBest += weight * arm.pdf(x) * Math.exp(lnOthers);
    totals[i]!.expectedLoss += weight * cdf[i]! * -Math.expm1(lnOthers);
  });
}
