/**
 * Owns which units came after the planned size was reached, and their sums. They are kept like all others, but the final test is
 * of those before them: it waits for late outcomes, and units of that time would have had less of it.
 */

import { Sums } from './sums.ts';
import type { Exposure } from './words.ts';

export class Late {
  readonly sums: Sums;
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.sums = new Sums(sql, 'late');
    sql.exec('CREATE TABLE IF NOT EXISTS late (unit TEXT PRIMARY KEY) WITHOUT ROWID');
  }

  /** Parts exposures by whether their unit was there in time. Who is new is late from now on. */
  part(exposures: readonly Exposure[]): { inTime: Exposure[]; late: Exposure[] } {
    const hashes = JSON.stringify(exposures.map(({ unit }) => unit));
    const known = this.#sql.exec<{ unit: string }>(
      `SELECT u.unit FROM json_each(?) j JOIN units u ON u.unit = j.value
       WHERE NOT EXISTS (SELECT 1 FROM late l WHERE l.unit = u.unit)`,
      hashes,
    );
    const before = new Set([...known].map(({ unit }) => unit));
    const late = exposures.filter(({ unit }) => !before.has(unit));
    if (late.length > 0) {
      const news = JSON.stringify(late.map(({ unit }) => unit));
      this.#sql.exec('INSERT OR IGNORE INTO late SELECT value FROM json_each(?)', news);
    }
    return { inTime: exposures.filter(({ unit }) => before.has(unit)), late };
  }

  add(unit: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO late VALUES (?)', unit);
  }

  has(unit: string): boolean {
    return [...this.#sql.exec('SELECT 1 FROM late WHERE unit = ?', unit)].length > 0;
  }

  forget(unit: string): void {
    this.#sql.exec('DELETE FROM late WHERE unit = ?', unit);
  }

  clear(): void {
    this.#sql.exec('DELETE FROM late');
  }
}
