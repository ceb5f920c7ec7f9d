/**
 * Owns what a controller remembers for people: the history, which is only ever added to, and the splits that were in force.
 * Everything here is written before anything is published.
 */

import type { Split } from '../config/split.ts';
import { type HistoryEntry, nextRolloutId } from './state.ts';
import type { KeptSplit } from './steady.ts';

/** One line of the history (design section 11). Rollouts add more members than other calls do. */
export interface Entry {
  at: string;
  actor: string;
  action: string;
  reason: string;
  before: unknown;
  after: unknown;
  evidence?: string[];
}

export class Journal {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY AUTOINCREMENT, atMs INTEGER, entry TEXT);
      CREATE TABLE IF NOT EXISTS splits (revision INTEGER PRIMARY KEY, split TEXT, restores INTEGER);
      CREATE TABLE IF NOT EXISTS rolloutIds (id TEXT PRIMARY KEY);`);
  }

  write(entry: Entry | HistoryEntry, nowMs: number): void {
    this.#sql.exec('INSERT INTO history VALUES (NULL, ?, ?)', nowMs, JSON.stringify(entry));
  }

  /** Newest first. `before` is the id of an entry that was read last. */
  read(limit: number, before: number | null): { entries: (Entry & { id: number })[]; next: number | null } {
    const rows = [
      ...this.#sql.exec<{ id: number; entry: string }>(
        'SELECT * FROM history WHERE id < ? ORDER BY id DESC LIMIT ?',
        before ?? Number.MAX_SAFE_INTEGER,
        limit,
      ),
    ];
    const entries = rows.map(({ id, entry }) => ({ id, ...(JSON.parse(entry) as Entry) }));
    return { entries, next: rows[limit - 1]?.id ?? null };
  }

  /** The newest split that was put in force; null when the config's weights always were. */
  split(): Split | null {
    const [row] = this.#sql.exec<{ split: string }>('SELECT * FROM splits ORDER BY revision DESC LIMIT 1');
    return row === undefined ? null : (JSON.parse(row.split) as Split);
  }

  keep(split: Split, restores: number | null): void {
    this.#sql.exec('INSERT OR REPLACE INTO splits VALUES (?, ?, ?)', split.revision, JSON.stringify(split), restores);
  }

  /** The splits that were in force, the newest thousand of them, for a way back. */
  kept(): (Split & Pick<KeptSplit, 'restores'>)[] {
    const rows = this.#sql.exec<{ split: string; restores: number | null }>(
      'SELECT * FROM (SELECT * FROM splits ORDER BY revision DESC LIMIT 1000) ORDER BY revision',
    );
    return [...rows].map(({ split, restores }) => ({
      ...(JSON.parse(split) as Split),
      restores: restores ?? undefined,
    }));
  }

  /** The next revision: above its own and every one that anybody has `seen`, so that lost state never starts below. */
  nextRevision(...seen: number[]): number {
    return Math.max(this.split()?.revision ?? 0, ...seen) + 1;
  }

  /** A rollout's id that was never given out before. */
  newRolloutId(nowMs: number): string {
    const ids = [...this.#sql.exec<{ id: string }>('SELECT * FROM rolloutIds')].map(({ id }) => id);
    return nextRolloutId(nowMs, ids);
  }

  usedRolloutId(id: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO rolloutIds VALUES (?)', id);
  }
}
