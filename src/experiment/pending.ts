/**
 * Owns outcomes that came by receipt before their unit's exposure: they wait for it, an hour at most. A receipt alone proves an answer, not
 * an exposure: units that opted out, or were answered by the baseline after failover, have one too.
 */

import type { OutcomeEvent } from './words.ts';

const WAIT_MS = 3_600_000;

/** The waiting outcomes of one experiment. */
export class Pending {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS pending (id INTEGER PRIMARY KEY, unit, event, atMs);
      CREATE INDEX IF NOT EXISTS pendingByUnit ON pending (unit);`);
  }

  add(event: OutcomeEvent, nowMs: number): void {
    const { unit, metric, kind, value, cap, served } = event;
    const kept = JSON.stringify({ unit, metric, kind, value, cap, served });
    this.#sql.exec('INSERT INTO pending VALUES (NULL, ?, ?, ?)', unit, kept, nowMs);
  }

  /** Takes out what waits for these units, oldest first, and deletes what has waited too long. */
  take(units: readonly string[], nowMs: number): OutcomeEvent[] {
    this.#sql.exec('DELETE FROM pending WHERE atMs < ?', nowMs - WAIT_MS);
    const rows = this.#sql.exec<{ event: string }>(
      'DELETE FROM pending WHERE unit IN (SELECT value FROM json_each(?)) RETURNING event',
      JSON.stringify(units),
    );
    return [...rows].map(({ event }) => JSON.parse(event) as OutcomeEvent);
  }
}
