/**
 * Owns the table of legal transitions, as data that the README prints. A test explores the code and holds the table to it, both
 * ways: nothing happens that is not here, and nothing is here that cannot happen.
 */

import type { Input, Phase } from './state.ts';

interface Transition {
  from: Phase;
  input: Input['kind'];
  /** Never `from`, but for `promote`, which may lead to a further step of the same phase. */
  to: Phase;
  when: string;
}

const nextStep = 'there is a next step';
const last = 'it was the last step';

/** Every change of phase. A command in a phase that has no row for it is refused; a tick without a row changes nothing. */
export const transitions: readonly Transition[] = [
  { from: 'progressing', input: 'tick', to: 'aborted', when: 'a critical guardrail fails' },
  {
    from: 'progressing',
    input: 'tick',
    to: 'paused',
    when: 'weights are set by hand, the config changed underneath, `maxFor` is over, the experiment stops it, or it fails and the baseline is down',
  },
  {
    from: 'progressing',
    input: 'tick',
    to: 'progressing',
    when: 'the step passed: `for`, `minSamples`, every required guardrail, and the experiment where it carries one',
  },
  {
    from: 'progressing',
    input: 'tick',
    to: 'awaiting-approval',
    when: 'the step passed and has `approval`, the next step only awaits approval, or nothing can judge it',
  },
  { from: 'progressing', input: 'tick', to: 'promoted', when: 'the last step passed' },
  { from: 'progressing', input: 'tick', to: 'completed', when: 'the last step of a plan that moves no traffic passed' },
  { from: 'progressing', input: 'promote', to: 'progressing', when: nextStep },
  { from: 'progressing', input: 'promote', to: 'awaiting-approval', when: 'the next step only awaits approval' },
  { from: 'progressing', input: 'promote', to: 'promoted', when: last },
  { from: 'progressing', input: 'promote', to: 'completed', when: `${last} of a plan that moves no traffic` },
  { from: 'progressing', input: 'pause', to: 'paused', when: 'always' },
  { from: 'progressing', input: 'abort', to: 'aborted', when: 'always' },
  { from: 'progressing', input: 'rollback', to: 'aborted', when: 'always' },

  { from: 'paused', input: 'tick', to: 'aborted', when: 'a critical guardrail fails' },
  {
    from: 'paused',
    input: 'tick',
    to: 'progressing',
    when: 'the weights set by hand are gone, and the step begins anew',
  },
  {
    from: 'paused',
    input: 'tick',
    to: 'awaiting-approval',
    when: 'the weights set by hand are gone, and it awaited approval',
  },
  { from: 'paused', input: 'promote', to: 'progressing', when: nextStep },
  { from: 'paused', input: 'promote', to: 'awaiting-approval', when: 'the next step only awaits approval' },
  { from: 'paused', input: 'promote', to: 'promoted', when: last },
  { from: 'paused', input: 'promote', to: 'completed', when: `${last} of a plan that moves no traffic` },
  { from: 'paused', input: 'resume', to: 'progressing', when: 'it progressed before' },
  { from: 'paused', input: 'resume', to: 'awaiting-approval', when: 'it awaited approval before' },
  { from: 'paused', input: 'abort', to: 'aborted', when: 'always' },
  { from: 'paused', input: 'rollback', to: 'aborted', when: 'always' },

  { from: 'awaiting-approval', input: 'tick', to: 'aborted', when: 'a critical guardrail fails' },
  {
    from: 'awaiting-approval',
    input: 'tick',
    to: 'paused',
    when: 'weights are set by hand, the config changed underneath, or it fails and the baseline is down',
  },
  { from: 'awaiting-approval', input: 'promote', to: 'progressing', when: nextStep },
  { from: 'awaiting-approval', input: 'promote', to: 'awaiting-approval', when: 'the next step only awaits approval' },
  { from: 'awaiting-approval', input: 'promote', to: 'promoted', when: last },
  { from: 'awaiting-approval', input: 'promote', to: 'completed', when: `${last} of a plan that moves no traffic` },
  { from: 'awaiting-approval', input: 'pause', to: 'paused', when: 'always' },
  { from: 'awaiting-approval', input: 'abort', to: 'aborted', when: 'always' },
  { from: 'awaiting-approval', input: 'rollback', to: 'aborted', when: 'always' },
];

/** Whether the table has it. */
export function isLegal(from: Phase, input: Input['kind'], to: Phase): boolean {
  return transitions.some((row) => row.from === from && row.input === input && row.to === to);
}
