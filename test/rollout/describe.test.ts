import { describe, expect, it } from 'vitest';
import type { PlanStep } from '../../src/config/types.ts';
import { describeRollout } from '../../src/rollout/describe.ts';
import type { StartRequest } from '../../src/rollout/start.ts';
import { done, judged, started, T0, ticked, told, watched } from './world.ts';

describe('the status of a rollout', () => {
  it('says step, weight, verdicts, what it waits for and when time decides next', () => {
    const state = watched(started(), 'inconclusive', 4_000).state;
    const status = describeRollout(state, [judged('inconclusive'), judged('pass', 'rejected')], T0 + 4_000);
    expect(status).toMatchObject({
      id: 'r-20261123-1',
      to: 'green',
      phase: 'progressing',
      step: 1,
      steps: 3,
      weight: 5,
      since: '2026-11-23T10:00:00.000Z',
      waitsFor: "6 s more of the step's 10 s; errors: inconclusive; rejected: inconclusive",
      nextAt: '2026-11-23T10:00:10.000Z',
      nextIs: 'weight 50 % (step 2 of 3) if the guardrails pass',
      reason: 'step 1 of 3: release 2.3',
      startedBy: 'ada',
    });
    expect(status.guardrails).toMatchObject([
      { metric: 'errors', verdict: 'inconclusive', critical: true, required: true, e: 0.5, threshold: 200 },
      { metric: 'rejected', verdict: 'pass' },
    ]);
  });

  it('names the pause that is near once the time of a step is over', () => {
    const state = watched(started(), 'marginal', 20_000).state;
    expect(describeRollout(state, [], T0 + 20_000)).toMatchObject({
      nextAt: '2026-11-23T10:00:40.000Z',
      nextIs: 'weight 50 % (step 2 of 3) if it passes before, else paused',
    });
  });

  const free = { guardrails: [] };
  const bare = { forMs: 10_000, minSamples: 1, approval: false, experiment: false };
  it.each<[string, string, string | PlanStep[], Partial<StartRequest>?]>([
    ['a person decides', 'weight 100 % (step 2 of 2) when a person promotes it', 'blue-green'],
    ['the plan ends', 'promoted: green is the baseline, if the guardrails pass', [{ ...bare, weight: 100 }]],
    ['it only mirrors', 'completed: traffic as it was before, if the guardrails pass', [{ ...bare, shadow: 100 }]],
    [
      'the mirror goes',
      'mirror 0 %, weight 5 % (step 2 of 2) if the guardrails pass',
      [
        { ...bare, shadow: 100 },
        { ...bare, shadow: 0, weight: 5 },
      ],
    ],
    [
      'a person is asked after a while',
      'a person is asked (then weight 50 % (step 2 of 2)) if the guardrails pass',
      [
        { ...bare, weight: 5, approval: true },
        { ...bare, weight: 50 },
      ],
    ],
    [
      'an experiment decides',
      'promoted: green is the baseline, if the guardrails pass and the experiment decides for it',
      [{ ...bare, weight: 50, experiment: true }],
    ],
    ['nothing is required', 'promoted: green is the baseline, if no guardrail fails', [{ ...bare, weight: 50 }], free],
  ])('says what comes next where %s', (_, nextIs, plan, changes) => {
    expect(describeRollout(started(plan, changes), [], T0).nextIs).toBe(nextIs);
  });

  it('says what comes next once it goes on', () => {
    const status = describeRollout(done(told(started(), 'pause')).state, [], T0);
    expect(status).toMatchObject({ nextAt: null, nextIs: 'weight 50 % (step 2 of 3) once it goes on and passes' });
  });

  it.each([
    ['before the first look', () => started(), 'its first look at the evidence'],
    [
      'for approval',
      () => started('blue-green'),
      'a person to promote it (headgate rollout promote detect) or to abort it',
    ],
    ['while paused', () => done(told(started(), 'pause')).state, 'a person to resume, promote or abort it: because'],
    [
      'while weights are set by hand',
      () => ticked(started(), 'pass', { byHand: true }).state,
      'the weights set by hand to go (headgate manual clear detect)',
    ],
  ])('says what it waits for %s', (_, make, waitsFor) => {
    expect(describeRollout(make(), [], T0).waitsFor).toBe(waitsFor);
  });

  it('waits for nothing, at no time, when it has ended', () => {
    const status = describeRollout(ticked(started(), 'fail').state, [], T0);
    expect(status).toMatchObject({
      phase: 'aborted',
      waitsFor: null,
      nextAt: null,
      nextIs: null,
      reason: 'errors: fail',
      weight: 0,
    });
  });

  it('tells webhooks in one sentence for people', () => {
    const webhook = ticked(started(), 'fail').effects.find((effect) => effect.kind === 'webhook');
    expect(webhook?.kind === 'webhook' && webhook.event.text).toBe(
      'detect: rollout r-20261123-1 to green aborted at 0 % by controller: errors: fail',
    );
  });
});
