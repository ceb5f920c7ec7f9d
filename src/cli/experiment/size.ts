/** Owns what `headgate sample-size` may be asked, and the plan that comes of it. Pure; the formulas are `src/analysis`'s. */

import { durationDays, smallestRise, unitsForProportions } from '../../analysis/planning.ts';
import { err, ok, type Result } from '../../result.ts';

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

/** The options as they were typed, or one sentence on what is wrong with them. */
export function sizeAsked(typed: {
  baseline: string;
  lift: string;
  power: string;
  ratio: string;
  perDay: string | undefined;
}): Result<SizeAsked, string> {
  const baseline = shareOf(typed.baseline);
  if (baseline === null) return err(`--baseline is a rate between 0 and 1 (or 0 and 100 %), not ${typed.baseline}`);
  const lift = fractionOf(typed.lift);
  if (lift === null) return err(`--lift is a relative change such as 5% or 0.05, not ${typed.lift}`);
  const variant = baseline * (1 + lift);
  if (lift === 0 || !(variant > 0 && variant < 1)) {
    return err('--lift must lead to another rate between 0 and 1');
  }
  const power = shareOf(typed.power);
  if (power === null || power < 0.5 || power > 0.999) return err(`--power is from 0.5 to 0.999, not ${typed.power}`);
  const ratio = Number(typed.ratio);
  if (!(ratio >= 0.001 && ratio <= 1000)) return err(`--ratio is from 0.001 to 1000, not ${typed.ratio}`);
  const perDay = typed.perDay === undefined ? null : Number(typed.perDay);
  if (perDay !== null && !(perDay > 0 && perDay <= 1e12))
    return err(`--per-day is a number over 0, not ${typed.perDay}`);
  return ok({ baseline, lift, power, ratio, perDay });
}

/** The plan, for a two-sided test at 5 %. */
export function sizePlan(asked: SizeAsked): SizePlan {
  const { baseline, lift, power, ratio, perDay } = asked;
  const variant = baseline * (1 + lift);
  const { nCeil: first } = unitsForProportions({ p1: baseline, p2: variant, power, ratio });
  const second = Math.ceil(first * ratio);
  const sized = { ...asked, variant, unitsPerArm: { baseline: first, variant: second }, plannedUnits: first + second };
  if (perDay === null) return { ...sized, days: null, smallestLift: [] };
  const { days } = durationDays({ nPerArm: [first, second], eligiblePerDay: perDay });
  const smallestLift = [1, 2, 4, 8].map((weeks) => {
    const rise = smallestRise({ p1: baseline, n: (weeks * 7 * perDay) / 2, power });
    return { weeks, lift: rise === null ? null : rise / baseline };
  });
  return { ...sized, days, smallestLift };
}

function fractionOf(text: string): number | null {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)\s*%?$/.test(text.trim())) return null;
  return Number.parseFloat(text) / (text.includes('%') ? 100 : 1);
}

function shareOf(text: string): number | null {
  const share = fractionOf(text);
  return share !== null && share > 0 && share < 1 ? share : null;
}
