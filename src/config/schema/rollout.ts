/** Owns the words for how a rollout proceeds (steps) and what may stop it (guardrails). Rollout calls use the same words. */

import * as v from 'valibot';
import { MAX_TIMEOUT_MS } from '../limits.ts';
import { always, duration, few, matching, number, object, percent, say, weight, whole } from './words.ts';

export const guardrailSchema = object({
  metric: matching(
    /^(errors|rejected|slow|mismatch|truncated|outcome:[A-Za-z0-9][A-Za-z0-9_-]{0,31})$/,
    'is not a metric',
    'use errors, rejected, slow, mismatch, truncated or outcome:<a name in "outcomes">',
  ),
  critical: v.optional(v.boolean(), false),
  required: v.optional(v.boolean(), false),
  maxIncrease: v.optional(number(0, 1)),
  sloMs: v.optional(whole(1, MAX_TIMEOUT_MS)),
  of: v.optional(v.picklist(['headers', 'firstByte', 'total'])),
  per: v.optional(v.picklist(['unit', 'request']), 'unit'),
});

/** A unit has a bit for each. */
export const guardrailsSchema = few(guardrailSchema, 16, 'guardrails', 'keep those that you would act on');

export const planStepSchema = object({
  shadow: v.optional(percent),
  weight: v.optional(weight),
  for: v.optional(duration),
  minSamples: v.optional(whole(0, 1e9)),
  maxFor: v.optional(duration),
  approval: v.optional(v.boolean(), false),
  experiment: v.optional(v.boolean(), false),
});

export const planSchema = always(
  v.pipe(
    v.array(planStepSchema),
    v.minLength(1, say('has no steps', 'give at least one step')),
    v.maxLength(50, say('has more than 50 steps', 'use fewer, larger steps')),
  ),
);
