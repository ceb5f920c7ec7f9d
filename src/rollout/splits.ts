/**
 * Owns the split that a rollout needs at each point. The candidate has the step's weight and the baseline all the rest; other variants get
 * nothing while a rollout runs, since with a third arm candidate and baseline would be compared under different loads, and nobody could
 * see at a glance who serves what. It publishes nothing.
 */

import type { Split } from '../config/split.ts';
import { completeWeights } from '../config/weights.ts';
import { armsOf } from '../split/assign.ts';
import type { By, RolloutState, Seen, SplitDraft, Standing } from './state.ts';

type Rollout = Pick<RolloutState, 'id' | 'to' | 'baseline' | 'steps' | 'before' | 'variants' | 'experiment'>;

/**
 * The split of a step. Until a step names a weight, live traffic stays as it was, down to the salt. From the first step that carries the
 * experiment on, the experiment's id is the salt: that step deals units anew, and no later one moves them again.
 */
export function splitOfStep(rollout: Rollout, step: number, by: By): SplitDraft {
  const { id, to, baseline, before, variants, experiment } = rollout;
  const { weight, experiment: carries = false } = rollout.steps[step] ?? {};
  const weights = weight === undefined ? { ...before.weights } : between(rollout, weight);
  const shadow = rollout.steps.slice(0, step + 1).findLast((earlier) => earlier.shadow !== undefined)?.shadow;
  const shadows = shadow === undefined ? before.shadows : { ...before.shadows, [to]: shadow };
  // Another salt would move visitors between variants that already share the traffic, and a mirror moves nobody.
  const shared = armsOf(before.weights).length > 1;
  const own = weight === undefined && shared ? before.salt : id;
  const dealt = rollout.steps.slice(0, step + 1).some((earlier) => earlier.experiment);
  const salt = (dealt ? experiment : undefined) ?? own;
  const carried = carries && experiment !== undefined ? { experiment } : {};
  return made(by, { weights, shadows, baseline, salt, rollout: id, ...carried, variants });
}

/** All traffic on the candidate, which is the baseline from now on; it is nobody's shadow any more. */
export function splitOfPromotion(rollout: Rollout, by: By): SplitDraft {
  const { to, before, variants } = rollout;
  const { [to]: _, ...shadows } = before.shadows;
  const weights = between(rollout, 100);
  return made(by, { weights, shadows, baseline: to, salt: before.salt, rollout: null, variants });
}

/**
 * All traffic back on the baseline; mirrors as before the rollout. It is made for the variants that the config has now, so that isolates
 * serve it. If the config no longer has the rollout's baseline, the config's own takes its place.
 */
export function splitOfAbort(rollout: Rollout, { config }: Pick<Seen, 'config'>, by: By): SplitDraft {
  const { before, baseline } = rollout;
  const names = config?.names ?? Object.keys(before.weights);
  const trusted = config === null || names.includes(baseline) ? baseline : config.baseline;
  const weights = completeWeights({ [trusted]: 100 }, names);
  const shadows = Object.entries(before.shadows).filter(([name]) => names.includes(name) && name !== trusted);
  return made(by, {
    weights,
    shadows: Object.fromEntries(shadows),
    baseline: trusted,
    salt: before.salt,
    rollout: null,
    variants: config?.variants ?? rollout.variants,
  });
}

/**
 * What to write into the config after a return to another baseline. If the config kept the old one, its next change of variants would send
 * all traffic to the variant that people had left.
 */
export function configOfReturn({ revision, baseline, weights }: Standing, why: string) {
  return { baseline, weights, reason: `rollback to split ${revision}: ${why}` };
}

/** An earlier split, in force again for the variants there are now. */
export function splitOfReturn(to: Standing, variants: string, by: By): SplitDraft {
  const { weights, shadows, baseline, salt } = to;
  return made(by, { weights: { ...weights }, shadows, baseline, salt, rollout: null, variants });
}

/**
 * The shadows of a new split that somebody asked for by it, or by the last one, although the config does not describe them. A shadow that
 * is only carried on (to a rollout's next step, or past its end) is not among them: it is mirrored while the config describes it.
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

/** The weights of a step. Computed in hundredths of a percent, so that they sum to exactly 100. */
export function between(
  { to, baseline, before }: Pick<Rollout, 'to' | 'baseline' | 'before'>,
  weight: number,
): Record<string, number> {
  const none = Object.fromEntries(Object.keys(before.weights).map((name) => [name, 0]));
  return { ...none, [baseline]: (10_000 - Math.round(weight * 100)) / 100, [to]: weight };
}

/** The draft of a split, with who made it and why. A mirror of 0 % is none. */
function made({ actor: by, reason }: By, split: Omit<SplitDraft, 'by' | 'reason'>): SplitDraft {
  const shadows = Object.fromEntries(Object.entries(split.shadows).filter(([, percent]) => percent > 0));
  return { ...split, shadows, by, reason };
}
