/** Owns the plan and guardrails of a call that starts a rollout: checked by the config's own rules, and made what controllers use. */

import type { InferOutput } from 'valibot';
import { guardrailFaults, planFaults } from '../config/check/rollout.ts';
import { normaliseGuardrails, normalisePlan } from '../config/normalise/trial.ts';
import type { guardrailSchema, planStepSchema } from '../config/schema/rollout.ts';
import type { Guardrail, PlanStep } from '../config/types.ts';
import type { Fault } from '../result.ts';

interface Trial {
  plan: string | InferOutput<typeof planStepSchema>[];
  guardrails?: InferOutput<typeof guardrailSchema>[];
}

/** The faults of both, each by its place in the call. */
export function trialFaults({ plan, guardrails }: Trial): Fault[] {
  const ofPlan = typeof plan === 'string' ? [] : planFaults(plan, ['plan']);
  const ofGuardrails = guardrails === undefined ? [] : guardrailFaults(guardrails, ['guardrails']);
  return [...ofPlan, ...ofGuardrails];
}

/** `guardrails` null: the route's own. */
export function normalisedTrial({ plan, guardrails }: Trial): {
  plan: string | PlanStep[];
  guardrails: Guardrail[] | null;
} {
  return {
    plan: typeof plan === 'string' ? plan : normalisePlan(plan),
    guardrails: guardrails === undefined ? null : normaliseGuardrails(guardrails),
  };
}
