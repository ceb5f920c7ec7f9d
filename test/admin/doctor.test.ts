import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AdminDeps } from '../../src/admin/context.ts';
import type { Finding } from '../../src/admin/doctor.ts';
import type { RouteState } from '../../src/config/route-state.ts';
import type { Env } from '../../src/env.ts';
import { mounted, problemOf } from './calls.ts';

const document = JSON.stringify({
  version: 1,
  routes: [
    {
      name: 'detect',
      variants: {
        blue: { url: 'https://blue.example', health: { path: '/healthz', expect: 200 } },
        green: { url: 'https://green.example', health: { path: '/healthz', expect: 200 } },
        red: { url: 'https://red.example' },
      },
    },
  ],
});

const status = {
  name: 'detect',
  split: { revision: 7 },
  inForce: { weights: { blue: 100, green: 0, red: 0 }, notes: [] },
  byHand: null,
  byHandFault: null,
  rollout: null,
};

/** A controller namespace with one object that answers as told. */
function controllers(answers: Record<string, () => unknown>): Env['CONTROLLER'] {
  return { idFromName: (name: string) => name, get: () => answers } as unknown as Env['CONTROLLER'];
}

const healthy: Partial<Env> = {
  CONFIG: { get: async () => document } as unknown as KVNamespace,
  CONTROLLER: controllers({ currentConfig: async () => ({ revision: 1, text: document }), status: async () => status }),
  LEDGER: {} as Env['LEDGER'],
  REQUESTS: {} as AnalyticsEngineDataset,
  COMPARISONS: {} as AnalyticsEngineDataset,
  OUTCOMES: {} as AnalyticsEngineDataset,
  ADMIN_HOST: 'headgate.test',
};

async function findings(
  env: Partial<Env>,
  query = '',
  deps: Partial<AdminDeps> = {},
): Promise<Record<string, Finding>> {
  const answer = await mounted({ deps })('GET', `/api/doctor${query}`, undefined, { env });
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { now: string; findings: Finding[] };
  expect(Date.parse(body.now)).toBeGreaterThan(0);
  return Object.fromEntries(body.findings.map((finding) => [finding.about, finding]));
}

const answering = (statuses: Record<string, number>) =>
  vi.stubGlobal('fetch', async (input: RequestInfo) => {
    const url = new URL(typeof input === 'string' ? input : input.url);
    return new Response(null, { status: statuses[url.hostname] ?? 200 });
  });

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('GET /api/doctor', () => {
  it('finds nothing wrong with a Worker that has everything', async () => {
    answering({});
    const found = await findings(healthy);
    expect(Object.values(found).filter(({ state }) => state === 'bad' || state === 'warn')).toEqual([]);
    expect(found['detect/blue']).toMatchObject({ state: 'ok' });
    expect(found['detect/red']).toMatchObject({ state: 'note', detail: expect.stringContaining('no health check') });
    expect(found['route detect']).toMatchObject({ state: 'ok', detail: expect.stringContaining('revision 7') });
  });

  it('says that weights by hand are refused, why, and how to mend them or take them away', async () => {
    answering({});
    const byHandFault = { path: '$', reason: 'weights sum to 97, not 100', mend: 'give the missing 3 to "blue"' };
    const told = { currentConfig: async () => null, status: async () => ({ ...status, byHandFault }) };
    expect((await findings({ ...healthy, CONTROLLER: controllers(told) }))['route detect']).toEqual({
      about: 'route detect',
      state: 'warn',
      detail: 'weights:detect in KV is refused: weights sum to 97, not 100',
      mend: 'give the missing 3 to "blue"; or headgate manual clear detect',
    });
  });

  it('calls a sick variant bad while it has traffic, and warns before', async () => {
    answering({ 'blue.example': 503, 'green.example': 503 });
    const found = await findings(healthy);
    expect(found['detect/blue']).toMatchObject({ state: 'bad', detail: expect.stringContaining('100 %') });
    expect(found['detect/green']).toMatchObject({ state: 'warn', mend: expect.stringContaining('before') });
  });

  it('names the way out of a sick variant that is not refused as things stand', async () => {
    answering({ 'blue.example': 503, 'green.example': 503 });
    const weights = { blue: 50, green: 50, red: 0 };
    const mends = async (more: object) => {
      const told = async () => ({ ...status, inForce: { weights, notes: ['not served'] }, ...more });
      const found = await findings({
        ...healthy,
        CONTROLLER: controllers({ currentConfig: async () => null, status: told }),
      });
      return ['detect/blue', 'detect/green', 'route detect'].map((about) => found[about]!.mend);
    };
    const rollout = { id: 'r-1', to: 'green', phase: 'paused', waitsFor: 'a person' };
    const hand = 'npx wrangler kv key put --remote --binding CONFIG weights:detect \'{"…":100}\'';
    const [switched, anew] = [
      'mend it, or headgate switch detect VARIANT',
      'headgate weights detect … sets a split anew',
    ];
    expect(await mends({})).toEqual([switched, switched, anew]);
    expect(await mends({ rollout: { ...rollout, phase: 'aborted', waitsFor: null } })).toEqual([
      switched,
      switched,
      anew,
    ]);
    expect(await mends({ rollout })).toEqual([
      'mend it, or headgate rollout promote detect',
      'mend it, or headgate rollout abort detect',
      'change it back and resume, or headgate rollout abort detect',
    ]);
    expect(await mends({ byHand: weights, rollout })).toEqual([
      `mend it, or ${hand}`,
      `mend it, or ${hand}`,
      'headgate manual clear detect',
    ]);
  });

  it('knows by KV who has traffic while a controller is down', async () => {
    answering({ 'green.example': 503 });
    const state = async () => ({ inForce: { weights: { blue: 80, green: 20 } } }) as unknown as RouteState;
    const env = { ...healthy, CONTROLLER: controllers({ status: () => Promise.reject(new Error('gone')) }) };
    const deps = { serving: { config: async () => null, state } };
    expect((await findings(env, '', deps))['detect/green']).toMatchObject({
      state: 'bad',
      detail: expect.stringContaining('20 % of the traffic'),
      mend: expect.stringContaining('weights:detect'),
    });
  });

  it.each<[string, Partial<Env>, string, Finding['state']]>([
    ['binding CONTROLLER', { CONTROLLER: undefined }, 'is missing', 'bad'],
    ['datasets', { OUTCOMES: undefined }, 'OUTCOMES: no binding', 'warn'],
    ['COOKIE_SECRET', { COOKIE_SECRET: '' }, 'no previews', 'warn'],
    ['ADMIN_HOST', { ADMIN_HOST: undefined }, 'not set', 'note'],
    ['FALLBACK_ORIGIN', { FALLBACK_ORIGIN: 'blue.example' }, 'is not an http or https URL', 'bad'],
    [
      'KV',
      { CONFIG: { get: () => Promise.reject(new Error('500')) } as unknown as KVNamespace },
      'cannot be read',
      'bad',
    ],
    ['KV', { CONFIG: { get: () => new Promise(() => {}) } as unknown as KVNamespace }, 'no answer in 2000 ms', 'bad'],
    ['config', { CONFIG: { get: async () => null } as unknown as KVNamespace }, 'none in KV', 'bad'],
    [
      'config routes[0].weights',
      { CONFIG: { get: async () => document.replace('"variants"', '"weights":{"blue":97},"variants"') } as never },
      '97',
      'bad',
    ],
    [
      'route detect',
      { CONTROLLER: controllers({ currentConfig: async () => null, status: () => Promise.reject(new Error('gone')) }) },
      'traffic flows on',
      'bad',
    ],
    [
      'config keeper',
      {
        CONTROLLER: controllers({
          currentConfig: async () => ({ revision: 2, text: '{}' }),
          status: async () => status,
        }),
      },
      'another document',
      'warn',
    ],
  ])('says what is wrong with %s, and how to mend it', async (about, env, words, state) => {
    answering({});
    const found = await findings({ ...healthy, ...env });
    expect(found[about]).toMatchObject({ state, detail: expect.stringContaining(words), mend: expect.any(String) });
  });

  it('names the revision to restore where the config was deleted from KV, and none where KV is down', async () => {
    answering({});
    const of = async (get: () => Promise<string | null>) =>
      (await findings({ ...healthy, CONFIG: { get } as never }))['config keeper'];
    expect(await of(async () => null)).toMatchObject({
      state: 'warn',
      detail: 'has revision 1, and KV none',
      mend: expect.stringContaining('headgate config restore 1'),
    });
    expect(await of(() => Promise.reject(new Error('500')))).toMatchObject({ state: 'ok' });
  });

  it('asks few variants at once, or the platform would hold the well ones back behind those that hang', async () => {
    let [open, most] = [0, 0];
    vi.stubGlobal('fetch', async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open--;
      return new Response();
    });
    const url = 'https://blue.example';
    const variants = Object.fromEntries(
      Array.from({ length: 8 }, (_, n) => [`v-${n}`, { url, health: { path: '/healthz' } }]),
    );
    const text = JSON.stringify({ version: 1, routes: [{ name: 'detect', variants }] });
    const found = await findings({
      ...healthy,
      CONFIG: { get: async () => text } as unknown as KVNamespace,
      CONTROLLER: controllers({ currentConfig: async () => ({ revision: 1, text }), status: async () => status }),
    });
    expect(found['detect/v-7']).toMatchObject({ state: 'ok' });
    expect(most).toBe(5);
  });

  it('says whom it has not asked, and spends no look on who declares no health check', async () => {
    answering({});
    const health = { path: '/healthz' };
    const of = (more: object) =>
      Object.fromEntries(Array.from({ length: 8 }, (_, n) => [`v-${n}`, { url: 'https://blue.example', ...more }]));
    const routes = ['a', 'b', 'c', 'd', 'e'].map((name, n) => ({
      ...{ name, match: { path: `/${name}/*` } },
      variants: of(n === 0 ? {} : { health }),
    }));
    const text = JSON.stringify({ version: 1, routes });
    const found = await findings({
      ...healthy,
      CONFIG: { get: async () => text } as unknown as KVNamespace,
      CONTROLLER: controllers({ currentConfig: async () => ({ revision: 1, text }), status: async () => status }),
    });
    expect(found['d/v-7']).toMatchObject({ state: 'ok' });
    expect(found).not.toHaveProperty('e/v-0');
    expect(found['route e']).toMatchObject({
      state: 'warn',
      detail: '8 more variants are not asked',
      mend: 'headgate doctor --route e',
    });
  });

  it('looks at one route when asked, and refuses one that is not there', async () => {
    answering({});
    expect(await findings(healthy, '?route=detect')).toHaveProperty('route detect');
    const refused = await mounted()('GET', '/api/doctor?route=nowhere', undefined, { env: healthy });
    expect(refused.status).toBe(404);
    expect(await problemOf(refused)).toMatchObject({ code: 'no_such_route' });
  });
});
