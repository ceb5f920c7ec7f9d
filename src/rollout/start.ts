/**
 * Owns how a rollout begins: what must be true, and its first state. It refuses to look at traffic (the warnings of
 * `warnings.ts` stop nothing).
 */

import type { Guardrail } from '../config/types.ts';
import { ok } from '../result.ts';
import { asking, firstUnwell, unhealthy } from './health.ts';
import { moved, stepAnew } from './moves.ts';
import type { Step } from './plan.ts';
import { splitOfReturn, splitOfStep } from './splits.ts';
import type { Answer, By, RolloutState, Seen, Standing } from './state.ts';
import { byHandDecides, noVariant, refused } from './words.ts';

/** What a start is asked for, by whom, and on what. */
export interface StartRequest extends By {
  id: string;
  route: string;
  to: string;
  /** Name of the plan, or `custom`. */
  plan: string;
  /** From compilePlan; never empty. */
  steps: Step[];
  guardrails: Guardrail[];
  /** What is in force now. */
  before: Standing;
  /** Id of the route's experiment, where it has one. */
  experiment?: string | undefined;
  /** Names of the route's variants that declare `health`. */
  probed: string[];
}

/**
 * The first state, with its split. Candidate and baseline must both pass the health checks they declare: a check that is itself
 * wrong would otherwise be found out only when traffic has to go back. A `probe` effect means: check and ask again.
 * That no other rollout runs on the route is for the caller to see to.
 */
export function startRollout(request: StartRequest, seen: Seen): Answer {
  const { to, before, steps, actor } = request;
  const refusal = refusalOf(request, seen);
  if (refusal !== null) return refusal;
  const blank = blankState(request, seen);
  const health = firstUnwell([to, before.baseline], blank.probed, seen);
  if (health.is === 'unknown') return ok(asking(blank, health));
  if (health.is === 'bad') return refused('unhealthy', unhealthy(health), `mend ${health.variant} first`);
  const by = { actor, reason: `step 1 of ${steps.length}${request.reason && `: ${request.reason}`}` };
  const split = splitOfStep(blank, 0, by);
  const state = { ...stepAnew(blank, seen.nowMs), reason: by.reason, split };
  return ok(moved(null, state, seen, 'started', by, [{ kind: 'publish', split }]));
}

function refusalOf({ to, before, route }: StartRequest, { byHand, config }: Seen) {
  if (byHand) return byHandDecides(route);
  if (!config?.names.includes(to)) return noVariant(route, to, config?.names ?? []);
  if (to !== before.baseline) return null;
  const mend =
    'name the variant to move traffic to; if that has it already, first make it the "baseline" in the config';
  return refused('already_baseline', `${to} is the baseline already`, mend);
}

function blankState(request: StartRequest, { nowMs, config }: Seen): RolloutState {
  const { id, route, to, plan, steps, guardrails, before, probed, experiment, actor, reason } = request;
  const { baseline } = before;
  const variants = config?.variants ?? '';
  return {
    ...{ id, route, to, baseline, plan, steps, guardrails, before, variants, probed, experiment },
    configBaseline: config?.baseline ?? baseline,
    startedBy: actor,
    startedMs: nowMs,
    step: 0,
    stepRun: 0,
    running: 'progressing',
    pause: null,
    byHand: false,
    end: null,
    sinceMs: nowMs,
    creditedMs: 0,
    limitMs: null,
    lastMs: nowMs,
    waiting: [],
    reason,
    split: splitOfReturn(before, variants, request),
  };
}
