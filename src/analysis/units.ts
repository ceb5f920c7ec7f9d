/**
 * Owns the counting by unit: in each tick of 10 s every unit that was active and not yet bad is one trial, its first bad tick is a bad
 * one, and from then on it is silent for the rollout, whatever variant serves it. So one client that always fails is one failure, and
 * trials and bad ones belong to the same tick. It refuses to know rollouts, clocks and weights: its owner starts a new one for each
 * rollout and says when a tick is over.
 *
 * Sightings of many isolates are merged: a unit seen twice in a tick by one variant counts once. Memory is bounded by
 * hash-threshold sampling (as in KMV sketches; Bar-Yossef et al. 2002): past the bound only units whose hash lies below a
 * threshold count, alike for all variants, since the hash knows nothing of the assignment. Give it another hash than the
 * one that assigns.
 *
 * The state is changed in place; a controller holds tens of thousands of units.
 */

import { getOrMake } from '../get-or-make.ts';
import { MAX_UNITS, TICK_MS } from './limits.ts';

/** Stands for a variant in counts by request: requests of the candidate's arm that others answered, since it was ejected. */
export const AWAY = '';

const ALL = 2 ** 32;

/**
 * What was seen of a unit, for guardrail number i of the rollout in bit i (16 at most): `active` where it was eligible
 * (a stream for `truncated`, an outcome for `outcome:…`), `bad` where it was bad at least once.
 */
export interface Sighting {
  /** 64 bits of a keyed hash as 16 lower-case hex digits. */
  unit: string;
  variant: string;
  active: number;
  bad: number;
}

interface Marks {
  active: number;
  bad: number;
}

/** One rollout's evidence by unit, for `metrics` guardrails. Units count whose hash's first 32 bits lie below `threshold` (2^32: all). */
export interface UnitEvidence {
  metrics: number;
  maxUnits: number;
  threshold: number;
  /** By unit: the metrics in which it was bad, and is silent now. */
  silent: Map<string, number>;
  /** Ticks that are not closed, by variant and unit. */
  open: Map<number, Map<string, Map<string, Marks>>>;
}

/** Trials, and the bad ones among them, by variant. */
type VariantCounts = Record<string, { n: number; bad: number }>;

/** A tick's counts, by the metric's position. */
export interface TickCounts {
  tick: number;
  counts: VariantCounts[];
}

/** Evidence of nothing yet. At most 16 guardrails, as in the schema: each has a bit. */
export function startUnitEvidence(metrics: number, maxUnits: number = MAX_UNITS): UnitEvidence {
  return { metrics, maxUnits, threshold: ALL, silent: new Map(), open: new Map() };
}

/** The tick in which an instant lies. */
export const tickOf = (nowMs: number): number => Math.floor(nowMs / TICK_MS);

/** Whether a unit is in the sample of a threshold. */
export function isSampled(unit: string, threshold: number): boolean {
  return Number.parseInt(unit.slice(0, 8), 16) < threshold;
}

/**
 * Merges sightings of a tick. Those that come after their tick was closed make a tick of their own, for both arms, so that a slow flush
 * loses no failure and spoils no pairing (merged into a later tick, a unit's many late ticks would be one trial). `batchThreshold`: the
 * threshold of an isolate that had to thin out its sample; from then on it holds for all.
 */
export function addSightings(
  evidence: UnitEvidence,
  tick: number,
  sightings: Iterable<Sighting>,
  batchThreshold: number = ALL,
): void {
  if (batchThreshold < evidence.threshold) sampleBelow(evidence, batchThreshold);
  const variants = getOrMake(evidence.open, tick, () => new Map<string, Map<string, Marks>>());
  for (const { unit, variant, active, bad } of sightings) {
    if (!isSampled(unit, evidence.threshold)) continue;
    const marks = getOrMake(
      getOrMake(variants, variant, () => new Map<string, Marks>()),
      unit,
      () => ({ active: 0, bad: 0 }),
    );
    marks.active |= active | bad;
    marks.bad |= bad;
  }
  while (size(evidence) > evidence.maxUnits && evidence.threshold > 1) {
    sampleBelow(evidence, Math.floor(evidence.threshold / 2));
  }
}

/**
 * Closes every open tick up to `throughTick`, and gives their counts, oldest first. Units that were bad are silent from then on, and are
 * noted in `silenced`.
 */
export function closeTicks(
  evidence: UnitEvidence,
  throughTick: number,
  silenced: Map<string, number> = new Map(),
): TickCounts[] {
  const closing = [...evidence.open.keys()].filter((tick) => tick <= throughTick);
  const closed = countInOrder(evidence, closing, silenced);
  for (const [unit, bad] of silenced) evidence.silent.set(unit, (evidence.silent.get(unit) ?? 0) | bad);
  for (const tick of closing) evidence.open.delete(tick);
  return closed;
}

/**
 * The counts so far of every open tick, oldest first, without closing any: so that a candidate that fails every request can be stopped
 * before a tick ends. A unit that was bad in one tick is silent in those after it, as it will be. Add them to a copy of the e-process, and
 * throw the copy away.
 */
export function peekTicks(evidence: UnitEvidence): TickCounts[] {
  return countInOrder(evidence, [...evidence.open.keys()], new Map());
}

/** Counts tick by tick. Units that are bad in one are noted in `silenced`, and are not counted in those after it. */
function countInOrder(evidence: UnitEvidence, ticks: number[], silenced: Map<string, number>): TickCounts[] {
  return ticks
    .sort((a, b) => a - b)
    .map((tick) => {
      const variants = evidence.open.get(tick)!;
      const counts = count(evidence, variants, silenced);
      for (const units of variants.values()) {
        for (const [unit, { bad }] of units) if (bad !== 0) silenced.set(unit, (silenced.get(unit) ?? 0) | bad);
      }
      return { tick, counts };
    });
}

function count(
  evidence: UnitEvidence,
  variants: Map<string, Map<string, Marks>>,
  silenced: ReadonlyMap<string, number>,
): TickCounts['counts'] {
  return Array.from({ length: evidence.metrics }, (_, i) => {
    const bit = 1 << i;
    const ofMetric: VariantCounts = {};
    for (const [variant, units] of variants) {
      const total = { n: 0, bad: 0 };
      for (const [unit, marks] of units) {
        const silent = (evidence.silent.get(unit) ?? 0) | (silenced.get(unit) ?? 0);
        if ((marks.active & bit) === 0 || (silent & bit) !== 0) continue;
        total.n++;
        if ((marks.bad & bit) !== 0) total.bad++;
      }
      ofMetric[variant] = total;
    }
    return ofMetric;
  });
}

/**
 * Which units are silent from now on. If most of the units in open ticks are silent, hardly any are left to show a failure. Then they are
 * heard again, except in the metrics in which they are bad just now: they may always be bad there. With `all`, silent units that are in no
 * open tick are heard again too.
 */
export function silentFromNow({ open, silent }: UnitEvidence, all: boolean): UnitEvidence['silent'] {
  const seen = new Map<string, number>();
  for (const variants of open.values()) {
    for (const units of variants.values()) {
      for (const [unit, { bad }] of units) seen.set(unit, (seen.get(unit) ?? 0) | bad);
    }
  }
  const isSpent = [...seen.keys()].filter((unit) => silent.has(unit)).length * 2 > seen.size;
  if (!isSpent) return silent;
  const kept = [...silent].map(([unit, bits]): [string, number] => [unit, bits & (seen.get(unit) ?? (all ? 0 : bits))]);
  return new Map(kept.filter(([, bits]) => bits !== 0));
}

/** Whether ticks should be closed now, before their units force the sample to be halved. */
export function isCrowded(evidence: UnitEvidence): boolean {
  return 2 * size(evidence) > evidence.maxUnits + evidence.silent.size;
}

function size(evidence: UnitEvidence): number {
  let units = evidence.silent.size;
  for (const variants of evidence.open.values()) for (const seen of variants.values()) units += seen.size;
  return units;
}

/** Drops every unit at or above the threshold. Ticks that are closed keep their counts, which came from a fair sample too. */
function sampleBelow(evidence: UnitEvidence, threshold: number): void {
  evidence.threshold = threshold;
  dropUnsampled(evidence.silent, threshold);
  for (const variants of evidence.open.values()) for (const units of variants.values()) dropUnsampled(units, threshold);
}

function dropUnsampled(units: Map<string, unknown>, threshold: number): void {
  for (const unit of units.keys()) if (!isSampled(unit, threshold)) units.delete(unit);
}
