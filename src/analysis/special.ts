/**
 * Owns the special functions that every test here stands on: the normal distribution, ln Γ, and the incomplete gamma and
 * beta functions. It refuses to subtract from one: an upper tail is always computed as one, so that p = 1e-89 is not 0.
 *
 * ln Γ stands in gamma.ts. The incomplete functions' leading factors use Loader's saddle-point form ("Fast and accurate computation of binomial probabilities", 2000), which does not cancel when a and b are in the millions.
 */

import { lnGamma as lgamma, stirlingSeries } from './gamma.ts';

const EPSILON = 2 ** -52;
const TINY = 1e-300;
const MAX_TERMS = 100_000;

export { lgamma };

/** The root of a rising function between `lo` and `hi`, to the last bits. */
export function bisect(rising: (x: number) => number, lo: number, hi: number): number {
  let [low, high] = [lo, hi];
  for (let i = 0; i < 100 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The root above 0 of a rising function; ∞ where it is not below `most`. */
export function positiveRoot(rising: (x: number) => number, most = Infinity): number {
  let high = 1;
  while (rising(high) < 0) {
    high *= 2;
    if (high > most) return Infinity;
  }
  return bisect(rising, 0, high);
}

/** P(Z ≤ x) for a standard normal Z. */
export const normCdf = (x: number): number => normSf(-x);

/** P(Z > x), right to a relative 1e-11 also where it is 1e-89. */
export function normSf(x: number): number {
  // DLMF 7.11.2: erfc(y) is Q(½, y²).
  const tail = gammaQ(0.5, (x * x) / 2) / 2;
  return x < 0 ? 1 - tail : tail;
}

/** The density of the standard normal. */
export const normPdf = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The x with P(Z ≤ x) = p; ±∞ at 1 and 0, NaN outside. */
export const normPpf = (p: number): number => -normIsf(p);

/** The x with P(Z > x) = q: the same as normPpf(1 − q), but right for tiny q. What is no chance gives NaN by itself. */
export function normIsf(q: number): number {
  if (q === 0) return Infinity;
  if (q >= 0.5) return q === 0.5 ? 0 : -normIsf(1 - q);
  // Newton's method on the logarithm, which is concave, from above: it never overshoots. Halving would take twenty times as long.
  let x = Math.sqrt(-2 * Math.log(2 * q));
  for (let step = 0; step < 20; step++) {
    const tail = normSf(x);
    // Where the tail is no number any more, the bound is as good as its root.
    if (tail === 0) break;
    const next = x + (Math.log(tail / q) * tail) / normPdf(x);
    if (Math.abs(next - x) <= 4 * EPSILON * x) return next;
    x = next;
  }
  return x;
}

/** ln Γ(z+1) − [(z+½)ln z − z + ½ln 2π]: what Stirling's formula leaves out (Loader 2000). */
function stirlingError(z: number): number {
  if (z <= 16) return lgamma(z + 1) - (z + 0.5) * Math.log(z) + z - 0.5 * Math.log(2 * Math.PI);
  return stirlingSeries(z);
}

/** x·ln(x/m) + m − x, without the cancellation when x is near m (Loader 2000); `gap` is x − m, as exactly as it is known. */
function deviance(x: number, m: number, gap: number): number {
  if (Math.abs(gap) >= 0.1 * (x + m)) return x * Math.log(x / m) - gap;
  const v = gap / (x + m);
  let sum = gap * v;
  let term = 2 * x * v;
  for (let j = 3; j < 2000; j += 2) {
    term *= v * v;
    const next = sum + term / j;
    if (next === sum) break;
    sum = next;
  }
  return sum;
}

/** Γ(a, x)/Γ(a): the upper regularised incomplete gamma function, a > 0. P(χ²_k > y) is gammaQ(k/2, y/2). */
export function gammaQ(a: number, x: number): number {
  if (!(a > 0) || Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 1;
  const lead = Math.exp(-stirlingError(a) - deviance(a, x, a - x)) / Math.sqrt(2 * Math.PI * a);
  if (x < a + 1) {
    let sum = 1;
    for (let term = 1, n = 1; n < MAX_TERMS && term > sum * EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - lead * sum;
  }
  // DLMF 8.9.2, in the even form.
  const b = x + 1 - a;
  return lead * a * fraction(b, (i) => [-i * (i - a), b + 2 * i]);
}

/** 1/(b₀ + a₁/(b₁ + a₂/(b₂ + …))) by Lentz's method; `terms` gives aᵢ and bᵢ. */
function fraction(b0: number, terms: (i: number) => [a: number, b: number]): number {
  let c = 1 / TINY;
  let d = 1 / b0;
  let h = d;
  for (let i = 1; i < MAX_TERMS; i++) {
    const [a, b] = terms(i);
    d = 1 / nonZero(a * d + b);
    c = nonZero(b + a / c);
    h *= d * c;
    if (Math.abs(d * c - 1) <= EPSILON) break;
  }
  return h;
}

const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

/** The density of Beta(a, b) at x in [0, 1], with y = 1 − x. */
export function betaPdf(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return atEdge(a, b);
  if (y <= 0) return atEdge(b, a);
  return betaLead(x, y, a, b) / (x * y);
}

/** The density where the variable of parameter `a` is 0. */
const atEdge = (a: number, b: number): number => (a > 1 ? 0 : a === 1 ? b : Infinity);

/** x^a·y^b / B(a, b). */
function betaLead(x: number, y: number, a: number, b: number): number {
  const n = a + b;
  const gap = a * y - b * x;
  const exponent =
    stirlingError(n) - stirlingError(a) - stirlingError(b) - deviance(a, n * x, gap) - deviance(b, n * y, -gap);
  return Math.exp(exponent) * Math.sqrt((a * b) / (2 * Math.PI * n));
}

/**
 * The continued fraction of I_x(a, b)/lead by Didonato & Morris (TOMS 708, 1992, BFRAC): it takes y = 1 − x apart from x,
 * so that nothing cancels when x is within a millionth of 1. Quick where x < (a+1)/(a+b+2).
 */
function betaFraction(x: number, y: number, a: number, b: number): number {
  const c = 1 + a * y - b * x;
  const c1 = 1 + 1 / a;
  return fraction(c / c1, (n) => {
    const t = n / a;
    const s = a + 2 * n - 1;
    const w = n * (b - n) * x;
    const p = (a + n - 1) / s;
    return [p * (p + b / s) * w * x, n + w / s + ((t + 1) / (c1 + 2 * t)) * (c + n * (y + 1))];
  });
}

/**
 * I_x(a, b), the regularised incomplete beta function: P(X ≤ x) for X ~ Beta(a, b), a and b > 0. Give `y` = 1 − x where
 * it is known better than x tells. The upper tail is betaI(b, a, y, x).
 */
export function betaI(a: number, b: number, x: number, y: number = 1 - x): number {
  if (!(a > 0 && b > 0) || Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const lead = betaLead(x, y, a, b);
  if (x < (a + 1) / (a + b + 2)) return lead * betaFraction(x, y, a, b);
  return 1 - lead * betaFraction(y, x, b, a);
}
