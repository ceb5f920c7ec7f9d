/** Owns the count of what went wrong where nobody waits for an answer. It refuses to log, throw or keep causes: only kinds. */

/** What can fail behind a visitor's back while records are written. */
export type RecordFault =
  | 'record_invalid'
  | 'record_over_invocation_limit'
  | 'record_write'
  | 'recorder_buffer_full'
  | 'recorder_append';

/** Counts by kind since the isolate started. Kinds are few and named in code, so it cannot grow. */
export class Faults<Kind extends string = string> {
  #counts = new Map<Kind, number>();

  count(kind: Kind, times = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + times);
  }

  read(): Partial<Record<Kind, number>> {
    return Object.fromEntries(this.#counts) as Partial<Record<Kind, number>>;
  }
}

/** This isolate's counts, for health and status. */
export const recordFaults = new Faults<RecordFault>();
