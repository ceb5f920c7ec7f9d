/**
 * Owns what a report says: first the sample-ratio alarm; then for each metric and variant both arms, difference, lift, interval and state;
 * units and days left. Pure. The statistics are those of `src/analysis`, and it refuses to say more than they do.
 */

import { type Comparison, decideTogether, type EarlyLook, type Finding } from '../analysis/hybrid.ts';
import {
  SAMPLE_RATIO_ALPHA as ALPHA,
  sampleRatioChiSquare,
  sampleRatioLikelihood,
  sampleRatioLogBF,
} from '../analysis/sample-ratio.ts';
import { iso } from '../rollout/words.ts';
import { type ArmReport, armOf, armReport, armsOf } from './arms.ts';
import { beliefsOf, type KnownBeliefs, quantilesOf } from './beliefs.ts';
import type { Reached } from './closing.ts';
import { explore, type SegmentReport } from './exploration.ts';
import { DEFAULT_PLANNED_UNITS, MIN_EXPECTED_UNITS, STAYS_AFTER_MS } from './limits.ts';
import type { ArmCounts, Figures } from './sums.ts';
import { dealtIn } from './unit-row.ts';
import type { ExperimentPlan, PlannedMetric } from './words.ts';

export type { SegmentReport };

/** What is kept from one look to the next. */
export interface Looks {
  /** The strongest early look by what was measured (`lookOf`). */
  early: Record<string, EarlyLook>;
  sampleRatio: SampleRatio;
  /** Always empty. An earlier deployment that is put back reads it. */
  earlyP: Record<string, never>;
}

/** The sample-ratio check at one look. */
export interface SampleRatio {
  /** By χ², over all units dealt so far; valid for a single look. */
  p: number;
  /** Valid for any number of looks. The alarm goes by it; and by a likelihood ratio, for shares that are far off from the first. */
  sequentialP: number;
  alarm: boolean;
  /** Since when the alarm has rung at every look; null where it does not ring now. */
  since: string | null;
  /** The alarm has rung for long, or at the final look: it is never taken back. */
  stays: boolean;
}

/** One metric of one variant against the baseline. */
export interface MetricReport extends PlannedMetric {
  variant: string;
  /** `better`, `worse`, `no difference found` or `keep running: 62 %`. */
  state: string;
  /** The state, with what is missing where the numbers are too few. */
  label: string;
  by: Finding['by'];
  arms: Record<string, ArmReport>;
  difference: number;
  lift: number | null;
  interval: [number, number];
  p: number;
}

/** The report of an experiment, as the API answers it. */
export interface Report {
  id: string;
  sampleRatio: SampleRatio;
  plannedUnits: number;
  units: Record<string, number>;
  crossovers: number;
  since: string | null;
  unitsPerDay: number | null;
  daysLeft: number | null;
  /** When the planned size was reached, and until when outcomes of its units count, ISO 8601; null before. */
  reachedAt: string | null;
  closesAt: string | null;
  /** The figures are closed: the final test is made, and nothing changes it. */
  closed: boolean;
  /** Variants whose definition is another than when the experiment began: their units met two versions. */
  changed: string[];
  metrics: MetricReport[];
  /** Declared segments. Exploratory. */
  segments: SegmentReport[];
  notes: string[];
}

interface Known {
  plan: ExperimentPlan;
  /** The figures of the units that came before the planned size was reached. */
  now: Figures;
  /** Figures by slice of the declared segments. */
  slices?: Record<string, Figures>;
  beliefs?: KnownBeliefs;
  /** All units, also those that came later. */
  arms: Figures['arms'];
  reached: Reached | null;
  /** The figures as they stood when they closed. */
  atPlanned: Figures | null;
  looks: Looks | null;
  /** Fingerprints of the variants' definitions when the experiment began. */
  began: ExperimentPlan['definitions'] | null;
  sinceMs: number | null;
  nowMs: number;
}

/** The report, and what must be kept for the next one. */
export function reportOf(known: Known): { report: Report; looks: Looks } {
  const { plan, arms, reached, atPlanned, looks, sinceMs, nowMs, slices = {} } = known;
  const units = unitsByArm(arms);
  const total = sumOf(units);
  // A size that was reached stands: who came later counts in no test.
  const planned = reached?.planned ?? plannedOf(plan);
  // Once it is over, days in which nobody is dealt to an arm say nothing of the traffic.
  const elapsedDays = sinceMs === null ? 0 : ((reached?.atMs ?? nowMs) - sinceMs) / 86_400_000;
  const inTime = sumOf(unitsByArm(known.now.arms));
  const unitsPerDay = inTime > 0 && elapsedDays > 0 ? inTime / elapsedDays : null;
  const { metrics, early } = metricsOf(known, planned);
  const sampleRatio = lookAtRatio(looks?.sampleRatio, known);
  const report: Report = {
    id: plan.id,
    sampleRatio,
    plannedUnits: planned,
    units: { ...Object.fromEntries(Object.keys(plan.weights).map((name) => [name, 0])), ...units },
    crossovers: Object.values(arms).reduce((sum, arm) => sum + arm.crossovers, 0),
    since: sinceMs === null ? null : iso(sinceMs),
    unitsPerDay,
    daysLeft: unitsPerDay === null ? null : Math.max(0, planned - total) / unitsPerDay,
    reachedAt: reached && iso(reached.atMs),
    closesAt: reached && iso(reached.closesAtMs),
    closed: atPlanned !== null,
    changed: changedOf(known),
    metrics,
    segments: explore(plan, slices, {
      variants: variantsOf(known),
      plannedUnits: planned,
      units: inTime,
    }),
    notes: notesOf(known, sampleRatio.alarm),
  };
  return { report, looks: { early, sampleRatio, earlyP: {} } };
}

/** One more look at the shares, by tests that allow many looks; once the figures have closed also by χ², which then has one look only. */
export function lookAtRatio(
  before: SampleRatio | undefined,
  { now, atPlanned, nowMs }: Pick<Known, 'now' | 'atPlanned' | 'nowMs'>,
): SampleRatio {
  const dealt = dealtIn(now);
  const sequentialP = Math.min(1, Math.exp(-sampleRatioLogBF(dealt)));
  const rings = sequentialP < ALPHA.sequential || sampleRatioLikelihood(dealt) < ALPHA.atOnce;
  const since = rings ? (before?.since ?? iso(nowMs)) : null;
  const stays =
    before?.stays ||
    (since !== null && nowMs - Date.parse(since) >= STAYS_AFTER_MS) ||
    (atPlanned !== null && sampleRatioChiSquare(dealtIn(atPlanned), MIN_EXPECTED_UNITS).p < ALPHA.final);
  return { p: sampleRatioChiSquare(dealt).p, sequentialP, alarm: rings || stays, since, stays };
}

/** The units of all arms at which the final test is due. */
export function plannedOf(plan: ExperimentPlan): number {
  return plan.plannedUnits ?? DEFAULT_PLANNED_UNITS;
}

/** The variants that have weight, or have units. */
function variantsOf({ plan: { baseline, weights }, now }: Known): string[] {
  return Object.keys({ ...weights, ...now.arms }).filter(
    (name) => name !== baseline && ((weights[name] ?? 0) > 0 || now.arms[name] !== undefined),
  );
}

function metricsOf(known: Known, planned: number): { metrics: MetricReport[] } & Pick<Looks, 'early'> {
  const { plan, now, reached, atPlanned, looks } = known;
  const { baseline, weights } = plan;
  const variants = variantsOf(known);
  const asked = plan.metrics.flatMap((metric) => variants.map((variant) => ({ metric, variant })));
  const comparisons = asked.map(({ metric, variant }): Comparison => {
    const share = variants.length === 1 ? 1 : pairShare(weights, baseline, variant);
    return {
      // The experiment is over at its planned size: what comes later is kept, and decides nothing.
      arms: armsOf(atPlanned ?? now, metric, baseline, variant),
      plannedUnits: Math.max(1, Math.round(planned * share)),
      goal: metric.goal,
      atPlanned: atPlanned && armsOf(atPlanned, metric, baseline, variant),
      early: looks?.early?.[lookOf(metric, variant)] ?? null,
    };
  });
  // Primary metrics share α; each secondary metric is tested by itself.
  const together = decideTogether(comparisons.filter((_, i) => asked[i]!.metric.role === 'primary'));
  const early: Looks['early'] = {};
  const metrics = asked.map(({ metric, variant }, i) => {
    const finding = metric.role === 'primary' ? together.shift()! : decideTogether([comparisons[i]!])[0]!;
    early[lookOf(metric, variant)] = finding.early;
    const { state, by, difference, lift, interval, p } = finding;
    const isWaiting = state === 'keep running' && reached !== null;
    const label = isWaiting ? `${finding.label}, ${lateUntil(reached.closesAtMs)}` : finding.label;
    const shown = shownArms(known, metric, variants);
    return {
      ...metric,
      variant,
      state: state === 'keep running' ? label.split(',')[0]! : state,
      label,
      by,
      arms: { [baseline]: shown[baseline]!, [variant]: shown[variant]! },
      ...{ difference, lift, interval, p },
    };
  });
  return { metrics, early };
}

/** The key of a metric's early look. Contains its kind: a metric whose kind was changed is another metric. */
const lookOf = ({ name, kind }: PlannedMetric, variant: string) => `${[name, kind, variant]}`;

/** All arms of a metric with what is shown beside the test: a chance to be best is one among all. */
function shownArms(
  { plan, now, atPlanned, beliefs = new Map() }: Known,
  metric: PlannedMetric,
  variants: readonly string[],
): Record<string, ArmReport> {
  const figures = atPlanned ?? now;
  const arms = Object.fromEntries([plan.baseline, ...variants].map((name) => [name, armOf(figures, metric, name)]));
  const believed = beliefsOf(arms, metric.goal, beliefs);
  const shown = Object.entries(arms).map(([name, arm]) => {
    const quantiles = quantilesOf(figures.spreads?.[metric.name]?.[name]);
    return [name, { ...armReport(arm), ...believed[name], quantiles: quantiles.length > 0 ? quantiles : undefined }];
  });
  return Object.fromEntries(shown);
}

function pairShare(weights: Record<string, number>, baseline: string, variant: string): number {
  return ((weights[baseline] ?? 0) + (weights[variant] ?? 0)) / sumOf(weights);
}

function changedOf({ plan, began }: Known): string[] {
  const { definitions } = plan;
  return Object.keys(definitions).filter((name) => (began?.[name] ?? definitions[name]) !== definitions[name]);
}

function notesOf(known: Known, alarm: boolean): string[] {
  const { plan, reached, atPlanned } = known;
  const notes: string[] = [];
  if (alarm) {
    notes.push(BROKEN_ARMS);
  }
  const changed = changedOf(known);
  if (changed.length > 0) {
    notes.push(`${changed} has changed since it began; give it another id.`);
  }
  const shares = new Set(dealtIn(known.now).flatMap(({ weights }) => sharesOf(weights)));
  if (shares.size > 1) {
    notes.push('Weights changed while it ran: one arm’s units are older; give it another id.');
  }
  if (plan.plannedUnits === null) {
    notes.push(
      `No plannedUnits, so ${DEFAULT_PLANNED_UNITS} are taken (10 % against 11 %); headgate sample-size plans yours.`,
    );
  }
  if (reached?.planned !== undefined && reached.planned !== plannedOf(plan)) {
    notes.push(`The size was reached at ${reached.planned} units; another plannedUnits needs another id.`);
  }
  if (reached !== null && atPlanned === null) {
    notes.push(`Figures close on ${minuteOf(reached.closesAtMs)}; the final test is made then, once.`);
  }
  return notes;
}

/** What there is to say once the sample-ratio alarm has rung. */
export const BROKEN_ARMS = 'The arms do not hold their shares: trust no result before you know why.';

/** To the minute: `2026-11-24 10:00 UTC`. */
const minuteOf = (ms: number): string => `${iso(ms).slice(0, 16).replace('T', ' ')} UTC`;

/** The weights as one text; none where a single variant has all of it, as a winner does: that is no change of shares. */
function sharesOf(weights: Record<string, number>): string[] {
  const given = Object.entries(weights).filter(([, weight]) => weight > 0);
  return given.length > 1 ? [`${given.sort()}`] : [];
}

function unitsByArm(arms: Record<string, ArmCounts>): Record<string, number> {
  return Object.fromEntries(Object.entries(arms).map(([name, { units }]) => [name, units]));
}

/** The sum of numbers by name. */
export function sumOf(numbers: Record<string, number>): number {
  return Object.values(numbers).reduce((sum, number) => sum + number, 0);
}

/** Until when late outcomes count, in words. */
export const lateUntil = (ms: number): string => `late outcomes count until ${minuteOf(ms)}`;
