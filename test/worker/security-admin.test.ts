import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, sendBytes, statusOf } from './client.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let origin: Origin;
let open: Headgate;
/** Its controls answer on one host alone; its config is put by hand and has a route for every host. */
let apart: Headgate;
let closed: Headgate;

const ADMIN_HOST = 'Ops.Example.com';
const TOKEN = `Bearer ${ADMIN_TOKEN}`;
const API = '/_headgate/api/records';

beforeAll(async () => {
  origin = await startOrigin((_, response) => response.end('variant'));
  const config = { version: 1, routes: [{ name: 'main', variants: { blue: { url: origin.url } } }] };
  [open, apart, closed] = await Promise.all([
    startHeadgate({ config }),
    startHeadgate({ config, vars: { ADMIN_HOST, FALLBACK_ORIGIN: origin.url } }),
    startHeadgate({ config, recorder: false, vars: { ADMIN_TOKEN: '' } }),
  ]);
});

afterAll(async () => {
  await Promise.all([open.dispose(), apart.dispose(), closed.dispose()]);
  await origin.close();
});

const raw = (base: string, target: string, more = '') =>
  sendBytes(base, `GET ${target} HTTP/1.1\r\nHost: shop.test\r\n${more}Connection: close\r\n\r\n`);

describe('the admin API', () => {
  it('answers whoever bears the token', async () => {
    expect((await ask(open.url, API, { headers: { authorization: TOKEN } })).status).toBe(200);
    expect((await ask(open.url, API, { headers: { authorization: `bearer  ${ADMIN_TOKEN} ` } })).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['an empty one', { authorization: 'Bearer ' }],
    ['a wrong one', { authorization: 'Bearer wrong' }],
    ['the beginning of it', { authorization: TOKEN.slice(0, -1) }],
    ['more than it', { authorization: `${TOKEN}0` }],
    ['it in capitals', { authorization: TOKEN.toUpperCase() }],
    ['it as another scheme', { authorization: `Basic ${ADMIN_TOKEN}` }],
    ['it as a password', { authorization: `Basic ${Buffer.from(`admin:${ADMIN_TOKEN}`).toString('base64')}` }],
    ['it without a scheme', { authorization: ADMIN_TOKEN }],
    ['it twice', { authorization: `${TOKEN}, ${TOKEN}` }],
    ['it in another header', { 'x-admin-token': ADMIN_TOKEN, 'x-headgate-token': ADMIN_TOKEN }],
    ['it in a cookie', { cookie: `authorization=${ADMIN_TOKEN}; token=${ADMIN_TOKEN}` }],
    ['undefined', { authorization: 'Bearer undefined' }],
  ])('stays shut to %s', async (_, headers) => {
    const calls: [string, string][] = [
      ['GET', API],
      ['HEAD', API],
      ['GET', `${API}?token=${ADMIN_TOKEN}&access_token=${ADMIN_TOKEN}`],
      ['POST', '/_headgate/api/config/validate'],
      ['POST', '/_headgate/api/routes/main/preview'],
      ['GET', '/_headgate/api/openapi.json'],
      ['GET', '/_headgate/api/nothing'],
      ['OPTIONS', API],
    ];
    for (const [method, path] of calls) {
      const answer = await ask(open.url, path, { method, headers });
      expect(answer.status, `${method} ${path}`).toBe(401);
      expect(answer.headers).toMatchObject({
        'www-authenticate': 'Bearer realm="headgate"',
        'cache-control': 'no-store',
      });
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.body).not.toContain(ADMIN_TOKEN);
    }
  });

  it('is closed and not open while ADMIN_TOKEN is not set', async () => {
    for (const authorization of ['Bearer ', 'Bearer undefined', 'Bearer null', TOKEN]) {
      const answer = await ask(closed.url, API, { headers: { authorization } });
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'admin_disabled' });
    }
  });
});

/** Spellings of a place under `/_headgate`, and what a server might take for one. */
const SPELLINGS = [
  '/_headgate',
  '/_headgate/',
  '/_headgate?x',
  '/_headgate/api/records',
  '/_headgate//api/records',
  '/_headgate/./api/records',
  '/_headgate/x/../api/records',
  '/_headgate/api/../api/records',
  '/_headgate/%61pi/records',
  '/_headgate/api%2frecords',
  '/_headgate/api/records/',
  '/_headgate/API/records',
  '/_headgate/api/records%00',
  '/_headgate/api/records;x',
  '/_headgate/health/../api/records',
  '/_headgate/health/..%2fapi/records',
  '/_headgate/preview/../api/records',
  '/_headgate\\api\\records',
  '/./_headgate/api/records',
  '/../_headgate/api/records',
  '/x/../_headgate/api/records',
  '/x/%2e%2e/_headgate/api/records',
  '/x\\..\\_headgate\\api\\records',
  '/\\../_headgate/api/records',
  '/%5fheadgate/api/records',
  '/%5Fheadgate/api/records',
  '/_%68eadgate/api/records',
  '/%5f%68%65%61%64%67%61%74%65%2fapi/records',
  '/_HEADGATE/api/records',
  'http://other.test/_headgate/api/records',
];

describe('a path of the controls', () => {
  it.each(SPELLINGS)('spelled %s shows nothing without the token, and reaches no variant', async (target) => {
    const before = origin.seen.length;
    for (const { url } of [open, apart]) {
      const received = await raw(url, target);
      expect([400, 401, 404]).toContain(statusOf(received));
      expect(received).not.toMatch(/"records":/);
    }
    expect(origin.seen).toHaveLength(before);
  });

  it('is not what only looks like one', async () => {
    for (const path of ['/_headgatex', '/x/_headgate/api/records', '/_headgate-api', '/headgate/api']) {
      expect(await ask(open.url, path)).toMatchObject({ status: 200, body: 'variant' });
    }
  });
});

describe('with ADMIN_HOST set', () => {
  const on = (host: string, path: string, more: Record<string, string> = {}) =>
    ask(apart.url, path, { headers: { host, authorization: TOKEN, ...more } });

  it.each(['ops.example.com', 'OPS.example.COM', 'ops.example.com:8443'])('the controls answer on %s', async (host) => {
    expect((await on(host, API)).status).toBe(200);
  });

  it.each([
    'shop.test',
    'example.com',
    'x.ops.example.com',
    'ops.example.com.evil.test',
    'evil-ops.example.com',
    '127.0.0.1',
  ])('they do not on %s, with the token and whatever else is claimed', async (host) => {
    const claims = { 'x-forwarded-host': 'ops.example.com', forwarded: 'host=ops.example.com' };
    for (const path of [API, '/_headgate/', '/_headgate/api/routes/main/preview', '/_headgate/api/openapi.json']) {
      const answer = await on(host, path, claims);
      expect(answer.status).toBe(404);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'not_found' });
    }
  });

  it('health and previews answer everywhere', async () => {
    expect((await on('shop.test', '/_headgate/health')).status).toBe(200);
    expect((await on('shop.test', '/_headgate/preview?token=x')).status).toBe(403);
  });

  it.each(['ops.example.com', 'OPS.EXAMPLE.COM', 'ops.example.com:8443'])(
    'no route and no fallback answers on %s, also where a route takes every host',
    async (host) => {
      const before = origin.seen.length;
      for (const path of ['/', '/x', '/_headgatex']) {
        const answer = await on(host, path);
        expect(answer.status).toBe(404);
        expect(JSON.parse(answer.body)).toMatchObject({ code: 'no_route' });
      }
      expect(origin.seen).toHaveLength(before);
      expect((await on('shop.test', '/x')).body).toBe('variant');
    },
  );

  it('a config with a route on that host is refused', async () => {
    const variants = { blue: { url: origin.url } };
    const body = JSON.stringify({
      version: 1,
      routes: [{ name: 'main', match: { host: 'ops.example.com' }, variants }],
    });
    const answer = await ask(apart.url, '/_headgate/api/config/validate', {
      method: 'POST',
      headers: { host: 'ops.example.com', authorization: TOKEN },
      body,
    });
    expect(answer.status).toBe(422);
    expect(JSON.parse(answer.body).faults).toMatchObject([{ path: 'routes[0].match.host' }]);
  });

  it('no preview is given for that host', async () => {
    const answer = await ask(apart.url, '/_headgate/api/routes/main/preview', {
      method: 'POST',
      headers: { host: 'ops.example.com', authorization: TOKEN },
      body: JSON.stringify({ variant: 'blue', host: 'ops.example.com' }),
    });
    expect(answer.status).toBe(422);
  });
});
