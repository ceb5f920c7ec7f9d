import { describe, expect, it } from 'vitest';
import { newcombeUpper } from '../../src/analysis/proportions.ts';
import { type StepTraffic, stepReach, trialsForBound } from '../../src/analysis/reach.ts';

const step: StepTraffic = {
  metric: 'errors',
  share: 0.05,
  trialsPerTick: 1000,
  tickMs: 10_000,
  baselineRate: 0.01,
  margin: 0.005,
  minSamples: 1000,
  forMs: 600_000,
  maxForMs: 2_400_000,
};

describe('the warning at the start of a step', () => {
  it('knows that a 1 % error rate needs about 2,000 trials of a 5 % canary', () => {
    const trials = trialsForBound(step);
    expect(trials).toBeGreaterThan(1500);
    expect(trials).toBeLessThan(2500);
    const at = (n: number) => newcombeUpper({ n: 19 * n, bad: 0.19 * n }, { n, bad: 0.01 * n });
    expect(at(trials)).toBeLessThanOrEqual(0.005);
    expect(at(trials - 2)).toBeGreaterThan(0.005);
  });

  it('is silent where the traffic suffices', () => {
    expect(stepReach(step)).toMatchObject({ warning: null });
  });

  it('says how long a slow service needs, and that a larger weight is faster', () => {
    const reach = stepReach({ ...step, trialsPerTick: 200 });
    expect(reach.neededMs).toBeCloseTo((reach.neededTrials / 10) * 10_000, 3);
    expect(reach.warning).toMatch(/^errors at 5 %: its bound needs about 1,\d{3} trials of the candidate, \d+ min/);
    expect(reach.warning).toContain('not 10 min; the step will last that long. A larger weight is faster.');
  });

  it('says when the step will pause instead', () => {
    const reach = stepReach({ ...step, trialsPerTick: 20 });
    expect(reach.warning).toContain('it pauses after 40 min');
  });

  it.each([
    { name: 'no traffic', change: { trialsPerTick: 0 } },
    { name: 'a share of nothing', change: { share: 0 } },
    { name: 'a margin of nothing', change: { margin: 0 } },
  ])('says that $name can never pass', ({ change }) => {
    const reach = stepReach({ ...step, ...change });
    expect(reach).toMatchObject({ neededMs: Number.POSITIVE_INFINITY });
    expect(reach.warning).toContain('too little traffic to ever pass');
  });

  it('asks a step of all the traffic for its samples only', () => {
    expect(stepReach({ ...step, share: 1 })).toMatchObject({ neededTrials: 1000, warning: null });
    const { warning } = stepReach({ ...step, share: 1, trialsPerTick: 10 });
    expect(warning).toMatch(
      /^errors at 100 %: its minimum needs about 1,000 trials .*; the step will last that long\.$/,
    );
  });
});
