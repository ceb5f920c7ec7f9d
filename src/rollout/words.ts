/** Owns how durations, counts and rates are said in the sentences of a rollout. It decides nothing. */

import type { Judgement } from '../analysis/verdict.ts';

/** A duration for people, rounded up: `8 s`, `6 min`, `3 h`. */
export function span(ms: number): string {
  if (ms < 90_000) return `${Math.max(0, Math.ceil(ms / 1000))} s`;
  if (ms < 7_200_000) return `${Math.ceil(ms / 60_000)} min`;
  return `${+(ms / 3_600_000).toFixed(1)} h`;
}

/** A count with its thousands set apart. */
export const count = (n: number): string => Math.floor(n).toLocaleString('en-US');

/** A verdict in a few words, for the reason of a split: `errors 0.90 % vs 1.00 %, pass`. */
export function brief({ metric, candidate, baseline, verdict }: Judgement): string {
  const share = ({ n, bad }: { n: number; bad: number }) => (n > 0 ? `${((100 * bad) / n).toFixed(2)} %` : 'nothing');
  return `${metric} ${share(candidate)} vs ${share(baseline)}, ${verdict}`;
}

/** The instant as ISO 8601. */
export const iso = (ms: number): string => new Date(ms).toISOString();
