import { describe, expect, it } from 'vitest';
import { describeRollout } from '../../src/rollout/describe.ts';
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
    expect(describeRollout(state, [], T0 + 20_000).nextAt).toBe('2026-11-23T10:00:40.000Z');
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
      () => ticked(started(), 'pass', { manual: true }).state,
      'the weights set by hand to go (headgate manual clear detect)',
    ],
  ])('says what it waits for %s', (_, make, waitsFor) => {
    expect(describeRollout(make(), [], T0).waitsFor).toBe(waitsFor);
  });

  it('waits for nothing, at no time, when it has ended', () => {
    const status = describeRollout(ticked(started(), 'fail').state, [], T0);
    expect(status).toMatchObject({ phase: 'aborted', waitsFor: null, nextAt: null, reason: 'errors: fail', weight: 0 });
  });

  it('tells webhooks in one sentence for people', () => {
    const webhook = ticked(started(), 'fail').effects.find((effect) => effect.kind === 'webhook');
    expect(webhook?.kind === 'webhook' && webhook.event.text).toBe(
      'detect: rollout r-20261123-1 to green aborted at 0 % by controller: errors: fail',
    );
  });
});
