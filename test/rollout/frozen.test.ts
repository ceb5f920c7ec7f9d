import { expect, it } from 'vitest';
import { frozenByExperiment } from '../../src/rollout/frozen.ts';
import { routeOf, routeWith } from '../config/sample.ts';

const experiment = { id: 'e-1', primary: ['error'] };
const accounts = routeOf(routeWith({ experiment, identity: [{ header: 'x-user-id' }, { cookie: true }] }));
const visitors = routeOf(routeWith({ experiment }));
const even = { blue: 50, green: 50 };

it.each([
  ['other weights', accounts, { blue: 60, green: 40 }, even, true],
  ['the same weights, said in short', accounts, { green: 50, blue: 50 }, { ...even, red: 0 }, false],
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
