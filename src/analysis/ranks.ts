/**
 * Owns inference from order alone: quantile intervals and the Mann–Whitney test, for latencies whose means say little.
 * It refuses to assume a shape.
 */

import { type Histogram, histogramCount, quantile, valueAtRank } from './histogram.ts';
import { normIsf, normSf } from './special.ts';

/**
 * The 1-based ranks between which the q-quantile of n sorted values lies with `confidence`, by the normal approximation
 * to the binomial of ranks (Conover 1999).
 */
export function quantileRanks(n: number, q: number, confidence = 0.95): { loRank: number; hiRank: number } {
  const half = normIsf((1 - confidence) / 2) * Math.sqrt(n * q * (1 - q));
  return {
    loRank: Math.max(1, Math.floor(n * q - half)),
    hiRank: Math.min(n, Math.ceil(n * q + half)),
  };
}

/**
 * The q-quantile of a histogram with its interval, in milliseconds, from ranks: each bound within 1 %. Null when empty.
 * For latencies of independent requests; where few clients send many, the interval is too narrow.
 */
export function quantileInterval(
  histogram: Histogram,
  q: number,
  confidence = 0.95,
): { value: number; lo: number; hi: number } | null {
  const value = quantile(histogram, q);
  if (value === null) return null;
  const { loRank, hiRank } = quantileRanks(histogramCount(histogram), q, confidence);
  return { value, lo: valueAtRank(histogram, loRank) ?? value, hi: valueAtRank(histogram, hiRank) ?? value };
}

/**
 * Mann & Whitney's U of `a` over `b` (1947) with mid-ranks, tie and continuity correction; `cles` is the chance that a
 * value of `a` exceeds one of `b`, ties half. Exact where an arm has 8 values or fewer and nothing ties (as SciPy does).
 */
export function mannWhitney(
  a: readonly number[],
  b: readonly number[],
): { U: number; pTwoSided: number; cles: number } {
  const all = [...a.map((value) => ({ value, mine: true })), ...b.map((value) => ({ value, mine: false }))];
  all.sort((x, y) => x.value - y.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end]!.value === all[start]!.value) end++;
    const size = end - start;
    const midRank = (start + 1 + end) / 2;
    rankSum += midRank * all.slice(start, end).filter(({ mine }) => mine).length;
    ties += size ** 3 - size;
    start = end;
  }
  const n = all.length;
  const pairs = a.length * b.length;
  const U = rankSum - (a.length * (a.length + 1)) / 2;
  const cles = U / pairs;
  if (ties === 0 && Math.min(a.length, b.length) <= 8) {
    return { U, pTwoSided: exactP(Math.max(U, pairs - U), a.length, b.length), cles };
  }
  const sd = Math.sqrt((pairs / 12) * (n + 1 - ties / (n * (n - 1))));
  const z = Math.max(0, Math.abs(U - pairs / 2) - 0.5) / sd;
  return { U, pTwoSided: sd > 0 ? Math.min(1, 2 * normSf(z)) : 1, cles };
}

/** 2·P(U ≥ u) when all orders are equally likely: how many of them give each U, one value of the first arm at a time. */
function exactP(u: number, m: number, n: number): number {
  // ways[k][v]: the sets of k ranks of the smaller arm whose U is v, of the ranks seen so far.
  const [small, large] = m < n ? [m, n] : [n, m];
  const ways = Array.from({ length: small + 1 }, () => new Float64Array(small * large + 1));
  ways[0]![0] = 1;
  for (let rank = 0; rank < small + large; rank++) {
    for (let k = Math.min(small, rank + 1); k >= 1; k--) {
      const beaten = rank - (k - 1);
      if (beaten > large) continue;
      for (let v = small * large; v >= beaten; v--) ways[k]![v]! += ways[k - 1]![v - beaten]!;
    }
  }
  const all = ways[small]!.reduce((sum, count) => sum + count, 0);
  const tail = ways[small]!.subarray(Math.ceil(u)).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * tail) / all);
}
