/**
 * Owns what a person should know before a rollout starts: steps that cannot reach their evidence at the present traffic, and
 * traffic that the rollout takes. Warnings stop nothing.
 */

import { MIN_BAD_TO_FAIL, TICK_MS } from '../analysis/limits.ts';
import { stepReach } from '../analysis/reach.ts';
import { allowedIncrease } from '../analysis/verdict.ts';
import { shortEnd } from '../config/check/effects.ts';
import type { Guardrail, Shadow } from '../config/types.ts';
import type { Step } from './plan.ts';
import type { Standing } from './state.ts';

/** The route's traffic of late, as the controller's tallies tell it. */
export interface Traffic {
  requestsPerTick: number;
  /** Bad rate of the baseline by position in the guardrails, 0 to 1; 0 where it is not known yet. */
  baselineRates: readonly number[];
}

/**
 * Sentences about steps that will be late, never pass, or find nothing; empty when all is well. Only guardrails that judge live
 * traffic are reckoned with, and what is true of several is said once a step.
 */
export function planWarnings(steps: readonly Step[], guardrails: readonly Guardrail[], traffic: Traffic): string[] {
  const end = shortEnd(steps);
  const warnings = end === null ? [] : [`the plan ${end}`];
  if (!(traffic.requestsPerTick > 0)) return [...warnings, 'no traffic yet: steps wait for samples'];
  const say = (index: number, sentence: string) => warnings.push(`step ${index + 1} of ${steps.length}: ${sentence}`);
  steps.forEach(({ weight = 0, minSamples, forMs, maxForMs = forMs }, index) => {
    if (!(weight > 0) || forMs === 0) return;
    /** By warning: the metrics that it is true of. */
    const named: Record<string, Set<string>> = {};
    guardrails.forEach((guardrail, position) => {
      const { metric } = guardrail;
      if (metric === 'mismatch') return;
      const baselineRate = traffic.baselineRates[position] ?? 0;
      // No step waits for the bound of a guardrail that is not required: the widest margin will do.
      const margin = guardrail.required ? allowedIncrease(guardrail, baselineRate) : 1;
      // By unit there are fewer trials than requests; how many is not known before the rollout.
      const trials = { metric, share: weight / 100, trialsPerTick: traffic.requestsPerTick, tickMs: TICK_MS };
      const { warning } = stepReach({ ...trials, baselineRate, margin, minSamples, forMs, maxForMs });
      if (warning === null) return;
      const said = warning.slice(metric.length);
      named[said] ??= new Set();
      named[said].add(metric);
    });
    for (const [said, metrics] of Object.entries(named)) say(index, [...metrics].join(', ') + said);
  });
  // The first shared step has the smallest share. Before a rollout nobody knows how many units there are, so this is always said.
  const shared = steps.findIndex(({ weight = 0 }) => weight > 0 && weight < 100);
  if (shared >= 0 && guardrails.some(({ metric, per }) => per === 'unit' && metric !== 'mismatch')) {
    const clients = Math.ceil((100 * MIN_BAD_TO_FAIL) / steps[shared]!.weight!);
    const remedy = 'take a larger weight, or "per": "request" where requests fail independently';
    say(shared, `counted by unit it can find nothing with fewer than ${clients} clients: then ${remedy}`);
  }
  return warnings;
}

/** The warnings that `mismatch` has no pairs, or no repeats to compare them with. */
export function noiseWarnings(
  guardrails: readonly Guardrail[],
  described: Pick<Shadow, 'repeat'> | undefined,
  { shadows }: Standing,
  to: string,
  steps: readonly Step[],
): string[] {
  if (!guardrails.some(({ metric }) => metric === 'mismatch')) return [];
  if (!steps.some(({ shadow = shadows[to] }) => shadow)) return [`mismatch judges nothing: no step mirrors to ${to}`];
  if (described?.repeat !== 0) return [];
  return ['mismatch waits for ever: it is held against repeats, and the shadow\'s "repeat" is 0'];
}

/** Warnings about traffic that the rollout takes: from variants other than the baseline, and from the candidate where its first weight is less than it has. */
export function takenWarnings(before: Standing, to: string, steps: readonly Step[]): string[] {
  const first = steps.find(({ weight }) => weight !== undefined)?.weight;
  if (first === undefined) return [];
  return Object.entries(before.weights).flatMap(([name, weight]) => {
    const left = name === to ? first : 0;
    if (name === before.baseline || weight <= left) return [];
    return [`${name} serves ${weight} % now and gets ${left} % from the rollout on`];
  });
}
