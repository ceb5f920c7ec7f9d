import { describe, expect, it } from 'vitest';
import { nextRolloutId, phaseOf } from '../../src/rollout/state.ts';
import { before, canary, config, done, kindsOf, publishedBy, refusalOf, start, step, T0 } from './world.ts';

const ok = { ok: true, detail: 'GET /healthz answered 200' };
const down = { ok: false, detail: 'GET /healthz answered 503' };

describe('the start of a rollout', () => {
  it('gives the candidate its first share, the baseline the rest, and a salt of its own', () => {
    const move = done(start(canary));
    expect(publishedBy(move)).toEqual({
      weights: { blue: 95, green: 5 },
      shadows: {},
      baseline: 'blue',
      salt: 'r-20261123-1',
      rollout: 'r-20261123-1',
      variants: 'hash-1',
      by: 'ada',
      reason: 'step 1 of 3: release 2.3',
    });
    expect(kindsOf(move.effects)).toEqual(['publish', 'webhook']);
    expect(move.entry).toMatchObject({ actor: 'ada', action: 'started', before: null, at: '2026-11-23T10:00:00.000Z' });
    expect(phaseOf(move.state)).toBe('progressing');
  });

  it('awaits approval at once where the first step is a preview', () => {
    const move = done(start('blue-green'));
    expect(phaseOf(move.state)).toBe('awaiting-approval');
    expect(publishedBy(move)?.weights).toEqual({ blue: 100, green: 0 });
  });

  it('leaves traffic that is shared already as it is while it only mirrors, down to the salt', () => {
    const shared = { ...before, weights: { blue: 80, green: 0, red: 20 }, salt: 'old' };
    const names = ['blue', 'green', 'red'];
    const split = publishedBy(done(start('shadow', { before: shared }, { config: { ...config, names } })));
    expect(split).toMatchObject({ weights: shared.weights, shadows: { green: 100 }, salt: 'old' });
  });

  it('takes the share of a third variant once it moves traffic', () => {
    const shared = { ...before, weights: { blue: 80, green: 0, red: 20 }, salt: 'old' };
    const split = publishedBy(done(start(canary, { before: shared })));
    expect(split).toMatchObject({ weights: { blue: 95, green: 5, red: 0 }, salt: 'r-20261123-1' });
  });

  it('stops a mirror at 0 %, and keeps the mirrors of other variants', () => {
    const mirrored = { ...before, shadows: { green: 20, red: 10 } };
    const split = publishedBy(done(start([step({ shadow: 0, weight: 5 })], { before: mirrored })));
    expect(split?.shadows).toEqual({ red: 10 });
  });

  it.each([
    ['weights are set by hand', {}, { byHand: true }, 'manual'],
    ['the route has no such variant', { to: 'pink' }, {}, 'unknown_variant'],
    ['the config has no such route', {}, { config: null }, 'unknown_variant'],
    ['the candidate is the baseline', { to: 'blue' }, {}, 'already_baseline'],
    ['the candidate is down', { probed: ['green'] }, { health: { green: down } }, 'unhealthy'],
    ['the way back is down', { probed: ['green', 'blue'] }, { health: { green: ok, blue: down } }, 'unhealthy'],
  ])('is refused when %s', (_, request, when, code) => {
    expect(refusalOf(start(canary, request, when))).toBe(code);
  });

  it('says what to do where the baseline has no traffic, since another was switched to', () => {
    const switched = { ...before, weights: { blue: 0, green: 100 } };
    expect(start(canary, { to: 'blue', before: switched })).toMatchObject({
      error: { mend: expect.stringContaining('make it the "baseline" in the config') },
    });
  });

  it('asks for the health of candidate and baseline before anything is published', () => {
    const probed = ['blue', 'green'];
    expect(done(start(canary, { probed })).effects).toEqual([{ kind: 'probe', variant: 'green' }]);
    const second = done(start(canary, { probed }, { health: { green: ok } }));
    expect(second.effects).toEqual([{ kind: 'probe', variant: 'blue' }]);
    const third = done(start(canary, { probed }, { health: { green: ok, blue: ok } }));
    expect(kindsOf(third.effects)).toContain('publish');
  });
});

describe('the id of a rollout', () => {
  it('counts within the day', () => {
    const earlier = ['r-20261122-9', 'r-20261123-1', 'r-20261123-10', 'r-20261123-2'];
    expect(nextRolloutId(T0, [])).toBe('r-20261123-1');
    expect(nextRolloutId(T0, earlier)).toBe('r-20261123-11');
  });
});
