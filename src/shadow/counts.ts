/** Owns counting by name: plain objects that JSON keeps, bounded where the names come from outside. */

/** Adds to the count of a name, or of `rest` where `most` other names are counted already. */
export function count(counts: Record<string, number>, name: string, times = 1, most = Infinity, rest = ''): void {
  const key = Object.hasOwn(counts, name) || Object.keys(counts).length < most ? name : rest;
  counts[key] = (counts[key] ?? 0) + times;
}
