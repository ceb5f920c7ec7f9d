/**
 * Owns the memory of which batches were applied, so that one that is sent again is not counted again, and the number of
 * isolates that report, from which the flush interval follows (back-pressure).
 */

import type { Batch } from '../live/batch.ts';
import { MAX_INTERVAL_MS } from '../live/limits.ts';

/** The most flushes a second that one controller should get (design section 13). */
const MAX_FLUSHES_A_SECOND = 200;
/** An isolate that has not reported for so long is gone. */
const ACTIVE_MS = 60_000;
/** After a day an isolate is forgotten: by then it does not resend an old batch any more. */
const FORGET_MS = 86_400_000;

/** The batches that one object has applied. */
export class FlushLedger {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS flushes (isolate PRIMARY KEY, sequence, atMs);
      CREATE INDEX IF NOT EXISTS flushesByTime ON flushes (atMs);`);
  }

  /** Notes a batch; false if it, or a later one of its isolate, was applied before. Call it within the transaction. */
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

  /** How many isolates have reported within the last minute. */
  activeIsolates(nowMs: number): number {
    return this.#sql.exec<{ n: number }>('SELECT count(*) AS n FROM flushes WHERE atMs > ?', nowMs - ACTIVE_MS).one().n;
  }

  /** The shortest interval that keeps this many isolates below the bound. Isolates use their usual one if that is longer. */
  intervalMs(isolates: number): number {
    return Math.min(MAX_INTERVAL_MS, Math.ceil((isolates / MAX_FLUSHES_A_SECOND) * 1000));
  }
}
