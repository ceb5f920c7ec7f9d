/**
 * Owns whether an experiment forbids other weights (design section 5). Units that come from headers cannot be pinned, so other weights
 * would move them between arms. Where there are such units the weights of a running experiment are frozen, except that one variant may
 * take everything, which ends it. Pure: the caller knows what runs, and under which weights.
 */

import type { Route } from '../config/types.ts';
import { armsOf } from '../split/assign.ts';
import type { Step } from './plan.ts';
import { between } from './splits.ts';
import type { Standing } from './state.ts';
import { refused } from './words.ts';

/** Why `weights` may not follow on `before`, under which the route's experiment may be running; null where they may. */
export function frozenByExperiment(
  { experiment, identity }: Pick<Route, 'experiment' | 'identity'>,
  weights: Record<string, number>,
  before: Record<string, number>,
) {
  if (experiment === undefined || identity.every((source) => 'cookie' in source && source.cookie === true)) return null;
  const isSame = Object.entries(weights).every(([name, weight]) => weight === (before[name] ?? 0));
  if (armsOf(weights).length < 2 || armsOf(before).length < 2 || isSame) return null;
  return refused(
    'experiment_runs',
    `experiment ${experiment.id} runs, and units without our cookie would change arms`,
    'end it by giving one variant 100 or by headgate experiment decide, or use a new id',
  );
}

/**
 * The same for a rollout's steps. Steps that carry the experiment must all have the weights that it runs under now; what follows them
 * comes once it has been decided. Other weights before that would end it undecided, so the caller must say that they may (`ends`).
 */
export function frozenSteps(route: Route, { steps, to, ends }: FrozenSteps, before: Standing) {
  let { weights } = before;
  let isOver = ends;
  for (const { weight, experiment } of steps) {
    if (weight === undefined || (isOver && !experiment)) continue;
    const next = between({ to, baseline: before.baseline, before }, weight);
    const frozen = frozenByExperiment(route, next, weights);
    if (frozen !== null) return frozen;
    if (!experiment) continue;
    weights = next;
    isOver = true;
  }
  return null;
}

interface FrozenSteps {
  steps: readonly Step[];
  to: string;
  ends: boolean;
}
