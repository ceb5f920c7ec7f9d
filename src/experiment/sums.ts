/**
 * Owns an experiment's sums: units, requests and crossovers by variant, and the moments of each metric over the units. They are
 * kept as events come, so that a report over a million units reads a few rows. It refuses to know units, time and statistics.
 */

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
}

export class Sums {
  #sql: SqlStorage;
  #arms: string;
  #sums: string;

  /** Sums of some of the units only are kept under a name. */
  constructor(sql: SqlStorage, name: '' | 'late' = '') {
    this.#sql = sql;
    this.#arms = name === '' ? 'arms' : 'lateArms';
    this.#sums = name === '' ? 'sums' : 'lateSums';
    sql.exec(`CREATE TABLE IF NOT EXISTS ${this.#arms} (variant TEXT PRIMARY KEY, units INTEGER NOT NULL, requests INTEGER NOT NULL,
      crossovers INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS ${this.#sums} (variant TEXT, metric TEXT, sum REAL NOT NULL, sumSquares REAL NOT NULL,
      sumCubes REAL NOT NULL, nonZero INTEGER NOT NULL, PRIMARY KEY (variant, metric));`);
  }

  /** Gathers changes, to be written at once by `apply`. */
  change(): SumChange {
    return new SumChange();
  }

  /** Call it within the transaction of the events themselves. */
  apply(change: SumChange): void {
    for (const [variant, { units, requests, crossovers }] of change.arms) {
      this.#sql.exec(
        `INSERT INTO ${this.#arms} VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET units = units + excluded.units,
         requests = requests + excluded.requests, crossovers = crossovers + excluded.crossovers`,
        ...[variant, units, requests, crossovers],
      );
    }
    for (const [key, { sum, sumSquares, sumCubes, nonZero }] of change.moments) {
      const [variant = '', metric = ''] = key.split('|');
      this.#sql.exec(
        `INSERT INTO ${this.#sums} VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET sum = sum + excluded.sum,
         sumSquares = sumSquares + excluded.sumSquares, sumCubes = sumCubes + excluded.sumCubes,
         nonZero = nonZero + excluded.nonZero`,
        ...[variant, metric, sum, sumSquares, sumCubes ?? 0, nonZero],
      );
    }
  }

  read(): Figures {
    const figures: Figures = { arms: {}, metrics: {} };
    for (const { variant, ...counts } of this.#sql.exec<{ variant: string } & Record<keyof ArmCounts, number>>(
      `SELECT * FROM ${this.#arms} ORDER BY variant`,
    )) {
      figures.arms[variant] = counts;
    }
    for (const { variant, metric, ...sums } of this.#sql.exec<
      { variant: string; metric: string } & Record<Exclude<keyof Moments, 'n'>, number>
    >(`SELECT * FROM ${this.#sums}`)) {
      figures.metrics[metric] ??= {};
      figures.metrics[metric]![variant] = { n: figures.arms[variant]?.units ?? 0, ...sums };
    }
    return figures;
  }
}

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
}
