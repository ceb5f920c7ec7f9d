import { describe, expect, it } from 'vitest';
import { advance } from '../../src/rollout/advance.ts';
import { lookAfterMs } from '../../src/rollout/moves.ts';
import { phaseOf } from '../../src/rollout/state.ts';
import { MAX_CREDIT_MS } from '../../src/rollout/tick.ts';
import {
  canary,
  config,
  done,
  evidence,
  judged,
  kindsOf,
  publishedBy,
  seen,
  started,
  step,
  T0,
  ticked,
  told,
  watched,
} from './world.ts';

const down = { ok: false, detail: 'GET /healthz answered 503' };
const up = { ok: true, detail: 'GET /healthz answered 200' };

describe('a step', () => {
  it('passes on time, samples and verdicts, and tells why in the split', () => {
    const { state, effects, entry } = watched(started(), 'pass', 10_000);
    expect(state.step).toBe(1);
    expect(publishedBy({ state, effects })).toMatchObject({
      weights: { blue: 50, green: 50 },
      reason: 'step 2 of 3: errors 0.90 % vs 1.00 %, pass; rejected 0.90 % vs 1.00 %, pass',
      by: 'controller',
    });
    expect(entry).toMatchObject({ action: 'advanced', evidence: ['errors: pass', 'rejected: pass'] });
    expect(kindsOf(effects)).toEqual(['publish', 'webhook']);
  });

  it('does not pass before its time, however good the evidence', () => {
    expect(watched(started(), 'pass', 8_000).state.step).toBe(0);
  });

  it('does not pass with fewer samples than it needs', () => {
    const state = watched(started(), 'pass', 8_000).state;
    for (const live of [99, 0, Number.NaN]) {
      const { state: next } = ticked(state, 'pass', { evidenceChanges: { samples: { live, compared: 1000 } } });
      expect(next.step).toBe(0);
    }
    const few = ticked(state, 'pass', { evidenceChanges: { samples: { live: 99, compared: 0 } } }).state;
    expect(few.waiting).toEqual(['99 of 100 samples']);
  });

  it('does not pass when one required guardrail has no verdict', () => {
    const state = watched(started(), 'pass', 8_000).state;
    const next = ticked(state, null, { evidenceChanges: { judgements: [judged('pass')] } }).state;
    expect(next.step).toBe(0);
    expect(next.waiting).toEqual(['rejected: no verdict yet']);
  });

  it('does not wait for a guardrail that is not required', () => {
    const guardrails = [
      { metric: 'errors', critical: true, required: true, per: 'unit' as const },
      { metric: 'outcome:helpful', critical: true, required: false, per: 'unit' as const },
    ];
    const state = watched(started(canary, { guardrails }), 'pass', 8_000).state;
    const judgements = [judged('pass'), judged('inconclusive', 'outcome:helpful')];
    expect(ticked(state, null, { evidenceChanges: { judgements } }).state.step).toBe(1);
  });

  it.each(['marginal', 'inconclusive'] as const)(
    'holds on %s evidence, then pauses after its longest time',
    (verdict) => {
      const held = watched(started(), verdict, 38_000);
      expect([phaseOf(held.state), held.state.step]).toEqual(['progressing', 0]);
      expect(held.state.waiting).toEqual([`errors: ${verdict}`, `rejected: ${verdict}`]);
      const over = ticked(held.state, verdict);
      expect(phaseOf(over.state)).toBe('paused');
      expect(over.entry?.reason).toBe(`step 1 of 3 did not pass in 40 s: errors: ${verdict}; rejected: ${verdict}`);
      expect(publishedBy(over)).toBeNull();
    },
  );

  it('says the longest time of the step, also where it looked a second later', () => {
    const held = { ...watched(started(), 'marginal', 38_000).state, limitMs: 480_000, creditedMs: 481_000 };
    expect(ticked(held, 'marginal').entry?.reason).toContain('did not pass in 8 min: ');
  });

  it('of no time passes as soon as it has its samples and verdicts, and waits for them without an end', () => {
    const hurried = started([step({ weight: 5, forMs: 0, maxForMs: undefined, minSamples: 0 }), step({ weight: 100 })]);
    const waiting = watched(hurried, 'inconclusive', 500_000).state;
    expect([phaseOf(waiting), waiting.step]).toEqual(['progressing', 0]);
    expect(ticked(waiting, 'pass', { evidenceChanges: { samples: { live: 0, compared: 0 } } }).state.step).toBe(1);
  });

  it('without traffic is never promoted and never aborted', () => {
    let state = started();
    for (let i = 0; i < 100; i++) {
      state = ticked(state, null, { evidenceChanges: { samples: { live: 0, compared: 0 } } }).state;
    }
    expect([phaseOf(state), state.step, state.pause?.cause]).toEqual(['paused', 0, 'late']);
  });

  it('with approval asks a person once everything else is there', () => {
    const plan = [step({ weight: 5, approval: true }), step({ weight: 100 })];
    const waiting = watched(started(plan), 'pass', 10_000);
    expect(phaseOf(waiting.state)).toBe('awaiting-approval');
    expect(waiting.entry?.action).toBe('awaiting-approval');
    expect(phaseOf(watched(waiting.state, 'pass', 100_000).state)).toBe('awaiting-approval');
    expect(done(told(waiting.state, 'promote')).state.step).toBe(1);
  });
});

describe('the last step', () => {
  it('is the bake: after it the candidate is the baseline, in split and config', () => {
    const bake = watched(started(), 'pass', 20_000).state;
    expect(bake.split.weights).toEqual({ blue: 0, green: 100 });
    expect(bake.split.baseline).toBe('blue');
    const end = watched(bake, 'pass', 10_000);
    expect(phaseOf(end.state)).toBe('promoted');
    expect(kindsOf(end.effects)).toEqual(['publish', 'config', 'webhook']);
    expect(publishedBy(end)).toMatchObject({ weights: { blue: 0, green: 100 }, baseline: 'green', rollout: null });
    expect(end.effects[1]).toMatchObject({
      baseline: 'green',
      weights: { blue: 0, green: 100 },
    });
  });

  it('needs approval when there is no baseline, now or earlier, to judge it by', () => {
    const state = done(told(started('blue-green'), 'promote')).state;
    const judgements = state.guardrails.map(({ metric }) => judged('inconclusive', metric));
    let move = { state, effects: [] } as ReturnType<typeof ticked>;
    for (let i = 0; i < 300; i++) {
      move = ticked(move.state, null, { evidenceChanges: { reference: false, judgements } });
    }
    expect(phaseOf(move.state)).toBe('awaiting-approval');
    expect(move.state.reason).toBe('there is no baseline to compare with, so a person must approve');
  });

  it('needs approval without a baseline also where no guardrail is required', () => {
    const guardrails = [{ metric: 'errors', critical: true, required: false, per: 'unit' as const }];
    const state = watched(started([step({ weight: 100 })], { guardrails }), 'inconclusive', 8_000).state;
    const next = ticked(state, 'inconclusive', { evidenceChanges: { reference: false } }).state;
    expect(phaseOf(next)).toBe('awaiting-approval');
  });

  it('below full traffic moves the rest when it passes', () => {
    const end = watched(started([step({ weight: 5 })]), 'pass', 10_000);
    expect(publishedBy(end)?.weights).toEqual({ blue: 0, green: 100 });
  });
});

describe('a mirroring step', () => {
  it('waits for compared pairs, and for no guardrail of live traffic', () => {
    const state = watched(started('shadow'), 'inconclusive', 598_000).state;
    const few = ticked(state, 'inconclusive', { evidenceChanges: { samples: { live: 0, compared: 999 } } }).state;
    expect(few.waiting).toEqual(['999 of 1,000 compared pairs']);
    const end = ticked(state, 'inconclusive', { evidenceChanges: { samples: { live: 0, compared: 1000 } } });
    expect(phaseOf(end.state)).toBe('completed');
    expect(publishedBy(end)).toMatchObject({
      weights: { blue: 100, green: 0 },
      shadows: {},
      rollout: null,
      baseline: 'blue',
    });
    expect(kindsOf(end.effects)).not.toContain('config');
  });

  it('needs a required mismatch guardrail to pass, which later steps without a mirror do not ask for', () => {
    const guardrails = [
      { metric: 'errors', critical: true, required: true, per: 'unit' as const },
      { metric: 'mismatch', critical: true, required: true, per: 'request' as const },
    ];
    const plan = [step({ shadow: 100 }), step({ shadow: 0, weight: 50 }), step({ weight: 100 })];
    const state = watched(started(plan, { guardrails }), 'inconclusive', 10_000).state;
    expect(state.waiting).toEqual(['mismatch: inconclusive']);
    const mirrored = ticked(state, null, {
      evidenceChanges: { judgements: [judged('inconclusive'), judged('pass', 'mismatch')] },
    });
    expect(mirrored.state.step).toBe(1);
    const judgements = [judged('pass'), judged('inconclusive', 'mismatch')];
    const live = watched(mirrored.state, null, 8_000).state;
    expect(ticked(live, null, { evidenceChanges: { judgements } }).state.step).toBe(2);
  });

  it('needs it with all the traffic too while the mirror goes on: the baseline answers the copies then', () => {
    const guardrails = [
      { metric: 'errors', critical: true, required: true, per: 'unit' as const },
      { metric: 'mismatch', critical: false, required: true, per: 'request' as const },
    ];
    const pass = { judgements: [judged('pass'), judged('pass', 'mismatch')] };
    const first = watched(
      started([step({ shadow: 100, weight: 50 }), step({ weight: 100 })], { guardrails }),
      null,
      8_000,
    );
    const full = watched(ticked(first.state, null, { evidenceChanges: pass }).state, null, 8_000).state;
    expect(full.step).toBe(1);
    const judgements = [judged('pass'), judged('marginal', 'mismatch')];
    const held = ticked(full, null, { evidenceChanges: { judgements } });
    expect([phaseOf(held.state), held.state.waiting]).toEqual(['progressing', ['mismatch: marginal']]);
    expect(phaseOf(ticked(held.state, null, { evidenceChanges: pass }).state)).toBe('promoted');
  });
});

describe('a step with an experiment', () => {
  const plan = [step({ weight: 50, experiment: true, forMs: 0, maxForMs: undefined }), step({ weight: 100 })];

  it('goes on only when its experiment says go', () => {
    const state = watched(started(plan), 'pass', 60_000).state;
    expect([phaseOf(state), state.step]).toEqual(['progressing', 0]);
    const wait = { verdict: 'wait' as const, sentence: '62 % of the planned units' };
    const waiting = ticked(state, 'pass', { evidenceChanges: { experiment: wait } }).state;
    expect(waiting.waiting).toEqual(['62 % of the planned units']);
    const go = { verdict: 'go' as const, sentence: 'helpful is not worse' };
    expect(ticked(waiting, 'pass', { evidenceChanges: { experiment: go } }).state.step).toBe(1);
    expect(ticked(waiting, 'marginal', { evidenceChanges: { experiment: go } }).state.step).toBe(0);
  });

  it('tells in the split and the history on what it went on', () => {
    const go = { verdict: 'go' as const, sentence: 'helpful: green is better, 2.10 pp' };
    const move = ticked(started(plan, { experiment: 'e' }), 'pass', { evidenceChanges: { experiment: go } });
    expect(move.entry?.reason).toContain('step 2 of 2: errors 0.90 % vs 1.00 %, pass');
    expect(move.entry?.reason).toContain('helpful: green is better, 2.10 pp');
  });

  it('deals people anew under the id of the experiment, and no later step moves them', () => {
    const ramp = [step({ weight: 5 }), plan[0]!, step({ weight: 80 }), step({ weight: 100 })];
    const first = started(ramp, { experiment: 'e-1' });
    expect(first.split).toMatchObject({ salt: 'r-20261123-1' });
    expect(first.split.experiment).toBeUndefined();
    const carrying = done(told(first, 'promote'));
    expect(publishedBy(carrying)).toMatchObject({ salt: 'e-1', experiment: 'e-1', rollout: 'r-20261123-1' });
    const after = done(told(carrying.state, 'promote'));
    expect(publishedBy(after)).toMatchObject({ salt: 'e-1', weights: { green: 80 } });
    expect(publishedBy(after)!.experiment).toBeUndefined();
  });

  it('passes on nothing that an earlier run of it was told, nor without an answer, however long it waits', () => {
    const go = { verdict: 'go' as const, sentence: 'helpful is not worse' };
    const state = started(plan, { experiment: 'e' });
    const stale = ticked(state, 'pass', { evidenceChanges: { experiment: go, stepRun: state.stepRun - 1 } }).state;
    expect(stale.step).toBe(0);
    const alone = watched(state, 'pass', 3_600_000).state;
    expect([phaseOf(alone), alone.step, alone.waiting]).toEqual([
      'progressing',
      0,
      ['its experiment has not decided yet'],
    ]);
  });

  it('waits for its own time and samples and every required guardrail too', () => {
    const slow = [step({ weight: 50, experiment: true }), step({ weight: 100 })];
    const evidenceChanges = { experiment: { verdict: 'go' as const, sentence: 'helpful is not worse' } };
    const state = ticked(started(slow), 'pass', { evidenceChanges }).state;
    expect([state.step, state.waiting]).toEqual([0, ["8 s more of the step's 10 s"]]);
    const few = { ...evidenceChanges, samples: { live: 12, compared: 0 } };
    expect(ticked(started(plan), 'pass', { evidenceChanges: few }).state.waiting).toEqual(['12 of 100 samples']);
    expect(ticked(started(plan), 'inconclusive', { evidenceChanges }).state.step).toBe(0);
  });

  it('is aborted by a critical guardrail, whatever the experiment says', () => {
    const evidenceChanges = { experiment: { verdict: 'go' as const, sentence: 'helpful is better' } };
    expect(phaseOf(ticked(started(plan), 'fail', { evidenceChanges }).state)).toBe('aborted');
  });

  it('asks for a person where it needs approval too', () => {
    const evidenceChanges = { experiment: { verdict: 'go' as const, sentence: 'helpful is better' } };
    const approved = [{ ...plan[0]!, approval: true }, plan[1]!];
    expect(phaseOf(ticked(started(approved), 'pass', { evidenceChanges }).state)).toBe('awaiting-approval');
  });

  it('pauses when its experiment finds the candidate worse, and again after a resume; a person may go on', () => {
    const stop = { verdict: 'stop' as const, sentence: 'helpful is worse by 3 points' };
    const { state } = ticked(started(plan), 'pass', { evidenceChanges: { experiment: stop } });
    expect([phaseOf(state), state.pause?.cause, state.reason]).toEqual(['paused', 'experiment', stop.sentence]);
    const resumed = done(told(state, 'resume')).state;
    expect(phaseOf(ticked(resumed, 'pass', { evidenceChanges: { experiment: stop } }).state)).toBe('paused');
    expect(done(told(state, 'promote')).state.step).toBe(1);
  });
});

describe('weights set by hand', () => {
  it('hold what isolates serve by them and the controller does not see, but for a failure', () => {
    const state = watched(started(), 'pass', 8_000).state;
    const told = watched(state, 'pass', 60_000, { isByHandElsewhere: true });
    expect([phaseOf(told.state), told.state.step, told.state.creditedMs]).toEqual(['progressing', 0, state.creditedMs]);
    expect(told.state.waiting).toEqual(['some isolates: weights set by hand']);
    expect(watched(told.state, 'pass', 4_000).state.step).toBe(1);
    expect(phaseOf(ticked(told.state, 'fail', { isByHandElsewhere: true }).state)).toBe('aborted');
  });

  it('hold a rollout while they are there; then the step begins anew', () => {
    const busy = watched(started(), 'pass', 8_000).state;
    const held = ticked(busy, 'pass', { byHand: true });
    expect([phaseOf(held.state), held.state.reason]).toEqual(['paused', 'weights set by hand']);
    expect(held.entry).toMatchObject({ action: 'paused', reason: 'weights set by hand' });
    const long = watched(held.state, 'pass', 100_000, { byHand: true });
    expect([phaseOf(long.state), long.entry]).toEqual(['paused', undefined]);
    const freed = ticked(long.state, 'pass');
    expect([phaseOf(freed.state), freed.state.step, freed.state.creditedMs]).toEqual(['progressing', 0, 0]);
    expect(freed.state.stepRun).toBe(busy.stepRun + 1);
    expect(freed.entry?.action).toBe('resumed');
  });

  it('leave a rollout that a person had paused paused', () => {
    const paused = done(told(started(), 'pause')).state;
    const held = ticked(paused, 'pass', { byHand: true }).state;
    const freed = ticked(held, 'pass').state;
    expect([phaseOf(freed), freed.reason]).toEqual(['paused', 'because']);
  });

  it('leave a rollout that awaited approval awaiting it', () => {
    const held = ticked(started('blue-green'), 'pass', { byHand: true }).state;
    expect(phaseOf(held)).toBe('paused');
    expect(phaseOf(ticked(held, 'pass').state)).toBe('awaiting-approval');
  });
});

describe('a config that changes underneath', () => {
  it.each([
    ['its variants', { ...config, variants: 'hash-2' }, 'changed its variants'],
    ['its baseline', { ...config, baseline: 'green' }, 'its baseline to green'],
    ['the whole route', null, 'no route detect any more'],
  ])('pauses the rollout: %s', (_, changed, said) => {
    const { state, entry } = ticked(started(), 'pass', { config: changed });
    expect([phaseOf(state), state.pause?.cause]).toEqual(['paused', 'config']);
    expect(entry?.reason).toContain(said);
    const again = ticked(state, 'pass', { config: changed });
    expect(again.entry).toBeUndefined();
  });

  it('still lets a failing guardrail take traffic back, to a split that the new config serves', () => {
    const names = ['blue', 'red'];
    const move = ticked(started(), 'fail', { config: { variants: 'hash-2', names, baseline: 'red' } });
    expect(publishedBy(move)).toMatchObject({ weights: { blue: 100, red: 0 }, baseline: 'blue', variants: 'hash-2' });
  });

  it('that lost the baseline sends traffic to its own', () => {
    const names = ['green', 'red'];
    const move = ticked(started(), 'fail', { config: { variants: 'hash-2', names, baseline: 'red' } });
    expect(publishedBy(move)).toMatchObject({ weights: { green: 0, red: 100 }, baseline: 'red' });
  });
});

describe('a critical guardrail that fails', () => {
  it('takes all traffic back at once, with the verdict as reason', () => {
    const move = ticked(started(), 'fail');
    expect(phaseOf(move.state)).toBe('aborted');
    expect(publishedBy(move)).toMatchObject({
      weights: { blue: 100, green: 0 },
      rollout: null,
      reason: 'errors: fail',
    });
    expect(kindsOf(move.effects)).toEqual(['publish', 'webhook']);
  });

  it('counts from an earlier run of the step too, which can pass nothing', () => {
    const state = watched(started(), 'pass', 8_000).state;
    const stale = { stepRun: state.stepRun - 1 };
    expect(phaseOf(ticked(state, 'fail', { evidenceChanges: stale }).state)).toBe('aborted');
    const { step: at, waiting } = ticked(state, 'pass', { evidenceChanges: stale }).state;
    expect(at).toBe(0);
    expect(waiting).toEqual(['0 of 100 samples', 'errors: no verdict yet', 'rejected: no verdict yet']);
  });

  it('stops nothing when it is not critical', () => {
    const guardrails = [{ metric: 'slow', critical: false, required: true, per: 'unit' as const }];
    expect(phaseOf(ticked(started(canary, { guardrails }), 'fail').state)).toBe('progressing');
  });

  it('does not send everybody to a baseline that is down; it does as soon as it is up', () => {
    const up2 = { green: up, blue: up };
    const probed = ['blue'];
    const first = done(told(started('blue-green'), 'promote')).state;
    const state = { ...first, probed: probed };
    const asked = ticked(state, 'fail');
    expect([phaseOf(asked.state), asked.effects[0]]).toEqual(['progressing', { kind: 'probe', variant: 'blue' }]);
    const stuck = ticked(state, 'fail', { health: { blue: down } });
    expect([phaseOf(stuck.state), stuck.state.pause?.cause]).toEqual(['paused', 'no-way-back']);
    expect(stuck.state.reason).toContain('blue fails its health check (GET /healthz answered 503)');
    expect(ticked(stuck.state, 'fail', { health: { blue: down } }).entry).toBeUndefined();
    // What waits for a person hears of weights by hand all the same: nothing else is taken meanwhile.
    const held = ticked(stuck.state, 'fail', { health: { blue: down }, byHand: true });
    expect(held).toMatchObject({ state: { byHand: true }, entry: expect.anything() });
    expect(ticked(held.state, 'fail', { health: { blue: down } }).state.byHand).toBe(false);
    expect(phaseOf(ticked(stuck.state, 'fail', { health: up2 }).state)).toBe('aborted');
  });

  it('needs no health check while the baseline serves visitors', () => {
    const state = { ...started(), probed: ['blue', 'green'] };
    expect(phaseOf(ticked(state, 'fail').state)).toBe('aborted');
  });
});

describe('the health of the candidate', () => {
  const ready = () => ({ ...watched(started(), 'pass', 8_000).state, probed: ['green'] });

  it('is asked for before it gets more traffic', () => {
    const asked = ticked(ready(), 'pass');
    expect([asked.state.step, kindsOf(asked.effects)]).toEqual([0, ['probe']]);
    expect(ticked(ready(), 'pass', { health: { green: up } }).state.step).toBe(1);
  });

  it('holds the step while it is bad, and says so', () => {
    const { state } = ticked(ready(), 'pass', { health: { green: down } });
    expect([state.step, state.waiting]).toEqual([0, ['green fails its health check (GET /healthz answered 503)']]);
  });

  it.each([
    { of: 'a step that takes traffic away', plan: [50, 10, 60], after: 1, isAsked: false },
    { of: 'a step that keeps its share', plan: [50, 50], after: 1, isAsked: false },
    { of: 'a promotion from a part to all', plan: [50, 10], after: 2, isAsked: true },
    { of: 'a promotion of what serves all already', plan: [50, 100], after: 2, isAsked: false },
    { of: 'an end that gives traffic back', plan: [50, 0], after: 2, isAsked: false },
  ])('is asked for before $of: $isAsked', ({ plan, after, isAsked }) => {
    const steps = plan.map((weight) => step({ weight }));
    const state = { ...watched(started(steps), 'pass', after * 10_000 - 2_000).state, probed: ['green'] };
    expect(state.step).toBe(after - 1);
    const { effects } = ticked(state, 'pass');
    expect(kindsOf(effects).includes('probe')).toBe(isAsked);
  });
});

describe('clocks', () => {
  it('that jump far forwards shorten no step', () => {
    const state = ticked(started(), 'pass', { afterMs: 86_400_000 }).state;
    expect([state.step, state.creditedMs]).toEqual([0, MAX_CREDIT_MS]);
  });

  it('that are set back stall no step', () => {
    const busy = watched(started(), 'pass', 8_000).state;
    const back = ticked(busy, 'pass', { afterMs: -86_400_000 }).state;
    expect([back.step, back.creditedMs]).toEqual([0, 8_000]);
    expect(ticked(back, 'pass').state.step).toBe(1);
  });

  it('that are set back to before the step let it begin there, so that what is seen from now on is of this step', () => {
    const busy = watched(started(), 'pass', 8_000).state;
    expect(ticked(busy, 'pass', { afterMs: -7_000 }).state.sinceMs).toBe(T0);
    const back = ticked(busy, 'pass', { afterMs: -86_400_000 }).state;
    expect(back.sinceMs).toBe(T0 + 8_000 - 86_400_000);
    expect(ticked(back, 'pass', { afterMs: 1_000 }).state.sinceMs).toBe(back.sinceMs);
  });

  it('count no second twice when ticks come again or out of order', () => {
    const state = watched(started(), 'pass', 6_000).state;
    const late = ticked(state, 'pass', { afterMs: -3_000 }).state;
    const again = ticked(late, 'pass', { afterMs: 0 }).state;
    expect([again.creditedMs, again.lastMs]).toEqual([6_000, state.lastMs]);
  });

  it('give held time no credit', () => {
    const busy = watched(started(), 'pass', 6_000).state;
    const paused = watched(done(told(busy, 'pause')).state, 'pass', 60_000).state;
    const resumed = done(told(paused, 'resume')).state;
    expect(resumed.creditedMs).toBe(6_000);
    expect(watched(resumed, 'pass', 2_000).state.step).toBe(0);
    expect(watched(resumed, 'pass', 4_000).state.step).toBe(1);
  });

  it('make no difference to a tick that is applied twice', () => {
    const state = watched(started(), 'pass', 8_000).state;
    const now = seen(state.lastMs + 2_000, evidence(state, 'pass'));
    const once = done(advance(state, { kind: 'tick' }, now));
    const twice = done(advance(once.state, { kind: 'tick' }, now));
    expect(once.state.step).toBe(1);
    expect({ ...twice.state, waiting: [] }).toEqual({ ...once.state, waiting: [] });
    expect(twice.entry).toBeUndefined();
  });

  it('wake the controller when the step is over, and less often while only a person can act', () => {
    expect(lookAfterMs(ticked(started(), 'pass').state)).toBe(2_000);
    expect(lookAfterMs(ticked(started(), 'pass', { afterMs: 500 }).state)).toBe(2_000);
    const short = started([step({ weight: 5, forMs: 700 })]);
    expect(lookAfterMs(ticked(short, 'pass', { afterMs: 500 }).state)).toBe(200);
    expect(lookAfterMs(ticked(started('blue-green'), 'pass').state)).toBe(60_000);
  });
});
