/** Owns `VARIANT=PERCENT` as people write it on a command line. Pure; it refuses to guess what a missing share should be. */

import { hundredths } from '../config/weights.ts';
import { usage } from './stop.ts';

/** `["blue=90", "green=10"]` as percents by variant. Throws `Stop` for what is not of that form. */
export function percentsOf(words: readonly string[], what: string): Record<string, number> {
  const percents: Record<string, number> = {};
  for (const word of words) {
    const [, variant, written] = /^([^=]+)=(\d{1,3}(?:\.\d{1,2})?)%?$/.exec(word) ?? [];
    const percent = Number(written);
    if (variant === undefined || hundredths(percent) === null) {
      throw usage(`${word} is not VARIANT=PERCENT.`, `write ${what} such as green=10 or green=0.25, from 0 to 100`);
    }
    if (Object.hasOwn(percents, variant)) throw usage(`${variant} is named twice.`, 'name each variant once');
    percents[variant] = percent;
  }
  return percents;
}

/** Refuses weights that do not sum to 100, and says what is missing. */
export function requireSum(weights: Record<string, number>): void {
  const sum = Object.values(weights).reduce((total, percent) => total + Math.round(percent * 100), 0);
  if (sum === 10_000) return;
  const off = (10_000 - sum) / 100;
  const mend = off > 0 ? `${off} % is given to nobody: name every variant that shall have some` : `take ${-off} % away`;
  throw usage(`The weights sum to ${sum / 100}, not to 100.`, mend);
}
