/**
 * Owns an experiment's sums: units, requests and crossovers by variant, and the moments of each metric over the units. They are
 * kept as events come, so that a report over a million units reads a few rows. It refuses to know units, time and statistics.
 */

import { addDuration, encodeHistogram, histogramOf } from '../analysis/histogram.ts';
import { addUnit, type Moments } from '../analysis/means.ts';

export interface ArmCounts {
  units: number;
  requests: number;
  /** Exposures of its units by another variant: ignored for assignment, told in the report. */
  crossovers: number;
}

/** All sums of an experiment: plain data, so that a snapshot is a copy. */
export interface Figures {
  /** By variant. */
  arms: Record<string, ArmCounts>;
  /** By metric and variant; `n` is the arm's units. */
  metrics: Record<string, Record<string, Moments>>;
  /** By metric and variant: how the units lie, as a histogram in its compact text form. Of times only. */
  spreads?: Record<string, Record<string, string>>;
}

/** What is summed in each table, beneath its key. */
const COUNTS = ['units', 'requests', 'crossovers'] as const;
const MOMENTS = ['sum', 'sumSquares', 'sumCubes', 'nonZero'] as const;

export class Sums {
  #sql: SqlStorage;
  #prefix: '' | 'late';

  /** Sums of some of the units only are kept in tables of their own. */
  constructor(sql: SqlStorage, prefix: '' | 'late' = '') {
    this.#sql = sql;
    this.#prefix = prefix;
    const numbers = (names: readonly string[]) => names.map((column) => `${column} REAL NOT NULL`);
    const make = (table: string, keys: string, columns: string) =>
      sql.exec(`CREATE TABLE IF NOT EXISTS ${this.#table(table)} (${keys}, ${columns}, PRIMARY KEY (${keys}));`);
    make('arms', 'variant', `${numbers(COUNTS)}`);
    make('sums', 'variant, metric', `${numbers(MOMENTS)}`);
    make('spreads', 'variant, metric', 'histogram TEXT NOT NULL');
    make('slices', 'slice, variant, metric', `${numbers(MOMENTS)}`);
  }

  /** `arms`, or `latearms`. */
  #table(table: string): string {
    return this.#prefix + table;
  }

  /** Gathers changes, to be written at once by `apply`. */
  change(): SumChange {
    return new SumChange();
  }

  /** Call it within the transaction of the events themselves. */
  apply({ arms, moments, moves, slices }: SumChange): void {
    const counts = [...arms].map(([variant, arm]) => [variant, ...COUNTS.map((name) => arm[name])]);
    this.#add('arms', ['variant'], COUNTS, counts);
    this.#add('sums', ['variant', 'metric'], MOMENTS, rowsOf(moments));
    for (const [key, some] of moves) this.#move(key, some);
    const sliced = [...slices].flatMap(([slice, change]) => [
      ...[...change.arms].map(([variant, { units }]) => [slice, variant, UNITS, units, 0, 0, 0]),
      ...rowsOf(change.moments).map((row) => [slice, ...row]),
    ]);
    this.#add('slices', ['slice', 'variant', 'metric'], MOMENTS, sliced);
  }

  /** Adds rows to those of their keys, in one statement. */
  #add(table: string, keys: readonly string[], sums: readonly string[], rows: readonly unknown[][]): void {
    if (rows.length === 0) return;
    const columns = [...keys, ...sums];
    this.#sql.exec(
      `INSERT INTO ${this.#table(table)} (${columns}) SELECT ${columns.map((_, at) => `value ->> ${at}`)} FROM json_each(?)
       WHERE true ON CONFLICT DO UPDATE SET ${sums.map((name) => `${name} = ${name} + excluded.${name}`)}`,
      JSON.stringify(rows),
    );
  }

  /** One row a histogram: a row for each bucket would cost hundreds of writes a batch. */
  #move(key: string, moves: readonly Move[]): void {
    const [variant = '', metric = ''] = key.split('|');
    const histogram = histogramOf([this.#spread(variant, metric)]);
    for (const [before, after] of moves) {
      if (before !== null) addDuration(histogram, before, -1);
      if (after !== null) addDuration(histogram, after);
    }
    const text = encodeHistogram(histogram);
    this.#sql.exec(`INSERT OR REPLACE INTO ${this.#table('spreads')} VALUES (?, ?, ?)`, variant, metric, text);
  }

  #spread(variant: string, metric: string): string {
    const sql = `SELECT histogram FROM ${this.#table('spreads')} WHERE variant = ? AND metric = ?`;
    const [row] = this.#sql.exec<{ histogram: string }>(sql, variant, metric);
    return row?.histogram ?? '';
  }

  /** The figures of each slice, without requests and crossovers. */
  readSlices(): Record<string, Figures> {
    const slices: Record<string, Figures> = {};
    type Row = { slice: string; variant: string; metric: string } & Record<Exclude<keyof Moments, 'n'>, number>;
    // The count of units comes before the metrics: no name begins like it.
    for (const { slice, variant, metric, ...sums } of this.#sql.exec<Row>(
      `SELECT * FROM ${this.#table('slices')} ORDER BY slice, metric`,
    )) {
      slices[slice] ??= { arms: {}, metrics: {} };
      const { arms, metrics } = slices[slice];
      if (metric === UNITS) arms[variant] = { units: sums.sum, requests: 0, crossovers: 0 };
      else {
        metrics[metric] ??= {};
        metrics[metric][variant] = { n: arms[variant]?.units ?? 0, ...sums };
      }
    }
    return slices;
  }

  read(): Figures {
    const figures: Figures = { arms: {}, metrics: {} };
    for (const { variant, ...counts } of this.#sql.exec<{ variant: string } & Record<keyof ArmCounts, number>>(
      `SELECT * FROM ${this.#table('arms')} ORDER BY variant`,
    )) {
      figures.arms[variant] = counts;
    }
    for (const { variant, metric, ...sums } of this.#sql.exec<
      { variant: string; metric: string } & Record<Exclude<keyof Moments, 'n'>, number>
    >(`SELECT * FROM ${this.#table('sums')}`)) {
      figures.metrics[metric] ??= {};
      figures.metrics[metric]![variant] = { n: figures.arms[variant]?.units ?? 0, ...sums };
    }
    const spreads: NonNullable<Figures['spreads']> = {};
    for (const { variant, metric, histogram } of this.#sql.exec<Record<'variant' | 'metric' | 'histogram', string>>(
      `SELECT * FROM ${this.#table('spreads')}`,
    )) {
      spreads[metric] ??= {};
      spreads[metric][variant] = histogram;
    }
    if (Object.keys(spreads).length > 0) figures.spreads = spreads;
    return figures;
  }
}

function rowsOf(moments: SumChange['moments']): unknown[][] {
  return [...moments].map(([key, one]) => [...key.split('|'), ...MOMENTS.map((name) => one[name] ?? 0)]);
}

/** A unit's value before and after; null where there was or will be none. */
type Move = [before: number | null, after: number | null];

/** Stands for a metric in the rows that count a slice's units. */
const UNITS = '';
const NOBODY: ArmCounts = { units: 0, requests: 0, crossovers: 0 };

/** The counts of both. */
export function addArms(
  a: ArmCounts = NOBODY,
  { units = 0, requests = 0, crossovers = 0 }: Partial<ArmCounts>,
): ArmCounts {
  return { units: a.units + units, requests: a.requests + requests, crossovers: a.crossovers + crossovers };
}

/** Changes of sums by what happened to units. */
export class SumChange {
  readonly arms = new Map<string, ArmCounts>();
  readonly moments = new Map<string, Moments>();
  readonly moves = new Map<string, Move[]>();
  /** By segment and value, as `sliceOf` joins them. */
  readonly slices = new Map<string, SumChange>();

  arm(variant: string, change: Partial<ArmCounts>): void {
    this.arms.set(variant, addArms(this.arms.get(variant), change));
  }

  /** A unit's value moves; a unit that is new or goes has 0 before or after. */
  value(variant: string, metric: string, before: number, after: number): void {
    if (before === after) return;
    const key = `${variant}|${metric}`;
    const moments = this.moments.get(key) ?? { n: 0, sum: 0, sumSquares: 0, sumCubes: 0, nonZero: 0 };
    this.moments.set(key, addUnit(moments, after, before));
  }

  /** A unit's time moves, among those of its arm. */
  move(variant: string, metric: string, before: number | null, after: number | null): void {
    if (before === after) return;
    const key = `${variant}|${metric}`;
    const moves = this.moves.get(key) ?? [];
    moves.push([before, after]);
    this.moves.set(key, moves);
  }

  /** The same change within one slice of the units. */
  within(slice: string): SumChange {
    let change = this.slices.get(slice);
    if (change === undefined) {
      change = new SumChange();
      this.slices.set(slice, change);
    }
    return change;
  }
}
