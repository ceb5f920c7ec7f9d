import { describe, expect, it } from 'vitest';
import { frozenByExperiment, frozenSteps } from '../../src/rollout/frozen.ts';
import { routeOf, routeWith } from '../config/sample.ts';

const experiment = { id: 'e-1', primary: ['error'] };
const accounts = routeOf(routeWith({ experiment, identity: [{ header: 'x-user-id' }, { cookie: true }] }));
const visitors = routeOf(routeWith({ experiment }));
const sessions = routeOf(routeWith({ experiment, identity: [{ cookie: 'session' }] }));
const even = { blue: 50, green: 50 };

it.each([
  ['other weights', accounts, { blue: 60, green: 40 }, even, true],
  ['the same weights, said in short', accounts, { green: 50, blue: 50 }, { ...even, red: 0 }, false],
  ['the same weights, and none for a variant that was added', accounts, { ...even, red: 0 }, even, false],
  ['other weights of whom another cookie names, which bears no pins', sessions, { blue: 60, green: 40 }, even, true],
  ['one variant that takes everything', accounts, { blue: 0, green: 100 }, even, false],
  ['first weights, where one variant had everything', accounts, even, { blue: 100, green: 0 }, false],
  ['other weights of visitors who are pinned', visitors, { blue: 60, green: 40 }, even, false],
  [
    'other weights where no experiment is',
    { ...accounts, experiment: undefined },
    { blue: 60, green: 40 },
    even,
    false,
  ],
] as const)('an experiment whose units come from headers: %s', (_, route, weights, before, isFrozen) => {
  const refused = frozenByExperiment(route as typeof accounts, weights, before);
  if (isFrozen) expect(refused).toMatchObject({ ok: false, error: { code: 'experiment_runs' } });
  else expect(refused).toBeNull();
});

describe('a rollout while such an experiment runs', () => {
  const step = (weight: number | undefined, carries = false) => ({
    ...{ weight, forMs: 0, minSamples: 0, approval: false, experiment: carries },
  });
  const frozenBy = (
    steps: ReturnType<typeof step>[],
    { ends = false, weights = even as Record<string, number> } = {},
  ) => {
    const before = { revision: 1, weights, shadows: {}, baseline: 'blue', salt: 's' };
    return frozenSteps(accounts, { steps, to: 'green', ends }, before);
  };
  const refused = { ok: false, error: { code: 'experiment_runs' } };

  it('may not change the weights before it is decided', () => {
    expect(frozenBy([step(5), step(100)])).toMatchObject(refused);
    expect(frozenBy([step(undefined), step(25), step(100)])).toMatchObject(refused);
    expect(frozenBy([step(60, true)])).toMatchObject(refused);
    expect(frozenBy([step(50, true), step(60, true)], { ends: true })).toMatchObject(refused);
  });

  it('may when that is meant, behind the steps that decide it, and where it takes everything at once', () => {
    expect(frozenBy([step(5), step(100)], { ends: true })).toBeNull();
    expect(frozenBy([step(50, true), step(75), step(100)])).toBeNull();
    expect(frozenBy([step(0), step(100)])).toBeNull();
    expect(frozenBy([step(5), step(100)], { weights: { blue: 100, green: 0 } })).toBeNull();
  });
});
