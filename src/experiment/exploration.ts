/**
 * Owns what a report says about the declared segments: for each value and primary metric both arms, difference and interval. Exploratory:
 * it gives no states and decides nothing, since among ten values one looks good by chance. Pure.
 */

import { decideTogether } from '../analysis/hybrid.ts';
import { type ArmReport, armOf, armReport, armsOf } from './arms.ts';
import { partsOf } from './segments.ts';
import { type Figures, unitsOf } from './sums.ts';
import type { ExperimentPlan } from './words.ts';

/** One value of a segment, in one metric, of one variant against the baseline. */
interface SliceReport {
  value: string;
  metric: string;
  variant: string;
  arms: Record<string, ArmReport>;
  difference: number;
  lift: number | null;
  /** Holds however often one looks at this one, and not for the best of many. */
  interval: [number, number];
}

/** One declared segment, value by value. */
export interface SegmentReport {
  name: string;
  exploratory: true;
  slices: SliceReport[];
}

/** The declared segments that have units, over all units so far. `slices`: the ledger's figures by slice. */
export function explore(
  plan: ExperimentPlan,
  slices: Record<string, Figures>,
  asked: { variants: readonly string[]; plannedUnits: number; units: number },
): SegmentReport[] {
  const found = Object.entries(slices).map(([slice, figures]) => ({ of: partsOf(slice), figures }));
  return (plan.segments ?? []).flatMap((name) => {
    const mine = found
      .filter(({ of: [segment], figures }) => segment === name && unitsOf(figures) > 0)
      .sort((a, b) => unitsOf(b.figures) - unitsOf(a.figures));
    const reports = mine.flatMap(({ of: [, value], figures }) => sliceReports(plan, value, figures, asked));
    return reports.length === 0 ? [] : [{ name, exploratory: true as const, slices: reports }];
  });
}

function sliceReports(
  plan: ExperimentPlan,
  value: string,
  figures: Figures,
  asked: { variants: readonly string[]; plannedUnits: number; units: number },
): SliceReport[] {
  const { baseline } = plan;
  // The interval is narrowest where the slice has its share of the planned units.
  const plannedUnits = Math.max(1, Math.round((asked.plannedUnits * unitsOf(figures)) / asked.units));
  const primary = plan.metrics.filter(({ role }) => role === 'primary');
  return primary.flatMap((metric) =>
    asked.variants.map((variant) => {
      const arms = armsOf(figures, metric, baseline, variant);
      const comparison = { arms, plannedUnits, goal: metric.goal, atPlanned: null, early: null };
      const [finding] = decideTogether([comparison]);
      const { difference, lift, interval } = finding!;
      const shown = [baseline, variant].map((arm) => [arm, armReport(armOf(figures, metric, arm))]);
      return { value, metric: metric.name, variant, arms: Object.fromEntries(shown), difference, lift, interval };
    }),
  );
}
