/** Owns the plan of an experiment on a conversion: units, days, and what some weeks can see. Pure; the formulas are `src/analysis`'s. */

import { inWholeWeeks, smallestRise, unitsForProportions } from '../analysis/planning.ts';

/** What a plan of a size is made for. */
export interface SizeAsked {
  /** The rate now, 0 to 1. */
  baseline: number;
  /** Relative: 0.05 is 5 % more. */
  lift: number;
  power: number;
  /** Units of the variant over those of the baseline. */
  ratio: number;
  /** Units a day of all arms together; null where nobody knows. */
  perDay: number | null;
}

/** How many units it takes, and how long. */
export interface SizePlan extends SizeAsked {
  /** The rate to be found. */
  variant: number;
  unitsPerArm: { baseline: number; variant: number };
  plannedUnits: number;
  /** In whole weeks; null without units a day. */
  days: number | null;
  /** The smallest lift that equal arms find in so many weeks, null where none is; empty without units a day. */
  smallestLift: { weeks: number; lift: number | null }[];
}

/** The plan, for a two-sided test at 5 %. */
export function sizePlan(asked: SizeAsked): SizePlan {
  const { baseline, lift, power, ratio, perDay } = asked;
  const variant = baseline * (1 + lift);
  const { nCeil: first } = unitsForProportions({ p1: baseline, p2: variant, power, ratio });
  const second = Math.ceil(first * ratio);
  const plannedUnits = first + second;
  const sized = { ...asked, variant, unitsPerArm: { baseline: first, variant: second }, plannedUnits };
  if (perDay === null) return { ...sized, days: null, smallestLift: [] };
  const smallestLift = [1, 2, 4, 8].map((weeks) => {
    const rise = smallestRise({ p1: baseline, n: (weeks * 7 * perDay) / 2, power });
    return { weeks, lift: rise === null ? null : rise / baseline };
  });
  return { ...sized, days: inWholeWeeks(plannedUnits / perDay), smallestLift };
}
