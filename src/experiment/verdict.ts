/**
 * Owns what an experiment's report means for the rollout step that carries it: wait, go on, or stop. Pure. It fails towards holding:
 * an early `better` does not shorten the plan, broken arms and too few numbers pass nothing.
 */

import { points, whole } from '../analysis/words.ts';
import { BROKEN_ARMS, lateUntil, type Report, sumOf } from './report.ts';

/** `stop` asks for a person. */
export interface StepVerdict {
  verdict: 'wait' | 'go' | 'stop';
  sentence: string;
}

/** What the step may do by this report, for the variant under trial. */
export function stepVerdict(report: Report, candidate: string): StepVerdict {
  const { id, sampleRatio, closed, closesAt, changed } = report;
  const about = (verdict: StepVerdict['verdict'], what: string) => ({ verdict, sentence: `experiment ${id}: ${what}` });
  const primary = report.metrics.filter(({ role, variant }) => role === 'primary' && variant === candidate);
  // In its first minutes it may only be that one arm answers later.
  if (sampleRatio.alarm) return about(sampleRatio.stays ? 'stop' : 'wait', BROKEN_ARMS);
  if (changed.includes(candidate)) return about('stop', `${candidate} has changed since it began; give it another id`);
  const worse = primary.filter(({ state }) => state === 'worse');
  if (worse.length > 0) return about('stop', worse.map(told).join('; '));
  const units = progress(report);
  if (!closed) return about('wait', closesAt === null ? units : `${units}; ${lateUntil(Date.parse(closesAt))}`);
  // No data is no pass: a final test that could not be made asks for a person.
  if (primary.length === 0) return about('stop', `closed without ${candidate}, so give it another id; ${units}`);
  const isJudged = primary.every(({ by }) => by !== null);
  return about(isJudged ? 'go' : 'stop', [...primary.map(told), units].join('; '));
}

function progress({ units, plannedUnits }: Report): string {
  return `${whole(sumOf(units))} of ${whole(plannedUnits)} units`;
}

/** `helpful better, 2.10 pp`. */
function told({ name, kind, label, difference }: Report['metrics'][number]): string {
  return `${name} ${label}, ${kind === 'conversion' ? points(difference) : difference.toPrecision(3)}`;
}
