/**
 * Owns the rows of an experiment's units: first exposure, requests, and what each metric has counted. It passes every change on to the
 * sums. The first exposure decides a unit's variant; a later one to another variant is a crossover.
 */

import { iso } from '../rollout/words.ts';
import { UNITS_AT_ONCE } from './limits.ts';
import { SegmentValues, slicesOf } from './segments.ts';
import type { SumChange } from './sums.ts';
import {
  addExposure,
  addReturn,
  addToSlices,
  blank,
  measures,
  type Row,
  removeUnit,
  restored,
  type StoredRow,
  storedOf,
} from './unit-row.ts';
import type { Exposure, UnitRow } from './words.ts';

/** A unit's outcomes of one metric: their total, and what of it counts (under the cap). */
interface Value {
  total: number;
  counted: number;
}

/** `more` holds what most units do not have: as columns of zeros it would cost a third of a batch's time. */
const COLUMNS = ['unit', 'variant', 'firstAtMs', 'requests', 'errors', 'latencyMs', 'firstByteMs', 'segment', 'more'];

/** The rows of one experiment. */
export class Units {
  #sql: SqlStorage;
  #segments: SegmentValues;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS units (unit TEXT PRIMARY KEY, variant TEXT NOT NULL, firstAtMs INTEGER NOT NULL,
      requests INTEGER NOT NULL, errors INTEGER NOT NULL, latencyMs REAL NOT NULL, firstByteMs REAL NOT NULL,
      segment TEXT NOT NULL, more TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS outcomes (unit TEXT, metric TEXT, total REAL NOT NULL, counted REAL NOT NULL,
      PRIMARY KEY (unit, metric)) WITHOUT ROWID;`);
    this.#segments = new SegmentValues(sql);
  }

  /** Adds a batch's exposures, in any order. `all`: the sums in which every unit is counted as dealt to its arm, late ones too. */
  expose(exposures: readonly Exposure[], change: SumChange, all = change): void {
    const hashes = JSON.stringify(exposures.map(({ unit }) => unit));
    const rows = new Map<string, Row>();
    const sql = 'SELECT u.* FROM json_each(?) j JOIN units u ON u.unit = j.value';
    for (const row of this.#sql.exec<StoredRow>(sql, hashes)) rows.set(row.unit, restored(row));
    const touched = new Set<Row>();
    const slotted = this.#segments.begin();
    for (const exposure of exposures) {
      let row = rows.get(exposure.unit);
      const isNew = row === undefined;
      if (row === undefined) {
        row = blank(exposure.unit, exposure.variant, exposure.firstAtMs);
        rows.set(exposure.unit, row);
        change.arm(row.variant, { units: 1 });
      }
      touched.add(row);
      if (row.undealt && exposure.weights !== undefined) {
        row.undealt = 0;
        all.value(exposure.variant, exposure.weights, 0, 1);
      }
      if (row.requests === 0 && row.segment === '{}' && exposure.segment !== undefined) {
        row.segment = JSON.stringify(slotted(exposure.segment));
        // A row that was there already may have outcomes: with a signed pin they count before the exposure is reported.
        addToSlices(row, isNew ? [] : this.#values(row.unit), change);
      }
      if (exposure.variant === row.variant) addExposure(row, exposure, change);
      else {
        change.arm(row.variant, { crossovers: exposure.requests });
        addReturn(row, exposure, change);
      }
    }
    this.#write([...touched].sort((a, b) => (a.unit < b.unit ? -1 : 1)));
  }

  /** The unit's variant, its first exposure, and its slices; null where the unit is not known. */
  exposureOf(unit: string): { variant: string; firstAtMs: number; slices: string[] } | null {
    const sql = 'SELECT * FROM units WHERE unit = ?';
    const [row] = this.#sql.exec<{ variant: string; firstAtMs: number; segment: string }>(sql, unit);
    return row === undefined ? null : { ...row, slices: slicesOf(row.segment) };
  }

  /** Makes a row for a unit whose outcome came before its exposure. */
  begin(unit: string, variant: string, atMs: number, change: SumChange): void {
    this.#write([blank(unit, variant, atMs)]);
    change.arm(variant, { units: 1 });
  }

  valueOf(unit: string, metric: string): Value | null {
    const sql = 'SELECT * FROM outcomes WHERE unit = ? AND metric = ?';
    return [...this.#sql.exec<{ total: number; counted: number }>(sql, unit, metric)][0] ?? null;
  }

  setValue(unit: string, metric: string, { total, counted }: Value): void {
    this.#sql.exec('INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?)', unit, metric, total, counted);
  }

  /** Rows in the order of their hashes, after `after`. */
  page(after: string, limit: number): UnitRow[] {
    const sql = 'SELECT * FROM units WHERE unit > ? ORDER BY unit LIMIT ?';
    const rows = [...this.#sql.exec<StoredRow>(sql, after, limit)];
    return rows.map(restored).map((row) => ({
      unit: row.unit,
      variant: row.variant,
      firstAt: iso(row.firstAtMs),
      requests: row.requests,
      errors: row.errors,
      segment: JSON.parse(row.segment),
      measured: measures(row) as Record<string, number>,
      outcomes: Object.fromEntries(this.#values(row.unit).map(({ metric, counted }) => [metric, counted])),
    }));
  }

  /** Deletes a unit, and takes it out of the sums. False where it was not known. */
  forget(unit: string, change: SumChange): boolean {
    const [row] = this.#sql.exec<StoredRow>('SELECT * FROM units WHERE unit = ?', unit);
    if (row === undefined) return false;
    removeUnit(restored(row), this.#values(unit), change);
    this.#sql.exec('DELETE FROM units WHERE unit = ?', unit);
    this.#sql.exec('DELETE FROM outcomes WHERE unit = ?', unit);
    return true;
  }

  clear(): void {
    this.#sql.exec('DELETE FROM units; DELETE FROM outcomes;');
  }

  #values(unit: string): { metric: string; counted: number }[] {
    const sql = 'SELECT * FROM outcomes WHERE unit = ?';
    return [...this.#sql.exec<{ metric: string; counted: number }>(sql, unit)];
  }

  /** Writes many rows in one statement: a call for each would cost twice as much. */
  #write(rows: readonly Row[]): void {
    const values = COLUMNS.map((_, index) => `value ->> ${index}`);
    for (let from = 0; from < rows.length; from += UNITS_AT_ONCE) {
      this.#sql.exec(
        `INSERT OR REPLACE INTO units (${COLUMNS}) SELECT ${values} FROM json_each(?)`,
        JSON.stringify(
          rows.slice(from, from + UNITS_AT_ONCE).map((row) => {
            const stored = storedOf(row);
            return COLUMNS.map((column) => stored[column]);
          }),
        ),
      );
    }
  }
}
