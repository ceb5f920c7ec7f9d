/** Owns the one shape in which expected failures travel. `throw` is kept for bugs. */

/** What was made of something, or why nothing was. */
export type Result<T, E> = { ok: true; value: T } | { ok: false; error: E };

/** It went well. */
export function ok<T>(value: T): { ok: true; value: T } {
  return { ok: true, value };
}

/** It failed, as was to be expected. */
export function err<E>(error: E): { ok: false; error: E } {
  return { ok: false, error };
}

/** One fault of a document: what is wrong, where (JSON path such as `routes[0].weights`), and how to mend it. */
export interface Fault extends FaultWords {
  path: string;
}

/** A fault without its place: what is wrong, and how to mend it. */
export interface FaultWords {
  reason: string;
  mend: string;
}
