/**
 * Owns what a controller remembers for people: the history, which is only ever added to, and the splits that were in force. All of it is
 * written before anything is published.
 */

import type { Split } from '../config/split.ts';
import { type HistoryEntry, nextRolloutId } from './state.ts';
import type { KeptSplit } from './steady.ts';

/** One line of the history (design section 11). A rollout's line is a `HistoryEntry`: it has the verdicts as well. */
export interface Entry {
  at: string;
  actor: string;
  action: string;
  reason: string;
  before: unknown;
  after: unknown;
  evidence?: string[];
}

/** One route's history and splits. */
export class Journal {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY AUTOINCREMENT, atMs, entry);
      CREATE TABLE IF NOT EXISTS splits (revision INTEGER PRIMARY KEY, split, restores);
      CREATE TABLE IF NOT EXISTS rolloutIds (id PRIMARY KEY);`);
  }

  write(entry: Entry | HistoryEntry, nowMs: number): void {
    this.#sql.exec('INSERT INTO history VALUES (NULL, ?, ?)', nowMs, JSON.stringify(entry));
  }

  /** A page, newest first. `before`: the id of the last entry of the page before; null for the first page. */
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

  /** The newest split that was put in force; null if there never was one, so that the config's weights are. */
  split(): Split | null {
    const [row] = this.#sql.exec<{ split: string }>('SELECT * FROM splits ORDER BY revision DESC LIMIT 1');
    return row === undefined ? null : (JSON.parse(row.split) as Split);
  }

  /** Keeps a split that is put in force. `restores`: the revision that a rollback returned to. */
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

  /** The next revision: above the newest one here and all that were `seen` elsewhere, so that lost state never starts below them. */
  nextRevision(...seen: number[]): number {
    return Math.max(this.split()?.revision ?? 0, ...seen) + 1;
  }

  /** A rollout id that was never given out before. It counts as given out once `usedRolloutId` is called. */
  newRolloutId(nowMs: number): string {
    const ids = [...this.#sql.exec<{ id: string }>('SELECT * FROM rolloutIds')].map(({ id }) => id);
    return nextRolloutId(nowMs, ids);
  }

  /** Notes that an id was given out. */
  usedRolloutId(id: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO rolloutIds VALUES (?)', id);
  }
}
