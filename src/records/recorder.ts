/**
 * Owns the local recorder: the rows that Analytics Engine would hold, kept in SQLite, because locally Analytics Engine stores
 * nothing. Tables have the platform's own column names (`index1`, `blob1`…, `double1`…), so SQL written here runs there.
 * It is bound in development and tests only, and refuses to judge rows: `columns.ts` did that before they came.
 */

import { DurableObject } from 'cloudflare:workers';
import type { Env } from '../env.ts';
import { column, datasets, numbered, tableOf, variantMember } from './columns.ts';
import { KEPT_ROWS, MOST_COLUMNS } from './limits.ts';
import type { Dataset } from './rows.ts';

/** One data point as plain values, which may cross from isolate to object. `atMs` is the time of writing. */
export interface RecordedPoint {
  atMs: number;
  index: string;
  blobs: string[];
  doubles: number[];
}

/** A point read back, with its place in the dataset: ids only grow. */
export interface StoredPoint extends RecordedPoint {
  id: number;
}

/** Which rows are asked for. */
export interface RecorderQuery {
  dataset: Dataset;
  route?: string;
  variant?: string;
  /** The API gives 1,000 at most. */
  limit: number;
  /** Only rows older than this id. */
  beforeId?: number;
  /** Only rows written before this time. */
  beforeMs?: number;
}

/** The one recorder of a local Worker. */
export class Recorder extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // Every column the platform has, used or not: a column added to the map later needs no migration.
    const columns = [
      ...numbered('blob', MOST_COLUMNS).map((name) => `${name} TEXT`),
      ...numbered('double', MOST_COLUMNS).map((name) => `${name} REAL`),
    ];
    for (const dataset of datasets) {
      ctx.storage.sql.exec(
        `CREATE TABLE IF NOT EXISTS ${tableOf(dataset)}
         (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, index1 TEXT NOT NULL, ${columns.join(', ')})`,
      );
    }
  }

  /** Keeps the points, in order, all or none, and drops what is older than the newest `KEPT_ROWS`. */
  append(dataset: Dataset, points: RecordedPoint[]): void {
    const table = tableOf(dataset);
    const { sql } = this.ctx.storage;
    this.ctx.storage.transactionSync(() => {
      for (const { atMs, index, blobs, doubles } of points) {
        const columns = [
          'timestamp',
          'index1',
          ...numbered('blob', blobs.length),
          ...numbered('double', doubles.length),
        ];
        sql.exec(
          `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
          atMs,
          index,
          ...blobs,
          ...doubles,
        );
      }
      sql.exec(`DELETE FROM ${table} WHERE id <= (SELECT max(id) FROM ${table}) - ?`, KEPT_ROWS);
    });
  }

  /** The newest rows that fit, newest first. */
  read(query: RecorderQuery): StoredPoint[] {
    const { dataset, route, variant, limit, beforeId, beforeMs } = query;
    const conditions: [string, string | number | undefined][] = [
      [`${column(dataset, 'route')} = ?`, route],
      [`${column(dataset, variantMember[dataset] as 'variant')} = ?`, variant],
      ['id < ?', beforeId],
      ['timestamp < ?', beforeMs],
    ];
    const asked = conditions.filter((entry): entry is [string, string | number] => entry[1] !== undefined);
    const where = asked.length > 0 ? `WHERE ${asked.map(([sql]) => sql).join(' AND ')}` : '';
    const rows = this.ctx.storage.sql.exec(
      `SELECT * FROM ${tableOf(dataset)} ${where} ORDER BY id DESC LIMIT ?`,
      ...asked.map(([, value]) => value),
      limit,
    );
    return [...rows].map((row) => ({
      id: row.id as number,
      atMs: row.timestamp as number,
      index: row.index1 as string,
      blobs: given<string>(row, 'blob'),
      doubles: given<number>(row, 'double'),
    }));
  }
}

/** The columns a row was written with: those after its last one are NULL. */
function given<T>(row: Record<string, unknown>, prefix: 'blob' | 'double'): T[] {
  return numbered(prefix, MOST_COLUMNS)
    .map((name) => row[name])
    .filter((value) => value !== null) as T[];
}
