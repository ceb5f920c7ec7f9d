/**
 * Owns a route's numbers over time, by variant, in buckets of 10 s for an hour, 1 min for a day and 1 h for a month. It sums what
 * isolates counted, and judges nothing.
 */

import { added, histogramOf, type Quantiles, quantile, quantilesBy } from '../analysis/histogram.ts';
import type { Count } from '../analysis/proportions.ts';
import { type Watched, watchedName } from '../config/split.ts';
import type { LiveCounts } from '../live/batch.ts';
import { LIVE_WINDOW_MS } from './limits.ts';
import { iso } from './words.ts';

/** A width of buckets and how long they are kept. */
const WIDTHS = [
  { name: '10s', ms: 10_000, keepMs: 3_600_000 },
  { name: '1m', ms: 60_000, keepMs: 86_400_000 },
  { name: '1h', ms: 3_600_000, keepMs: 30 * 86_400_000 },
] as const;

/** The widths of buckets by name. */
export type Width = (typeof WIDTHS)[number]['name'];

/** What the guardrail counted, of all that was watched (see `LiveCounts`). */
export function countedBy(guardrail: Watched, watched: Record<string, number> = {}): Count {
  const name = watchedName(guardrail);
  return { n: watched[name] ?? 0, bad: watched[`!${name}`] ?? 0 };
}

/** What a variant did in some time. */
export interface LiveNumbers extends Quantiles {
  requests: number;
  failed: number;
  rejected: number;
  /** Time to the first byte, which is what people wait for in a stream. */
  firstByteP50Ms: number | null;
  firstByteP95Ms: number | null;
  /** Sums over the answers whose usage was read: while an experiment on it runs. */
  tokensIn?: number;
  tokensOut?: number;
  cost?: number;
}

/** One variant’s numbers in one bucket. */
export interface SeriesPoint extends LiveNumbers {
  at: string;
  variant: string;
}

/** What a bucket adds up, and what it has histograms of. */
const SUMS = ['requests', 'failed', 'rejected', 'tokensIn', 'tokensOut', 'cost'] as const;
const TIMES = ['total', 'firstByte'] as const;

type Sums = Record<(typeof SUMS)[number], number>;
type Row = Sums & Record<(typeof TIMES)[number] | 'watched', string> & { startMs: number; variant: string };

/** One route’s numbers over time. */
export class Series {
  #sql: SqlStorage;
  #prunedAtMs = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const times = TIMES.map((name) => `${name} TEXT NOT NULL`);
    sql.exec(`CREATE TABLE IF NOT EXISTS series (width, startMs, variant, ${times},
      PRIMARY KEY (width, startMs, variant));`);
    const known = sql.exec('SELECT * FROM series LIMIT 0').columnNames;
    // Each with a default: an older deployment that is put back does not name the newer columns.
    // `watched` holds JSON, which a column of any type keeps as it is; 0 is JSON too.
    for (const name of [...SUMS, 'watched']) {
      if (!known.includes(name)) sql.exec(`ALTER TABLE series ADD COLUMN ${name} REAL NOT NULL DEFAULT 0`);
    }
  }

  /** Adds an isolate's counts to the bucket of now. Call it within the flush's transaction. */
  add(live: readonly LiveCounts[], nowMs: number): void {
    for (const counts of live) {
      if (counts.requests === 0 && counts.tokensOut === undefined) continue;
      for (const { name, ms } of WIDTHS) this.#addTo(name, Math.floor(nowMs / ms) * ms, counts);
    }
    if (nowMs - this.#prunedAtMs < 60_000) return;
    this.#prunedAtMs = nowMs;
    for (const { name, keepMs } of WIDTHS) {
      this.#sql.exec('DELETE FROM series WHERE width = ? AND startMs < ?', name, nowMs - keepMs);
    }
  }

  /** What each variant did in the last ten minutes. */
  live(nowMs: number): Record<string, LiveNumbers> {
    const byVariant = Map.groupBy(this.#rows('10s', nowMs - LIVE_WINDOW_MS), (row) => row.variant);
    return Object.fromEntries([...byVariant].map(([variant, rows]) => [variant, numbersOf(rows)]));
  }

  /** What was watched of one variant in the hour before `nowMs` (see `LiveCounts`). */
  watchedOf(variant: string, nowMs: number): Record<string, number> {
    const rows = this.#rows('10s', nowMs - 3_600_000).filter((row) => row.variant === variant);
    return rows.reduce((sum, row) => added(sum, JSON.parse(row.watched)), {});
  }

  /** Requests a second of all variants together, over the last ten minutes. */
  requestsPerSecond(nowMs: number): number {
    const rows = this.#rows('10s', nowMs - LIVE_WINDOW_MS);
    if (rows.length === 0) return 0;
    const first = Math.min(...rows.map((row) => row.startMs));
    const seconds = Math.max(10, (nowMs - first) / 1000);
    return rows.reduce((sum, row) => sum + row.requests, 0) / seconds;
  }

  /** Every bucket since a time, oldest first. */
  points(width: Width, sinceMs: number): SeriesPoint[] {
    return this.#rows(width, sinceMs).map((row) => {
      return { at: iso(row.startMs), variant: row.variant, ...numbersOf([row]) };
    });
  }

  #rows(width: Width, sinceMs: number): Row[] {
    return [
      ...this.#sql.exec<Row>(
        'SELECT * FROM series WHERE width = ? AND startMs >= ? ORDER BY startMs, variant',
        width,
        sinceMs,
      ),
    ];
  }

  #addTo(width: Width, startMs: number, counts: LiveCounts): void {
    const key = [width, startMs, counts.variant] as const;
    const [before] = this.#sql.exec<Row>(
      'SELECT * FROM series WHERE width = ? AND startMs = ? AND variant = ?',
      ...key,
    );
    const { rollout: _, revision: __, variant: ___, ...counted } = counts;
    const { watched, ...sums } = added({ ...before, watched: JSON.parse(before?.watched ?? '0') }, counted);
    this.#sql.exec(
      // By name: an object keeps the table that an earlier version made, in whatever order.
      `INSERT OR REPLACE INTO series (width, startMs, variant, watched, ${[...SUMS, ...TIMES]}) VALUES (?, ?, ?, ?${', ?'.repeat(SUMS.length + TIMES.length)})`,
      ...key,
      JSON.stringify(watched),
      ...SUMS.map((name) => sums[name] ?? 0),
      ...TIMES.map((name) => sums[name]!),
    );
  }
}

/** The numbers of all these buckets together. */
export function numbersOf(rows: readonly Row[]): LiveNumbers {
  const [total, firstByte] = TIMES.map((name) => histogramOf(rows.map((row) => row[name])));
  const { tokensIn, tokensOut, cost, ...counted } = Object.fromEntries(
    SUMS.map((name) => [name, rows.reduce((sum, row) => sum + row[name], 0)]),
  ) as Sums;
  return {
    ...counted,
    ...quantilesBy((q) => quantile(total!, q)),
    firstByteP50Ms: quantile(firstByte!, 0.5),
    firstByteP95Ms: quantile(firstByte!, 0.95),
    ...(tokensIn + tokensOut > 0 && { tokensIn, tokensOut, cost }),
  };
}
