/**
 * Owns the pieces that ready queries are made of: names from the column map, weights, and what "given" means for a number. It
 * writes the SQL of Workers Analytics Engine (a subset of ClickHouse: no JOIN, no window functions) and sends none.
 */

import { column, columns, schemaVersion, tableOf } from '../columns.ts';
import type { Dataset } from '../rows.ts';

export type Member<D extends Dataset> = Parameters<typeof column<D>>[1];

/** A query for people: what it answers, and the statement. */
export interface ReadyQuery {
  /** What one reads in its answer, as a sentence. */
  answers: string;
  dataset: Dataset;
  sql: string;
}

/** A row stands for this many: every count and every quantile is weighed by it. */
export const weight = '_sample_interval';

/** Short names for the columns of one dataset. */
export function namesOf<D extends Dataset>(dataset: D) {
  const name = (member: Member<D>) => column(dataset, member);
  return {
    name,
    /** True for rows that have all of these numbers; an absent one is stored as 0 and must not be averaged. */
    given(...members: Member<D>[]): string {
      const doubles: readonly string[] = columns[dataset].doubles;
      const bits = members.reduce((mask, member) => mask + 2 ** doubles.indexOf(member), 0);
      return `bitAnd(toUInt32(${name('present' as Member<D>)}), ${bits}) = ${bits}`;
    },
    quantile: (q: number, expression: string) => `quantileExactWeighted(${q})(${expression}, ${weight})`,
  };
}

interface Statement {
  dataset: Dataset;
  /** Computed per row first: quantiles are documented for columns, not for expressions. */
  inner?: readonly string[];
  select: readonly string[];
  where?: readonly string[];
  groupBy: string;
  orderBy: string;
  days?: number;
  limit?: number;
}

/** A statement in the shape that all ready queries share. Rows of another schema version never mix in. */
export function statement({
  dataset,
  inner,
  select,
  where = [],
  groupBy,
  orderBy,
  days = 7,
  limit,
}: Statement): string {
  const from = [
    `FROM ${tableOf(dataset)}`,
    `WHERE ${column(dataset, 'schema')} = '${schemaVersion}'`,
    `  AND timestamp > now() - INTERVAL '${days}' DAY`,
    ...where.map((condition) => `  AND ${condition}`),
  ];
  return [
    ...selected(select),
    ...(inner === undefined ? from : ['FROM (', ...indented([...selected(inner), ...from]), ')']),
    `GROUP BY ${groupBy}`,
    `ORDER BY ${orderBy}`,
    ...(limit === undefined ? [] : [`LIMIT ${limit}`]),
  ].join('\n');
}

function selected(expressions: readonly string[]): string[] {
  return ['SELECT', ...indented(expressions.map((text, i) => (i < expressions.length - 1 ? `${text},` : text)))];
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
