import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, startOrigin } from './harness.ts';
import { type RolloutWorld, startRolloutWorld, until } from './rollout-world.ts';

/** The Worker before a cache that keeps whatever may be kept, as the platform's does by a rule of the zone. */
const cached = `
const kept = new Map();
const origin = globalThis.fetch;
globalThis.fetch = async (asked, init) => {
  const { url, method, cache } = new Request(asked, init);
  if (method !== 'GET' || cache === 'no-store') return origin(asked, init);
  if (!kept.has(url)) kept.set(url, (await origin(asked, init)).status);
  return new Response(null, { status: kept.get(url) });
};
export * from './src/index.ts';
export { default } from './src/index.ts';
`;

let world: RolloutWorld;
let red: Origin;
let redHealth = 200;

beforeAll(async () => {
  red = await startOrigin((_, response) => response.writeHead(redHealth).end('red'));
  world = await startRolloutWorld(({ blue, green }) => ({
    a: {},
    b: {},
    three: {
      variants: { blue: { url: blue }, green: { url: green }, red: { url: red.url, health: { path: '/health' } } },
      weights: { blue: 50, red: 50 },
    },
    c: {},
    named: {},
    told: {},
    mirror: {
      repeatable: ['GET'],
      shadows: [{ variant: 'green', percent: 100, repeat: 0, budget: { requestsPerMinute: 2 } }],
    },
    ended: { repeatable: ['GET'], shadows: [{ variant: 'green', percent: 20 }] },
    asked: { repeatable: ['GET'], shadows: [{ variant: 'green', percent: 20 }] },
  }));
});
afterAll(async () => {
  await world.close();
  await red.close();
});

const kv = () => world.headgate.mf.getKVNamespace('CONFIG', 'headgate');
const inKv = async () => JSON.parse((await (await kv()).get('config', 'text'))!);
const start = (route: string) =>
  world.api('POST', `/routes/${route}/rollout`, {
    to: 'green',
    plan: [
      { weight: 5, for: '10m' },
      { weight: 100, for: '10m' },
    ],
    reason: 'release 2',
  });

describe('a config written into KV by hand and taken back by hand within two minutes', () => {
  it('is what the API tells and what a rollout goes on by', async () => {
    const original = await inKv();
    await start('a');
    const changed = structuredClone(original);
    changed.routes[0].variants.green.headers = { 'x-build': '2' };
    await world.headgate.put('config', changed);
    await until(
      () => world.phase('a'),
      (phase) => phase === 'paused',
      15,
    );
    expect(await world.phase('a')).toBe('paused');
    await world.headgate.put('config', original);
    await until(
      () => world.api('GET', '/config'),
      ({ body }) => body.routes[0].variants.green.headers === undefined,
      5,
    );
    expect((await world.api('GET', '/config')).body).toEqual(original);
    // "change it back and resume"
    expect((await world.api('POST', '/routes/a/rollout/resume', { reason: 'changed back' })).status).toBe(200);
  });

  it("is not brought back by another route's promotion", async () => {
    const original = await inKv();
    const wrong = structuredClone(original);
    wrong.routes[3].timeoutMs = 1;
    await world.headgate.put('config', wrong);
    await world.api('GET', '/config');
    await world.headgate.put('config', original);
    await sleep(500);
    await start('b');
    await world.api('POST', '/routes/b/rollout/promote', { reason: 'x' });
    await world.api('POST', '/routes/b/rollout/promote', { reason: 'x' });
    await until(inKv, (document) => document.routes[1].baseline === 'green');
    expect((await inKv()).routes[1].baseline).toBe('green');
    expect((await inKv()).routes[3].timeoutMs).toBeUndefined();
  });
});

describe('a promotion', () => {
  it('is written into a config in which another route lacks something here', async () => {
    const original = await inKv();
    const lacking = structuredClone(original);
    lacking.routes[0].variants.green.secretHeaders = { 'x-key': '$' + '{KEY_NOPE}' };
    await world.headgate.put('config', lacking);
    await until(
      () => world.api('GET', '/config'),
      ({ body }) => body.routes[0].variants.green.secretHeaders !== undefined,
    );
    await start('told');
    for (let time = 0; time < 2; time++)
      await world.api('POST', '/routes/told/rollout/promote', { reason: 'it is good' });
    const told = async () => (await inKv()).routes.find(({ name }: { name: string }) => name === 'told');
    expect(await until(told, ({ baseline }) => baseline === 'green')).toMatchObject({ baseline: 'green' });
    expect(await world.actions('told')).not.toContain('config-unwritten');
    const { routes } = await inKv();
    delete routes[0].variants.green.secretHeaders;
    expect((await world.api('PUT', '/config', { version: 1, routes })).status).toBe(200);
  });
});

describe('a config applied once more', () => {
  it('is in KV again after the key was deleted', async () => {
    const text = JSON.stringify((await world.api('GET', '/config')).body);
    await world.api('PUT', '/config', text);
    await (await kv()).delete('config');
    const said = await world.api('PUT', '/config', text);
    expect(said.status).toBe(200);
    expect(await (await kv()).get('config', 'text')).toBe(text);
  });

  it('is in KV again after a faulty document was written there by hand', async () => {
    const text = JSON.stringify((await world.api('GET', '/config')).body);
    await world.api('PUT', '/config', text);
    await world.headgate.put('config', '{"version":1,"routes":[');
    const said = await world.api('PUT', '/config', text);
    expect(said.status).toBe(200);
    expect(await (await kv()).get('config', 'text')).toBe(text);
  });
});

describe('a health check', () => {
  it('asks the origin, and no cache', async () => {
    const { greenIs, api, close } = await startRolloutWorld(
      ({ blue, green }) => ({
        page: { variants: { blue: { url: blue }, green: { url: green, health: { path: '/health' } } } },
      }),
      { entry: cached },
    );
    const switched = async (to: string) => (await api('POST', '/routes/page/switch', { to, reason: 'x' })).status;
    expect([await switched('green'), await switched('blue')]).toEqual([200, 200]);
    greenIs.sick = true;
    expect(await switched('green')).toBe(409);
    await close();
  });
});

describe('a rollback that ends a rollout', () => {
  it('returns no traffic to a third variant that fails its health check', async () => {
    await start('three');
    redHealth = 503;
    const asked = red.seen.length;
    const said = await world.api('POST', '/routes/three/rollback', { reason: 'wrong answers' });
    redHealth = 200;
    expect(red.seen.length).toBeGreaterThan(asked);
    expect(said).toMatchObject({ status: 409, body: { code: 'unhealthy' } });
  });

  it('to a named split tells the config of its baseline', async () => {
    await start('named');
    for (let time = 0; time < 2; time++)
      await world.api('POST', '/routes/named/rollout/promote', { reason: 'it is good' });
    const named = async () => (await inKv()).routes.find(({ name }: { name: string }) => name === 'named');
    expect(await until(named, ({ baseline }) => baseline === 'green')).toMatchObject({ baseline: 'green' });
    const plan = [{ weight: 5, for: '10m' }];
    await world.api('POST', '/routes/named/rollout', { to: 'blue', plan, reason: 'back to the old one' });
    const said = await world.api('POST', '/routes/named/rollback', { revision: 0, reason: 'wrong answers' });
    expect(said).toMatchObject({ status: 200, body: { split: { baseline: 'blue', weights: { blue: 100 } } } });
    const config = await until(named, ({ baseline }) => baseline === 'blue');
    expect(config).toMatchObject({ baseline: 'blue', weights: { blue: 100 } });
  });

  it('with a misspelled revision goes nowhere', async () => {
    for (const green of [10, 20, 30]) {
      await world.api('PUT', '/routes/c/split', { weights: { blue: 100 - green, green }, reason: 'x' });
    }
    const said = await world.api('POST', '/routes/c/rollback', { revison: 1, reason: 'x' });
    expect(said).toMatchObject({ status: 422 });
  });
});

describe('a route that the config does not have', () => {
  it('is told as unknown by every call, and gets no history', async () => {
    for (const command of ['promote', 'pause', 'resume', 'abort']) {
      const said = await world.api('POST', `/routes/nowhere/rollout/${command}`, { reason: 'x' });
      expect(said, command).toMatchObject({ status: 404, body: { code: 'no_such_route' } });
    }
    for (const of of ['history', 'series']) expect((await world.api('GET', `/routes/nowhere/${of}`)).status).toBe(404);
  });
});

it('empty weights are a fault of weights', async () => {
  const said = await world.api('PUT', '/routes/c/split', { weights: {}, reason: 'x' });
  expect(said.body.faults[0].path).toBe('weights');
});

describe('a mirror that the config does not describe (any more)', () => {
  it('is not begun by the rollback of a promotion, without its budget', async () => {
    const plan = [{ weight: 100, for: '10m' }];
    await world.api('POST', '/routes/mirror/rollout', { to: 'green', plan, reason: 'x' });
    await world.api('POST', '/routes/mirror/rollout/promote', { reason: 'x' });
    expect((await world.api('POST', '/routes/mirror/rollback', { reason: 'x' })).status).toBe(200);
    await sleep(2_500);
    const before = world.greenSeen('mirror').length;
    for (let n = 0; n < 30; n++) await world.visit('mirror');
    await sleep(1_500);
    expect(world.greenSeen('mirror').length - before).toBeLessThanOrEqual(2);
  });

  it('is made where a call asks for it, also by the percent that it had', async () => {
    await world.api('PUT', '/routes/asked/split', { weights: { blue: 100 }, reason: 'x' });
    const { body: document } = await world.api('GET', '/config');
    document.routes.find(({ name }: { name: string }) => name === 'asked').shadows = [];
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
    expect((await world.status('asked')).inForce.shadows).toEqual({});
    const asks = { weights: { blue: 100 }, shadows: { green: 20 }, reason: 'x' };
    expect((await world.api('PUT', '/routes/asked/split', asks)).body.inForce.shadows).toEqual({ green: 20 });
  });

  it('is not begun again by the next step or the abort of a rollout', async () => {
    const plan = [5, 50, 100].map((weight) => ({ weight, for: '10m' }));
    await world.api('POST', '/routes/ended/rollout', { to: 'green', plan, reason: 'x' });
    const { body: document } = await world.api('GET', '/config');
    document.routes.find(({ name }: { name: string }) => name === 'ended').shadows = [];
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
    expect((await world.status('ended')).inForce.shadows).toEqual({});
    expect((await world.api('POST', '/routes/ended/rollout/promote', {})).body.inForce.shadows).toEqual({});
    expect((await world.api('POST', '/routes/ended/rollout/abort', {})).body.inForce.shadows).toEqual({});
  });
});
