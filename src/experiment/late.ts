/**
 * Owns which units came after the planned size was reached, and their sums. Their rows are kept like all others, but they are not in the
 * final test: that waits for late outcomes of the planned units, and these would have had less time for theirs.
 */

import { Sums } from './sums.ts';
import type { Exposure } from './words.ts';

/** The late units. */
export class Late {
  readonly sums: Sums;
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.sums = new Sums(sql, 'late');
    sql.exec('CREATE TABLE IF NOT EXISTS late (unit PRIMARY KEY) WITHOUT ROWID');
  }

  /** Parts exposures by whether their unit came in time. A unit that is new is late from now on. */
  partition(exposures: readonly Exposure[]): { inTime: Exposure[]; late: Exposure[] } {
    const hashes = JSON.stringify(exposures.map(({ unit }) => unit));
    const isNew = 'NOT EXISTS (SELECT * FROM units WHERE unit = value)';
    this.#sql.exec(`INSERT OR IGNORE INTO late SELECT value FROM json_each(?) WHERE ${isNew}`, hashes);
    const sql = 'SELECT unit FROM json_each(?) JOIN late ON unit = value';
    const late = new Set([...this.#sql.exec<{ unit: string }>(sql, hashes)].map(({ unit }) => unit));
    const [inTime, after] = [false, true].map((isLate) => exposures.filter(({ unit }) => late.has(unit) === isLate));
    return { inTime: inTime!, late: after! };
  }

  add(unit: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO late VALUES (?)', unit);
  }

  has(unit: string): boolean {
    return [...this.#sql.exec('SELECT * FROM late WHERE unit = ?', unit)].length > 0;
  }

  forget(unit: string): void {
    this.#sql.exec('DELETE FROM late WHERE unit = ?', unit);
  }

  clear(): void {
    this.#sql.exec('DELETE FROM late');
  }
}
