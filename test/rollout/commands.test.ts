import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/analysis/verdict.ts';
import type { Command, Input, Phase, RolloutState, Standing } from '../../src/rollout/state.ts';
import { phaseOf } from '../../src/rollout/state.ts';
import {
  canary,
  config,
  done,
  kindsOf,
  publishedBy,
  refusalOf,
  started,
  step,
  ticked,
  told,
  watched,
} from './world.ts';

const down = { ok: false, detail: 'GET /healthz answered 503' };
const up = { ok: true, detail: 'GET /healthz answered 200' };

/** A rollout in each phase; those that run are in the first of three steps, whose time is over at the next tick. */
function inPhase(phase: Phase): RolloutState {
  const busy = watched(started(), 'pass', 8_000).state;
  switch (phase) {
    case 'progressing':
      return busy;
    case 'paused':
      return done(told(busy, 'pause')).state;
    case 'awaiting-approval':
      return watched(started([step({ weight: 5, approval: true }), ...canary.slice(1)]), 'pass', 10_000).state;
    case 'promoted':
      return watched(started(), 'pass', 30_000).state;
    case 'completed':
      return watched(started([step({ shadow: 100 })]), 'pass', 10_000).state;
    case 'aborted':
      return ticked(started(), 'fail').state;
  }
}

const verdicts: Verdict[] = ['pass', 'fail', 'marginal', 'inconclusive'];

/** Phase and step after an input, or the refusal, for the verdicts pass, fail, marginal, inconclusive. */
const matrix: Record<'progressing' | 'paused' | 'awaiting-approval', Record<Input['kind'], string[]>> = {
  progressing: {
    tick: ['progressing 2', 'aborted 1', 'progressing 1', 'progressing 1'],
    promote: ['progressing 2', 'guardrail_fails', 'progressing 2', 'progressing 2'],
    pause: ['paused 1', 'paused 1', 'paused 1', 'paused 1'],
    resume: ['not_paused', 'not_paused', 'not_paused', 'not_paused'],
    abort: ['aborted 1', 'aborted 1', 'aborted 1', 'aborted 1'],
    rollback: ['aborted 1', 'aborted 1', 'aborted 1', 'aborted 1'],
  },
  paused: {
    tick: ['paused 1', 'aborted 1', 'paused 1', 'paused 1'],
    promote: ['progressing 2', 'guardrail_fails', 'progressing 2', 'progressing 2'],
    pause: ['already_paused', 'already_paused', 'already_paused', 'already_paused'],
    resume: ['progressing 1', 'progressing 1', 'progressing 1', 'progressing 1'],
    abort: ['aborted 1', 'aborted 1', 'aborted 1', 'aborted 1'],
    rollback: ['aborted 1', 'aborted 1', 'aborted 1', 'aborted 1'],
  },
  'awaiting-approval': {
    tick: ['awaiting-approval 1', 'aborted 1', 'awaiting-approval 1', 'awaiting-approval 1'],
    promote: ['progressing 2', 'guardrail_fails', 'progressing 2', 'progressing 2'],
    pause: ['paused 1', 'paused 1', 'paused 1', 'paused 1'],
    resume: ['not_paused', 'not_paused', 'not_paused', 'not_paused'],
    abort: ['aborted 1', 'aborted 1', 'aborted 1', 'aborted 1'],
    rollback: ['aborted 1', 'aborted 1', 'aborted 1', 'aborted 1'],
  },
};

function outcome(state: RolloutState, input: Input['kind'], verdict: Verdict): string {
  if (input === 'tick') {
    const { state: next } = ticked(state, verdict);
    return `${phaseOf(next)} ${next.step + 1}`;
  }
  const answer = told(state, input, verdict);
  return answer.ok ? `${phaseOf(answer.value.state)} ${answer.value.state.step + 1}` : answer.error.code;
}

describe.each(Object.entries(matrix))('a rollout that is %s', (phase, rows) => {
  it.each(Object.entries(rows))('answers %s by the verdict', (input, expected) => {
    const state = inPhase(phase as Phase);
    expect(phaseOf(state)).toBe(phase);
    expect(verdicts.map((verdict) => outcome(state, input as Input['kind'], verdict))).toEqual(expected);
  });
});

describe.each(['promoted', 'completed', 'aborted'] as const)('a rollout that is %s', (phase) => {
  it.each(verdicts)('never changes again, whatever is asked or seen: %s', (verdict) => {
    const state = inPhase(phase);
    expect(phaseOf(state)).toBe(phase);
    expect(ticked(state, verdict)).toEqual({ state, effects: [] });
    for (const kind of ['promote', 'pause', 'resume', 'abort', 'rollback'] as const) {
      expect(refusalOf(told(state, kind, verdict))).toBe('ended');
    }
  });
});

describe('a call', () => {
  it('is refused while weights are set by hand, whatever it asks', () => {
    for (const kind of ['promote', 'pause', 'resume', 'abort', 'rollback'] as const) {
      const answer = told(started(), kind, 'pass', { byHand: true });
      expect(refusalOf(answer)).toBe('manual');
      expect(answer.ok ? '' : answer.error.detail).toContain('weights set by hand');
    }
  });

  it('to go on is refused while the config is another one, and abort is not', () => {
    const changed = { ...config, variants: 'hash-2' };
    const paused = ticked(started(), 'pass', { config: changed }).state;
    expect(refusalOf(told(paused, 'resume', 'pass', { config: changed }))).toBe('variants_changed');
    expect(refusalOf(told(paused, 'promote', 'pass', { config: changed }))).toBe('variants_changed');
    const aborted = done(told(paused, 'abort', 'pass', { config: changed }));
    expect(publishedBy(aborted)).toMatchObject({ variants: 'hash-2', weights: { blue: 100, green: 0 } });
  });

  it('to resume after the config was changed back begins the step anew', () => {
    const busy = watched(started(), 'pass', 8_000).state;
    const paused = ticked(busy, 'pass', { config: { ...config, variants: 'hash-2' } }).state;
    const resumed = done(told(paused, 'resume')).state;
    expect([resumed.creditedMs, resumed.stepRun, resumed.step]).toEqual([0, busy.stepRun + 1, 0]);
  });

  it('to resume a step that was late gives it its longest time once more', () => {
    const late = watched(started(), 'marginal', 40_000).state;
    expect(late.pause?.cause).toBe('late');
    // Also where it was held for another reason since.
    const stuck = { ...late, pause: { ...late.pause!, cause: 'no-way-back' as const } };
    expect(phaseOf(watched(done(told(stuck, 'resume')).state, 'marginal', 38_000).state)).toBe('progressing');
    const resumed = done(told(late, 'resume')).state;
    expect(phaseOf(watched(resumed, 'marginal', 38_000).state)).toBe('progressing');
    expect(phaseOf(watched(resumed, 'marginal', 40_000).state)).toBe('paused');
    expect(ticked(resumed, 'pass').state.step).toBe(1);
  });

  it('to promote is written into split and history with the name of who did it', () => {
    const move = done(told(started(), 'promote'));
    expect(publishedBy(move)).toMatchObject({ by: 'ada', reason: 'step 2 of 3: promoted by ada: because' });
    expect(move.entry).toMatchObject({
      actor: 'ada',
      action: 'advanced',
      before: { phase: 'progressing', step: 1, steps: 3, weights: { blue: 95, green: 5 } },
      after: { phase: 'progressing', step: 2, steps: 3, weights: { blue: 50, green: 50 } },
    });
  });

  it('to promote the last step ends the rollout', () => {
    const last = done(told(done(told(started(), 'promote')).state, 'promote')).state;
    expect(last.split.weights).toEqual({ blue: 0, green: 100 });
    expect(phaseOf(done(told(last, 'promote')).state)).toBe('promoted');
    expect(phaseOf(done(told(started('shadow'), 'promote')).state)).toBe('completed');
  });

  it('to promote waits for the health of the candidate, and is refused when it is bad', () => {
    const state = { ...started(), probed: ['green'] };
    const asked = done(told(state, 'promote'));
    expect(asked).toEqual({ state, effects: [{ kind: 'probe', variant: 'green' }] });
    expect(refusalOf(told(state, 'promote', 'pass', { health: { green: down } }))).toBe('unhealthy');
    expect(done(told(state, 'promote', 'pass', { health: { green: up } })).state.step).toBe(1);
  });

  it('to abort waits for nothing and returns all traffic to the baseline', () => {
    const bake = { ...watched(started(), 'pass', 20_000).state, probed: ['blue', 'green'] };
    const move = done(told(bake, 'abort'));
    expect(kindsOf(move.effects)).toEqual(['publish', 'webhook']);
    expect(publishedBy(move)).toMatchObject({ weights: { blue: 100, green: 0 }, by: 'ada', reason: 'because' });
  });

  it('to abort a blue-green switch is the instant way back', () => {
    const switched = done(told(started('blue-green'), 'promote')).state;
    expect(switched.split.weights).toEqual({ blue: 0, green: 100 });
    expect(publishedBy(done(told(switched, 'abort')))?.weights).toEqual({ blue: 100, green: 0 });
  });
});

describe('a rollback', () => {
  const target: Standing = {
    revision: 3,
    weights: { blue: 90, green: 10 },
    shadows: {},
    baseline: 'blue',
    salt: 'old',
  };
  const rollback: Command = { kind: 'rollback', actor: 'ada', reason: 'back', target };

  it('ends the rollout with that split in force', () => {
    const move = done(told(started(), rollback));
    expect([phaseOf(move.state), move.entry?.action]).toEqual(['aborted', 'rolled-back']);
    expect(publishedBy(move)).toMatchObject({ weights: { blue: 90, green: 10 }, salt: 'old', rollout: null });
  });

  it('asks for the health of variants that serve nobody, unless forced', () => {
    const bake = { ...watched(started(), 'pass', 20_000).state, probed: ['blue', 'green'] };
    expect(done(told(bake, rollback)).effects).toEqual([{ kind: 'probe', variant: 'blue' }]);
    expect(refusalOf(told(bake, rollback, 'pass', { health: { blue: down } }))).toBe('unhealthy');
    const forced: Command = { ...rollback, force: true };
    expect(phaseOf(done(told(bake, forced, 'pass', { health: { blue: down } })).state)).toBe('aborted');
  });
});
