/**
 * Owns whether a step has done what it must: time, samples, guardrails, experiment. It refuses to act, and takes nothing that is
 * missing for a pass: no verdict, a verdict on an earlier step, too few samples all mean "wait".
 */

import type { Judgement } from '../analysis/verdict.ts';
import { span, whole } from '../analysis/words.ts';
import type { Guardrail } from '../config/types.ts';
import { type Evidence, type RolloutState, stepOf } from './state.ts';

interface Readiness {
  /** Everything that the step needs is there, but for a person's approval. */
  ready: boolean;
  /** What is missing, in sentences. */
  waiting: string[];
  /** Everything but verdicts is there, and no baseline that could ever give one: a person must decide. */
  unjudgeable: boolean;
}

/** The critical guardrail that fails, or null. It does not matter in which step: the evidence is the whole rollout's. */
export function criticalFailure(state: RolloutState, evidence: Evidence): Judgement | null {
  const index = state.guardrails.findIndex(
    ({ critical }, position) => critical && evidence.judgements[position]?.verdict === 'fail',
  );
  return evidence.judgements[index] ?? null;
}

/** What the present step still waits for. */
export function readinessOf(state: RolloutState, evidence: Evidence): Readiness {
  const current = evidence.stepRun === state.stepRun;
  const plain = [...timeMissing(state), ...samplesMissing(state, evidence, current)];
  const experiment = experimentMissing(state, evidence, current);
  const verdicts = state.guardrails.flatMap((guardrail, position) => {
    if (!guardrail.required || !appliesIn(state, guardrail)) return [];
    const judgement = current ? evidence.judgements[position] : undefined;
    if (judgement?.verdict === 'pass') return [];
    return [{ sentence: judgement?.sentence ?? `${guardrail.metric}: no verdict yet`, verdict: judgement?.verdict }];
  });
  const waiting = [...plain, ...verdicts.map(({ sentence }) => sentence), ...experiment];
  const open = verdicts.every(({ verdict }) => verdict === 'inconclusive');
  const unjudgeable =
    plain.length + experiment.length === 0 && shareOf(state) === 100 && !evidence.reference && current && open;
  return { ready: waiting.length === 0, waiting, unjudgeable };
}

/** The required verdicts that let a step pass. */
export function passedOn(state: RolloutState, evidence: Evidence): Judgement[] {
  return evidence.judgements.filter((_, position) => {
    const guardrail = state.guardrails[position];
    return guardrail?.required === true && appliesIn(state, guardrail);
  });
}

/** The candidate's percent of live traffic now. */
export const shareOf = ({ split, to }: Pick<RolloutState, 'split' | 'to'>): number => split.weights[to] ?? 0;

/** Whether a guardrail can have evidence now, and so is needed: `mismatch` from mirrored requests, all others from live ones. */
function appliesIn(state: RolloutState, guardrail: Guardrail): boolean {
  return guardrail.metric === 'mismatch' ? isMirrored(state) : shareOf(state) > 0;
}

/** Whether pairs of the candidate come: whoever serves, the other one of candidate and baseline is sent the copy. */
function isMirrored({ split, to }: RolloutState): boolean {
  return (split.shadows[to] ?? 0) > 0;
}

function timeMissing(state: RolloutState): string[] {
  const { forMs } = stepOf(state);
  const left = forMs - state.creditedMs;
  return left > 0 ? [`${span(left)} more of the step's ${span(forMs)}`] : [];
}

function samplesMissing(state: RolloutState, { samples }: Evidence, current: boolean): string[] {
  const live = shareOf(state) > 0;
  if (!live && !isMirrored(state)) return [];
  const { minSamples } = stepOf(state);
  const seen = current ? (live ? samples.live : samples.compared) : 0;
  // Not `seen < minSamples`: a count that is no number must never pass.
  return seen >= minSamples
    ? []
    : [`${whole(seen || 0)} of ${whole(minSamples)} ${live ? 'samples' : 'compared pairs'}`];
}

function experimentMissing(state: RolloutState, { experiment }: Evidence, current: boolean): string[] {
  if (!stepOf(state).experiment || (current && experiment?.verdict === 'go')) return [];
  return [experiment?.sentence ?? 'its experiment has not decided yet'];
}
