/**
 * Owns the rows of an experiment's units: first exposure, requests, and what each metric has counted.
 * It tells every change to the sums. The first exposure decides a unit's variant; a later one by another variant is a crossover.
 */

import type { SumChange } from './sums.ts';
import type { Exposure, UnitRow } from './words.ts';

interface Row extends Record<string, SqlStorageValue> {
  unit: string;
  variant: string;
  firstAtMs: number;
  requests: number;
  errors: number;
  latencyMs: number;
  firstByteMs: number;
  segment: string;
}

/** What a unit has to its name for one metric: everything it did, and what of it counts. */
interface Value {
  total: number;
  counted: number;
}

export class Units {
  #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS units (unit TEXT PRIMARY KEY, variant TEXT NOT NULL, firstAtMs INTEGER NOT NULL,
      requests INTEGER NOT NULL, errors INTEGER NOT NULL, latencyMs REAL NOT NULL, firstByteMs REAL NOT NULL,
      segment TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS outcomes (unit TEXT, metric TEXT, total REAL NOT NULL, counted REAL NOT NULL,
      PRIMARY KEY (unit, metric)) WITHOUT ROWID;`);
  }

  /** Adds a batch's exposures, whatever their order. */
  expose(exposures: readonly Exposure[], change: SumChange): void {
    const hashes = JSON.stringify(exposures.map(({ unit }) => unit));
    const rows = new Map<string, Row>();
    for (const row of this.#sql.exec<Row>('SELECT u.* FROM json_each(?) j JOIN units u ON u.unit = j.value', hashes)) {
      rows.set(row.unit, row);
    }
    const touched = new Set<Row>();
    for (const exposure of exposures) {
      let row = rows.get(exposure.unit);
      if (row === undefined) {
        row = blank(exposure.unit, exposure.variant, exposure.firstAtMs);
        if (exposure.segment !== undefined) row.segment = JSON.stringify(exposure.segment);
        rows.set(exposure.unit, row);
        change.arm(row.variant, { units: 1 });
      }
      touched.add(row);
      if (exposure.variant === row.variant) addTo(row, exposure, change);
      else change.arm(row.variant, { crossovers: exposure.requests });
    }
    this.#write([...touched].sort((a, b) => (a.unit < b.unit ? -1 : 1)));
  }

  exposureOf(unit: string): { variant: string; firstAtMs: number } | null {
    const sql = 'SELECT variant, firstAtMs FROM units WHERE unit = ?';
    const [row] = this.#sql.exec<{ variant: string; firstAtMs: number }>(sql, unit);
    return row ?? null;
  }

  /** Makes a row for a unit whose outcome came before its exposure; one that is known stays as it is. */
  begin(unit: string, variant: string, atMs: number, change: SumChange): void {
    if (this.exposureOf(unit) !== null) return;
    this.#write([blank(unit, variant, atMs)]);
    change.arm(variant, { units: 1 });
  }

  valueOf(unit: string, metric: string): Value | null {
    const sql = 'SELECT total, counted FROM outcomes WHERE unit = ? AND metric = ?';
    const [row] = this.#sql.exec<{ total: number; counted: number }>(sql, unit, metric);
    return row ?? null;
  }

  setValue(unit: string, metric: string, { total, counted }: Value): void {
    this.#sql.exec('INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)', unit, metric, total, counted);
  }

  page(after: string, limit: number): UnitRow[] {
    const rows = [...this.#sql.exec<Row>('SELECT * FROM units WHERE unit > ? ORDER BY unit LIMIT ?', after, limit)];
    return rows.map(({ unit, variant, firstAtMs, requests, errors, segment }) => ({
      unit,
      variant,
      firstAt: new Date(firstAtMs).toISOString(),
      requests,
      errors,
      segment: JSON.parse(segment),
      outcomes: Object.fromEntries(this.#values(unit).map(({ metric, counted }) => [metric, counted])),
    }));
  }

  /** Whether there was such a unit. */
  forget(unit: string, change: SumChange): boolean {
    const [row] = this.#sql.exec<Row>('SELECT * FROM units WHERE unit = ?', unit);
    if (row === undefined) return false;
    change.arm(row.variant, { units: -1, requests: -row.requests });
    const measured = measures(row);
    for (const metric of Object.keys(measured)) change.value(row.variant, metric, measured[metric]!, 0);
    for (const { metric, counted } of this.#values(unit)) change.value(row.variant, metric, counted, 0);
    this.#sql.exec('DELETE FROM units WHERE unit = ?', unit);
    this.#sql.exec('DELETE FROM outcomes WHERE unit = ?', unit);
    return true;
  }

  clear(): void {
    this.#sql.exec('DELETE FROM units; DELETE FROM outcomes;');
  }

  #values(unit: string): { metric: string; counted: number }[] {
    const sql = 'SELECT metric, counted FROM outcomes WHERE unit = ?';
    return [...this.#sql.exec<{ metric: string; counted: number }>(sql, unit)];
  }

  /** One statement for all: a call for each row costs twice as much. */
  #write(rows: readonly Row[]): void {
    const columns = rows.map((row) => [
      row.unit,
      row.variant,
      row.firstAtMs,
      row.requests,
      row.errors,
      row.latencyMs,
      row.firstByteMs,
      row.segment,
    ]);
    this.#sql.exec(
      `INSERT OR REPLACE INTO units SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
       value ->> 6, value ->> 7 FROM json_each(?)`,
      JSON.stringify(columns),
    );
  }
}

function blank(unit: string, variant: string, firstAtMs: number): Row {
  return { unit, variant, firstAtMs, requests: 0, errors: 0, latencyMs: 0, firstByteMs: 0, segment: '{}' };
}

function addTo(row: Row, exposure: Exposure, change: SumChange): void {
  const before = measures(row);
  row.firstAtMs = Math.min(row.firstAtMs, exposure.firstAtMs);
  row.requests += exposure.requests;
  row.errors += exposure.errors;
  row.latencyMs += exposure.latencyMs;
  row.firstByteMs += exposure.firstByteMs;
  const after = measures(row);
  for (const metric of Object.keys(after)) change.value(row.variant, metric, before[metric]!, after[metric]!);
  change.arm(row.variant, { requests: exposure.requests });
}

/** The metrics that responses give without any client work: whether a unit ever met an error, and its mean times. */
function measures({ requests, errors, latencyMs, firstByteMs }: Row): Record<string, number> {
  const count = Math.max(1, requests);
  return { error: errors > 0 ? 1 : 0, latency: latencyMs / count, firstByte: firstByteMs / count };
}
