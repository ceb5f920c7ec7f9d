import { afterEach, expect, it, vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { nextState, type RouteState } from '../../src/config/route-state.ts';
import type { ConfigStore, Loaded } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { handle, newPlane } from '../../src/forward/handle.ts';

afterEach(() => vi.unstubAllGlobals());

/** What is known of a route whose variants are called `names`; all traffic is the first one's. */
function known(names: [string, string]): { loaded: Loaded; state: RouteState } {
  const variants = Object.fromEntries(names.map((name) => [name, { url: `https://${name}.example` }]));
  const text = JSON.stringify({ version: 1, routes: [{ name: 'main', variants, baseline: names[0] }] });
  const parsed = parseConfig(text, { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const { config } = parsed.value;
  const state = nextState(config.routes[0]!, { split: null, weights: null }, undefined, () => {});
  return { loaded: { config, text, hash: 'h' }, state };
}

/** A request while `before` is known, and `after` once the split was made sure of. */
async function served(before: ReturnType<typeof known>, after: RouteState) {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(url);
    return new Response(null, { status: 204 });
  });
  const store = { current: () => before.loaded, stateOf: () => before.state } as unknown as ConfigStore;
  const plane = newPlane({ store, confirm: async () => after, watcher: () => null, observers: [] });
  const ctx = { waitUntil: () => {} } as unknown as ExecutionContext;
  const response = await handle(new Request('https://shop.example/x'), {} as Env, ctx, plane);
  return { asked, status: response.status };
}

it('serves by the config that came while the split was made sure of', async () => {
  const after = known(['blue-2', 'green-2']).state;
  expect(await served(known(['blue', 'green']), after)).toEqual({ asked: ['https://blue-2.example/x'], status: 204 });
});
