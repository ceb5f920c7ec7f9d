/**
 * Owns how a rollout reads: its steps, what each guardrail says with the numbers behind it, what it waits for, and what comes
 * next and when. Pure. Every mark is a character of its own, so that nothing depends on colour.
 */

import type { RolloutStatus } from '../../rollout/describe.ts';
import { evidence, lasting, signed, whole } from '../figures.ts';
import { safe, wrap } from '../text.ts';
import { cut, moment, type Screen } from './traffic.ts';

type Step = RolloutStatus['planSteps'][number];
type Guardrail = RolloutStatus['guardrails'][number];

/** Where the rollout is, by phase: it goes on, it is held, it asks for a person, it is over. */
const marks: Record<RolloutStatus['phase'], string> = {
  progressing: '●',
  paused: '‖',
  'awaiting-approval': '?',
  promoted: '✔',
  completed: '✔',
  aborted: '✗',
};
const verdictMarks: Record<Guardrail['verdict'], string> = { pass: '✔', fail: '✗', marginal: '~', inconclusive: '…' };

/** Lines of at most `screen.columns`. */
export function rolloutLines(rollout: RolloutStatus, screen: Screen): string[] {
  const { paint } = screen;
  const guardrails = rollout.guardrails.flatMap((one) => guardrailLines(one, screen));
  return [
    ...headLines(rollout, screen),
    ...stepLines(rollout, screen),
    ...(guardrails.length > 0 ? ['', paint.bold('guardrails'), ...guardrails] : []),
    '',
    ...endLines(rollout, screen),
  ];
}

function headLines({ id, to, plan, phase, startedBy, startedAt }: RolloutStatus, screen: Screen): string[] {
  const { columns, paint, nowMs } = screen;
  const age = startedAt === undefined ? '' : `, started ${lasting(nowMs - Date.parse(startedAt))} ago`;
  const by = startedBy === undefined ? '' : ` by ${safe(startedBy)}`;
  const title = cut(`rollout ${id} to ${to}${plan === undefined ? '' : ` (${plan})`}${age}${by}`, columns);
  return [paint.bold(title), `  ${phasePaint(phase, screen)(`${marks[phase]} ${phase}`)}`];
}

function phasePaint(phase: RolloutStatus['phase'], { paint }: Screen): (text: string) => string {
  if (phase === 'aborted') return paint.red;
  if (phase === 'promoted' || phase === 'completed') return paint.green;
  return phase === 'progressing' ? paint.cyan : paint.yellow;
}

function stepLines(rollout: RolloutStatus, screen: Screen): string[] {
  const { planSteps, step, steps, phase } = rollout;
  if (planSteps === undefined) return [`  step ${step} of ${steps}`];
  return planSteps.map((one, i) => {
    const line = cut(`  ${stepMark(rollout, i)} ${i + 1}  ${stepWords(one)}`, screen.columns);
    if (i + 1 === step) return phasePaint(phase, screen)(line);
    return i + 1 < step ? line : screen.paint.dim(line);
  });
}

function stepMark({ step, phase }: RolloutStatus, index: number): string {
  if (index + 1 < step) return '✔';
  return index + 1 === step ? marks[phase] : '○';
}

/** `25 % for 10 min, 1,000 samples`. */
export function stepWords({ weight, shadow, forMs, minSamples, approval, experiment }: Step): string {
  const traffic = [
    ...(weight === undefined ? [] : [`${weight} %`]),
    ...(shadow === undefined ? [] : [shadow === 0 ? 'no mirror' : `mirror ${shadow} %`]),
  ].join(', ');
  const judged = (weight ?? 0) > 0 || (shadow ?? 0) > 0;
  const until = [
    ...(forMs > 0 ? [`for ${lasting(forMs)}`] : []),
    ...(judged && forMs > 0 ? [`${whole(minSamples)} samples`] : []),
    ...(approval ? ['until approved'] : []),
    ...(experiment ? ['until the experiment decides'] : []),
  ].join(', ');
  return `${traffic} ${until}`.trim();
}

function guardrailLines(guardrail: Guardrail, { columns, paint }: Screen): string[] {
  const { metric, verdict, critical, required, candidate, baseline, e, threshold, sentence } = guardrail;
  const colour = { pass: paint.green, fail: paint.red, marginal: paint.yellow, inconclusive: paint.dim }[verdict];
  const roles = [critical ? 'critical' : '', required ? 'required' : ''].filter(Boolean).join(', ');
  const head = `  ${verdictMarks[verdict]} ${safe(metric)}  ${verdict}`;
  const numbers = [
    `candidate ${counted(candidate)}, baseline ${counted(baseline)}`,
    `E ${evidence(e)}, stops at ${whole(threshold)}; ${boundWords(guardrail)}`,
  ];
  return [
    colour(cut(head, columns)) + paint.dim(cut(roles === '' ? '' : `  ${roles}`, columns - head.length)),
    ...numbers.flatMap((line) => wrap(`    ${line}`, columns, '    ')),
    ...wrap(`    ${safe(sentence)}`, columns, '    ').map((line) => paint.dim(line)),
  ];
}

function counted({ n, bad }: Guardrail['candidate']): string {
  return n === 0 ? 'none yet' : `${whole(bad)} bad of ${whole(n)} (${((100 * bad) / n).toFixed(2)} %)`;
}

function boundWords({ upper, margin }: Guardrail): string {
  const points = (rate: number | null) => signed(rate, (value) => `${(100 * value).toFixed(2)} pp`);
  if (upper === null) return margin === null ? 'no bound yet' : `no bound yet, allowed ${points(margin)}`;
  return `at most ${points(upper)} (95 % sure), allowed ${points(margin)}`;
}

/** Why it is where it is, what it waits for, and what comes then. */
function endLines(rollout: RolloutStatus, screen: Screen): string[] {
  const { reason, waitsFor, nextIs } = rollout;
  const said: [string, string | null | undefined][] = [
    ['why', safe(reason)],
    ['waits for', waitsFor === null ? null : safe(waitsFor)],
    ['then', nextIs && safe(nextIs)],
    ['when', whenWords(rollout, screen.nowMs)],
  ];
  return said.flatMap(([title, text]) => {
    if (!text) return [];
    const [first, ...rest] = wrap(text, screen.columns - 11);
    return [`${screen.paint.dim(title.padEnd(11))}${first}`, ...rest.map((line) => `${' '.repeat(11)}${line}`)];
  });
}

/** While the step's own time runs, it is the earliest moment; afterwards only its longest time is left. */
function whenWords({ nextAt, waitsFor }: RolloutStatus, nowMs: number): string | null {
  if (nextAt === null) return null;
  const isStepTime = waitsFor === null || / more of the step's |first look/.test(waitsFor);
  return isStepTime
    ? `not before ${moment(nextAt, nowMs)}`
    : `as soon as it has that; else paused at ${moment(nextAt, nowMs)}`;
}
