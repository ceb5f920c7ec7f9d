/**
 * Owns the choice of a variant for a unit: weighted rendezvous hashing (Schindelhauer and Schomaker 2005), so that a
 * changed weight moves no more units than it must. It knows no pins, audiences or cookies, and keeps no state.
 */
import { murmur3 } from './murmur3.ts';

/** A variant that has weight. */
export interface Arm {
  variant: string;
  /** Hundredths of a percent, an integer above 0: shares are reckoned in integers so that sums stay exact. */
  weight: number;
}

/** The variants that have weight, in document order, from weights in percent (at most two decimals). */
export function armsOf(weights: Readonly<Record<string, number>>): Arm[] {
  const arms: Arm[] = [];
  for (const variant of Object.keys(weights)) {
    const weight = Math.round((weights[variant] ?? 0) * 100);
    if (weight > 0) arms.push({ variant, weight });
  }
  return arms;
}

/** `-ln(u) / weight`, with `u` in the middle of the hash's place between 0 and 1. */
export const scoreOf = (hash: number, weight: number): number => -Math.log((hash + 0.5) / 2 ** 32) / weight;

/**
 * The variant of a unit: the lowest `-ln(u) / weight`, where `u` comes from the hash of `salt/route/variant/unit`.
 * Equal scores (equal hashes under equal weights, about one unit in 2^32) go to the arm that comes first in the document.
 * A single arm is returned without hashing. No arm at all is a bug of the caller, and throws.
 */
export function assign(salt: string, route: string, unit: string, arms: readonly Arm[]): string {
  let best = arms[0]!.variant;
  if (arms.length === 1) return best;
  const prefix = `${salt}/${route}/`;
  const suffix = `/${unit}`;
  let bestScore = Infinity;
  for (const arm of arms) {
    const score = scoreOf(murmur3(prefix + arm.variant + suffix), arm.weight);
    if (score < bestScore) {
      bestScore = score;
      best = arm.variant;
    }
  }
  return best;
}
