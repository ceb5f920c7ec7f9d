/**
 * Owns the arithmetic of weights: whole hundredths of a percent, known variants, a sum of exactly 100. The config, a split and
 * weights by hand are all held to it here. It repairs nothing.
 */

import type { Fault } from '../result.ts';
import { meantOr } from './nearest.ts';
import { bare } from './normalise/plain.ts';
import { faultAt, type Key, shown } from './path.ts';

/** A weight in hundredths of a percent, or null when it is none (not a number from 0 to 100 with at most two decimals). */
export function hundredths(weight: unknown): number | null {
  if (typeof weight !== 'number' || !(weight >= 0 && weight <= 100)) return null;
  const whole = Math.round(weight * 100);
  return whole / 100 === weight ? whole : null;
}

/** The fault of weights that do not sum to 100. Silent where a single weight is at fault, for then the sum means nothing. */
export function sumFault(weights: Record<string, unknown>, keys: readonly Key[]): Fault[] {
  let sum = 0;
  for (const weight of Object.values(weights)) {
    const whole = hundredths(weight);
    if (whole === null) return [];
    sum += whole;
  }
  if (sum === 10_000) return [];
  const gap = Math.abs(10_000 - sum) / 100;
  const mend = sum < 10_000 ? `give the missing ${gap} to a variant` : `take ${gap} away`;
  return [faultAt(keys, `weights sum to ${sum / 100}, not 100`, mend)];
}

/** A fault for every name that is no variant of the route. */
export function unknownVariantFaults(
  names: readonly string[],
  known: readonly string[],
  keys: readonly Key[],
): Fault[] {
  return names.flatMap((name) => strangerFault(name, known, [...keys, name]));
}

/** The fault of naming a variant that the route does not have; none where it has it. */
export function strangerFault(name: string, known: readonly string[], keys: readonly Key[]): Fault[] {
  if (known.includes(name)) return [];
  // More than eight, or longer ones, are faults of their own; all of that with each stranger would be an answer of megabytes.
  const some = known.slice(0, 8).map((one) => one.slice(0, 32));
  const mend = meantOr(`use one of ${some.join(', ')}`, name, some);
  return [faultAt(keys, `${shown(name)} is not a variant of this route`, mend)];
}

/** Weights for every variant, in percent, 0 where none is given. Without a prototype, so that no other name is found. */
export function completeWeights(weights: Record<string, number>, variants: readonly string[]): Record<string, number> {
  return bare(variants.map((variant) => [variant, Object.hasOwn(weights, variant) ? weights[variant]! : 0]));
}
