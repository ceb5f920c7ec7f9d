/**
 * Owns a route's numbers over time, by variant: 10 s for an hour, 1 min for a day, 1 h for a month (design, issue "pictures").
 * It sums what isolates counted, and judges nothing.
 */

import { encodeHistogram, histogramOf, type Quantiles, quantile, quantilesBy } from '../analysis/histogram.ts';
import type { LiveCounts } from '../live/batch.ts';

/** A width of buckets and how long they are kept. */
const WIDTHS = [
  { name: '10s', ms: 10_000, keepMs: 3_600_000 },
  { name: '1m', ms: 60_000, keepMs: 86_400_000 },
  { name: '1h', ms: 3_600_000, keepMs: 30 * 86_400_000 },
] as const;

export type Width = (typeof WIDTHS)[number]['name'];

/** Which of a variant's numbers a guardrail counts by request, where it is one of these. */
const COUNTED: Record<string, 'failed' | 'rejected'> = { errors: 'failed', rejected: 'rejected' };

/** What a guardrail would have counted; null where these numbers do not tell. */
export function countedBy(metric: string, numbers: Pick<LiveNumbers, 'requests' | 'failed' | 'rejected'>) {
  const counted = COUNTED[metric];
  return counted === undefined ? null : { n: numbers.requests, bad: numbers[counted] };
}

/** The window of the live numbers that status shows. */
export const LIVE_WINDOW_MS = 600_000;

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

export interface SeriesPoint {
  at: string;
  variant: string;
  requests: number;
  failed: number;
  rejected: number;
  p50Ms: number | null;
  p95Ms: number | null;
}

interface Row extends Record<string, SqlStorageValue> {
  startMs: number;
  variant: string;
  requests: number;
  failed: number;
  rejected: number;
  total: string;
  firstByte: string;
  tokensIn: number;
  tokensOut: number;
  cost: number;
}

export class Series {
  #sql: SqlStorage;
  #prunedAtMs = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS series (width TEXT, startMs INTEGER, variant TEXT, requests INTEGER NOT NULL,
      failed INTEGER NOT NULL, rejected INTEGER NOT NULL, total TEXT NOT NULL, firstByte TEXT NOT NULL,
      tokensIn REAL NOT NULL, tokensOut REAL NOT NULL, cost REAL NOT NULL, PRIMARY KEY (width, startMs, variant));`);
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

  /** What one variant did in the hour before `nowMs`. */
  hourOf(variant: string, nowMs: number): Pick<LiveNumbers, 'requests' | 'failed' | 'rejected'> {
    return numbersOf(this.#rows('10s', nowMs - 3_600_000).filter((row) => row.variant === variant));
  }

  /** Requests in ten minutes, by variant and in all, as a rate a second. */
  requestsPerSecond(nowMs: number): number {
    const rows = this.#rows('10s', nowMs - LIVE_WINDOW_MS);
    if (rows.length === 0) return 0;
    const first = Math.min(...rows.map((row) => row.startMs));
    const seconds = Math.max(10, (nowMs - first) / 1000);
    return rows.reduce((sum, row) => sum + row.requests, 0) / seconds;
  }

  points(width: Width, sinceMs: number): SeriesPoint[] {
    return this.#rows(width, sinceMs).map((row) => {
      const { requests, failed, rejected, p50Ms, p95Ms } = numbersOf([row]);
      return {
        at: new Date(row.startMs).toISOString(),
        variant: row.variant,
        requests,
        failed,
        rejected,
        p50Ms,
        p95Ms,
      };
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
    this.#sql.exec(
      'INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      ...key,
      (before?.requests ?? 0) + counts.requests,
      (before?.failed ?? 0) + counts.failed,
      (before?.rejected ?? 0) + counts.rejected,
      merged([before?.total ?? '', counts.total]),
      merged([before?.firstByte ?? '', counts.firstByte]),
      (before?.tokensIn ?? 0) + (counts.tokensIn ?? 0),
      (before?.tokensOut ?? 0) + (counts.tokensOut ?? 0),
      (before?.cost ?? 0) + (counts.cost ?? 0),
    );
  }
}

function numbersOf(rows: readonly Row[]): LiveNumbers {
  const total = histogramOf(rows.map((row) => row.total));
  const firstByte = histogramOf(rows.map((row) => row.firstByte));
  const sum = (of: (row: Row) => number) => rows.reduce((all, row) => all + of(row), 0);
  const used = {
    tokensIn: sum((row) => row.tokensIn),
    tokensOut: sum((row) => row.tokensOut),
    cost: sum((row) => row.cost),
  };
  return {
    requests: sum((row) => row.requests),
    failed: sum((row) => row.failed),
    rejected: sum((row) => row.rejected),
    ...quantilesBy((q) => quantile(total, q)),
    firstByteP50Ms: quantile(firstByte, 0.5),
    firstByteP95Ms: quantile(firstByte, 0.95),
    ...(used.tokensIn + used.tokensOut > 0 && used),
  };
}

function merged(texts: readonly string[]): string {
  return encodeHistogram(histogramOf(texts));
}
