/** Owns the rows in which a controller keeps its route's pairs: one of totals a candidate, and the newest samples. */

import { MAX_SAMPLES } from '../shadow/limits.ts';
import type { PairBatch, Sample } from '../shadow/tally.ts';
import { type PairReport, type PairTotals, reportOf, startTotals, withBatch } from '../shadow/totals.ts';

/** The pairs of one route, by candidate. */
export class PairStore {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS pairs (candidate PRIMARY KEY, totals);
      CREATE TABLE IF NOT EXISTS samples (id INTEGER PRIMARY KEY AUTOINCREMENT, candidate, sample);
      CREATE TABLE IF NOT EXISTS tokens (day, candidate, spent, PRIMARY KEY (day, candidate));
      CREATE TABLE IF NOT EXISTS cleared (candidate PRIMARY KEY, atMs);`);
  }

  /** Adds a batch, counted since `sinceMs`; call it within the flush's transaction. What was counted before a clear is only paid for. */
  add(batch: PairBatch, nowMs: number, sinceMs = nowMs): void {
    const { candidate } = batch;
    const day = Math.floor(nowMs / 86_400_000);
    // Yesterday's are kept: around midnight the clock may go back to it.
    this.#sql.exec('DELETE FROM tokens WHERE day < ?', day - 1);
    this.#sql.exec(
      'INSERT INTO tokens VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET spent = spent + excluded.spent',
      day,
      candidate,
      batch.tokens,
    );
    const cleared = this.#sql.exec('SELECT * FROM cleared WHERE candidate = ? AND atMs > ?', candidate, sinceMs);
    if ([...cleared].length > 0) return;
    const totals = withBatch(this.#totals(candidate) ?? startTotals(candidate, nowMs), batch);
    this.#sql.exec('INSERT OR REPLACE INTO pairs VALUES (?, ?)', candidate, JSON.stringify(totals));
    for (const sample of batch.samples) {
      this.#sql.exec('INSERT INTO samples VALUES (NULL, ?, ?)', candidate, JSON.stringify(sample));
    }
    if (batch.samples.length > 0) {
      this.#sql.exec('DELETE FROM samples WHERE id <= (SELECT max(id) FROM samples) - ?', MAX_SAMPLES);
    }
  }

  /** Tokens that copies spent today, by candidate. */
  tokensToday(nowMs: number): Record<string, number> {
    const rows = this.#sql.exec<{ candidate: string; spent: number }>(
      'SELECT * FROM tokens WHERE day = ?',
      Math.floor(nowMs / 86_400_000),
    );
    return Object.fromEntries([...rows].map(({ candidate, spent }) => [candidate, spent]));
  }

  /** The one that was told of last comes first: a row that is replaced goes to the end. */
  candidates(): string[] {
    const rows = this.#sql.exec<{ candidate: string }>('SELECT candidate FROM pairs ORDER BY rowid DESC');
    return [...rows].map(({ candidate }) => candidate);
  }

  report(candidate: string): PairReport | null {
    const totals = this.#totals(candidate);
    return totals && reportOf(totals);
  }

  #totals(candidate: string): PairTotals | null {
    const [row] = this.#sql.exec<{ totals: string }>('SELECT * FROM pairs WHERE candidate = ?', candidate);
    return row === undefined ? null : (JSON.parse(row.totals) as PairTotals);
  }

  /** The newest samples, newest first. */
  samples(candidate: string, limit = MAX_SAMPLES): Sample[] {
    const rows = this.#sql.exec<{ sample: string }>(
      'SELECT * FROM samples WHERE candidate = ? ORDER BY id DESC LIMIT ?',
      candidate,
      limit,
    );
    return [...rows].map(({ sample }) => JSON.parse(sample) as Sample);
  }

  /** Forgets what was compared, so that a new build under an old name begins at zero. */
  clear(candidate: string, nowMs: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO cleared VALUES (?, ?)', candidate, nowMs);
    this.#sql.exec('DELETE FROM pairs WHERE candidate = ?', candidate);
    this.#sql.exec('DELETE FROM samples WHERE candidate = ?', candidate);
  }
}
