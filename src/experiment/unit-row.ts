/**
 * Owns what a unit's row says about it: the metrics that are measured from its answers, and how each exposure changes them. It passes
 * every change on to the sums, also to those of the unit's slices, and stores nothing.
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
  /** 1 until an exposure says under which weights the unit was dealt: a later visit may be reported before the first. */
  undealt: number;
}

const MORE = ['lastAtMs', 'retries', 'answers', 'tokensOut', 'priced', 'cost', 'undealt'] as const;

/** A row as it is stored: `more` is JSON of the members in MORE, or empty for a unit that was seen once and has none of them. */
export type StoredRow = Omit<Row, (typeof MORE)[number]> & { more: string } & Record<string, SqlStorageValue>;

/** The row that was stored. */
export function restored({ more, ...plain }: StoredRow): Row {
  const values = more ? (JSON.parse(more) as number[]) : [plain.requests > 0 ? plain.firstAtMs : 0];
  return { ...plain, ...Object.fromEntries(MORE.map((name, at) => [name, values[at] ?? 0])) } as unknown as Row;
}

/** The row as it is to be stored. */
export function storedOf(row: Row): StoredRow {
  const isPlain =
    row.retries + row.answers + row.undealt === 0 && row.lastAtMs === (row.requests > 0 ? row.firstAtMs : 0);
  return { ...row, more: isPlain ? '' : JSON.stringify(MORE.map((name) => row[name])) };
}

/** The row of a unit that has shown nothing yet. */
export function blank(unit: string, variant: string, firstAtMs: number): Row {
  const nothing = { requests: 0, errors: 0, latencyMs: 0, firstByteMs: 0, segment: '{}', lastAtMs: 0 };
  return { unit, variant, firstAtMs, ...nothing, retries: 0, answers: 0, tokensOut: 0, priced: 0, cost: 0, undealt: 1 };
}

/** Adds an exposure to the unit's own variant. */
export function addExposure(row: Row, exposure: Exposure, change: SumChange): void {
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

/** Adds an exposure to another variant: it counts only as the unit's return. */
export function addReturn(row: Row, exposure: Exposure, change: SumChange): void {
  const before = measures(row);
  see(row, exposure);
  tell(row, before, measures(row), change);
}

/** Adds a unit to its slices, with the outcomes that it had before the slices were known. */
export function addToSlices(row: Row, outcomes: readonly Counted[], change: SumChange): void {
  for (const slice of slicesOf(row.segment)) {
    const within = change.within(slice);
    within.arm(row.variant, { units: 1 });
    for (const { metric, counted } of outcomes) within.value(row.variant, metric, 0, counted);
  }
}

/** What counts of a unit's outcomes. */
interface Counted {
  metric: string;
  counted: number;
}

/** Takes a unit out of all sums. */
export function removeUnit(row: Row, outcomes: readonly Counted[], change: SumChange): void {
  const before = measures(row);
  tell(row, before, measures(blank(row.unit, row.variant, row.firstAtMs)), change);
  for (const one of changesOf(row, change)) {
    one.arm(row.variant, { units: -1 });
    for (const { metric, counted } of outcomes) one.value(row.variant, metric, counted, 0);
  }
  change.arm(row.variant, { requests: -row.requests });
  moveTimes(row, before, {}, change);
}

/** The unit's value by measured metric: 1 or 0 for what happened or did not, else the mean. Values that are not known are left out. */
export function measures(row: Row): Measures {
  const { requests, errors, latencyMs, firstByteMs, answers, tokensOut, priced, cost } = row;
  // Answers that did not fail. (An earlier deployment timed failures too: a unit that has nothing else keeps its times.)
  const timed = requests - errors || (latencyMs > 0 ? requests : 0);
  return {
    ...(requests > 0 && { error: errors > 0 ? 1 : 0 }),
    ...(timed > 0 && { latency: latencyMs / timed, firstByte: firstByteMs / timed }),
    retry: row.retries > 0 ? 1 : 0,
    returned: row.lastAtMs - row.firstAtMs >= RETURNED_MS ? 1 : 0,
    ...(answers > 0 && { tokensOut: tokensOut / answers }),
    ...(priced > 0 && { cost: cost / priced }),
  };
}

/** The name under which the number of units with a known value of a metric is summed. No metric's name has a colon. */
export function knownOf(metric: string): string {
  return `known:${metric}`;
}

/**
 * How many units were dealt to each variant, for each set of weights that was in force. They are summed under the weights' JSON as a
 * metric's name, since no metric's name begins with a brace. Units that were deleted stay counted here.
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

/** Moves the unit's times between the buckets of the arm's histograms; a time that is not known is in none. */
function moveTimes({ variant }: Row, before: Measures, after: Measures, change: SumChange): void {
  for (const metric of TIMES) change.move(variant, metric, before[metric] ?? null, after[metric] ?? null);
}

/** Widens the span of time in which the unit was seen. */
function see(row: Row, { firstAtMs, lastAtMs = firstAtMs }: Exposure): void {
  row.firstAtMs = Math.min(row.firstAtMs, firstAtMs);
  row.lastAtMs = Math.max(row.lastAtMs, lastAtMs);
}

/** The change of the whole, and those within the unit's slices. */
function changesOf(row: Row, change: SumChange): SumChange[] {
  return [change, ...slicesOf(row.segment).map((slice) => change.within(slice))];
}

/** Passes changed values on to the sums. */
function tell(row: Row, before: Measures, after: Measures, change: SumChange): void {
  for (const one of changesOf(row, change)) {
    for (const metric of measuredNames) {
      one.value(row.variant, metric, before[metric] ?? 0, after[metric] ?? 0);
      // A value that is not known is not 0, so how many units have one is summed too.
      one.value(row.variant, knownOf(metric), metric in before ? 1 : 0, metric in after ? 1 : 0);
    }
  }
}
