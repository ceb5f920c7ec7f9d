/** Owns how verdicts and instants are said of a rollout. It decides nothing. */

import type { Judgement } from '../analysis/verdict.ts';
import { percent } from '../analysis/words.ts';

/** A verdict in a few words, for the reason of a split: `errors 0.90 % vs 1.00 %, pass`. */
export function brief({ metric, candidate, baseline, verdict }: Judgement): string {
  const share = ({ n, bad }: { n: number; bad: number }) => (n > 0 ? percent(bad / n) : 'nothing');
  return `${metric} ${share(candidate)} vs ${share(baseline)}, ${verdict}`;
}

/** The instant as ISO 8601. */
export const iso = (ms: number): string => new Date(ms).toISOString();
