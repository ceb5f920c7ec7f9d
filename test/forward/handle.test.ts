import { afterEach, expect, it, vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { nextState, type RouteState } from '../../src/config/route-state.ts';
import type { ConfigStore, Loaded } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { handle, newPlane } from '../../src/forward/handle.ts';
import type { Begun } from '../../src/forward/served.ts';

afterEach(() => vi.unstubAllGlobals());

/** What is known of a route whose variants are called `names`; all traffic is the first one's. */
function known(names: [string, string], rollout: string | null = null): { loaded: Loaded; state: RouteState } {
  const variants = Object.fromEntries(names.map((name) => [name, { url: `https://${name}.example` }]));
  const text = JSON.stringify({ version: 1, routes: [{ name: 'main', variants, baseline: names[0] }] });
  const parsed = parseConfig(text, { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const { config } = parsed.value;
  const state = nextState(config.routes[0]!, { split: null, weights: null }, undefined, () => {});
  const inForce = { ...state.inForce, rollout, guardrails: [{ metric: 'errors', per: 'unit' as const }] };
  return { loaded: { config, text, hash: 'h' }, state: { ...state, inForce } };
}

/** A request while `before` is known, and `after` once the split was made sure of. */
async function served(
  before: ReturnType<typeof known>,
  after: RouteState,
  beginner: (begun: Begun) => void = () => {},
) {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    return new Response(null, { status: 204 });
  });
  const store = { current: () => before.loaded, stateOf: () => before.state } as unknown as ConfigStore;
  const plane = newPlane({ store, confirm: async () => after, watcher: null, beginner, observers: [] });
  const ctx = { waitUntil: () => {} } as unknown as ExecutionContext;
  const response = await handle(new Request('https://shop.example/x'), {} as Env, ctx, plane);
  return { asked, status: response.status };
}

it('serves by the config that came while the split was made sure of', async () => {
  const after = known(['blue-2', 'green-2']).state;
  expect(await served(known(['blue', 'green']), after)).toEqual({ asked: ['https://blue-2.example/x'], status: 204 });
});

it('tells of a request under a rollout before it is sent, and sends it whatever becomes of that', async () => {
  const rollout = known(['blue', 'green'], 'r-1');
  const begun: Begun[] = [];
  const answer = { asked: ['https://blue.example/x'], status: 204 };
  expect(await served(rollout, rollout.state, (one) => void begun.push(one))).toEqual(answer);
  expect(begun).toMatchObject([{ variant: 'blue', inForce: { rollout: 'r-1' }, armCount: 1 }]);
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const broken = () => {
    throw new Error('full');
  };
  expect(await served(rollout, rollout.state, broken)).toEqual(answer);
  const without = known(['blue', 'green']);
  await served(without, without.state, (one) => void begun.push(one));
  expect(begun).toHaveLength(1);
});
