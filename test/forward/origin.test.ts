import { afterEach, expect, it, vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { nextState } from '../../src/config/route-state.ts';
import type { ConfigStore } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { handle, newPlane } from '../../src/forward/handle.ts';

afterEach(() => vi.unstubAllGlobals());

const ONE = 'https://one.example';
const NEXT = { url: ONE, headers: { 'x-release': 'next' } };

/** Whether the platform's fetch cache may keep what the origin answers to a request of the route `main`. */
async function mayBeCached(routes: Record<string, Record<string, unknown>>, method = 'GET'): Promise<boolean> {
  const document = { version: 1, routes: Object.entries(routes).map(([name, variants]) => ({ name, variants })) };
  const parsed = parseConfig(JSON.stringify(document), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const { config } = parsed.value;
  const route = config.routes.find(({ name }) => name === 'main')!;
  const state = nextState(route, { split: null, weights: null }, undefined, () => {});
  let cf: unknown;
  vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
    cf = init.cf;
    return new Response(null, { status: 204 });
  });
  const loaded = { config, text: '', hash: '' };
  const store = { current: () => loaded, stateOf: () => state } as unknown as ConfigStore;
  const plane = newPlane({ store, confirm: () => state, watcher: () => null, observers: [] });
  const ctx = { waitUntil: () => {} } as unknown as ExecutionContext;
  await handle(new Request('https://shop.example/app.js', { method }), {} as Env, ctx, plane);
  expect([undefined, { cacheTtlByStatus: { '100-599': -1 } }]).toContainEqual(cf);
  return cf === undefined;
}

it.each<[string, Record<string, Record<string, unknown>>]>([
  ['variants of one route', { main: { blue: { url: ONE }, green: NEXT } }],
  [
    'variants of one route that nothing but their names tells apart',
    { main: { blue: { url: ONE }, green: { url: `${ONE}/` } } },
  ],
  ['a variant of an earlier route', { beta: { next: NEXT }, main: { blue: { url: ONE } } }],
  ['a variant of a later route', { main: { blue: { url: ONE } }, beta: { next: NEXT } }],
  [
    'two variants of another route',
    { main: { blue: { url: ONE } }, other: { blue: { url: ONE }, green: { url: ONE } } },
  ],
  [
    'a variant of the last of three routes',
    { main: { blue: { url: ONE } }, same: { blue: { url: ONE } }, beta: { next: NEXT } },
  ],
])('answers that share their URL with %s stay out of the fetch cache', async (_, routes) => {
  expect(await mayBeCached(routes)).toBe(false);
  expect(await mayBeCached(routes, 'HEAD')).toBe(false);
});

it.each<[string, Record<string, Record<string, unknown>>]>([
  ['nobody has the same URL', { main: { blue: { url: ONE }, green: { url: `${ONE}/green` } } }],
  ['two routes lead to one service', { main: { blue: { url: ONE } }, other: { live: { url: ONE } } }],
  [
    'two routes lead to one service, which one of them probes',
    { main: { blue: { url: ONE } }, other: { live: { url: ONE, health: { path: '/health' } } } },
  ],
  [
    'others are bindings',
    { main: { blue: { url: ONE }, green: { service: 'A' } }, other: { a: { service: 'A' }, b: { service: 'A' } } },
  ],
])('answers may be cached where %s', async (_, routes) => {
  expect(await mayBeCached(routes)).toBe(true);
});
