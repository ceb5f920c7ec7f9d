/**
 * Owns what a person should know before a rollout starts: steps that cannot reach their evidence at the present traffic, and
 * traffic of other variants that the rollout takes. Warnings stop nothing.
 */

import { type StepTraffic, stepReach } from '../analysis/reach.ts';
import { TICK_MS } from '../analysis/units.ts';
import { allowedIncrease } from '../analysis/verdict.ts';
import type { Guardrail } from '../config/types.ts';
import type { Step } from './plan.ts';
import type { Standing } from './state.ts';

/** The route's traffic of late, as the controller's tallies tell it. */
export interface Traffic {
  requestsPerTick: number;
  /** Units active in a tick of 10 s. */
  unitsPerTick: number;
  /** Units of a tick that no earlier tick had seen; with them the distinct units of a step can be told. */
  newUnitsPerTick?: number;
  /** Bad rate of the baseline by position in the guardrails, 0 to 1; absent where it is not known yet. */
  baselineRates: readonly (number | undefined)[];
}

/**
 * Sentences about steps that will be late, never pass, or find nothing; empty when all is well. Only guardrails that judge live
 * traffic are reckoned with, and each sentence is said once, for the first step that it is true of.
 */
export function planWarnings(steps: readonly Step[], guardrails: readonly Guardrail[], traffic: Traffic): string[] {
  if (!(traffic.requestsPerTick > 0)) {
    return ['there is no traffic yet: steps wait for samples, then pause'];
  }
  const warnings: string[] = [];
  steps.forEach((step, index) => {
    if (!((step.weight ?? 0) > 0) || step.forMs === 0) return;
    guardrails.forEach((guardrail, position) => {
      if (guardrail.metric === 'mismatch') return;
      const { warnings: said } = stepReach(trafficOfStep(step, guardrail, traffic, traffic.baselineRates[position]));
      for (const sentence of said) warnings.push(`step ${index + 1} of ${steps.length}: ${sentence}`);
    });
  });
  return [...new Set(warnings)];
}

/** What a rollout takes from variants that are neither candidate nor baseline. */
export function takenWarnings(before: Standing, to: string, steps: readonly Step[]): string[] {
  if (steps.every((step) => step.weight === undefined)) return [];
  return Object.entries(before.weights)
    .filter(([name, weight]) => weight > 0 && name !== to && name !== before.baseline)
    .map(([name, weight]) => `${name} serves ${weight} % now and gets nothing from the rollout on`);
}

function trafficOfStep(step: Step, guardrail: Guardrail, traffic: Traffic, rate = 0): StepTraffic {
  const { requestsPerTick, unitsPerTick, newUnitsPerTick } = traffic;
  const byUnit = guardrail.per === 'unit';
  const units =
    byUnit && newUnitsPerTick !== undefined ? unitsPerTick + (newUnitsPerTick * step.forMs) / TICK_MS : undefined;
  return {
    metric: guardrail.metric,
    share: (step.weight ?? 0) / 100,
    trialsPerTick: byUnit ? unitsPerTick : requestsPerTick,
    tickMs: TICK_MS,
    baselineRate: rate,
    margin: allowedIncrease(guardrail, rate),
    minSamples: step.minSamples,
    forMs: step.forMs,
    maxForMs: step.maxForMs ?? step.forMs,
    units,
  };
}
