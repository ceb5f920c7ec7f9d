/** Owns the adjustment of p-values for asking several questions at once. It refuses to choose which questions those are. */

/** Holm's adjusted p-values (1979), in the order given: reject where the adjusted value is at most α. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((i, j) => ps[i]! - ps[j]!);
  const adjusted = new Array<number>(ps.length);
  let floor = 0;
  order.forEach((index, rank) => {
    floor = Math.max(floor, Math.min(1, ps[index]! * (ps.length - rank)));
    adjusted[index] = floor;
  });
  return adjusted;
}

/** Bonferroni's adjusted p-values: each times their number, at most 1. */
export function bonferroni(ps: readonly number[]): number[] {
  return ps.map((p) => Math.min(1, p * ps.length));
}
