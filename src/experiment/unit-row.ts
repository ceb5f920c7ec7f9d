/**
 * Owns what a unit's row says of it: the metrics that its responses give without any client work, and how they move with each
 * exposure. It tells every move to the sums, those of the unit's slices too, and stores nothing.
 */

import type { Dealt } from '../analysis/sample-ratio.ts';
import { type MeasuredName, measuredNames } from '../config/measured.ts';
import { RETURNED_MS } from './limits.ts';
import { slicesOf } from './segments.ts';
import type { Figures, SumChange } from './sums.ts';
import type { Exposure } from './words.ts';

/** All exposures of a unit together; `lastAtMs` is 0 before the first. */
export interface Row extends Required<Omit<Exposure, 'used' | 'segment' | 'weights'>>, NonNullable<Exposure['used']> {
  /** JSON: value by segment. */
  segment: string;
  /** 1 until it is heard under which weights it was dealt: a later visit may be told sooner than the first. */
  undealt: number;
}

const MORE = ['lastAtMs', 'retries', 'answers', 'tokensOut', 'priced', 'cost', 'undealt'] as const;

/** A row as it is kept: `more` is JSON of the last members, or empty for a unit that was seen once and showed nothing of them. */
export type StoredRow = Omit<Row, (typeof MORE)[number]> & { more: string } & Record<string, SqlStorageValue>;

export function restored({ more, ...plain }: StoredRow): Row {
  const values = more ? (JSON.parse(more) as number[]) : [plain.requests > 0 ? plain.firstAtMs : 0];
  return { ...plain, ...Object.fromEntries(MORE.map((name, at) => [name, values[at] ?? 0])) } as unknown as Row;
}

export function storedOf(row: Row): StoredRow {
  const isPlain =
    row.retries + row.answers + row.undealt === 0 && row.lastAtMs === (row.requests > 0 ? row.firstAtMs : 0);
  return { ...row, more: isPlain ? '' : JSON.stringify(MORE.map((name) => row[name])) };
}

export function blank(unit: string, variant: string, firstAtMs: number): Row {
  const nothing = { requests: 0, errors: 0, latencyMs: 0, firstByteMs: 0, segment: '{}', lastAtMs: 0 };
  return { unit, variant, firstAtMs, ...nothing, retries: 0, answers: 0, tokensOut: 0, priced: 0, cost: 0, undealt: 1 };
}

/** Adds what its own variant showed the unit. */
export function addTo(row: Row, exposure: Exposure, change: SumChange): void {
  const { retries = 0, used } = exposure;
  const before = measures(row);
  see(row, exposure);
  row.requests += exposure.requests;
  row.errors += exposure.errors;
  row.latencyMs += exposure.latencyMs;
  row.firstByteMs += exposure.firstByteMs;
  row.retries += retries;
  if (used !== undefined) {
    row.answers += used.answers;
    row.tokensOut += used.tokensOut;
    row.priced += used.priced;
    row.cost += used.cost;
  }
  const after = measures(row);
  tell(row, before, after, change);
  moveTimes(row, before, after, change);
  change.arm(row.variant, { requests: exposure.requests });
}

/** A unit that met another variant has come back all the same. */
export function cameBack(row: Row, exposure: Exposure, change: SumChange): void {
  const before = measures(row);
  see(row, exposure);
  tell(row, before, measures(row), change);
}

/** Counts a unit in its slices, with the outcomes that it had before they were known. */
export function enterSlices(row: Row, outcomes: readonly Counted[], change: SumChange): void {
  for (const slice of slicesOf(row.segment)) {
    const within = change.within(slice);
    within.arm(row.variant, { units: 1 });
    for (const { metric, counted } of outcomes) within.value(row.variant, metric, 0, counted);
  }
}

/** What of a unit's outcomes counts. */
interface Counted {
  metric: string;
  counted: number;
}

/** Takes all of a unit out of the sums. */
export function forgotten(row: Row, outcomes: readonly Counted[], change: SumChange): void {
  const before = measures(row);
  tell(row, before, measures(blank(row.unit, row.variant, row.firstAtMs)), change);
  for (const one of changesOf(row, change)) {
    one.arm(row.variant, { units: -1 });
    for (const { metric, counted } of outcomes) one.value(row.variant, metric, counted, 0);
  }
  change.arm(row.variant, { requests: -row.requests });
  moveTimes(row, before, {}, change);
}

/** The unit's value by metric: whether it ever happened, or the mean. One that is not known is left out. */
export function measures(row: Row): Measures {
  const { requests, errors, latencyMs, firstByteMs, answers, tokensOut, priced, cost } = row;
  return {
    ...(requests > 0 && { error: errors > 0 ? 1 : 0 }),
    // Of those that did not fail; an earlier deployment timed failures too, and has summed a unit that had nothing else.
    ...((requests > errors || latencyMs > 0) && {
      latency: latencyMs / (requests - errors || requests),
      firstByte: firstByteMs / (requests - errors || requests),
    }),
    retry: row.retries > 0 ? 1 : 0,
    returned: row.lastAtMs - row.firstAtMs >= RETURNED_MS ? 1 : 0,
    ...(answers > 0 && { tokensOut: tokensOut / answers }),
    ...(priced > 0 && { cost: cost / priced }),
  };
}

/** The name under which it is summed of how many units a metric is known. No metric's name has a colon. */
export function knownOf(metric: string): string {
  return `known:${metric}`;
}

/**
 * How many units were dealt to each variant, by the weights that decided it: their JSON is the name under which it is summed, and no
 * metric's name has a brace. Who is forgotten was dealt nevertheless.
 */
export function dealtIn({ metrics }: Figures): Dealt[] {
  return Object.entries(metrics).flatMap(([name, arms]) => {
    if (!name.startsWith('{')) return [];
    const units = Object.fromEntries(Object.entries(arms).map(([variant, { nonZero }]) => [variant, nonZero]));
    return [{ weights: JSON.parse(name), units }];
  });
}

const TIMES = ['latency', 'firstByte'] as const;
type Measures = Partial<Record<MeasuredName, number>>;

/** What is not known is in no histogram. */
function moveTimes({ variant }: Row, before: Measures, after: Measures, change: SumChange): void {
  for (const metric of TIMES) change.move(variant, metric, before[metric] ?? null, after[metric] ?? null);
}

function see(row: Row, { firstAtMs, lastAtMs = firstAtMs }: Exposure): void {
  row.firstAtMs = Math.min(row.firstAtMs, firstAtMs);
  row.lastAtMs = Math.max(row.lastAtMs, lastAtMs);
}

function changesOf(row: Row, change: SumChange): SumChange[] {
  return [change, ...slicesOf(row.segment).map((slice) => change.within(slice))];
}

function tell(row: Row, before: Measures, after: Measures, change: SumChange): void {
  for (const one of changesOf(row, change)) {
    for (const metric of measuredNames) {
      one.value(row.variant, metric, before[metric] ?? 0, after[metric] ?? 0);
      // What is not known is not 0.
      one.value(row.variant, knownOf(metric), metric in before ? 1 : 0, metric in after ? 1 : 0);
    }
  }
}
