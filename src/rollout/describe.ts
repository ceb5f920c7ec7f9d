/** Owns how a rollout is told: the status of design section 11. It computes no verdict and changes nothing. */

import type { Judgement } from '../analysis/verdict.ts';
import { endOf, type Step } from './plan.ts';
import { shareOf } from './readiness.ts';
import { type Phase, phaseOf, type RolloutState, stepOf } from './state.ts';
import { iso } from './words.ts';

/** A rollout as status shows it. */
export interface RolloutStatus {
  id: string;
  to: string;
  baseline: string;
  plan: string;
  phase: Phase;
  /** From 1. */
  step: number;
  steps: number;
  /** The candidate's percent of live traffic. */
  weight: number;
  /** When the step began, ISO 8601. */
  since: string;
  /** What must come before it moves on, in one sentence; null at the end. */
  waitsFor: string | null;
  /** When time decides next (the step's `for`, else its `maxFor`), ISO 8601; null when a person or evidence must. */
  nextAt: string | null;
  /** What comes then, and on what condition, in words; null at the end. */
  nextIs: string | null;
  reason: string;
  startedBy: string;
  startedAt: string;
  planSteps: Step[];
  guardrails: (Judgement & { critical: boolean; required: boolean })[];
}

/** A rollout's status. `judgements`: by position in its guardrails, as in `Evidence`. `weight`: the candidate's percent of live traffic. */
export function describeRollout(
  state: RolloutState,
  judgements: readonly Judgement[],
  nowMs: number,
  weight = shareOf(state),
): RolloutStatus {
  const { id, to, baseline, plan, steps, reason, startedBy } = state;
  return {
    ...{ id, to, baseline, plan, reason, startedBy },
    phase: phaseOf(state),
    step: state.step + 1,
    steps: steps.length,
    weight,
    since: iso(state.sinceMs),
    waitsFor: waitsFor(state),
    nextAt: nextAt(state, nowMs),
    nextIs: nextIs(state),
    startedAt: iso(state.startedMs),
    planSteps: steps,
    guardrails: state.guardrails.flatMap(({ critical, required }, position) => {
      const judgement = judgements[position];
      return judgement === undefined ? [] : [{ ...judgement, critical, required }];
    }),
  };
}

/** What a rollout waits for, in one sentence. */
function waitsFor(state: RolloutState): string | null {
  switch (phaseOf(state)) {
    case 'progressing':
      return state.waiting.length > 0 ? state.waiting.join('; ') : 'its first look at the evidence';
    case 'awaiting-approval':
      return `a person to promote it (headgate rollout promote ${state.route}) or to abort it`;
    case 'paused':
      return state.byHand
        ? `the weights set by hand to go (headgate manual clear ${state.route})`
        : `a person to resume, promote or abort it${state.pause?.reason ? `: ${state.pause.reason}` : ''}`;
    default:
      return null;
  }
}

/** When time alone can change something next: the end of `for`, else the step's longest time; null when it cannot. */
function nextAt(state: RolloutState, nowMs: number): string | null {
  if (phaseOf(state) !== 'progressing') return null;
  const leftMs = stepOf(state).forMs - state.creditedMs;
  if (leftMs > 0) return iso(nowMs + leftMs);
  return state.limitMs === null ? null : iso(nowMs + Math.max(0, state.limitMs - state.creditedMs));
}

/** What comes next and on what condition: at `nextAt`, where time can bring it. */
function nextIs(state: RolloutState): string | null {
  const phase = phaseOf(state);
  if (state.end !== null) return null;
  const next = afterStep(state);
  if (phase === 'awaiting-approval') return `${next} when a person promotes it`;
  if (phase === 'paused') return `${next} once it goes on and passes`;
  const { approval, experiment, forMs } = stepOf(state);
  const passed = approval ? `a person is asked (then ${next})` : next;
  if (state.creditedMs >= forMs) {
    return state.limitMs === null ? `${passed} as soon as it passes` : `${passed} if it passes before, else paused`;
  }
  const isRequired = state.guardrails.some(({ required }) => required);
  const passing = isRequired ? 'the guardrails pass' : 'no guardrail fails';
  return `${passed} if ${passing}${experiment ? ' and the experiment decides for it' : ''}`;
}

/** `weight 25 % (step 2 of 4)`, or how it ends. */
function afterStep({ step, steps, to }: RolloutState): string {
  const next = steps[step + 1];
  if (next === undefined) {
    return endOf(steps) === 'promoted' ? `promoted: ${to} is the baseline,` : 'completed: traffic as it was before,';
  }
  const traffic = [
    ...(next.shadow === undefined ? [] : [`mirror ${next.shadow} %`]),
    ...(next.weight === undefined ? [] : [`weight ${next.weight} %`]),
  ].join(', ');
  return `${traffic} (step ${step + 2} of ${steps.length})`;
}
