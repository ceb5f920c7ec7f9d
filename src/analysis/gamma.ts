/**
 * Owns ln Γ, by Stirling's series. It is written out here because the maintained library of its kind weighs 18 KB gzip in the Worker; a
 * test holds it to the reference vectors.
 */

// Bernoulli numbers over 2k(2k−1): Stirling's series.
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
const SHIFT_TO = 10;

/** What Stirling's formula leaves out of ln Γ(z), right to the last place from z = 10 on. */
export function stirlingSeries(z: number): number {
  const inverse = 1 / (z * z);
  return STIRLING.reduceRight((sum, c) => sum * inverse + c, 0) / z;
}

/** ln Γ(x) for x > 0: Stirling's series, after the recurrence has brought x to where it is right to the last place. */
export function lnGamma(x: number): number {
  let product = 1;
  let z = x;
  while (z < SHIFT_TO) product *= z++;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + stirlingSeries(z) - Math.log(product);
}
