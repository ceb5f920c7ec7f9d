/** Owns the two plain shapes that a normalised config is made of: lists where one or many was written, and bare maps. */

/** One or many as a list. */
export function asList<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

/** A map without a prototype: a name that a client sends finds nothing but what the document names. */
export function bare<T>(entries: [string, T][]): Record<string, T> {
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}
