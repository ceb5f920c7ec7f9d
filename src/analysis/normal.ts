/**
 * Owns erfc, the normal quantile and ln Γ. They are written out here because the maintained library of their kind weighs 18 KB
 * gzip in the Worker and these weigh 2; a test holds them to the reference vectors, upper tails included.
 *
 * erfc: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969).
 * Quantile: M. J. Wichura, "Algorithm AS 241", Applied Statistics 37 (1988), routine PPND16.
 */

const ERF_A = [3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694, 0.18577770618460315];
const ERF_B = [23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171];
const ERF_C = [
  0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001, 881.952221241769, 1712.0476126340707,
  2051.0783778260716, 1230.3393547979972, 2.1531153547440383e-8,
];
const ERF_D = [
  15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597, 4362.619090143247,
  3439.3676741437216, 1230.3393548037495,
];
const ERF_P = [
  0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275, 0.0006587491615298378,
  0.016315387137302097,
];
const ERF_Q = [2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918];
const ONE_OVER_SQRT_PI = 0.5641895835477563;

/** Numerator and denominator of Cody's forms: the last of `top` leads, and both are folded in the same order. */
function ratio(top: readonly number[], bottom: readonly number[], x: number): number {
  let numerator = top.at(-1)! * x;
  let denominator = x;
  for (let i = 0; i < bottom.length - 1; i++) {
    numerator = (numerator + top[i]!) * x;
    denominator = (denominator + bottom[i]!) * x;
  }
  return (numerator + top[bottom.length - 1]!) / (denominator + bottom.at(-1)!);
}

/** exp(−y²), with y split so that the square loses nothing. */
function expOfMinusSquare(y: number): number {
  const coarse = Math.trunc(y * 16) / 16;
  return Math.exp(-coarse * coarse) * Math.exp(-(y - coarse) * (y + coarse));
}

/** The complementary error function, right to about 1e-15 also far out in the tail. */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - x * ratio(ERF_A, ERF_B, y * y);
  let tail: number;
  if (y <= 4) tail = expOfMinusSquare(y) * ratio(ERF_C, ERF_D, y);
  else {
    const inverse = 1 / (y * y);
    tail = (expOfMinusSquare(y) * (ONE_OVER_SQRT_PI - inverse * ratio(ERF_P, ERF_Q, inverse))) / y;
  }
  return x < 0 ? 2 - tail : tail;
}

// Highest power first.
const CENTRE_TOP = [
  2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946, 1971.5909503065513,
  133.14166789178438, 3.3871328727963665,
];
const CENTRE_BOTTOM = [
  5226.495278852854, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751, 687.1870074920579,
  42.31333070160091, 1,
];
const NEAR_TOP = [
  0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684, 3.6478483247632045,
  5.769497221460691, 4.630337846156546, 1.4234371107496835,
];
const NEAR_BOTTOM = [
  1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008, 0.6897673349851,
  1.6763848301838038, 2.053191626637759, 1,
];
const FAR_TOP = [
  2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124, 0.29656057182850487,
  1.7848265399172913, 5.463784911164114, 6.657904643501103,
];
const FAR_BOTTOM = [
  2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133, 0.014875361290850615,
  0.1369298809227358, 0.599832206555888, 1,
];

const horner = (coefficients: readonly number[], x: number): number => coefficients.reduce((sum, c) => sum * x + c, 0);

/** The x with P(Z > x) = q for a standard normal Z: ±∞ at 0 and 1, NaN outside. */
export function upperNormalQuantile(q: number): number {
  if (!(q >= 0 && q <= 1)) return Number.NaN;
  if (q === 0) return Number.POSITIVE_INFINITY;
  if (q === 1) return Number.NEGATIVE_INFINITY;
  const d = 0.5 - q;
  if (Math.abs(d) <= 0.425) {
    const r = 0.180625 - d * d;
    return (d * horner(CENTRE_TOP, r)) / horner(CENTRE_BOTTOM, r);
  }
  const r = Math.sqrt(-Math.log(Math.min(q, 1 - q)));
  const x =
    r <= 5
      ? horner(NEAR_TOP, r - 1.6) / horner(NEAR_BOTTOM, r - 1.6)
      : horner(FAR_TOP, r - 5) / horner(FAR_BOTTOM, r - 5);
  return d > 0 ? x : -x;
}

// Bernoulli numbers over 2k(2k−1): Stirling's series.
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];
const SHIFT_TO = 10;

/** ln Γ(x) for x > 0: Stirling's series, after the recurrence has brought x to where it is right to the last place. */
export function lnGamma(x: number): number {
  let product = 1;
  let z = x;
  while (z < SHIFT_TO) product *= z++;
  const inverse = 1 / (z * z);
  const series = STIRLING.reduceRight((sum, c) => sum * inverse + c, 0) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
