import { describe, expect, it } from 'vitest';
import { samePlace } from '../../src/admin/preview.ts';
import { readPreviewToken } from '../../src/split/preview.ts';
import { mounted, problemOf } from './calls.ts';

interface Given {
  token: string;
  url: string;
  header: { name: string; value: string };
  expiresAt: string;
}

const ask = async (body: unknown, route = 'detect', host?: string) =>
  mounted(host ? { host } : {})('POST', `/api/routes/${route}/preview`, body);

describe('asking for a preview', () => {
  it('gives a token for the variant, on the host of the call, valid for an hour', async () => {
    const response = await ask({ variant: 'green' });
    expect(response.status).toBe(200);
    const given = (await response.json()) as Given;
    expect(given.header).toEqual({ name: 'x-headgate-preview', value: given.token });
    expect(given.url).toBe(`https://headgate.test/_headgate/preview?token=${encodeURIComponent(given.token)}`);
    const nowMs = Date.now();
    const read = await readPreviewToken(given.token, { host: 'headgate.test', nowMs }, 'cookie-secret');
    expect(read).toMatchObject({ ok: true, value: { route: 'detect', variant: 'green' } });
    expect(Math.abs(Date.parse(given.expiresAt) - nowMs - 3_600_000)).toBeLessThan(5_000);
  });

  it('names the host that the route matches when the call came in elsewhere', async () => {
    const given = (await (await ask({ variant: 'blue' }, 'shop')).json()) as Given;
    expect(given.url).toMatch('https://shop.example.com/_headgate/preview?token=');
    const other = (await (await ask({ variant: 'blue', host: 'eu.shop.example.com' }, 'shop')).json()) as Given;
    expect(other.url).toMatch('https://eu.shop.example.com/');
    const named = (await (
      await ask({ variant: 'blue', host: 'BÜCHER.shop.example.com:8443' }, 'shop')
    ).json()) as Given;
    expect(named.url).toMatch('https://xn--bcher-kva.shop.example.com:8443/');
  });

  it.each([
    ['an unknown route', 'nowhere', { variant: 'blue' }, 404, 'no_such_route'],
    ['an unknown variant', 'detect', { variant: 'red' }, 404, 'no_such_variant'],
    ['a name that every object has', 'detect', { variant: 'constructor' }, 404, 'no_such_variant'],
    ['a host that the route does not match', 'shop', { variant: 'blue', host: 'evil.example' }, 422, 'preview_host'],
    ['a host that is none', 'detect', { variant: 'blue', host: 'a b' }, 422, 'preview_refused'],
    ['more than a day', 'detect', { variant: 'blue', ttl: '25h' }, 422, 'invalid_request'],
    ['no time at all', 'detect', { variant: 'blue', ttl: '0s' }, 422, 'preview_refused'],
    ['a duration that is none', 'detect', { variant: 'blue', ttl: 'soon' }, 422, 'invalid_request'],
    ['no variant', 'detect', {}, 422, 'invalid_request'],
    ['a body that is no JSON', 'detect', 'variant=blue', 400, 'bad_json'],
  ])('refuses %s', async (_, route, body, status, code) => {
    expect(await problemOf(await ask(body, route))).toMatchObject({ status, code });
  });

  it('is never made for the host of the controls, where no route answers', async () => {
    const call = mounted({ env: { ADMIN_HOST: 'controls.test' }, host: 'controls.test' });
    const preview = (body: object, route = 'detect') => call('POST', `/api/routes/${route}/preview`, body);
    expect(await problemOf(await preview({ variant: 'blue' }))).toMatchObject({ code: 'preview_host' });
    expect(await problemOf(await preview({ variant: 'blue', host: 'CONTROLS.test:443' }))).toMatchObject({
      code: 'preview_host',
    });
    expect((await preview({ variant: 'blue', host: 'shop.test' })).status).toBe(200);
    expect((await preview({ variant: 'blue' }, 'shop')).status).toBe(200);
  });

  it('is made for the host as clients write it, without the port of its scheme', async () => {
    const of = async (host: string) =>
      ((await (await ask({ variant: 'blue', host }, 'shop')).json()) as { token: string }).token.split('~')[2];
    expect(
      await Promise.all(['EU.shop.example.com:80', 'eu.shop.example.com:443', 'eu.shop.example.com:8080'].map(of)),
    ).toEqual(['eu.shop.example.com', 'eu.shop.example.com', 'eu.shop.example.com:8080']);
  });

  it('says what is missing without COOKIE_SECRET or without a config', async () => {
    const noSecret = mounted({ env: { COOKIE_SECRET: undefined } });
    const body = { variant: 'blue' };
    expect(await problemOf(await noSecret('POST', '/api/routes/detect/preview', body))).toMatchObject({
      code: 'preview_disabled',
    });
    const noConfig = mounted({ deps: { loadConfig: async () => null } });
    expect(await problemOf(await noConfig('POST', '/api/routes/detect/preview', body))).toMatchObject({
      code: 'no_config',
    });
  });
});

describe('opening a preview', () => {
  const open = async (query: string, host = 'headgate.test', env = {}) =>
    mounted({ token: null, host, env })('GET', `/preview?${query}`);
  const token = async () => ((await (await ask({ variant: 'green' })).json()) as Given).token;

  it('sets the cookie for this host and goes to the page', async () => {
    const given = await token();
    const response = await open(`token=${encodeURIComponent(given)}&to=/shop?x=1`);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/shop?x=1');
    expect(response.headers.get('set-cookie')).toMatch(
      /^__Host-headgate-preview=.*; Path=\/; Max-Age=3\d{3}; HttpOnly.*Secure/,
    );
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('has the browser forget the pages of before, and only with a token that is good', async () => {
    const given = encodeURIComponent(await token());
    expect((await open(`token=${given}`)).headers.get('clear-site-data')).toBe('"cache"');
    expect((await open(`token=${given}`, 'other.test')).headers.has('clear-site-data')).toBe(false);
  });

  it('sets nothing for a token that is forged, of another host, or of another secret', async () => {
    const given = await token();
    for (const response of [
      await open(`token=${encodeURIComponent(given.replace('green', 'blue'))}`),
      await open(`token=${encodeURIComponent(given)}`, 'other.test'),
      await open(`token=${encodeURIComponent(given)}`, 'headgate.test', { COOKIE_SECRET: 'another' }),
      await open(`token=${encodeURIComponent(given)}`, 'headgate.test', { COOKIE_SECRET: undefined }),
    ]) {
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(await problemOf(response)).toMatchObject({ status: 403, code: 'preview_refused' });
    }
  });

  it.each([
    [undefined, '/'],
    ['/a/b?c=d#e', '/a/b?c=d#e'],
    ['//evil.example/', '/'],
    ['/\\evil.example/', '/'],
    ['/\t/evil.example/', '/'],
    ['/.//evil.example/', '/evil.example/'],
    ['/a/..//evil.example', '/evil.example'],
    ['https://evil.example/', '/'],
    ['javascript:alert(1)', '/'],
    ['shop', '/'],
  ])('goes from %j to %s and never to another origin', (to, place) => {
    const here = new URL('https://headgate.test/_headgate/preview');
    expect(samePlace(to, here)).toBe(place);
    expect(new URL(samePlace(to, here), here).origin).toBe(here.origin);
  });
});
