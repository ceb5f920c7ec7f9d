import { describe, expect, it } from 'vitest';
import { defaultGuardrails } from '../../src/config/normalise/trial.ts';
import { noiseWarnings, planWarnings, type Traffic, takenWarnings } from '../../src/rollout/warnings.ts';
import { before, compiled } from './world.ts';

const busy: Traffic = { requestsPerTick: 8_000, baselineRates: [0.01, 0.01] };
const byRequest = defaultGuardrails.map((guardrail) => ({ ...guardrail, per: 'request' as const }));

describe('warnings at the start', () => {
  it('are none where every step reaches its evidence in time', () => {
    expect(planWarnings(compiled('canary'), byRequest, busy)).toEqual([]);
  });

  it('name the steps that are too slow at the present traffic, and the time they would need', () => {
    const quiet: Traffic = { requestsPerTick: 80, baselineRates: [0.01, 0.01] };
    const said = planWarnings(compiled('canary'), defaultGuardrails, quiet);
    expect(said[0]).toMatch(
      /^step 1 of 4: errors, rejected at 5 %: its bound needs about [\d,]+ trials of the candidate, \d+ min/,
    );
    expect(said.some((sentence) => sentence.startsWith('step 3 of 4'))).toBe(false);
  });

  it('say once a step what is true of several guardrails', () => {
    const sparse: Traffic = { requestsPerTick: 1, baselineRates: [0, 0] };
    const said = planWarnings(compiled('canary'), byRequest, sparse);
    expect(said.map((sentence) => sentence.split(' at ')[0])).toEqual(
      [1, 2, 3, 4].map((step) => `step ${step} of 4: errors, rejected`),
    );
    expect(planWarnings(compiled('canary'), [byRequest[0]!, ...byRequest], sparse)).toEqual(said);
    const apart = planWarnings(compiled('canary'), byRequest, { ...sparse, baselineRates: [0.01, 0.2] });
    expect(apart.slice(0, 2)).toEqual([
      expect.stringMatching(/^step 1 of 4: errors at 5 %: its bound/),
      expect.stringMatching(/^step 1 of 4: rejected at 5 %: its minimum/),
    ]);
  });

  it('ask no bound of a guardrail that no step waits for', () => {
    const small: Traffic = { requestsPerTick: 400, baselineRates: [0, 0.01] };
    const [required, watched] = byRequest;
    const guardrails = [
      { ...required!, maxIncrease: 0.05 },
      { ...watched!, required: false },
    ];
    expect(planWarnings(compiled('canary'), guardrails, small)).toEqual([]);
    const samples = planWarnings(compiled('canary'), guardrails.slice(1), { ...small, requestsPerTick: 80 });
    expect(samples).toEqual([expect.stringMatching(/^step 1 of 4: rejected at 5 %: its minimum needs about 1,000 /)]);
  });

  it('say once how few clients are too few to find anything where units are counted, and the remedy', () => {
    expect(planWarnings(compiled('canary'), defaultGuardrails, busy)).toEqual([
      'step 1 of 4: counted by unit it can find nothing with fewer than 100 clients: then take a larger weight, ' +
        'or "per": "request" where requests fail independently',
    ]);
    expect(planWarnings(compiled('blue-green'), defaultGuardrails, busy)).toEqual([]);
  });

  it('say that a plan does not end with all the traffic, whether there is any or not', () => {
    const [step] = compiled('canary');
    const short = [5, 20].map((weight) => ({ ...step!, weight, forMs: 0 }));
    const said = 'the plan ends at 20 %, and promotion would then move the rest at once';
    expect(planWarnings(short, byRequest, busy)).toEqual([said]);
    expect(planWarnings(short, byRequest, { ...busy, requestsPerTick: 0 })[0]).toBe(said);
  });

  it('say once that there is no traffic', () => {
    const none: Traffic = { requestsPerTick: 0, baselineRates: [] };
    expect(planWarnings(compiled('canary'), defaultGuardrails, none)).toEqual([
      expect.stringContaining('no traffic yet'),
    ]);
  });

  it('do not reckon with mirrors and previews', () => {
    const quiet: Traffic = { requestsPerTick: 1, baselineRates: [0, 0] };
    expect(planWarnings(compiled('shadow'), defaultGuardrails, quiet)).toEqual([]);
  });

  it('say that mismatch has nothing to be held against where the shadow repeats nothing', () => {
    const mismatch = [{ ...defaultGuardrails[0]!, metric: 'mismatch' }];
    const mirrored = { ...before, shadows: { green: 5 } };
    const said = (guardrails: typeof defaultGuardrails, shadow: { repeat: number } | undefined) =>
      noiseWarnings(guardrails, shadow, mirrored, 'green', compiled('canary'));
    expect(said(mismatch, { repeat: 0 })).toEqual([expect.stringContaining('mismatch waits for ever')]);
    expect(said(mismatch, { repeat: 1 })).toEqual([]);
    expect(said(mismatch, undefined)).toEqual([]);
    expect(said(defaultGuardrails, { repeat: 0 })).toEqual([]);
  });

  it('say that mismatch judges nothing where no step mirrors', () => {
    const mismatch = [{ ...defaultGuardrails[0]!, metric: 'mismatch' }];
    const said = (shadows: Record<string, number>, plan: string, guardrails: typeof defaultGuardrails = mismatch) =>
      noiseWarnings(guardrails, { repeat: 10 }, { ...before, shadows }, 'green', compiled(plan));
    const nothing = ['mismatch judges nothing: no step mirrors to green'];
    expect(said({}, 'canary')).toEqual(nothing);
    expect(said({ red: 50 }, 'canary')).toEqual(nothing);
    expect(said({ green: 50 }, 'canary')).toEqual([]);
    expect(said({}, 'shadow-canary')).toEqual([]);
    expect(said({}, 'canary', defaultGuardrails)).toEqual([]);
  });

  it('name third variants whose traffic the rollout takes', () => {
    const shared = { ...before, weights: { blue: 70, green: 0, red: 30 } };
    expect(takenWarnings(shared, 'green', compiled('canary'))).toEqual([
      expect.stringContaining('red serves 30 % now'),
    ]);
    expect(takenWarnings(shared, 'green', compiled('shadow'))).toEqual([]);
  });

  it('say what the candidate itself loses, where it has been switched to before', () => {
    const switched = { ...before, weights: { blue: 0, green: 100 } };
    expect(takenWarnings(switched, 'green', compiled('shadow-canary'))).toEqual([
      'green serves 100 % now and gets 5 % from the rollout on',
    ]);
    expect(takenWarnings({ ...before, weights: { blue: 95, green: 5 } }, 'green', compiled('canary'))).toEqual([]);
  });
});
