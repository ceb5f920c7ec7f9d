/**
 * Owns which split a rollout calls for at each of its points. The candidate has the step's weight and the baseline all the
 * rest: other variants get nothing while a rollout runs, since a third arm would make "candidate against baseline" a comparison
 * under other loads, and nobody could say at a glance who serves what. It publishes nothing.
 */

import type { Split } from '../config/split.ts';
import type { RolloutState, Seen, SplitDraft, Standing } from './state.ts';

type Rollout = Pick<RolloutState, 'id' | 'to' | 'baseline' | 'steps' | 'before' | 'variants' | 'experiment'>;
interface Why {
  by: string;
  reason: string;
}

/**
 * The split of a step. While no step has named a weight, live traffic stays as it was, down to the salt. From a step that carries
 * the experiment on, the experiment's id is the salt: the step deals people anew, and no later one moves them again.
 */
export function splitOfStep(rollout: Rollout, step: number, why: Why): SplitDraft {
  const { id, to, baseline, before, variants, experiment } = rollout;
  const { weight, experiment: carries = false } = rollout.steps[step] ?? {};
  const weights = weight === undefined ? { ...before.weights } : between(rollout, weight);
  const shadow = rollout.steps.slice(0, step + 1).findLast((earlier) => earlier.shadow !== undefined)?.shadow;
  const shadows = shadow === undefined ? before.shadows : { ...before.shadows, [to]: shadow };
  // Another salt would move visitors between variants that already share the traffic, and a mirror moves nobody.
  const shared = Object.values(before.weights).filter((share) => share > 0).length > 1;
  const own = weight === undefined && shared ? before.salt : id;
  const dealt = rollout.steps.slice(0, step + 1).some((earlier) => earlier.experiment);
  const salt = (dealt ? experiment : undefined) ?? own;
  const carried = carries && experiment !== undefined ? { experiment } : {};
  return { weights, shadows: present(shadows), baseline, salt, rollout: id, ...carried, variants, ...why };
}

/** All traffic on the candidate, which is the baseline from now on; it is nobody's shadow any more. */
export function splitOfPromotion(rollout: Rollout, why: Why): SplitDraft {
  const { to, before, variants } = rollout;
  const { [to]: _, ...shadows } = before.shadows;
  const weights = between(rollout, 100);
  return { weights, shadows: present(shadows), baseline: to, salt: before.salt, rollout: null, variants, ...why };
}

/**
 * All traffic back on the baseline; mirrors as before the rollout. It stands for the variants that the config has now, so that
 * it is served: where the config lost the rollout's baseline, its own takes the place.
 */
export function splitOfAbort(rollout: Rollout, { config }: Pick<Seen, 'config'>, why: Why): SplitDraft {
  const { before, baseline } = rollout;
  const names = config?.names ?? Object.keys(before.weights);
  const trusted = config === null || names.includes(baseline) ? baseline : config.baseline;
  const weights = Object.fromEntries([...names].map((name) => [name, name === trusted ? 100 : 0]));
  const shadows = Object.entries(before.shadows).filter(([name]) => names.includes(name) && name !== trusted);
  return {
    weights,
    shadows: present(Object.fromEntries(shadows)),
    baseline: trusted,
    salt: before.salt,
    rollout: null,
    variants: config?.variants ?? rollout.variants,
    ...why,
  };
}

/**
 * What the config must be told of a return to another baseline. Left as it is, its next change of the variants would send everything to
 * what was fled from.
 */
export function returnTold({ revision, baseline, weights }: Standing, why: string) {
  return { baseline, weights, reason: `rollback to split ${revision}: ${why}` };
}

/** An earlier split, in force again for the variants there are now. */
export function splitOfReturn(to: Standing, variants: string, why: Why): SplitDraft {
  const { weights, shadows, baseline, salt } = to;
  return { weights: { ...weights }, shadows: present(shadows), baseline, salt, rollout: null, variants, ...why };
}

/**
 * The mirrors of a new split that were asked for although the config describes none such, now or by the last split. What is only
 * carried on, by the next step of a rollout or by its end, is mirrored while the config describes it, with its budget.
 */
export function askedMirrors(
  draft: Pick<SplitDraft, 'shadows' | 'rollout'>,
  { inForce, last, described }: { inForce: Standing | null; last: Split | null; described: readonly string[] },
): string[] {
  // The end of a rollout asks for no mirror.
  const carried = !last?.rollout ? inForce : draft.rollout ? last : draft;
  const isAsked = (name: string) =>
    carried?.shadows[name] !== draft.shadows[name] || last?.plainShadows?.includes(name);
  return Object.keys(draft.shadows).filter((name) => !described.includes(name) && isAsked(name));
}

/** The weights of a step, reckoned in hundredths of a percent, so that the sum is 100 and not nearly so. */
export function between(
  { to, baseline, before }: Pick<Rollout, 'to' | 'baseline' | 'before'>,
  weight: number,
): Record<string, number> {
  const none = Object.fromEntries(Object.keys(before.weights).map((name) => [name, 0]));
  return { ...none, [baseline]: (10_000 - Math.round(weight * 100)) / 100, [to]: weight };
}

function present(shadows: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(shadows).filter(([, percent]) => percent > 0));
}
