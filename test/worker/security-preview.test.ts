import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPreviewToken } from '../../src/split/preview.ts';
import { sign } from '../../src/split/sign.ts';
import { ask, cookieValue } from './client.ts';
import { ADMIN_TOKEN, COOKIE_SECRET, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let blue: Origin;
let green: Origin;
let headgate: Headgate;
let host: string;

const HOUR = 3_600;
const nowSeconds = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  [blue, green] = await Promise.all([
    startOrigin((_, response) => response.end('blue')),
    startOrigin((request, response) => {
      if (request.url?.startsWith('/ill')) response.writeHead(503);
      response.end('green');
    }),
  ]);
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        { name: 'shop', match: { path: '/shop/*' }, variants, weights: { blue: 100 } },
        { name: 'other', match: { path: '/other/*' }, variants, weights: { blue: 100 } },
        { name: 'quiet', match: { path: '/quiet/*' }, variants, weights: { blue: 100 }, expose: false },
        {
          name: 'members',
          match: { path: '/members/*' },
          variants: { blue: { url: blue.url }, green: { url: green.url, json: { model: 'm-2' } } },
          weights: { blue: 100 },
          expose: false,
        },
        { name: 'ill', match: { path: '/ill*' }, variants, baseline: 'blue', weights: { green: 100 } },
      ],
    },
  });
  host = new URL(headgate.url).host;
});

afterAll(async () => {
  await headgate.dispose();
  await Promise.all([blue.close(), green.close()]);
});

/** A token as the API gives it. */
async function given(body: Record<string, unknown> = {}, route = 'shop') {
  const answer = await ask(headgate.url, `/_headgate/api/routes/${route}/preview`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({ variant: 'green', ...body }),
  });
  return { ...(JSON.parse(answer.body) as { token: string; url: string; code?: string }), status: answer.status };
}

/** A token signed by whoever knows the secret, whatever it says. */
async function signed(fields: (string | number)[], secret = COOKIE_SECRET): Promise<string> {
  return [...fields, await sign('preview', fields.join('|'), secret)].join('~');
}

const withHeader = (token: string, path = '/shop/x') =>
  ask(headgate.url, path, { headers: { 'x-headgate-preview': token } });
const withCookie = (token: string, path = '/shop/x') =>
  ask(headgate.url, path, { headers: { cookie: `headgate-preview=${token}` } });

describe('a preview', () => {
  it('shows a variant without weight to whoever bears the token, and to nobody else', async () => {
    const { token } = await given();
    expect(await withHeader(token)).toMatchObject({ status: 200, variant: 'green', body: 'green', setCookies: [] });
    expect(await ask(headgate.url, '/shop/x')).toMatchObject({ variant: 'blue', body: 'blue' });
  });

  it('says who answered, also on a route that tells no visitor', async () => {
    const { token } = await given({}, 'quiet');
    const seen = await withHeader(token, '/quiet/x');
    expect([seen.headers['x-headgate-route'], seen.headers['x-headgate-variant']]).toEqual(['quiet', 'green']);
    expect((await ask(headgate.url, '/quiet/x')).headers).not.toHaveProperty('x-headgate-variant');
  });

  it('says to the origin what it is, and keeps the token from it', async () => {
    const { token } = await given();
    await ask(headgate.url, '/shop/x', {
      headers: { 'x-headgate-preview': token, cookie: `a=1; headgate-preview=${token}`, 'x-headgate-role': 'live' },
    });
    const { headers, rawHeaders, url } = green.seen.at(-1)!;
    expect(headers).toMatchObject({ 'x-headgate-role': 'preview', 'x-headgate-variant': 'green', cookie: 'a=1' });
    expect(headers).not.toHaveProperty('x-headgate-preview');
    expect(`${rawHeaders.join()}${url}`).not.toContain(token.slice(-43));
  });

  it('goes on in a browser by the cookie that its address sets', async () => {
    const { url } = await given();
    const { pathname, search } = new URL(url);
    const opened = await ask(headgate.url, pathname + search);
    expect(opened).toMatchObject({ status: 303, headers: { location: '/', 'referrer-policy': 'no-referrer' } });
    expect(opened.setCookies[0]).toMatch(/^headgate-preview=\S+; Path=\/; Max-Age=35\d\d; HttpOnly; SameSite=Lax$/);
    const token = cookieValue(opened.setCookies, 'headgate-preview')!;
    expect(await withCookie(token)).toMatchObject({ variant: 'green', setCookies: [] });
    expect(green.seen.at(-1)?.headers).not.toHaveProperty('cookie');
    expect((await withCookie(token, '/other/x')).variant).toBe('blue');
  });

  it('names who answers in the place of a variant whose members the body cannot bear, to both sides', async () => {
    const { token } = await given({}, 'members');
    const init = { method: 'POST', body: 'no JSON', headers: { 'x-headgate-preview': token } };
    expect(await ask(headgate.url, '/members/x', init)).toMatchObject({ variant: 'blue' });
    expect(blue.seen.at(-1)?.headers).toMatchObject({ 'x-headgate-role': 'preview', 'x-headgate-variant': 'blue' });
  });

  it('has on https a cookie of the __Host- name, and the http name opens nothing there', async () => {
    const { token } = await given({ host: 'shop.test' });
    const init = { redirect: 'manual' as const };
    const opened = await headgate.mf.dispatchFetch(`https://shop.test/_headgate/preview?token=${token}`, init);
    const [line] = opened.headers.getSetCookie();
    expect(line).toMatch(/^__Host-headgate-preview=\S+; Path=\/; Max-Age=35\d\d; HttpOnly; SameSite=Lax; Secure$/);
    const variantBy = async (cookie: string) => {
      const response = await headgate.mf.dispatchFetch('https://shop.test/shop/x', { headers: { cookie } });
      await response.text();
      return response.headers.get('x-headgate-variant');
    };
    expect(await variantBy(`__Host-headgate-preview=${token}`)).toBe('green');
    expect(await variantBy(`headgate-preview=${token}`)).toBe('blue');
  });

  it('is recorded as a preview', async () => {
    const { token } = await given();
    await ask(headgate.url, '/shop/seen', { headers: { 'x-headgate-preview': token } });
    const [row] = await headgate.records('dataset=requests&route=shop&limit=1');
    expect(row).toMatchObject({ path: '/shop/seen', variant: 'green', reason: 'preview', status: 200, failed: 0 });
  });

  it('is no evidence: its failures neither fail over nor eject the variant', async () => {
    const { token } = await given({}, 'ill');
    for (let times = 0; times < 8; times++) {
      expect(await withHeader(token, '/ill')).toMatchObject({ status: 503, variant: 'green' });
    }
    const live = await ask(headgate.url, '/ill');
    expect(live).toMatchObject({ status: 200, variant: 'blue' });
    expect(live.headers['x-headgate-failover']).toBe('green'); // tried again, so it was not ejected
  });

  it('of what the config does not name is refused', async () => {
    expect(await given({ variant: 'third' })).toMatchObject({ status: 404, code: 'no_such_variant' });
    expect(await given({ variant: '__proto__' })).toMatchObject({ status: 422 });
    expect(await given({}, 'nowhere')).toMatchObject({ status: 404, code: 'no_such_route' });
    expect(await given({ ttl: '25h' })).toMatchObject({ status: 422 });
    expect(await given({ host: 'a.test\r\nx: y' })).toMatchObject({ status: 422 });
  });
});

describe('a preview token', () => {
  const good = async () => signed(['shop', 'green', host, nowSeconds() + HOUR]);

  it('made by hand opens the variant, so that the refusals below mean something', async () => {
    expect((await withHeader(await good())).variant).toBe('green');
  });

  it.each<[string, () => Promise<string> | string]>([
    ['that has expired', () => signed(['shop', 'green', host, nowSeconds() - 1])],
    ['that lives for more than a day', () => signed(['shop', 'green', host, nowSeconds() + 25 * HOUR])],
    ['for another host', () => signed(['shop', 'green', 'evil.test', nowSeconds() + HOUR])],
    ['for another port', () => signed(['shop', 'green', '127.0.0.1:1', nowSeconds() + HOUR])],
    ['for another route', () => signed(['other', 'green', host, nowSeconds() + HOUR])],
    ['for a variant that is not there', () => signed(['shop', 'third', host, nowSeconds() + HOUR])],
    ['for a name of every object', () => signed(['shop', 'constructor', host, nowSeconds() + HOUR])],
    ['of another secret', () => signed(['shop', 'green', host, nowSeconds() + HOUR], 'guess')],
    [
      'of an ended life, with a later time written in',
      async () => {
        const past = nowSeconds() - 1;
        return (await signed(['shop', 'green', host, past])).replace(String(past), String(nowSeconds() + HOUR));
      },
    ],
    [
      'for blue with green written in',
      async () => (await signed(['shop', 'blue', host, nowSeconds() + HOUR])).replace('blue', 'green'),
    ],
    [
      'signed as a pin',
      async () => {
        const fields = ['shop', 'green', host, nowSeconds() + HOUR];
        return [...fields, await sign('pin', fields.join('|'), COOKIE_SECRET)].join('~');
      },
    ],
    ['without a tag', async () => (await good()).slice(0, -43)],
    ['in capitals', async () => (await good()).toUpperCase()],
    ['with a field more', async () => `${await good()}~x`],
    ['that is only a variant', () => 'green'],
    ['that is 20 KB long', () => 'a'.repeat(20_000)],
  ])('%s is ignored by header and by cookie, and opens no cookie', async (_, make) => {
    const token = await make();
    const before = green.seen.length;
    for (const answer of [await withHeader(token), await withCookie(token)]) {
      expect(answer).toMatchObject({ status: 200, variant: 'blue' });
    }
    expect(green.seen.length).toBe(before);
    // Route and variant are judged where they are used; all else is refused at the door.
    if (/^(other|shop~(third|constructor))/.test(token)) return;
    const opened = await ask(headgate.url, `/_headgate/preview?token=${encodeURIComponent(token)}`);
    expect(opened).toMatchObject({ status: 403, setCookies: [] });
  });

  it('is ignored when any one letter of it was changed', async () => {
    const token = await good();
    const before = green.seen.length;
    for (let at = 0; at < token.length; at += 3) {
      const changed = token.slice(0, at) + (token[at] === '1' ? '2' : '1') + token.slice(at + 1);
      expect((await withHeader(changed)).variant).toBe('blue');
    }
    expect(green.seen.length).toBe(before);
  });

  it('does nothing in a query, as a bearer token or under another name', async () => {
    const token = await good();
    const before = green.seen.length;
    await ask(headgate.url, `/shop/x?token=${token}&x-headgate-preview=${token}`);
    for (const name of ['authorization', 'x-preview', 'x-headgate-variant', 'x_headgate_preview', 'preview']) {
      await ask(headgate.url, '/shop/x', { headers: { [name]: token } });
    }
    await ask(headgate.url, '/shop/x', { headers: { cookie: `preview=${token}; __Host-headgate-preview=${token}` } });
    expect(green.seen.length).toBe(before);
  });

  it.each([
    '//evil.test',
    '/\\evil.test',
    'https://evil.test/',
    '/.//evil.test',
    '/\t/evil.test',
    'javascript:alert(1)',
    '\\\\evil.test',
  ])('leads nobody away by to=%s', async (to) => {
    const query = `token=${encodeURIComponent(await good())}&to=${encodeURIComponent(to)}`;
    const opened = await ask(headgate.url, `/_headgate/preview?${query}`);
    expect(opened.status).toBe(303);
    expect(new URL(opened.headers.location!, headgate.url).origin).toBe(headgate.url);
  });

  it('lets nobody write headers by to=', async () => {
    const to = encodeURIComponent('/x\r\nset-cookie: evil=1\r\n\r\n<script>');
    const opened = await ask(headgate.url, `/_headgate/preview?token=${encodeURIComponent(await good())}&to=${to}`);
    expect(opened.status).toBe(303);
    expect(opened.setCookies).toHaveLength(1);
    expect(opened.headers.location).not.toMatch(/[\r\n<]/);
  });
});

describe('without COOKIE_SECRET', () => {
  it('no preview is given, and none is honoured that was signed with nothing', async () => {
    const variants = { blue: { url: blue.url }, green: { url: green.url } };
    const config = { version: 1, routes: [{ name: 'shop', variants, weights: { blue: 100 } }] };
    const bare = await startHeadgate({ config, recorder: false, vars: { COOKIE_SECRET: '' } });
    try {
      const refused = await ask(bare.url, '/_headgate/api/routes/shop/preview', {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
        body: '{"variant":"green"}',
      });
      expect(refused.status).toBe(503);
      const expiresAtMs = Date.now() + 60_000;
      const preview = { route: 'shop', variant: 'green', host: new URL(bare.url).host, expiresAtMs, nowMs: Date.now() };
      for (const secret of [COOKIE_SECRET, 'undefined', ' ']) {
        const token = await createPreviewToken(preview, secret);
        if (!token.ok) throw new Error(token.error.reason);
        const answer = await ask(bare.url, '/', { headers: { 'x-headgate-preview': token.value } });
        expect(answer).toMatchObject({ status: 200, variant: 'blue' });
      }
    } finally {
      await bare.dispose();
    }
  });
});
