import { describe, expect, it } from 'vitest';
import { bearerToken, sameSecret } from '../../src/admin/auth.ts';
import { MAX_WRONG_TOKENS } from '../../src/admin/limits.ts';
import { MINUTE_MS, MinuteLimit } from '../../src/admin/minute-limit.ts';
import { operations } from '../../src/admin/openapi.ts';
import { mounted, problemOf, token } from './calls.ts';

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const paths = [
  ...operations.map((operation) => operation.path),
  '/api/nothing-here',
  '/api',
  '/api/',
  '/api/records/',
].filter((path) => path.startsWith('/api'));
const calls = methods.flatMap((method) => paths.map((path) => [method, path] as const));

describe('the admin API', () => {
  it.each(calls)('refuses %s %s without the right token, and is closed when none is set', async (method, path) => {
    const call = mounted();
    for (const given of [null, 'wrong', `${token}x`, token.slice(1)]) {
      const response = await call(method, path, undefined, { token: given });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(await problemOf(response)).toMatchObject({ status: 401, code: 'unauthorized' });
    }
    for (const secret of [undefined, '']) {
      const response = await call(method, path, undefined, { env: { ADMIN_TOKEN: secret } });
      expect(await problemOf(response)).toMatchObject({ status: 503, code: 'admin_disabled' });
      expect(response.headers.get('x-headgate-error')).toBe('admin_disabled');
    }
  });

  it.each(['', 'Bearer', 'Bearer ', `Basic ${token}`, token, `Bearer ${token} x`])(
    'does not take %j for a token',
    async (authorization) => {
      const response = await mounted()('GET', '/api/openapi.json', undefined, {
        token: null,
        headers: { authorization },
      });
      expect(response.status).toBe(401);
    },
  );

  it.each([
    '/%61pi/records',
    '//api/records',
    '/./api/openapi.json',
    '/x/../api/openapi.json',
    '/api%2Frecords',
    '/API/records',
  ])('gives nothing away when the path is written %s', async (path) => {
    const response = await mounted()('GET', path, undefined, { token: null });
    expect([401, 404]).toContain(response.status);
  });

  it('takes a token of several words', async () => {
    const env = { ADMIN_TOKEN: 'two words' };
    expect((await mounted({ env })('GET', '/api/openapi.json', undefined, { token: 'two words' })).status).toBe(200);
    expect((await mounted({ env })('GET', '/api/openapi.json', undefined, { token: 'two' })).status).toBe(401);
  });

  it('takes the scheme in any case, as RFC 9110 says', async () => {
    const headers = { authorization: `bearer ${token}` };
    const response = await mounted()('GET', '/api/openapi.json', undefined, { token: null, headers });
    expect(response.status).toBe(200);
  });

  it('never lets an answer be cached, whatever it is', async () => {
    const call = mounted();
    const responses = await Promise.all([
      call('GET', '/health'),
      call('GET', '/api/openapi.json'),
      call('GET', '/api/openapi.json', undefined, { token: null }),
      call('GET', '/api/openapi.json', undefined, { env: { ADMIN_TOKEN: '' } }),
      call('GET', '/nothing-here'),
      call('GET', ''),
      call('PUT', '/health'),
      call('GET', '/api/records'),
      call('GET', '/preview?token=x'),
    ]);
    expect(responses.map((response) => response.headers.get('cache-control'))).toEqual(responses.map(() => 'no-store'));
  });

  it('makes an address that keeps guessing wait, no other, and nobody who has the right token', async () => {
    const call = mounted();
    const guess = (headers: Record<string, string>, given = 'wrong') =>
      call('GET', '/api/openapi.json', undefined, { token: given, headers });
    const attacker = { 'cf-connecting-ip': '2001:db8:0:1::1' };
    const neighbour = { 'cf-connecting-ip': '2001:db8:0:1::2' };
    for (let i = 0; i < MAX_WRONG_TOKENS; i++) expect((await guess(attacker)).status).toBe(401);
    const refused = await guess(neighbour, `${token}x`);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await guess({ 'cf-connecting-ip': '2001:db8:0:2::1' })).status).toBe(401);
    expect((await guess(neighbour, token)).status).toBe(200);
    expect((await guess(attacker)).status).toBe(429);
  });
});

describe('the memory of failures', () => {
  it('forgets after its window', () => {
    const failures = new MinuteLimit(MAX_WRONG_TOKENS);
    for (let i = 0; i < MAX_WRONG_TOKENS; i++) failures.count('192.0.2.1', i);
    expect(failures.waitSeconds('192.0.2.1', MINUTE_MS - 1)).toBe(1);
    expect(failures.waitSeconds('192.0.2.1', MINUTE_MS)).toBe(0);
    failures.count('192.0.2.1', MINUTE_MS);
    expect(failures.waitSeconds('192.0.2.1', MINUTE_MS)).toBe(0);
  });

  it('gathers nothing, and locks nobody out, until a clock that was set back has caught up', () => {
    const failures = new MinuteLimit(2);
    failures.count('192.0.2.1', 3_600_000);
    failures.count('192.0.2.1', 1_000);
    expect(failures.waitSeconds('192.0.2.1', 1_000)).toBe(0);
    failures.count('192.0.2.2', 3_600_000);
    failures.count('192.0.2.2', 3_600_000);
    expect(failures.waitSeconds('192.0.2.2', 1_000)).toBe(0);
  });

  it('stays bounded, and drops the oldest address first', () => {
    const failures = new MinuteLimit(MAX_WRONG_TOKENS);
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      for (let i = 0; i < MAX_WRONG_TOKENS; i++) failures.count(address, 0);
    }
    for (let i = 0; i < 999; i++) failures.count(`10.0.${i >> 8}.${i & 255}`, 1);
    expect(failures.waitSeconds('192.0.2.1', 1)).toBe(0);
    expect(failures.waitSeconds('192.0.2.2', 1)).toBeGreaterThan(0);
  });
});

it('compares secrets of any length', async () => {
  expect(await sameSecret('', '')).toBe(true);
  expect(await sameSecret('abc', 'abc')).toBe(true);
  expect(await sameSecret('abc', 'abd')).toBe(false);
  expect(await sameSecret('abc', 'abcabc')).toBe(false);
});

it('reads a header of nothing but blanks in no time, since anybody may send one', () => {
  const startedMs = performance.now();
  for (const blank of [' ', '\t', '\u00a0']) bearerToken(`Bearer${' '.repeat(100_000)}${blank}`);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
