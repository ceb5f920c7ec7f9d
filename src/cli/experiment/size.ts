/** Owns what `headgate sample-size` may be asked. Pure; the plan that comes of it is `src/experiment/size.ts`'s. */

import type { SizeAsked } from '../../experiment/size.ts';
import { err, ok, type Result } from '../../result.ts';

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
  if (variant === baseline || !(variant > 0 && variant < 1)) {
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

function fractionOf(text: string): number | null {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)\s*%?$/.test(text.trim())) return null;
  return Number.parseFloat(text) / (text.includes('%') ? 100 : 1);
}

function shareOf(text: string): number | null {
  const share = fractionOf(text);
  return share !== null && share > 0 && share < 1 ? share : null;
}
