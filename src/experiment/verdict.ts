/**
 * Owns what an experiment's report means for the rollout step that carries it: wait, go on, or stop. Pure. It fails towards holding:
 * an early `better` does not shorten the plan, broken arms and too few numbers pass nothing.
 */

import { minuteOf, type Report } from './report.ts';

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
  if (sampleRatio.alarm) {
    return about(
      'stop',
      'the arms do not hold the shares that were asked for, so no result can be trusted; find out why',
    );
  }
  if (changed.includes(candidate)) {
    return about(
      'stop',
      `${candidate} is another than when it began; give this one an experiment with an id of its own`,
    );
  }
  const worse = primary.filter(({ state }) => state === 'worse');
  if (worse.length > 0) return about('stop', worse.map((metric) => told(metric, candidate)).join('; '));
  if (!closed) {
    if (closesAt === null) return about('wait', `${progress(report)} units`);
    return about('wait', `${progress(report)} units; late outcomes count until ${minuteOf(Date.parse(closesAt))}`);
  }
  const mute = primary.find(({ by }) => by === null);
  if (primary.length === 0 || mute !== undefined) {
    return about('stop', `${mute?.name ?? 'its primary metric'} cannot be judged: ${mute?.label ?? 'it has none'}`);
  }
  return about('go', `${primary.map((metric) => told(metric, candidate)).join('; ')} (${progress(report)} units)`);
}

function progress({ units, plannedUnits }: Report): string {
  const total = Object.values(units).reduce((sum, n) => sum + n, 0);
  return `${whole(total)} of ${whole(plannedUnits)}`;
}

function told({ name, kind, state, difference, interval }: Report['metrics'][number], candidate: string): string {
  const shown = (value: number) =>
    kind === 'conversion' ? `${(100 * value).toFixed(2)} pp` : String(Number(value.toPrecision(3)));
  const found = state === 'no difference found' ? state : `${candidate} is ${state}`;
  return `${name}: ${found}, ${shown(difference)} (${shown(interval[0])} to ${shown(interval[1])})`;
}

const whole = (n: number): string => n.toLocaleString('en-US');
