import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, sendBytes, statusOf } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

/** The only origin that the config names, under a base path. Its `/secret` lies outside of it. */
let origin: Origin;
/** A server that the config does not name: whoever makes the Worker call it has won. */
let decoy: Origin;
let headgate: Headgate;
let fallback: Headgate;
let elsewhere: string;

const SERVICE = `export default { fetch(request) { return new Response(request.url); } };`;

beforeAll(async () => {
  origin = await startOrigin((request, response) => response.end(request.url));
  decoy = await startOrigin();
  elsewhere = new URL(decoy.url).host;
  const routes = [
    { name: 'service', match: { path: '/service/*' }, variants: { blue: { service: 'MODEL' } } },
    { name: 'main', variants: { blue: { url: `${origin.url}/base/v1` } } },
  ];
  headgate = await startHeadgate({ recorder: false, config: { version: 1, routes }, services: { MODEL: SERVICE } });
  const vars = { FALLBACK_ORIGIN: `${origin.url}/base/v1` };
  fallback = await startHeadgate({ recorder: false, config: { version: 1, routes: [] }, vars });
});

afterAll(async () => {
  await Promise.all([headgate.dispose(), fallback.dispose()]);
  await Promise.all([origin.close(), decoy.close()]);
});

/** Request targets as an attacker writes them; HOST is the decoy. */
const TARGETS = [
  '//HOST/x',
  '///HOST/x',
  '/\\HOST/x',
  '\\\\HOST\\x',
  '/\\/HOST/x',
  'http://HOST/x',
  'https://HOST/x',
  'HTTP://HOST/x',
  'http:HOST/x',
  'http:\\\\HOST\\x',
  'ftp://HOST/x',
  'javascript:HOST',
  '@HOST/x',
  ':@HOST/x',
  ':80@HOST/',
  '.HOST/',
  '-HOST/',
  'HOST/x',
  '?@HOST/',
  '#@HOST/',
  '',
  '*',
  '/@HOST/x',
  '/x@HOST/',
  '/%40HOST/',
  '/%2F%2FHOST/x',
  '/%5c%5cHOST/x',
  '/http://HOST/x',
  '/;@HOST/',
  '/?@HOST/',
  '/?url=http://HOST/x',
  '/x#@HOST/',
  '/%0d%0aHost:%20HOST',
  '/%00@HOST',
  '/\u00e9@HOST',
  '/\t//HOST/x',
];

/** Ways out of a base path. */
const ESCAPES = [
  '/../secret',
  '/../../secret',
  '/x/../../../secret',
  '/%2e%2e/secret',
  '/%2E%2E/%2e%2e/secret',
  '/.%2e/secret',
  '/%2e./%2e./secret',
  '/x/..\\..\\..\\secret',
  '\\..\\secret',
  '/..\\secret',
  '/./../secret',
  '//../../secret',
  '/..;/secret',
  '/..%2fsecret',
  '/..%5csecret',
  '/%2e%2e%2fsecret',
  '/%252e%252e/secret',
  '/\u2025/secret',
  '/..?/../secret',
  '/..#/../secret',
];

const get = (target: string, host = 'shop.test', more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`;

describe('no request target', () => {
  it.each(TARGETS)('such as %j makes the Worker call a host that the config does not name', async (target) => {
    const path = target.replaceAll('HOST', elsewhere);
    for (const { url } of [headgate, fallback]) {
      const received = await sendBytes(url, Buffer.from(get(path)));
      expect([200, 400, 404]).toContain(statusOf(received));
    }
    expect(decoy.seen).toEqual([]);
  });

  it.each(ESCAPES)('such as %j leaves the base path of a variant', async (target) => {
    const before = origin.seen.length;
    for (const { url } of [headgate, fallback]) {
      const status = statusOf(await sendBytes(url, Buffer.from(get(target))));
      expect([200, 400]).toContain(status);
    }
    for (const { url } of origin.seen.slice(before)) {
      expect(url).toMatch(/^\/base\/v1\//);
      // What the origin was sent is resolved already: no reading of the dots is left to it.
      expect(new URL(url, origin.url).pathname).toBe(url.split('?')[0]);
    }
  });

  it('however long does more than be passed on or refused', async () => {
    for (const length of [1_000, 8_000, 60_000, 200_000]) {
      const status = statusOf(await sendBytes(headgate.url, get(`/${'x'.repeat(length)}`)));
      expect(length < 10_000 ? [200] : [200, 414, 431]).toContain(status);
    }
    expect((await ask(headgate.url, '/after')).status).toBe(200);
  });

  it('is told to a service binding under another host than the request has', async () => {
    const received = await sendBytes(headgate.url, get(`/service/x`, `user:pass@shop.test`));
    expect(received).toContain('http://shop.test/service/x');
  });
});

describe('no Host header', () => {
  it.each([
    'HOST',
    'user@HOST',
    'shop.test@HOST',
    'HOST/x?',
    'HOST#',
    'HOST\\',
    'shop.test:80@HOST',
    '[::1]',
    'a.test, HOST',
    '%31%32%37.0.0.1',
    '0x7f.1',
  ])('such as %s sends a request to where it points', async (host) => {
    const received = await sendBytes(headgate.url, get('/x', host.replace('HOST', elsewhere)));
    expect([200, 400]).toContain(statusOf(received));
    expect(decoy.seen).toEqual([]);
  });

  it.each(['[', 'a b', 'shop.test:99999', 'a.test, b.test', '<script>'])(
    'that is no host, such as %s, is our failure',
    async (host) => {
      for (const path of ['/x', '/_headgate/preview?token=t', '/_headgate/health']) {
        const received = await sendBytes(headgate.url, get(path, host));
        // What looks at no host may answer.
        expect(path.endsWith('health') ? [200, 400] : [400]).toContain(statusOf(received));
        if (path === '/x') expect(received).toContain('"code":"bad_request"');
      }
    },
  );

  it('given twice chooses between two hosts', async () => {
    const received = await sendBytes(headgate.url, get('/x', 'shop.test', `Host: ${elsewhere}\r\n`));
    expect(statusOf(received)).toBe(400);
    expect(decoy.seen).toEqual([]);
  });

  it('brings its user-info or path to an origin as its name', async () => {
    await sendBytes(headgate.url, get('/x', `user@${elsewhere}`));
    expect(origin.seen.at(-1)?.headers).toMatchObject({
      host: new URL(origin.url).host,
      'x-forwarded-host': elsewhere,
    });
  });
});

describe('no header', () => {
  it.each([
    'X-Original-URL: http://HOST/',
    'X-Rewrite-URL: /../secret',
    'X-Forwarded-Host: HOST',
    'Forwarded: host=HOST',
    'X-Host: HOST',
    'X-HTTP-Host-Override: HOST',
    'CF-Worker: HOST',
    'MF-Original-URL: http://HOST/',
    'MF-Custom-Fetch-Service: HOST',
    'Referer: http://HOST/',
    'Origin: http://HOST',
    'Location: http://HOST/',
    'Destination: http://HOST/',
  ])('such as %s changes the host or the path that is called', async (line) => {
    const received = await sendBytes(headgate.url, get('/x', 'shop.test', `${line.replace('HOST', elsewhere)}\r\n`));
    expect(statusOf(received)).toBe(200);
    expect(origin.seen.at(-1)?.url).toBe('/base/v1/x');
    expect(decoy.seen).toEqual([]);
  });
});
