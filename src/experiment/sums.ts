/**
 * Owns an experiment's sums: units, requests and crossovers by variant, and the moments of each metric over the units. They are
 * kept as events come, so that a report over a million units reads a few rows. It refuses to know units, time and statistics.
 */

import { addDuration, encodeHistogram, histogramOf } from '../analysis/histogram.ts';
import { addUnit, type Moments, NO_MOMENTS } from '../analysis/means.ts';
import { getOrMake } from '../get-or-make.ts';
import { SUMS_AT_ONCE } from './limits.ts';

/** What is counted of one arm. */
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

/** The units of all arms. */
export function unitsOf({ arms }: Pick<Figures, 'arms'>): number {
  return Object.values(arms).reduce((sum, { units }) => sum + units, 0);
}

/** What is summed in each table, beneath its key. */
const COUNTS = ['units', 'requests', 'crossovers'] as const;
const MOMENTS = ['sum', 'sumSquares', 'sumCubes', 'nonZero'] as const;

/** The sums of one experiment. */
export class Sums {
  #sql: SqlStorage;
  #prefix: '' | 'late';

  /** With `late`, the sums of late units, in tables of their own. */
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

  /** Adds numbers to the rows of their keys, many in one statement. */
  #add(table: string, keys: readonly string[], sums: readonly string[], rows: readonly unknown[][]): void {
    const columns = [...keys, ...sums];
    const sql = `INSERT INTO ${this.#table(table)} (${columns}) SELECT ${columns.map((_, at) => `value ->> ${at}`)} FROM json_each(?)
       WHERE true ON CONFLICT DO UPDATE SET ${sums.map((name) => `${name} = ${name} + excluded.${name}`)}`;
    for (let from = 0; from < rows.length; from += SUMS_AT_ONCE)
      this.#sql.exec(sql, JSON.stringify(rows.slice(from, from + SUMS_AT_ONCE)));
  }

  /** Moves times within a histogram, which is one row: a row for each bucket would cost hundreds of writes a batch. */
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
    const sql = `SELECT * FROM ${this.#table('spreads')} WHERE variant = ? AND metric = ?`;
    const [row] = this.#sql.exec<{ histogram: string }>(sql, variant, metric);
    return row?.histogram ?? '';
  }

  /** The figures of each slice, without requests and crossovers. */
  readSlices(): Record<string, Figures> {
    const slices: Record<string, Figures> = {};
    // Rows are ordered by metric, so a slice's units (the empty name) come before its metrics, which need them.
    for (const { slice, ...row } of this.#rows<SumRow & { slice: string }>('slices', 'slice, metric')) {
      slices[slice] ??= noFigures();
      if (row.metric === UNITS) slices[slice].arms[row.variant] = { ...NO_COUNTS, units: row.sum };
      else addSums(slices[slice], row);
    }
    return slices;
  }

  read(): Figures {
    const figures = noFigures();
    type Counts = { variant: string } & Record<keyof ArmCounts, number>;
    for (const { variant, ...counts } of this.#rows<Counts>('arms', 'variant')) figures.arms[variant] = counts;
    for (const row of this.#rows<SumRow>('sums')) addSums(figures, row);
    type Spread = Record<'variant' | 'metric' | 'histogram', string>;
    for (const { variant, metric, histogram } of this.#rows<Spread>('spreads')) {
      figures.spreads ??= {};
      figures.spreads[metric] ??= {};
      figures.spreads[metric][variant] = histogram;
    }
    return figures;
  }

  #rows<T extends Record<string, SqlStorageValue>>(table: string, order = 'metric') {
    return this.#sql.exec<T>(`SELECT * FROM ${this.#table(table)} ORDER BY ${order}`);
  }
}

/** Figures of nothing. Without a prototype, since a metric may be called `constructor`. */
const noFigures = (): Figures => ({ arms: {}, metrics: Object.create(null) });

type SumRow = { variant: string; metric: string } & Record<Exclude<keyof Moments, 'n'>, number>;

/** Adds a row of sums to the figures, whose arms must be there already. */
function addSums({ arms, metrics }: Figures, { variant, metric, ...sums }: SumRow): void {
  metrics[metric] ??= {};
  metrics[metric][variant] = { n: arms[variant]?.units ?? 0, ...sums };
}

function rowsOf(moments: SumChange['moments']): unknown[][] {
  return [...moments].map(([key, one]) => [...key.split('|'), ...MOMENTS.map((name) => one[name] ?? 0)]);
}

/** A unit's value before and after; null where there was or will be none. */
type Move = [before: number | null, after: number | null];

/** Stands for a metric in the rows that count a slice's units. */
const UNITS = '';
const NO_COUNTS: ArmCounts = { units: 0, requests: 0, crossovers: 0 };

/** The counts of two arms added. */
export function addArms(
  a: ArmCounts = NO_COUNTS,
  { units = 0, requests = 0, crossovers = 0 }: Partial<ArmCounts>,
): ArmCounts {
  return { units: a.units + units, requests: a.requests + requests, crossovers: a.crossovers + crossovers };
}

/** Changes of sums, gathered so that `apply` can write them together. */
export class SumChange {
  readonly arms = new Map<string, ArmCounts>();
  readonly moments = new Map<string, Moments>();
  readonly moves = new Map<string, Move[]>();
  /** By segment and value, as `sliceOf` joins them. */
  readonly slices = new Map<string, SumChange>();

  arm(variant: string, change: Partial<ArmCounts>): void {
    this.arms.set(variant, addArms(this.arms.get(variant), change));
  }

  /** Changes a unit's value of a metric. For a unit that is new or goes, `before` or `after` is 0. */
  value(variant: string, metric: string, before: number, after: number): void {
    if (before === after) return;
    const key = `${variant}|${metric}`;
    this.moments.set(key, addUnit(this.moments.get(key) ?? NO_MOMENTS, after, before));
  }

  /** Changes a unit's time in its arm's histogram. */
  move(variant: string, metric: string, before: number | null, after: number | null): void {
    if (before === after) return;
    const key = `${variant}|${metric}`;
    getOrMake(this.moves, key, () => []).push([before, after]);
  }

  /** The same change within one slice of the units. */
  within(slice: string): SumChange {
    return getOrMake(this.slices, slice, () => new SumChange());
  }
}
