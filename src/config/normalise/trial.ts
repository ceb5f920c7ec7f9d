/** Owns how shadows, guardrails, plans and experiments that were found good become what the other planes use. */

import { type InferOutput, safeParse } from 'valibot';
import { durationMs } from '../duration.ts';
import type { RouteDocument } from '../schema/config.ts';
import type { guardrailSchema, planStepSchema } from '../schema/rollout.ts';
import { shadowSchema } from '../schema/shadow.ts';
import type { Experiment, Guardrail, PlanStep, Segment, Shadow } from '../types.ts';
import { originOf } from './variant.ts';

type ShadowDocument = RouteDocument['shadows'][number];
type ExperimentDocument = NonNullable<RouteDocument['experiment']>;

/** Guardrails where the route gives none: failures and refusals, both able to stop a rollout and needed to pass it. */
export const defaultGuardrails: readonly Guardrail[] = [
  { metric: 'errors', critical: true, required: true, per: 'unit' },
  { metric: 'rejected', critical: true, required: true, per: 'unit' },
];

/** The shadow of a variant of which the config says nothing: every default. */
export function plainShadow(variant: string): Shadow {
  return normaliseShadow(safeParse(shadowSchema, { variant }).output as ShadowDocument);
}

export function normaliseShadow(shadow: ShadowDocument): Shadow {
  const { scorer, ...plain } = shadow;
  return { ...plain, scorer: scorer && { origin: scorerOrigin(scorer), percent: scorer.percent } };
}

/** A scorer is called at its URL as it stands, so nothing is cut from it. */
function scorerOrigin(scorer: { url?: string; service?: string }): ReturnType<typeof originOf> {
  return scorer.url === undefined ? originOf(scorer) : { kind: 'url', url: scorer.url };
}

/** Guardrails of a route or a rollout call; the defaults where none are given. */
export function normaliseGuardrails(guardrails: InferOutput<typeof guardrailSchema>[] | undefined): Guardrail[] {
  if (guardrails === undefined) return [...defaultGuardrails];
  return guardrails.map(({ sloMs, of, ...plain }) => ({
    ...plain,
    slow: sloMs === undefined ? undefined : { sloMs, of: of ?? 'headers' },
  }));
}

/** Steps of a plan, with durations in milliseconds; the longest wait is four times the shortest unless given. */
export function normalisePlan(plan: InferOutput<typeof planStepSchema>[]): PlanStep[] {
  return plan.map(({ for: least, maxFor: most, minSamples, ...step }) => {
    const forMs = durationMs(least ?? '') ?? 0;
    return {
      ...step,
      // An experiment says itself how many units it needs.
      minSamples: minSamples ?? (step.experiment ? 0 : 1000),
      forMs,
      maxForMs: (durationMs(most ?? '') ?? forMs * 4) || undefined,
    };
  });
}

export function normaliseExperiment({ grace, ...experiment }: ExperimentDocument): Experiment {
  return {
    ...experiment,
    graceMs: grace === undefined ? undefined : (durationMs(grace) ?? 0),
    segments: experiment.segments.map(segment),
  };
}

function segment(written: ExperimentDocument['segments'][number]): Segment {
  return {
    name: written.name,
    from: written.header === undefined ? { pointer: written.pointer ?? '' } : { header: written.header.toLowerCase() },
    values: written.values,
  };
}
