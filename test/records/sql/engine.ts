/**
 * What the SQL tests share: a database with the recorder's columns and the platform's `_sample_interval`, in which the ready
 * queries run as they are written but for two spellings that SQLite does not know.
 */

import { DatabaseSync } from 'node:sqlite';
import { datasets, tableOf, toDataPoint } from '../../../src/records/columns.ts';
import type { Dataset, Rows } from '../../../src/records/rows.ts';

const numbered = (prefix: string) => Array.from({ length: 20 }, (_, i) => `${prefix}${i + 1}`);

type Pairs = [value: number, weight: number][];

export class Engine {
  readonly #db = new DatabaseSync(':memory:');
  /** `now()` of every query, in seconds. */
  readonly nowSeconds = Math.floor(Date.UTC(2026, 10, 23, 12) / 1000);

  constructor() {
    for (const table of datasets.map(tableOf)) {
      const columns = [...numbered('blob'), ...numbered('double'), 'index1', 'timestamp', '_sample_interval'];
      this.#db.exec(`CREATE TABLE ${table} (${columns.join(', ')})`);
    }
    this.#db.function('now', () => this.nowSeconds);
    this.#db.function('toUInt32', (value) => Math.trunc(Number(value)));
    this.#db.function('bitAnd', (a, b) => Number(a) & Number(b));
    this.#db.function('toStartOfDay', (seconds) => Number(seconds) - (Number(seconds) % 86_400));
    this.#db.function('toStartOfHour', (seconds) => Number(seconds) - (Number(seconds) % 3_600));
    this.#db.aggregate('sumIf', {
      start: 0,
      step: (sum: number, value: unknown, condition: unknown) => (condition ? sum + Number(value) : sum),
    });
    this.#db.aggregate('quantileExactWeighted', {
      start: '[]',
      step: (state: string, _q: unknown, value: unknown, weight: unknown) =>
        JSON.stringify([...(JSON.parse(state) as Pairs), [Number(value), Number(weight), Number(_q)]]),
      result: (state: string) => quantile(JSON.parse(state) as [number, number, number][]),
    });
  }

  /** Writes a row as the platform keeps it: through the column map, standing for `sampleInterval` rows. */
  write<D extends Dataset>(dataset: D, row: Rows[D], { sampleInterval = 1, ageSeconds = 60, schema = '1' } = {}): void {
    const point = toDataPoint(dataset, row);
    if (!point.ok) throw new Error(JSON.stringify(point.error));
    const { blobs, doubles, indexes } = point.value;
    const columns = [...blobs.map((_, i) => `blob${i + 1}`), ...doubles.map((_, i) => `double${i + 1}`)];
    this.#db
      .prepare(
        `INSERT INTO ${tableOf(dataset)} (${columns.join(', ')}, index1, timestamp, _sample_interval)
         VALUES (${columns.map(() => '?').join(', ')}, ?, ?, ?)`,
      )
      .run(schema, ...blobs.slice(1), ...doubles, indexes[0], this.nowSeconds - ageSeconds, sampleInterval);
  }

  ask(sql: string): Record<string, unknown>[] {
    const sqlite = sql
      .replace(/quantileExactWeighted\(([\d.]+)\)\(/g, 'quantileExactWeighted($1, ')
      .replace(/INTERVAL '(\d+)' DAY/g, '$1 * 86400');
    return this.#db
      .prepare(sqlite)
      .all()
      .map((row) => ({ ...row }));
  }
}

function quantile(pairs: [value: number, weight: number, q: number][]): number {
  const sorted = pairs.toSorted(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, weight]) => sum + weight, 0);
  let seen = 0;
  for (const [value, weight, q] of sorted) {
    seen += weight;
    if (seen >= q * total) return value;
  }
  return Number.NaN;
}
