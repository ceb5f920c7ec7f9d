import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN } from './harness.ts';
import { lenient, type RolloutWorld, startRolloutWorld, until } from './rollout-world.ts';

interface Delivery {
  path: string;
  signature: string | undefined;
  delivery: string | undefined;
  body: string;
}

let world: RolloutWorld;
const deliveries: Delivery[] = [];
/** Answers of `/flaky`, first to last. */
const answers = [500, 503];
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    if (request.url === '/silent') return;
    const { 'x-headgate-signature': signature, 'x-headgate-delivery': delivery } = request.headers;
    const path = request.url ?? '';
    deliveries.push({ path, signature: signature as string, delivery: delivery as string, body });
    response.writeHead(path === '/flaky' ? (answers.shift() ?? 200) : 200).end();
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  world = await startRolloutWorld(
    ({ blue, green }) => ({
      config: {},
      'by-hand': {},
      unasked: {},
      mistyped: {},
      mirrored: { shadows: [{ variant: 'green', percent: 20 }] },
      asked: { variants: { blue: { url: blue }, green: { url: green }, third: { url: green } } },
      taken: { shadows: [{ variant: 'green', percent: 20 }] },
      'own-mirror': {},
      changed: {},
      two: {},
      shape: {},
      told: {},
      looked: {},
      gone: {},
      order: {},
      back: {},
    }),
    {
      vars: { WEBHOOK_SECRET: 'webhook-secret' },
      document: {
        webhooks: [
          { url: `${url}/flaky`, secret: 'WEBHOOK_SECRET' },
          { url: `${url}/slack`, format: 'slack' },
          { url: `${url}/silent` },
        ],
      },
    },
  );
});

afterAll(async () => {
  await world.close();
  receiver.closeAllConnections();
  receiver.close();
});

const long = (weight: number) => [
  { weight, for: '10m' },
  { weight: 100, for: '10m' },
];
const start = (route: string, plan: unknown = long(50), headers: Record<string, string> = {}) =>
  world.api(
    'POST',
    `/routes/${route}/rollout`,
    { to: 'green', plan, guardrails: lenient, reason: 'release 2' },
    headers,
  );
const split = (route: string, green: number, headers: Record<string, string> = {}) =>
  world.api('PUT', `/routes/${route}/split`, { weights: { blue: 100 - green, green }, reason: 'by me' }, headers);

describe('weights set by hand', () => {
  it('pause a rollout, refuse every call with that reason, and let it go on when they end', async () => {
    await start('by-hand');
    await world.headgate.put('weights:by-hand', { blue: 100 });
    const paused = await world.status('by-hand');
    expect(paused.rollout).toMatchObject({ phase: 'paused', reason: 'weights set by hand' });
    expect(paused).toMatchObject({ byHand: { blue: 100, green: 0 }, inForce: { source: 'weights' } });
    const because = { status: 409, body: { code: 'manual', detail: expect.stringContaining('weights set by hand') } };
    expect(await split('by-hand', 10)).toMatchObject(because);
    for (const [call, body] of Object.entries({
      switch: { to: 'green' },
      rollout: { to: 'green' },
      'rollout/promote': {},
      'rollout/pause': {},
      'rollout/resume': {},
      'rollout/abort': {},
      rollback: {},
    })) {
      expect(await world.api('POST', `/routes/by-hand/${call}`, { ...body, reason: 'now' }), call).toMatchObject(
        because,
      );
    }
    await world.headgate.put('weights:by-hand', { blue: 90, green: 10 });
    await world.status('by-hand');
    const cleared = await world.api('DELETE', '/routes/by-hand/weights?reason=done');
    expect(cleared).toMatchObject({ status: 200, body: { byHand: null } });
    const kv = await world.headgate.mf.getKVNamespace('CONFIG', 'headgate');
    expect(await kv.get('weights:by-hand', 'text')).toBe('{}');
    expect((await world.status('by-hand')).rollout).toMatchObject({ phase: 'progressing', step: 1 });
    const history = await world.history('by-hand');
    const byHand = history.filter(({ action }) => action.startsWith('manual-'));
    expect(byHand.map(({ actor, action, after }) => [actor, action, after])).toEqual([
      ['KV', 'manual-started', { blue: 100, green: 0 }],
      ['KV', 'manual-changed', { blue: 90, green: 10 }],
      ['api', 'manual-cleared', null],
      ['KV', 'manual-ended', null],
    ]);
    expect(history.filter(({ action }) => action.endsWith('-refused'))).toHaveLength(8);
  });

  it('refuse every move also where what is there now is refused, but for the way back', async () => {
    await world.headgate.put('weights:mistyped', '{"green":100');
    const refused = { status: 409, body: { code: 'manual', mend: expect.stringContaining('manual clear mistyped') } };
    expect(await world.api('PUT', '/routes/mistyped/split', { weights: { blue: 100 }, reason: 'now' })).toMatchObject(
      refused,
    );
    expect(await world.api('POST', '/routes/mistyped/rollout', { to: 'green', reason: 'now' })).toMatchObject(refused);
    await world.headgate.put('weights:mistyped', '{}');
    const plan = [
      { weight: 5, for: '10m' },
      { weight: 100, for: '10m' },
    ];
    expect((await world.api('POST', '/routes/mistyped/rollout', { to: 'green', plan, reason: 'now' })).status).toBe(
      200,
    );
    await world.headgate.put('weights:mistyped', '{"green":100');
    expect(await world.api('POST', '/routes/mistyped/rollout/abort', { reason: 'now' })).toMatchObject({
      status: 200,
      body: {
        rollout: { phase: 'aborted' },
        warnings: expect.arrayContaining([expect.stringMatching(/^weights:mistyped is refused: isolates that knew/)]),
      },
    });
    await world.headgate.put('weights:mistyped', { blue: 100 });
    expect(await world.api('POST', '/routes/mistyped/rollout/promote', { reason: 'now' })).toMatchObject(refused);
  });

  it('are in the history when they change, although nobody asks while they are there', async () => {
    const set = (weights: Record<string, number>) => world.headgate.put('weights:unasked', weights);
    const by = async () => (await world.visit('unasked')).variant;
    await set({ blue: 1, green: 99 });
    expect(await until(by, (variant) => variant === 'green')).toBe('green');
    expect(await world.actions('unasked')).toEqual(['manual-started']);
    await set({ blue: 99, green: 1 });
    expect(await until(by, (variant) => variant === 'blue')).toBe('blue');
    // Two flushes at least, the second of which finds that the last look is old.
    for (let n = 0; n < 10; n++) await Promise.all([by(), sleep(500)]);
    await set({ blue: 100 });
    expect((await world.history('unasked')).map(({ action, after }) => [action, after])).toEqual([
      ['manual-started', { blue: 1, green: 99 }],
      ['manual-changed', { blue: 99, green: 1 }],
      ['manual-changed', { blue: 100, green: 0 }],
    ]);
  });

  it('are ended only at the revision that was seen, where one is named', async () => {
    const late = await world.api('DELETE', '/routes/by-hand/weights', undefined, { 'if-match': '"99"' });
    expect(late).toMatchObject({ status: 412, body: { code: 'stale' } });
  });

  it('of a route that the config does not have cannot be cleared, nor has it a history', async () => {
    const none = { status: 404, body: { code: 'no_such_route' } };
    expect(await world.api('DELETE', '/routes/no-such/weights')).toMatchObject(none);
    expect(await world.api('GET', '/routes/no-such/history')).toMatchObject(none);
  });
});

describe('the ways back', () => {
  it('are the steady splits before this one, and the one that a rollback takes now', async () => {
    await split('back', 10);
    await split('back', 20);
    const one = { revision: 1, weights: { blue: 90, green: 10 }, reason: 'by me', by: 'api', rollout: null };
    const ways = async (query = '') => (await world.api('GET', `/routes/back/splits${query}`)).body;
    const { splits, target, refused } = await ways();
    expect(splits).toMatchObject([one, { revision: 0, weights: { blue: 100, green: 0 }, by: 'config' }]);
    expect([target, refused]).toMatchObject([{ revision: 1, weights: one.weights }, null]);
    await start('back');
    expect(await ways()).toMatchObject({ splits: [{ revision: 2 }, one, { revision: 0 }], target: { revision: 2 } });
    expect(await ways('?revision=0')).toMatchObject({ target: { weights: { blue: 100, green: 0 } } });
    await world.headgate.put('weights:back', { blue: 100 });
    expect(await ways()).toMatchObject({ target: null, refused: { code: 'manual', mend: expect.any(String) } });
    expect(await world.api('GET', '/routes/no-such/splits')).toMatchObject({ status: 404 });
    expect((await world.history('back')).filter(({ action }) => action.endsWith('-refused'))).toEqual([]);
  });
});

type Change = (route: { variants: Record<string, object> }) => void;

/** Puts the config with one route changed; what is said of that route's weights. */
async function edited(name: string, change: Change): Promise<string | undefined> {
  const { body: document } = await world.api('GET', '/config');
  change(document.routes.find((route: { name: string }) => route.name === name));
  const { body } = await world.api('PUT', '/config', document);
  return body.warnings.find(({ reason }: { reason: string }) => reason.includes(`:${name} `))?.reason;
}

describe('a config that changes', () => {
  it('pauses a rollout, and lets a person end it', async () => {
    await start('changed');
    const { body: document } = await world.api('GET', '/config');
    const route = document.routes.find(({ name }: { name: string }) => name === 'changed');
    route.variants.green.headers = { 'x-build': '2' };
    expect(await world.api('PUT', '/config', document)).toMatchObject({ status: 200 });
    const { rollout } = await until(
      () => world.status('changed'),
      (now) => now.rollout.phase === 'paused',
    );
    expect(rollout).toMatchObject({
      phase: 'paused',
      reason: expect.stringContaining('the config changed its variants'),
    });
    for (const call of ['promote', 'resume']) {
      expect(await world.api('POST', `/routes/changed/rollout/${call}`, { reason: 'now' })).toMatchObject({
        status: 409,
        body: { code: 'variants_changed' },
      });
    }
    expect(await world.api('POST', '/routes/changed/rollout/abort', { reason: 'start again' })).toMatchObject({
      status: 200,
      body: { rollout: { phase: 'aborted' }, split: { weights: { blue: 100, green: 0 } }, inForce: { notes: [] } },
    });
  });

  it('names the baseline of the next split, and a rollback tells it of the earlier one', async () => {
    const edit = (change: Change) => edited('taken', change);
    await split('taken', 10);
    const switched = await world.api('POST', '/routes/taken/switch', { to: 'green' });
    expect(switched.body.split).toMatchObject({ baseline: 'blue', shadows: {}, plainShadows: [] });
    const said = await edit((route) => Object.assign(route, { baseline: 'green', shadows: [] }));
    expect(said).toBe('the key split:taken beats the weights written here');
    expect(await world.status('taken')).toMatchObject({
      split: { baseline: 'blue' },
      inForce: { baseline: 'blue' },
      nextBaseline: 'green',
    });
    const { body } = await split('taken', 90);
    expect(body).toMatchObject({ split: { baseline: 'green', weights: { blue: 10, green: 90 } } });
    const back = await world.api('POST', '/routes/taken/rollback', { revision: 1 });
    expect(back.body).toMatchObject({ split: { baseline: 'blue', weights: { blue: 90, green: 10 } } });
    const { routes } = (await world.api('GET', '/config')).body;
    expect(routes.find(({ name }: { name: string }) => name === 'taken')).toMatchObject({ baseline: 'blue' });
    const changed = await edit(({ variants }) => Object.assign(variants.green!, { headers: { 'x-build': '2' } }));
    expect(changed).toBe('the key split:taken is for other variants: blue gets all traffic');
  });

  it('mirrors no more what it no longer describes, but what a call asked for', async () => {
    expect((await split('mirrored', 10)).body.inForce.shadows).toEqual({ green: 20 });
    await edited('mirrored', (route) => Object.assign(route, { shadows: [] }));
    expect((await world.status('mirrored')).inForce.shadows).toEqual({});
    const asked = { weights: { blue: 100 }, shadows: { green: 5 } };
    const { body } = await world.api('PUT', '/routes/mirrored/split', asked);
    expect(body).toMatchObject({ split: { plainShadows: ['green'] }, inForce: { shadows: { green: 5 } } });
  });

  it('mirrors what a call asked for also where the next split takes over another baseline', async () => {
    const asked = { weights: { blue: 100 }, shadows: { third: 5 } };
    await world.api('PUT', '/routes/asked/split', asked);
    await edited('asked', (route) => Object.assign(route, { baseline: 'green' }));
    expect((await split('asked', 10)).body).toMatchObject({
      split: { baseline: 'green', plainShadows: ['third'] },
      inForce: { shadows: { third: 5 } },
    });
  });

  it('mirrors to no variant that has become the baseline, nor again once that is promoted away', async () => {
    const mirrorsOf = ({
      body,
    }: {
      body: { split: { baseline: string; shadows: object }; inForce: { shadows: object } };
    }) => [body.split.baseline, body.split.shadows, body.inForce.shadows];
    const asked = { weights: { blue: 100 }, shadows: { green: 5 } };
    await world.api('PUT', '/routes/own-mirror/split', asked);
    await edited('own-mirror', (route) => Object.assign(route, { baseline: 'green' }));
    const body = { to: 'blue', plan: [{ weight: 100, for: '1m' }], guardrails: lenient, reason: 'back' };
    expect(mirrorsOf(await world.api('POST', '/routes/own-mirror/rollout', body))).toEqual(['green', {}, {}]);
    const promoted = await world.api('POST', '/routes/own-mirror/rollout/promote', { reason: 'it is good' });
    expect(mirrorsOf(promoted)).toEqual(['blue', {}, {}]);
    await world.api('PUT', '/routes/own-mirror/split', asked);
    await edited('own-mirror', (route) => Object.assign(route, { baseline: 'green' }));
    expect(mirrorsOf(await split('own-mirror', 100))).toEqual(['green', {}, {}]);
    const { before, after } = (await world.history('own-mirror')).at(-1);
    expect([before.shadows, after.shadows]).toEqual([{ green: 5 }, {}]);
  });

  it('ends nothing when the route is taken out, but for what a person ends', async () => {
    await start('gone');
    const { body: document } = await world.api('GET', '/config');
    const without = { ...document, routes: document.routes.filter(({ name }: { name: string }) => name !== 'gone') };
    await world.api('PUT', '/config', without);
    expect(await world.api('GET', '/routes/gone')).toMatchObject({ status: 404, body: { code: 'no_such_route' } });
    expect(await split('gone', 10)).toMatchObject({ status: 404 });
    await world.api('PUT', '/config', document);
    const { rollout } = await world.status('gone');
    expect(rollout).toMatchObject({ phase: 'paused', reason: expect.stringContaining('no route gone any more') });
  });
});

describe('a split', () => {
  it('that cannot be taken is refused with the place of each fault', async () => {
    const paths = async (weights: Record<string, number>) =>
      (await world.api('PUT', '/routes/order/split', { weights })).body.faults.map(
        ({ path }: { path: string }) => path,
      );
    expect(await paths({ blue: 90, red: 10 })).toEqual(['weights.red']);
    expect(await paths({ blue: 90, green: 5 })).toEqual(['weights']);
    expect(await paths({ '7': 9.999, blue: 90.001 })).toEqual(['weights["7"]', 'weights.blue']);
  });
});

describe('two admins at once', () => {
  it('change a split: one is told to look again', async () => {
    const seen = (await world.api('GET', '/routes/two')).headers.get('etag')!;
    expect(seen).toBe('"0"');
    const both = await Promise.all([split('two', 10, { 'if-match': seen }), split('two', 20, { 'if-match': seen })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect(both.find(({ status }) => status === 412)?.body.code).toBe('stale');
    expect(await split('two', 30, { 'if-match': '"no revision"' })).toMatchObject({ status: 412 });
    expect(await start('two', long(50), { 'if-match': '"0"' })).toMatchObject({ status: 412 });
    expect(await start('two', long(50), { 'if-match': '"1"' })).toMatchObject({ status: 200 });
    const aborting = { 'if-match': '"1"' };
    expect(await world.api('POST', '/routes/two/rollout/abort', {}, aborting)).toMatchObject({ status: 412 });
    expect(await world.api('POST', '/routes/two/rollout/abort', {}, { 'if-match': '*' })).toMatchObject({
      status: 200,
    });
    expect((await world.actions('two')).filter((action) => action.endsWith('-refused'))).toEqual([
      'split-refused',
      'rollout-refused',
      'abort-refused',
    ]);
  });

  it('start a rollout: there is only one', async () => {
    const both = await Promise.all([start('order'), start('order')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await world.status('order')).split.revision).toBe(1);
  });

  it('write the config: one is told to look again', async () => {
    const { headers, body } = await world.api('GET', '/config');
    const etag = headers.get('etag')!;
    const write = (path: string) => {
      const routes = body.routes.map((route: { name: string }) =>
        route.name === 'looked' ? { ...route, match: { path } } : route,
      );
      return world.api('PUT', '/config', { ...body, routes }, { 'if-match': etag });
    };
    const both = await Promise.all([write('/looked-at/*'), write('/looked-for/*')]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});

describe('the config', () => {
  it('is not sent again to who has it', async () => {
    const { headers } = await world.api('GET', '/config');
    const etag = headers.get('etag')!;
    for (const known of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
      const again = await fetch(`${world.headgate.url}/_headgate/api/config`, {
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'if-none-match': known },
      });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    }
    expect(await world.api('GET', '/config', undefined, { 'if-none-match': '"another"' })).toMatchObject({
      status: 200,
    });
  });
});

describe('an earlier config', () => {
  it('is restored by its number, and becomes the newest', async () => {
    const { body: first } = await world.api('GET', '/config');
    const {
      body: { revisions },
    } = await world.api('GET', '/config/revisions');
    const changed = { ...first, routes: first.routes.slice(0, 1) };
    expect((await world.api('PUT', '/config?reason=too%20few', changed)).status).toBe(200);
    const restored = await world.api('POST', '/config/restore', { revision: revisions[0].revision, reason: 'oops' });
    expect(restored).toMatchObject({ status: 200, body: { revision: revisions[0].revision + 2 } });
    expect((await world.api('GET', '/config')).body).toEqual(first);
    const { body: after } = await world.api('GET', '/config/revisions');
    expect(after.revisions.slice(0, 2).map(({ reason }: { reason: string }) => reason)).toEqual(['oops', 'too few']);
    expect(await world.api('POST', '/config/restore', { revision: 4_711 })).toMatchObject({ status: 404 });
  });
});

describe('a route', () => {
  it('is told in the shape that others rely on', async () => {
    for (let n = 0; n < 6; n++) await world.visit('shape');
    await start('shape', [
      { weight: 50, for: '10m', minSamples: 1 },
      { weight: 100, for: '1h' },
    ]);
    const { body, headers } = await world.api('GET', '/routes/shape');
    expect(headers.get('etag')).toBe('"1"');
    expect(body).toMatchObject({
      name: 'shape',
      split: {
        revision: 1,
        weights: { blue: 50, green: 50 },
        shadows: {},
        baseline: 'blue',
        salt: expect.stringMatching(/^r-\d{8}-1$/),
        rollout: expect.stringMatching(/^r-\d{8}-1$/),
        variants: expect.stringMatching(/^\w+$/),
        by: 'api',
        reason: 'step 1 of 2: release 2',
        at: expect.stringMatching(/^\d{4}-.*Z$/),
      },
      rollout: {
        id: body.split.rollout,
        to: 'green',
        phase: 'progressing',
        step: 1,
        steps: 2,
        since: expect.any(String),
        waitsFor: expect.any(String),
        nextAt: expect.any(String),
        reason: expect.any(String),
      },
    });
    for (const variant of ['blue', 'green']) {
      expect(Object.keys(body.live[variant])).toEqual(
        expect.arrayContaining(['requests', 'failed', 'p50Ms', 'p95Ms', 'p99Ms']),
      );
    }
    expect(body.rollout.guardrails).toEqual([
      expect.objectContaining({
        metric: 'errors',
        verdict: 'inconclusive',
        sentence: expect.any(String),
        candidate: { n: expect.any(Number), bad: 0 },
        baseline: { n: expect.any(Number), bad: 0 },
        e: 1,
        threshold: 100,
        upper: null,
        margin: 0.2,
      }),
    ]);
    const untouched = await world.status('looked');
    expect(untouched).toMatchObject({ rollout: null, split: { revision: 0, weights: { blue: 100, green: 0 } } });
    const { body: all } = await world.api('GET', '/routes');
    expect(all.routes.map(({ name }: { name: string }) => name)).toContain('shape');
  });

  it('may be named config: its controller is not the owner of the document', async () => {
    expect(await split('config', 25)).toMatchObject({ status: 200, body: { name: 'config', split: { revision: 1 } } });
    expect(await world.actions('config')).toEqual(['split']);
    expect((await world.api('GET', '/config')).status).toBe(200);
    expect((await world.api('GET', '/config/revisions')).body.revisions[0]).not.toHaveProperty('weights');
  });

  it('keeps who did what and why, refused calls and previews too, newest first and never changed', async () => {
    const ada = { 'x-headgate-actor': 'ada' };
    await split('looked', 10, ada);
    const first = (await world.api('GET', '/routes/looked/history')).body.entries;
    await world.api('POST', '/routes/looked/switch', { to: 'purple', reason: 'why not' }, ada);
    const preview = await world.api('POST', '/routes/looked/preview', { variant: 'green' }, ada);
    expect(preview.status).toBe(200);
    const { entries } = (await world.api('GET', '/routes/looked/history')).body;
    expect(entries.map(({ actor, action }: { actor: string; action: string }) => [actor, action])).toEqual([
      ['ada', 'preview'],
      ['ada', 'switch-refused'],
      ['ada', 'split'],
    ]);
    expect(entries[0].reason).toContain('of green on');
    expect(entries[1].reason).toMatch(/^why not \(refused: .*no variant "purple"/);
    expect(entries[2]).toMatchObject({
      at: expect.stringMatching(/^\d{4}-/),
      reason: 'by me',
      before: { weights: { blue: 100, green: 0 } },
      after: { weights: { blue: 90, green: 10 } },
    });
    expect(entries.at(-1)).toEqual(first[0]);
    const page = (await world.api('GET', '/routes/looked/history?limit=2')).body;
    expect(page.entries).toEqual(entries.slice(0, 2));
    const rest = (await world.api('GET', `/routes/looked/history?limit=2&before=${page.next}`)).body;
    expect(rest).toEqual({ entries: entries.slice(2), next: null });
  });
});

describe('webhooks', () => {
  it('are signed, tried again until they are taken, and wait for nobody', async () => {
    deliveries.length = 0;
    answers.splice(0, answers.length, 500, 503);
    const began = Date.now();
    await start('told');
    expect(Date.now() - began).toBeLessThan(4_000);
    const of = (path: string) =>
      deliveries.filter((one) => one.path === path && one.body.includes('told') && one.body.includes('started'));
    await until(
      async () => of('/flaky').length,
      (n) => n >= 3,
    );
    await until(
      () => world.phase('told'),
      (phase) => phase === 'progressing',
      1,
    );
    const tries = of('/flaky');
    expect(tries).toHaveLength(3);
    expect(new Set(tries.map(({ delivery }) => delivery)).size).toBe(1);
    expect(tries[0]!.delivery).toMatch(/^told-\d+$/);
    for (const { body, signature } of tries) {
      expect(signature).toBe(`sha256=${createHmac('sha256', 'webhook-secret').update(body).digest('hex')}`);
    }
    expect(JSON.parse(tries[0]!.body)).toMatchObject({
      route: 'told',
      to: 'green',
      baseline: 'blue',
      entry: { action: 'started', actor: 'api', after: { phase: 'progressing', weights: { green: 50 } } },
      text: expect.stringContaining('told: rollout'),
    });
    const [slack, ...more] = of('/slack');
    expect(more).toEqual([]);
    expect(JSON.parse(slack!.body)).toEqual({ text: expect.stringContaining('started at 50 % by api') });
    expect(slack!.signature).toBeUndefined();
  });
});

describe('every call', () => {
  const calls: [string, string][] = [
    ['GET', '/config'],
    ['PUT', '/config'],
    ['POST', '/config/validate'],
    ['GET', '/config/revisions'],
    ['POST', '/config/restore'],
    ['GET', '/routes'],
    ['GET', '/routes/shape'],
    ['PUT', '/routes/shape/split'],
    ['POST', '/routes/shape/switch'],
    ['POST', '/routes/shape/rollout'],
    ...['promote', 'pause', 'resume', 'abort'].map((kind): [string, string] => [
      'POST',
      `/routes/shape/rollout/${kind}`,
    ]),
    ['POST', '/routes/shape/rollback'],
    ['DELETE', '/routes/shape/weights'],
    ['GET', '/routes/shape/explain?unit=u'],
    ['GET', '/routes/shape/history'],
    ['GET', '/routes/shape/series'],
    ['GET', '/routes/shape/comparisons'],
    ['POST', '/routes/shape/preview'],
    ['GET', '/records'],
    ['GET', '/openapi.json'],
  ];
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

  it('is refused without a token and with a wrong one, by every method, and nothing is done', async () => {
    const before = await world.api('GET', '/routes/shape/history');
    for (const [, path] of calls) {
      for (const method of methods) {
        for (const authorization of [undefined, `Bearer ${ADMIN_TOKEN}x`]) {
          // Wrong tokens from one address are slowed down, so they are tried where it matters most.
          if (authorization !== undefined && !calls.some(([own, at]) => own === method && at === path)) continue;
          const response = await fetch(`${world.headgate.url}/_headgate/api${path}`, {
            method,
            headers: authorization === undefined ? {} : { authorization },
            ...(['GET', 'HEAD'].includes(method) ? {} : { body: '{}' }),
          });
          expect(response.status, `${method} ${path}`).toBe(401);
          expect(response.headers.get('cache-control')).toBe('no-store');
          await response.arrayBuffer();
        }
      }
    }
    expect(await world.api('GET', '/routes/shape/history')).toMatchObject({ body: before.body });
  });

  it('that is answered is not to be stored either', async () => {
    for (const [method, path] of calls.filter(([method]) => method === 'GET')) {
      const { headers, status } = await world.api(method, path);
      expect(headers.get('cache-control'), path).toBe('no-store');
      expect(status, path).toBe(200);
    }
  });
});
