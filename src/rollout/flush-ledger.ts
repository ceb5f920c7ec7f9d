/**
 * Owns the memory of which batches were applied, so that one that is sent again is not counted again, and the number of
 * isolates that report, from which the flush interval follows (back-pressure).
 */

import type { Batch } from '../live/batch.ts';

/** Flushes a second that one controller should see at most (design section 13). */
const MAX_FLUSHES_A_SECOND = 200;
/** An isolate that has not reported for so long is gone. */
const ACTIVE_MS = 60_000;
/** An isolate waits in `waitUntil`, which the platform ends after 30 s: a longer wait would be no flush at all. */
const MAX_INTERVAL_MS = 20_000;
/** Long enough for any resend: an isolate that is silent for a day does not come back with an old batch. */
const FORGET_MS = 86_400_000;

export class FlushLedger {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS flushes (isolate TEXT PRIMARY KEY, sequence INTEGER, atMs INTEGER);
      CREATE INDEX IF NOT EXISTS flushesByTime ON flushes (atMs);`);
  }

  /** Notes a batch; false when it, or a later one of its isolate, was applied before. Call it within the transaction. */
  isNew({ isolate, sequence }: Pick<Batch, 'isolate' | 'sequence'>, nowMs: number): boolean {
    const [known] = this.#sql.exec<{ sequence: number }>('SELECT * FROM flushes WHERE isolate = ?', isolate);
    const isNew = known === undefined || sequence > known.sequence;
    this.#sql.exec('DELETE FROM flushes WHERE atMs < ?', nowMs - FORGET_MS);
    this.#sql.exec(
      'INSERT OR REPLACE INTO flushes VALUES (?, ?, ?)',
      isolate,
      isNew ? sequence : known!.sequence,
      nowMs,
    );
    return isNew;
  }

  activeIsolates(nowMs: number): number {
    return this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM flushes WHERE atMs > ?', nowMs - ACTIVE_MS).one().n;
  }

  /** The shortest interval that keeps this many isolates below the bound; the isolate takes its usual one when that is longer. */
  intervalMs(isolates: number): number {
    return Math.min(MAX_INTERVAL_MS, Math.ceil((isolates / MAX_FLUSHES_A_SECOND) * 1000));
  }
}
