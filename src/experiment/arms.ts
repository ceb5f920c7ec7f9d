/** Owns how an experiment's figures become the arms of one metric, as the tests take them and as a report shows them. Pure. */

import type { Arms } from '../analysis/hybrid.ts';
import { type Moments, NO_MOMENTS } from '../analysis/means.ts';
import type { ArmFigures, Belief, Quantile } from './beliefs.ts';
import type { Figures } from './sums.ts';
import { knownOf } from './unit-row.ts';
import type { PlannedMetric } from './words.ts';

/** An arm as a report shows it. */
export interface ArmReport extends Partial<Belief> {
  n: number;
  mean: number;
  successes?: number;
  sum?: number;
  quantiles?: Quantile[];
}

/** Baseline and variant of one metric. */
export function armsOf(figures: Figures, metric: PlannedMetric, baseline: string, variant: string): Arms {
  const [first, second] = [baseline, variant].map((arm) => armOf(figures, metric, arm));
  return { kind: metric.kind, baseline: first, variant: second } as Arms;
}

/** One arm: successes of units, or moments over them. */
export function armOf(figures: Figures, { name, kind, ofKnown }: PlannedMetric, arm: string): ArmFigures {
  const units = figures.arms[arm]?.units ?? 0;
  const n = ofKnown ? (figures.metrics[knownOf(name)]?.[arm]?.nonZero ?? 0) : units;
  const moments: Moments = { ...(figures.metrics[name]?.[arm] ?? NO_MOMENTS), n };
  return kind === 'mean' ? moments : { n, bad: moments.nonZero };
}

/** An arm’s numbers as a report shows them. */
export function armReport(arm: ArmFigures): ArmReport {
  const [sum, named] = 'bad' in arm ? [arm.bad, { successes: arm.bad }] : [arm.sum, { sum: arm.sum }];
  return { n: arm.n, ...named, mean: arm.n > 0 ? sum / arm.n : 0 };
}
