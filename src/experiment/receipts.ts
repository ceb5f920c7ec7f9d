/** Owns the memory of which receipts were used for which metric: each counts once. It reads none; they come here verified. */

import { RECEIPT_MS } from '../split/limits.ts';
import { MAX_BYTES } from './limits.ts';

/** The used receipts of one object; they are forgotten once they are no longer valid. */
export class UsedReceipts {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS receipts (tag, metric, atMs, PRIMARY KEY (tag, metric)) WITHOUT ROWID;
      CREATE INDEX IF NOT EXISTS receiptsByTime ON receipts (atMs);`);
  }

  isUsed(tag: string, metric: string): boolean {
    return [...this.#sql.exec('SELECT * FROM receipts WHERE tag = ? AND metric = ?', tag, metric)].length > 0;
  }

  /** Uses a receipt, within the transaction of what it counts for; false when it had been used. */
  use(tag: string, metric: string, nowMs: number): boolean {
    if (this.isUsed(tag, metric)) return false;
    this.prune(nowMs);
    if (this.#sql.databaseSize > MAX_BYTES)
      this.#sql.exec('DELETE FROM receipts WHERE atMs = (SELECT min(atMs) FROM receipts)');
    this.#sql.exec('INSERT INTO receipts VALUES (?, ?, ?)', tag, metric, nowMs);
    return true;
  }

  /** Forgets receipts that are no longer valid. */
  prune(nowMs: number): void {
    this.#sql.exec('DELETE FROM receipts WHERE atMs < ?', nowMs - RECEIPT_MS);
  }
}
