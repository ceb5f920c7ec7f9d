import { describe, expect, it } from 'vitest';
import { addConcurrentTick, type EProcess, startEProcess } from '../../src/analysis/eprocess.ts';
import {
  allowedIncrease,
  type GuardrailEvidence,
  type GuardrailRule,
  type JudgeSettings,
  judge,
} from '../../src/analysis/verdict.ts';

const errors: GuardrailRule = { metric: 'errors', critical: true, required: true };
const settings: JudgeSettings = { criticalGuardrails: 1, minSamples: 1000, per: 'unit' };

/** An e-process with a chosen E. */
const withE = (e: number): EProcess => ({ ll: startEProcess().ll.map(() => Math.log(e)), peakLogE: Math.log(e) });

function evidence(
  [candidateN, candidateBad]: [number, number],
  [baselineN, baselineBad]: [number, number],
  more: Partial<GuardrailEvidence> = {},
): GuardrailEvidence {
  const counts = {
    candidate: { n: candidateN, bad: candidateBad },
    baseline: { n: baselineN, bad: baselineBad },
  };
  return {
    ...counts,
    step: counts,
    process: startEProcess(),
    comparedWith: 'concurrent',
    ...more,
  };
}

describe('a guardrail', () => {
  it('stops a candidate that is worse beyond chance and beyond the margin', () => {
    const judged = judge(errors, evidence([1000, 50], [19_000, 190], { process: withE(150) }), settings);
    expect(judged).toMatchObject({ verdict: 'fail', threshold: 100, margin: 0.005, e: expect.closeTo(150, 9) });
    expect(judged.sentence).toBe(
      'errors: candidate 50 bad of 1,000 unit checks (5.00 %), baseline 190 of 19,000 (1.00 %); ' +
        'up 4.00 pp, allowed 0.50 pp; E = 150, past the 100 that stops a rollout: fail',
    );
  });

  it.each([
    { name: 'short of the evidence', bad: 50, e: 99, critical: true },
    { name: 'with fewer than 5 bad', bad: 4, e: 1e9, critical: true },
    { name: 'that is not critical', bad: 50, e: 1e9, critical: false },
  ])('does not stop a candidate $name', ({ bad, e, critical }) => {
    const n = bad === 4 ? 40 : 1000;
    const judged = judge({ ...errors, critical }, evidence([n, bad], [19_000, 190], { process: withE(e) }), settings);
    expect(judged.verdict).not.toBe('fail');
    expect(judged.verdict).not.toBe('pass');
  });

  it('does not stop a candidate whose increase, though certain, is within the margin', () => {
    const certain = evidence([1_000_000, 12_000], [1_000_000, 10_000], { process: withE(1e6) });
    expect(judge(errors, certain, settings).verdict).toBe('pass');
  });

  it('never seems to have what it falls short of, and says what is allowed also against the reference', () => {
    const said = (e: number, criticalGuardrails: number, more: Partial<GuardrailEvidence> = {}) =>
      judge(errors, evidence([5_000, 50], [95_000, 950], { process: withE(e), ...more }), {
        ...settings,
        criticalGuardrails,
      }).sentence;
    const wide = { candidate: { n: 5_000, bad: 70 } };
    expect(said(99.7, 1, wide)).toContain('E = 99, short of the 100 that stops');
    expect(said(199.8, 2, wide)).toContain('E = 199, short of the 200 that stops');
    expect(said(99.7, 2, wide)).toContain('E = 100, short of the 200 that stops');
    const reference = said(150, 1, { comparedWith: 'reference' });
    expect(reference).toContain('up 0.00 pp, allowed 0.50 pp; E = 150, past the 100 that stops a rollout: pass');
  });

  it('shares one chance of a false stop among all critical guardrails', () => {
    const strong = evidence([1000, 50], [19_000, 190], { process: withE(150) });
    expect(judge(errors, strong, { ...settings, criticalGuardrails: 2 })).toMatchObject({
      verdict: 'marginal',
      threshold: 200,
    });
  });

  it('fails early, before the samples that a pass needs', () => {
    const early = evidence([40, 20], [760, 8], { process: withE(1e5) });
    expect(judge(errors, early, settings).verdict).toBe('fail');
  });

  it('passes a good candidate and says how sure it is', () => {
    const judged = judge(errors, evidence([5000, 50], [95_000, 950]), settings);
    expect(judged.verdict).toBe('pass');
    expect(judged.upper).toBeLessThanOrEqual(judged.margin!);
    expect(judged.sentence).toBe(
      'errors: candidate 50 bad of 5,000 unit checks (1.00 %), baseline 950 of 95,000 (1.00 %); ' +
        'up 0.00 pp, at most 0.26 pp (95 % sure), allowed 0.50 pp: pass',
    );
  });

  it('holds a candidate that could still be worse than allowed', () => {
    expect(judge(errors, evidence([1200, 18], [22_800, 228]), settings).verdict).toBe('marginal');
  });

  it.each([
    { name: 'no traffic at all', counts: evidence([0, 0], [0, 0]), says: 'nothing to judge yet' },
    { name: 'no traffic on the candidate', counts: evidence([0, 0], [5000, 50]), says: 'nothing to judge yet' },
    { name: 'no baseline', counts: evidence([5000, 50], [0, 0]), says: 'there is no baseline to compare with' },
    { name: 'too few samples', counts: evidence([999, 10], [19_000, 190]), says: '999 of the 1,000 samples' },
    {
      name: 'no baseline and no earlier one',
      counts: evidence([5000, 5000], [0, 0], { comparedWith: 'reference', process: withE(1e9) }),
      says: 'a person must approve',
    },
  ])('is inconclusive with $name: never a pass, never a stop', ({ counts, says }) => {
    const judged = judge(errors, counts, settings);
    expect(judged.verdict).toBe('inconclusive');
    expect(judged.sentence).toContain(says);
  });

  it('passes a step without concurrent baseline on samples and no failure', () => {
    const bake = evidence([5000, 60], [50_000, 500], { comparedWith: 'reference' });
    expect(judge(errors, bake, settings)).toMatchObject({ verdict: 'pass' });
    expect(judge(errors, bake, { ...settings, minSamples: 6000 }).verdict).toBe('inconclusive');
    expect(judge(errors, { ...bake, process: withE(1e4), candidate: { n: 5000, bad: 250 } }, settings).verdict).toBe(
      'fail',
    );
  });

  it('is not fooled by an outage that raised the baseline of the whole rollout', () => {
    const afterOutage = evidence([20_000, 400], [190_000, 12_000], {
      process: withE(1e4),
      step: { candidate: { n: 15_000, bad: 300 }, baseline: { n: 45_000, bad: 450 } },
    });
    const judged = judge(errors, afterOutage, settings);
    expect(judged).toMatchObject({ verdict: 'fail', candidate: { n: 15_000, bad: 300 }, margin: 0.005 });
    expect(judged.sentence).toContain('in this step candidate 300 bad of 15,000');
    const weaker = judge(errors, { ...afterOutage, process: withE(2) }, settings);
    expect(weaker.verdict).toBe('marginal');
  });

  it('needs its samples in the step, not only in the rollout', () => {
    const young = evidence([50_000, 500], [50_000, 500], {
      step: { candidate: { n: 10, bad: 0 }, baseline: { n: 10, bad: 0 } },
    });
    expect(judge(errors, young, settings).verdict).toBe('inconclusive');
    const noBaseline = { ...young, step: { candidate: { n: 5000, bad: 50 }, baseline: { n: 0, bad: 0 } } };
    expect(judge(errors, noBaseline, settings).sentence).toContain('no baseline to compare with in this step');
  });

  it('keeps its numbers fit for JSON when the evidence passes all doubles', () => {
    const process: EProcess = { ll: startEProcess().ll.map(() => 5000), peakLogE: 5000 };
    const judged = judge(errors, evidence([1000, 900], [1000, 10], { process }), settings);
    expect(judged.e).toBe(Number.MAX_VALUE);
    expect(judged.sentence).toContain('over a million');
  });

  it('finds by itself the evidence that its ticks held', () => {
    let process = startEProcess();
    for (let i = 0; i < 5; i++) process = addConcurrentTick(process, { nc: 50, kc: 4, nb: 950, kb: 10 });
    expect(judge(errors, evidence([250, 20], [4750, 50], { process }), settings).verdict).toBe('fail');
  });
});

describe('the increase that is allowed', () => {
  it.each([
    { rule: { metric: 'errors' }, rate: 0.01, allowed: 0.005 },
    { rule: { metric: 'errors' }, rate: 0.1, allowed: 0.025 },
    { rule: { metric: 'rejected' }, rate: 0, allowed: 0.005 },
    { rule: { metric: 'slow' }, rate: 0.01, allowed: 0.02 },
    { rule: { metric: 'slow' }, rate: 0.2, allowed: 0.05 },
    { rule: { metric: 'errors', maxIncrease: 0.001 }, rate: 0.5, allowed: 0.001 },
    { rule: { metric: 'slow', maxIncrease: 0 }, rate: 0.5, allowed: 0 },
  ])('of $rule at a baseline of $rate is $allowed', ({ rule, rate, allowed }) => {
    expect(allowedIncrease(rule, rate)).toBeCloseTo(allowed, 12);
  });
});
