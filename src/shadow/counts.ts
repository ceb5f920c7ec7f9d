/** Owns counting by name: plain objects that JSON keeps, bounded where the names come from outside. */

import { encodeHistogram, histogramOf } from '../analysis/histogram.ts';

/** Adds to the count of a name, or of `rest` where `most` other names are counted already. */
export function count(counts: Record<string, number>, name: string, times = 1, most = Infinity, rest = ''): void {
  const key = Object.hasOwn(counts, name) || Object.keys(counts).length < most ? name : rest;
  counts[key] = (counts[key] ?? 0) + times;
}

/** Numbers and histograms with others added to them, member by member, at any depth. */
export function added<T extends object>(known: T, more: object): T {
  const sums = { ...known } as Record<string, unknown>;
  for (const [name, add] of Object.entries(more)) {
    const before = sums[name];
    if (typeof add === 'number') sums[name] = ((before as number) ?? 0) + add;
    else if (typeof add === 'string') sums[name] = encodeHistogram(histogramOf([(before as string) ?? '', add]));
    else sums[name] = added(before ?? {}, add);
  }
  return sums as T;
}
