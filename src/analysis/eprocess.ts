/**
 * Owns the count e-process: evidence that a candidate's bad events outnumber the baseline's, gathered tick by tick and
 * safe to look at after every one. It refuses to decide anything (see verdict.ts), to read a clock, and to pair trials
 * of one tick with bad events of another: with such a pairing `w` is wrong and the error rate is not what it says.
 *
 * Under "no worse", E is a non-negative martingale that starts at 1, so P(E ever reaches 1/α) ≤ α (Ville 1939).
 * Conditional on a tick's bad events, the candidate's share of them is binomial; the mixture over θ follows
 * Lindon & Malek, "Anytime-valid inference for multinomial count data" (2020/2022), and Waudby-Smith & Ramdas (2024).
 */

import { MIN_BASELINE_TRIALS } from './limits.ts';
import { lgamma } from './special.ts';

/** One tick: trials and bad events of the candidate (`nc`, `kc`) and of the baseline (`nb`, `kb`) in the same 10 s. */
export interface Tick {
  nc: number;
  kc: number;
  nb: number;
  kb: number;
}

/** The ratios of bad rates that are betted on: `m` points from `lo` to `hi`, evenly spaced in the logarithm. */
interface ThetaGrid {
  lo: number;
  hi: number;
  m: number;
}

/** A running e-process. Plain numbers, so that JSON keeps it; `peakLogE` is the largest log E of any tick so far. */
export interface EProcess {
  ll: number[];
  peakLogE: number;
}

/** The points of a grid. */
export function thetas(grid: ThetaGrid): number[] {
  const step = Math.log(grid.hi / grid.lo) / Math.max(1, grid.m - 1);
  return Array.from({ length: grid.m }, (_, j) => grid.lo * Math.exp(step * j));
}

/** The design's grid: 24 points, 1.1 to 64. */
export const THETAS: readonly number[] = thetas({ lo: 1.1, hi: 64, m: 24 });

/** An e-process that has seen nothing: E = 1. */
export function startEProcess(points: readonly number[] = THETAS): EProcess {
  return { ll: points.map(() => 0), peakLogE: 0 };
}

/** ln(mean(exp(values))) without overflow; −∞ for values that are all −∞. */
export function logMeanExp(values: readonly number[]): number {
  const top = Math.max(...values);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(values.reduce((sum, value) => sum + Math.exp(value - top), 0) / values.length);
}

/** ln E now. E itself may pass the range of a double, so only its logarithm is kept. */
export function logE(process: EProcess): number {
  return logMeanExp(process.ll);
}

/** The anytime-valid p-value: min(1, 1/max E), of all ticks so far. */
export function pAnytime(process: EProcess): number {
  return Math.min(1, Math.exp(-process.peakLogE));
}

/**
 * No bet falls below this, or a candidate that was good for a day would have that day's credit to spend: one that then fails everything
 * would be let fail for as long again as its failures need to outweigh it. Each tick gives a bet at most exp(FLOOR), so P(E ever reaches
 * 1/α within T ticks) ≤ α·(1 + T·exp(FLOOR)): in a year of ticks under 1.01 α. The least bet has no floor: while it is lost, so is every
 * other one without a floor, as each is concave in ln θ (see `judge`).
 */
const FLOOR = -20;

function advance(process: EProcess, increment: (theta: number) => number, points: readonly number[]): EProcess {
  const ll = process.ll.map((value, j) => Math.max(j ? FLOOR : -Infinity, value + increment(points[j]!)));
  return { ll, peakLogE: Math.max(process.peakLogE, logMeanExp(ll)) };
}

/**
 * Adds a tick in which both arms served. `theta0` is the ratio that is still called harmless (1: no increase at all).
 * Only the ratio within the tick counts, so an outage that hits both arms moves nothing.
 */
export function addConcurrentTick(
  process: EProcess,
  tick: Tick,
  { theta0 = 1, points = THETAS }: { theta0?: number; points?: readonly number[] } = {},
): EProcess {
  const bad = tick.kc + tick.kb;
  if (tick.nc + tick.nb === 0 || bad === 0) return process;
  const w = tick.nc / (tick.nc + tick.nb);
  const harmless = Math.log(1 - w + w * theta0);
  return advance(
    process,
    (theta) => tick.kc * Math.log(theta / theta0) - bad * (Math.log(1 - w + w * theta) - harmless),
    points,
  );
}

/**
 * Adds a tick that has no concurrent baseline (bake, blue-green): the candidate's bad events against `nc·p0`, where
 * `p0` is an upper bound of the baseline's rate that was known *before* the tick. A shared outage is then charged to the
 * candidate: there is nothing to tell the two apart.
 */
export function addReferenceTick(
  process: EProcess,
  tick: Pick<Tick, 'nc' | 'kc'>,
  p0: number,
  points: readonly number[] = THETAS,
): EProcess {
  if (tick.nc === 0) return process;
  return advance(process, (theta) => tick.kc * Math.log(theta) - tick.nc * p0 * (theta - 1), points);
}

/**
 * Adds a tick in the way that its counts allow. With `p0` known, a tick with fewer than 20 baseline trials is held
 * against `p0`, except where the candidate is as thin, or has not even twice as many: there the concurrent pair tells
 * enough and, unlike `p0`, forgives an outage that both share. The choice looks at trials only, never at bad events, so E
 * stays honest.
 */
export function addTick(process: EProcess, tick: Tick, p0: number | null): EProcess {
  const useReference = p0 !== null && judgedByReference(tick);
  return useReference ? addReferenceTick(process, tick, p0) : addConcurrentTick(process, tick);
}

/** Whether a tick has too little baseline to be a comparison, given that an earlier rate is known. */
export function judgedByReference({ nc, nb }: Pick<Tick, 'nc' | 'nb'>): boolean {
  return nb === 0 || (nb < MIN_BASELINE_TRIALS && nc >= Math.max(MIN_BASELINE_TRIALS, 2 * nb));
}

/**
 * The two-sided Bayes factor of a different split of bad events than `w`, as a logarithm: a Beta(c·w, c·(1−w)) mixture
 * over the candidate's share (Lindon & Malek 2020). For reports that must see improvements too.
 */
export function betaBinomialLogBF(input: { kc: number; kb: number; w: number; concentration: number }): number {
  const { kc, kb, w } = input;
  const a = input.concentration * w;
  const b = input.concentration * (1 - w);
  const lnBeta = (x: number, y: number) => lgamma(x) + lgamma(y) - lgamma(x + y);
  return lnBeta(a + kc, b + kb) - lnBeta(a, b) - kc * Math.log(w) - kb * Math.log(1 - w);
}
