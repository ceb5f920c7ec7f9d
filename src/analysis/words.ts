/** Owns how numbers are said in the sentences of verdicts, warnings and rollouts. It decides nothing. */

/** Digits in groups of three; toLocaleString costs more than the statistics, every tick. */
export const whole = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** A rate from 0 to 1 as percent. */
export const percent = (rate: number): string => `${(100 * rate).toFixed(2)} %`;

/** A difference of two rates. */
export const points = (difference: number): string => `${(100 * difference).toFixed(2)} pp`;

/** A duration for people: `8 s`, `6 min`, `3 h`, `2.5 days`. */
export function span(ms: number): string {
  if (ms < 90_000) return `${Math.max(0, Math.ceil(ms / 1000))} s`;
  if (ms < 7_200_000) return `${Math.ceil(ms / 60_000)} min`;
  const hours = ms / 3_600_000;
  return hours < 48 ? `${+hours.toFixed(1)} h` : `${+(hours / 24).toFixed(1)} days`;
}
