/**
 * Owns what a plan is: the built-in ones as data, and how a name or a list of steps becomes the steps of a rollout. Every
 * strategy is such a list; nothing downstream asks which. It refuses to know evidence and time.
 */

import { DEFAULT_MIN_SAMPLES } from '../analysis/limits.ts';
import { cannotCarry } from '../config/check/rollout.ts';
import { meantOr } from '../config/nearest.ts';
import { faultAt } from '../config/path.ts';
import type { PlanStep, Route } from '../config/types.ts';
import { err, type Fault, ok, type Result } from '../result.ts';
import { STEP_MS } from './limits.ts';

/** A step with everything that "as before" left open filled in. */
export interface Step extends PlanStep {
  /** The candidate's percent; absent: no step has moved traffic yet, and the weights from before the rollout stay. */
  weight?: number;
}

const watched = {
  forMs: STEP_MS,
  maxForMs: 4 * STEP_MS,
  minSamples: DEFAULT_MIN_SAMPLES,
  approval: false,
  experiment: false,
};
const ramp: readonly PlanStep[] = [5, 25, 50, 100].map((weight) => ({ ...watched, weight }));

/**
 * The plans that need no declaration. `shadow-canary` stops mirroring when live traffic begins: the candidate would otherwise
 * bear the full load beside its share.
 */
export const builtIns: Readonly<Record<string, readonly PlanStep[]>> = {
  canary: ramp,
  'blue-green': [
    { weight: 0, forMs: 0, minSamples: DEFAULT_MIN_SAMPLES, approval: true, experiment: false },
    { ...watched, weight: 100 },
  ],
  shadow: [{ ...watched, shadow: 100 }],
  'shadow-canary': [{ ...watched, shadow: 100 }, { ...ramp[0]!, shadow: 0 }, ...ramp.slice(1)],
};

/**
 * The steps of a plan on a route: the route's own plan of that name, else the built-in one, or the steps given. Faults have
 * paths below `plan`.
 */
export function compilePlan(
  route: Pick<Route, 'plans' | 'experiment'>,
  plan: string | readonly PlanStep[],
): Result<Step[], Fault[]> {
  const written = typeof plan === 'string' ? planNamed(route, plan) : ok(plan);
  if (!written.ok) return written;
  let weight: number | undefined;
  const steps = written.value.map((step) => {
    weight = step.weight ?? weight;
    return { ...step, weight };
  });
  // Whoever wrote the steps had their form checked; whether the route has an experiment to carry is known here alone.
  const faults = steps.flatMap((step, index) => {
    const fault = step.experiment ? cannotCarry(route.experiment !== undefined, step.weight) : null;
    return fault === null ? [] : [faultAt(['plan', index, 'experiment'], fault.reason, fault.mend)];
  });
  return faults.length > 0 ? err(faults) : ok(steps);
}

/**
 * How a plan ends when its last step has passed: `promoted` where it has moved traffic, `completed` (back to the split before)
 * where its last weight is 0 or it only mirrored.
 */
export function endOf(steps: readonly Step[]): 'promoted' | 'completed' {
  return (steps.at(-1)?.weight ?? 0) > 0 ? 'promoted' : 'completed';
}

function planNamed(route: Pick<Route, 'plans'>, name: string): Result<readonly PlanStep[], Fault[]> {
  // The route's own come first, and take the place of built-in ones.
  const plans = { ...route.plans, ...builtIns, ...route.plans };
  if (Object.hasOwn(plans, name)) return ok(plans[name]!);
  const known = Object.keys(plans);
  const mend = meantOr(`use one of ${known.join(', ')}, or a list of steps`, name, known);
  return err([faultAt(['plan'], `"${name.slice(0, 64)}" is not a plan of this route`, mend)]);
}
