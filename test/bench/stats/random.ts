/** Owns seeded randomness for simulations: every figure that is printed can be printed again. */

export type Random = () => number;

/** sfc32 (Doty-Humphrey, PractRand): uniform in [0, 1), the same for the same seed. */
export function seeded(seed: number): Random {
  let [a, b, c, d] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88 | 0, 1];
  const next = () => {
    const t = (a + b + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 20; i++) next();
  return next;
}

/** A standard normal deviate (Marsaglia's polar method, one of the pair). */
export function normal(random: Random): number {
  for (;;) {
    const u = 2 * random() - 1;
    const v = 2 * random() - 1;
    const s = u * u + v * v;
    if (s > 0 && s < 1) return u * Math.sqrt((-2 * Math.log(s)) / s);
  }
}

/** A Poisson deviate: by multiplication for small means, by halving for large ones. Exact. */
export function poisson(random: Random, mean: number): number {
  if (mean > 30) return poisson(random, mean / 2) + poisson(random, mean / 2);
  const limit = Math.exp(-mean);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count++;
  }
  return count;
}

/** A binomial deviate, exact: by the gaps between successes where they are rare. */
export function binomial(random: Random, n: number, p: number): number {
  if (p <= 0 || n <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  const lnQ = Math.log1p(-p);
  let count = 0;
  let at = -1;
  for (;;) {
    at += 1 + Math.floor(Math.log(1 - random()) / lnQ);
    if (at >= n) return count;
    count++;
  }
}
