/** Owns the answer to "which variant does this unit get, and why": the arithmetic of assignment, shown. */

import type { RouteStatus } from '../rollout/status.ts';
import { armsOf, assign, scoreOf } from '../split/assign.ts';
import { murmur3 } from '../split/murmur3.ts';

/** The variant, and every number that it follows from. */
export interface Explanation {
  route: string;
  unit: string;
  variant: string;
  /** `only`: one variant has all the weight; `hash`: the lowest score wins. Pins live in the visitor's cookie and are not known here. */
  reason: 'only' | 'hash';
  revision: number;
  source: string;
  salt: string;
  weights: Record<string, number>;
  scores: { variant: string; weight: number; hash: number; score: number }[];
  sentence: string;
}

/** What hash and weights in force give a unit; a pin may hold its visitor to another variant. */
export function explanationOf(status: RouteStatus, unit: string): Explanation {
  const { name } = status;
  const { revision } = status.split;
  const { source, salt, weights } = status.inForce;
  const arms = armsOf(weights);
  const variant = assign(salt, name, unit, arms);
  const scores = arms.map((arm) => {
    const hash = murmur3(`${salt}/${name}/${arm.variant}/${unit}`);
    const weight = arm.weight / 100;
    return { variant: arm.variant, weight, hash, score: scoreOf(hash, weight) };
  });
  const reason = arms.length === 1 ? 'only' : 'hash';
  const why = reason === 'only' ? 'it has all the weight' : 'its score is the lowest';
  const sentence = `${variant}, since ${why} (revision ${revision}, ${source === 'weights' ? 'weights set by hand' : source})`;
  return { route: name, unit, variant, reason, revision, source, salt, weights, scores, sentence };
}
