/** Owns the small rollouts that the tests start from, so that each test shows only what it changes. */

import type { Judgement, Verdict } from '../../src/analysis/verdict.ts';
import { defaultGuardrails } from '../../src/config/normalise/trial.ts';
import type { Guardrail, PlanStep } from '../../src/config/types.ts';
import { advance } from '../../src/rollout/advance.ts';
import { compilePlan, type Step } from '../../src/rollout/plan.ts';
import { type StartRequest, startRollout } from '../../src/rollout/start.ts';
import type {
  Answer,
  Command,
  Effect,
  Evidence,
  Input,
  Moved,
  RolloutState,
  Seen,
  SplitDraft,
  Standing,
} from '../../src/rollout/state.ts';

export const T0 = Date.parse('2026-11-23T10:00:00Z');

export const before: Standing = {
  revision: 7,
  weights: { blue: 100, green: 0 },
  shadows: {},
  baseline: 'blue',
  salt: '',
};

export const config: NonNullable<Seen['config']> = { variants: 'hash-1', names: ['blue', 'green'], baseline: 'blue' };

/** A step of 10 s that waits for evidence up to 40 s. */
export function step(changes: Partial<PlanStep>): PlanStep {
  return { forMs: 10_000, maxForMs: 40_000, minSamples: 100, approval: false, experiment: false, ...changes };
}

export const canary: PlanStep[] = [step({ weight: 5 }), step({ weight: 50 }), step({ weight: 100 })];

export function compiled(plan: string | PlanStep[]): Step[] {
  const result = compilePlan({ plans: {}, experiment: { id: 'e', primary: [], secondary: [], segments: [] } }, plan);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

export function judged(verdict: Verdict, metric = 'errors'): Judgement {
  const candidate = { n: 1000, bad: verdict === 'fail' ? 90 : 9 };
  const baseline = { n: 19_000, bad: 190 };
  const e = verdict === 'fail' ? 1e6 : 0.5;
  return {
    metric,
    verdict,
    sentence: `${metric}: ${verdict}`,
    candidate,
    baseline,
    e,
    threshold: 200,
    upper: 0,
    margin: 0,
  };
}

/** Evidence for the present run of a state's step: every guardrail has this verdict. */
export function evidence(state: RolloutState, verdict: Verdict | null, changes: Partial<Evidence> = {}): Evidence {
  const judgements = verdict === null ? [] : state.guardrails.map(({ metric }) => judged(verdict, metric));
  const samples = { live: 1000, compared: 1000 };
  return { stepRun: state.stepRun, judgements, samples, reference: true, ...changes };
}

export function seen(nowMs: number, evidenceNow: Evidence, changes: Partial<Seen> = {}): Seen {
  return { nowMs, byHand: false, config, evidence: evidenceNow, ...changes };
}

const noEvidence: Evidence = { stepRun: 0, judgements: [], samples: { live: 0, compared: 0 }, reference: true };

export function requestFor(plan: string | PlanStep[], changes: Partial<StartRequest> = {}): StartRequest {
  return {
    id: 'r-20261123-1',
    route: 'detect',
    to: 'green',
    plan: typeof plan === 'string' ? plan : 'custom',
    steps: compiled(plan),
    guardrails: defaultGuardrails.map((guardrail: Guardrail) => ({ ...guardrail })),
    before,
    probed: [],
    actor: 'ada',
    reason: 'release 2.3',
    ...changes,
  };
}

export function start(
  plan: string | PlanStep[] = canary,
  changes: Partial<StartRequest> = {},
  when: Partial<Seen> = {},
) {
  return startRollout(requestFor(plan, changes), seen(T0, noEvidence, when));
}

/** The value of an answer that must not be a refusal. */
export function done(answer: Answer): Moved {
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.detail}`);
  return answer.value;
}

/** The word of a refusal, which never comes without what to do instead. */
export function refusalOf(answer: Answer): string {
  if (answer.ok) return 'not refused';
  const { code, detail, mend } = answer.error;
  if (detail === '' || mend === '') throw new Error(`${code} leaves people alone`);
  return code;
}

export function started(plan: string | PlanStep[] = canary, changes: Partial<StartRequest> = {}): RolloutState {
  return done(start(plan, changes)).state;
}

export function command(kind: Command['kind']): Command {
  const said = { actor: 'ada', reason: 'because' };
  return kind === 'rollback' ? { kind, target: before, ...said } : { kind, ...said };
}

/** One tick, two seconds after the last unless told. */
export function ticked(
  state: RolloutState,
  verdict: Verdict | null,
  changes: Partial<Seen> & { afterMs?: number; evidenceChanges?: Partial<Evidence> } = {},
): Moved {
  const { afterMs = 2_000, evidenceChanges, ...rest } = changes;
  const now = seen(state.lastMs + afterMs, evidence(state, verdict, evidenceChanges), rest);
  return done(advance(state, { kind: 'tick' }, now));
}

/** Ticks every two seconds for so long; the last move is returned. */
export function watched(
  state: RolloutState,
  verdict: Verdict | null,
  lastsMs: number,
  changes: Partial<Seen> = {},
): Moved {
  let move: Moved = { state, effects: [] };
  for (let ms = 0; ms < lastsMs; ms += 2_000) move = ticked(move.state, verdict, changes);
  return move;
}

/** A command at the clock of the newest tick, with this verdict on every guardrail. */
export function told(
  state: RolloutState,
  input: Input | Command['kind'],
  verdict: Verdict | null = 'inconclusive',
  changes: Partial<Seen> = {},
): Answer {
  const given = typeof input === 'string' ? command(input) : input;
  return advance(state, given, seen(state.lastMs, evidence(state, verdict), changes));
}

export const kindsOf = (effects: Effect[]): Effect['kind'][] => effects.map(({ kind }) => kind);

export function publishedBy({ effects }: Moved): SplitDraft | null {
  const publish = effects.find((effect) => effect.kind === 'publish');
  return publish?.kind === 'publish' ? publish.split : null;
}

export const sumOf = (weights: Record<string, number>): number =>
  Object.values(weights).reduce((sum, weight) => sum + Math.round(weight * 100), 0) / 100;
