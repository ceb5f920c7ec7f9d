/**
 * Owns the judgement of a guardrail: pass, fail, marginal or inconclusive, always with the numbers that a person can
 * check. It refuses to act (advance does) and to decide on missing evidence: without data it is inconclusive, never a
 * pass and never a failure.
 *
 * Failing is anytime-valid (E ≥ 1/α, Ville) and may be asked every tick; passing is a one-sided 95 % Newcombe bound,
 * asked once a step is old enough.
 */

import { type EProcess, logE } from './eprocess.ts';
import { MIN_BAD_TO_FAIL, ROLLOUT_ALPHA } from './limits.ts';
import { type Count, newcombeUpper } from './proportions.ts';
import { percent, points, whole } from './words.ts';

/** `fail` stops a rollout; `pass` alone lets a step pass. `marginal`: judged, but not good enough; `inconclusive`: too little to judge. */
export type Verdict = 'pass' | 'fail' | 'marginal' | 'inconclusive';

/** A guardrail as a plan declares it. `critical` may fail, `required` must pass, `maxIncrease` is absolute (0.005 = 0.5 pp). */
export interface GuardrailRule {
  metric: string;
  critical: boolean;
  required: boolean;
  maxIncrease?: number;
}

/** What the rollout has gathered for one guardrail. */
export interface GuardrailEvidence {
  candidate: Count;
  /** Concurrent baseline; for a step without one, what the baseline did earlier (the reference of p0). */
  baseline: Count;
  process: EProcess;
  /** `reference`: the step has no concurrent baseline (bake, blue-green). */
  comparedWith: 'concurrent' | 'reference';
  /** The same counts since the present step began. A candidate must pass on both, and fails on either (see `judge`). */
  step: { candidate: Count; baseline: Count };
  /** And since E was last under 1. It fails on these too, but passes nothing on them. */
  lately?: { candidate: Count; baseline: Count } | undefined;
}

/** What a judgement must know beside rule and evidence. */
export interface JudgeSettings {
  /** How many critical guardrails share the rollout's α. */
  criticalGuardrails: number;
  minSamples: number;
  /** What a trial is. */
  per: 'unit' | 'request' | 'pair';
}

/** A verdict with all numbers that it was made of. */
export interface Judgement {
  metric: string;
  verdict: Verdict;
  sentence: string;
  candidate: Count;
  baseline: Count;
  /** E, at most the largest double; `threshold` is what it must reach to stop a rollout. */
  e: number;
  threshold: number;
  /** The one-sided 95 % upper bound of the increase, and the increase that is allowed, both absolute; null without a baseline. */
  upper: number | null;
  margin: number | null;
}

/** The increase that is allowed: `maxIncrease`, else a quarter of the baseline's rate, at least 0.5 pp (2 pp for slow). */
export function allowedIncrease(rule: Pick<GuardrailRule, 'metric' | 'maxIncrease'>, baselineRate: number): number {
  if (rule.maxIncrease !== undefined) return rule.maxIncrease;
  return Math.max(0.25 * baselineRate, rule.metric === 'slow' ? 0.02 : 0.005);
}

const LATELY = 'lately ';

/** Counts that are judged together: those of the rollout, of the present step, or of late. */
interface Scope {
  /** What a sentence begins with. */
  said: string;
  candidate: Count;
  baseline: Count;
  increase: number;
  upper: number;
  margin: number;
}

/**
 * Judges one guardrail on what is known now. Total: it never throws and decides nothing on missing data.
 *
 * Bound and margin are asked of the rollout *and* of the step. An outage that both arms shared while the candidate had 5 %
 * raises the baseline's rate, and with it the margin, for the whole rollout: simulated, a 1 → 2 % regression was then
 * promoted in half of the runs on the rollout's counts alone, and in none on both. What breaks after half a day is drowned
 * by that day's good checks in both, so a candidate also fails on the counts since E was last under 1. The judgement bears
 * the counts of whichever scope binds.
 */
export function judge(rule: GuardrailRule, evidence: GuardrailEvidence, settings: JudgeSettings): Judgement {
  const e = Math.min(Math.exp(logE(evidence.process)), Number.MAX_VALUE);
  const threshold = Math.max(1, settings.criticalGuardrails) / ROLLOUT_ALPHA;
  const scopes = scopesOf(rule, evidence);
  const strongest = scopes
    .filter(({ said }) => said !== LATELY)
    .toSorted((a, b) => b.upper - b.margin - (a.upper - a.margin))[0];
  // Where E is past the threshold by its floor alone, the candidate must also have got worse itself: an outage of only the baseline silences
  // those of its clients who fail most, and any candidate looks worse beside the rest.
  const isOverall = evidence.process.ll[0]! >= 0;
  const worst = scopes.find(
    (scope) =>
      isWorse(scope, e, threshold) &&
      (isOverall || -newcombeUpper(scope.candidate, evidence.candidate) >= scope.margin),
  );
  const shown = (rule.critical ? worst : undefined) ?? strongest;
  const { verdict, why } = decide(rule, evidence, settings, { e, threshold, shown, worst });
  const { candidate, baseline } = shown ?? evidence;
  return {
    metric: rule.metric,
    verdict,
    sentence: `${rule.metric}: ${told({ candidate, baseline, said: shown?.said }, evidence, settings)}${why}`,
    candidate,
    baseline,
    e,
    threshold,
    upper: shown?.upper ?? null,
    margin: shown?.margin ?? rule.maxIncrease ?? null,
  };
}

function scopesOf(rule: GuardrailRule, evidence: GuardrailEvidence): Scope[] {
  const { step, lately } = evidence;
  return Object.entries({ '': evidence, 'in this step ': step, [LATELY]: lately }).flatMap(([said, of]) => {
    if (of === undefined) return [];
    const { candidate } = of;
    // Without a concurrent baseline all are held against what the baseline did earlier.
    const { baseline } = evidence.comparedWith === 'reference' ? evidence : of;
    if (candidate.n === 0 || baseline.n === 0) return [];
    const baselineRate = baseline.bad / baseline.n;
    const increase = candidate.bad / candidate.n - baselineRate;
    const upper = newcombeUpper(baseline, candidate);
    return { said, candidate, baseline, increase, upper, margin: allowedIncrease(rule, baselineRate) };
  });
}

function isWorse({ said, candidate, baseline, increase, margin }: Scope, e: number, threshold: number): boolean {
  // What was chosen for its rise must surely be worse by so much.
  const surely = said === LATELY ? -newcombeUpper(candidate, baseline) : increase;
  return e >= threshold && candidate.bad >= MIN_BAD_TO_FAIL && surely >= margin;
}

function decide(
  rule: GuardrailRule,
  evidence: GuardrailEvidence,
  settings: JudgeSettings,
  { e, threshold, shown, worst }: { e: number; threshold: number; shown?: Scope; worst?: Scope },
): { verdict: Verdict; why: string } {
  if (evidence.candidate.n === 0) return { verdict: 'inconclusive', why: 'nothing to judge yet' };
  if (shown === undefined) {
    const approve = evidence.comparedWith === 'reference' ? '; a person must approve' : '';
    return { verdict: 'inconclusive', why: `there is no baseline to compare with${approve}` };
  }
  const { increase, upper, margin } = shown;
  const worse = `${change(increase)}, allowed ${points(margin)}`;
  // An E that falls short of the threshold must not be rounded up to it.
  const strength = `E = ${amount(e < threshold ? Math.min(e, Math.ceil(threshold) - 1) : e)}, ${e >= threshold ? 'past' : 'short of'} the ${amount(threshold)} that ${rule.critical ? 'stops' : 'would stop'} a rollout`;
  if (rule.critical && worst !== undefined) {
    return { verdict: 'fail', why: `${worse}; ${strength}: fail` };
  }
  const samples = evidence.step.candidate.n;
  const wanted = settings.minSamples;
  if (evidence.comparedWith === 'concurrent' && evidence.step.baseline.n === 0) {
    return { verdict: 'inconclusive', why: 'there is no baseline to compare with in this step' };
  }
  if (samples < wanted) {
    return { verdict: 'inconclusive', why: `${whole(samples)} of the ${whole(wanted)} samples that a step needs` };
  }
  if (evidence.comparedWith === 'reference') {
    // A guardrail that is not critical cannot fail, but with evidence that the candidate is worse it must not pass either.
    const verdict = worst === undefined ? 'pass' : 'marginal';
    return { verdict, why: `${worse}; ${strength}: ${verdict}` };
  }
  const bound = `${change(increase)}, at most ${points(upper)} (95 % sure), allowed ${points(margin)}`;
  return upper <= margin
    ? { verdict: 'pass', why: `${bound}: pass` }
    : { verdict: 'marginal', why: `${bound}; ${strength}: marginal` };
}

/** The counts in words, for example `candidate 12 bad of 1,043 unit checks (1.15 %), baseline 98 of 9,800 (1.00 %); `. */
function told(
  { candidate, baseline, said = '' }: { candidate: Count; baseline: Count; said: string | undefined },
  { comparedWith }: GuardrailEvidence,
  { per }: JudgeSettings,
): string {
  const kind = { request: 'requests', unit: 'unit checks', pair: 'pairs' }[per];
  const share = ({ n, bad }: Count) => (n > 0 ? ` (${percent(bad / n)})` : '');
  return (
    `${said}candidate ${whole(candidate.bad)} bad of ${whole(candidate.n)} ${kind}${share(candidate)}, ` +
    `baseline${comparedWith === 'reference' ? ' earlier' : ''} ${whole(baseline.bad)} of ${whole(baseline.n)}${share(baseline)}; `
  );
}

const change = (increase: number): string => `${increase < 0 ? 'down' : 'up'} ${points(Math.abs(increase))}`;

function amount(e: number): string {
  if (e >= 1e6) return 'over a million';
  if (e >= 99.5) return whole(e);
  return e >= 0.01 ? e.toPrecision(2) : 'under 0.01';
}
