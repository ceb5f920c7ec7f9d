import { describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import type { Split } from '../../src/config/split.ts';
import { Journal } from '../../src/rollout/journal.ts';
import { readyToMove, unreadyFault } from '../../src/rollout/ready.ts';
import type { RouteControl } from '../../src/rollout/route-control.ts';
import type { RouteView } from '../../src/rollout/route-source.ts';
import { waysBack } from '../../src/rollout/ways-back.ts';
import { routeOf } from '../shadow/served.ts';
import { storage } from './sqlite.ts';
import { before, canary, started } from './world.ts';

const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
const route = routeOf({ variants, baseline: 'blue' });
const renamed = routeOf({ variants: { ...variants, green: { url: 'https://other.example' } }, baseline: 'blue' });
const running = { ...started(canary), before: { ...before, revision: 1 }, variants: variantsHash(route) };

const splitOf = (revision: number, blue: number, rollout: string | null = null): Split => ({
  ...{ revision, weights: { blue, green: 100 - blue }, shadows: {}, baseline: 'blue', salt: '', rollout },
  ...{ variants: variantsHash(route), by: 'ada', reason: 'because', at: '2026-11-23T10:00:00Z', guardrails: [] },
});

/** A controller that has seen the config's route and an empty KV, and has kept these splits. */
function controlOf(splits: Split[] = [], seen: Partial<RouteView> = {}, rollout: RouteControl['running'] = null) {
  const journal = new Journal(storage().sql);
  for (const split of splits) journal.keep(split, null);
  const view = { route, isKnown: true, isKvKnown: true, webhooks: [], byHand: null, byHandFault: null, ...seen };
  const now = view.route ?? route;
  const config = { variants: variantsHash(now), names: Object.keys(now.variants), baseline: 'blue' };
  return {
    name: 'main',
    journal,
    running: rollout,
    source: { view, seenConfig: () => config },
    look: async () => view,
    standing: () => splits.at(-1) ?? splitOf(0, 100),
  } as unknown as RouteControl;
}

const fault = { path: '', reason: 'no weights', mend: 'write {}' };
const byHand = { blue: 100 };
const fresh = { ifMatch: null, allowsRollout: false };
const codeOf = (result: { ok: true } | { ok: false; error: { code: string } }) =>
  result.ok ? 'ready' : result.error.code;

describe('a call that moves traffic', () => {
  it.each<[string, ReturnType<typeof controlOf>, Partial<typeof fresh> | { ifMatch: number }, string]>([
    ['may come where nothing stands against it', controlOf(), {}, 'ready'],
    ['needs the config', controlOf([], { isKnown: false, route: null }), {}, 'no_config'],
    ['needs a route', controlOf([], { route: null }), {}, 'no_such_route'],
    ['needs KV where no split is known', controlOf([], { isKvKnown: false }), {}, 'no_config'],
    ['needs no KV where a split is known', controlOf([splitOf(1, 90)], { isKvKnown: false }), {}, 'ready'],
    ['may name the split that it saw', controlOf([splitOf(3, 90)]), { ifMatch: 3 }, 'ready'],
    ['is refused where it saw another', controlOf([splitOf(3, 90)]), { ifMatch: 2 }, 'stale'],
    ['saw revision 0 where there is no split', controlOf(), { ifMatch: 0 }, 'ready'],
    ['saw too much where there is no split', controlOf(), { ifMatch: 1 }, 'stale'],
    ['waits for people’s own weights', controlOf([], { byHand }), {}, 'manual'],
    ['waits for them in a rollout too', controlOf([], { byHand }, running), { allowsRollout: true }, 'manual'],
    [
      'waits where they are refused: some isolates know earlier ones',
      controlOf([], { byHandFault: fault }),
      {},
      'manual',
    ],
    ['does not then if it is a way back', controlOf([], { byHandFault: fault }), { allowsRollout: true }, 'ready'],
    ['waits for a rollout', controlOf([], {}, running), {}, 'rollout_running'],
    ['does not if it may end it', controlOf([], {}, running), { allowsRollout: true }, 'ready'],
  ])('%s', async (_, control, asked, code) => {
    expect(codeOf(await readyToMove(control, { ...fresh, ...asked }))).toBe(code);
  });
});

describe('a call that commands a route', () => {
  it.each<[string, ReturnType<typeof controlOf>, number | null, string]>([
    ['may come', controlOf(), null, 'ready'],
    ['needs a route', controlOf([splitOf(1, 90)], { route: null }), null, 'no_such_route'],
    ['needs none while a rollout of it runs', controlOf([splitOf(1, 90)], { route: null }, running), null, 'ready'],
    ['needs no config while a rollout runs', controlOf([], { isKnown: false, route: null }, running), null, 'ready'],
    ['needs a config or a split', controlOf([], { isKnown: false, route: null }), null, 'no_config'],
    ['may do with a split', controlOf([splitOf(1, 90)], { isKnown: false, route: null }), null, 'ready'],
    ['is refused where it saw another split', controlOf([splitOf(3, 90)]), 2, 'stale'],
  ])('%s', async (_, control, ifMatch, code) => {
    const refusal = await unreadyFault(control, ifMatch);
    expect(codeOf(refusal ?? { ok: true })).toBe(code);
  });
});

describe('the ways back', () => {
  const splits = [splitOf(1, 100), splitOf(2, 90, 'r-1'), splitOf(3, 80), splitOf(4, 70)];
  const waysOf = async (control: RouteControl, asked: { revision?: number } = {}) => {
    const ways = await waysBack(control, { force: false, ...asked });
    if (!ways.ok) return ways.error.code;
    const { splits, target, refused } = ways.value;
    return [splits.map(({ revision }) => revision), target?.revision ?? null, refused?.code ?? null];
  };

  it('are the steady splits but the one in force, newest first, and say which is meant', async () => {
    expect(await waysOf(controlOf(splits))).toEqual([[3, 1], 3, null]);
    expect(await waysOf(controlOf(splits), { revision: 1 })).toEqual([[3, 1], 1, null]);
    const ways = await waysBack(controlOf(splits), { force: false });
    expect(ways.ok && 'guardrails' in ways.value.splits[0]!).toBe(false);
  });

  it('are told where the way asked for would be refused', async () => {
    expect(await waysOf(controlOf(splits), { revision: 9 })).toEqual([[3, 1], null, 'unknown_revision']);
  });

  it('are told while a rollout runs, and while people’s own weights decide', async () => {
    expect(await waysOf(controlOf(splits.slice(0, 2), {}, running))).toEqual([[1], 1, null]);
    expect(await waysOf(controlOf(splits, { byHand }))).toEqual([[3, 1], null, 'manual']);
  });

  it('have the newest split among them where its variants have changed since', async () => {
    expect(await waysOf(controlOf(splits, { route: renamed }))).toEqual([[4, 3, 1], null, 'variants_changed']);
  });

  it('are unknown without a config', async () => {
    expect(await waysOf(controlOf(splits, { isKnown: false }))).toBe('no_config');
  });
});
