import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { accessName, accessOf } from '../../src/admin/access.ts';
import type { KeyFault, PublicKey } from '../../src/admin/access-keys.ts';
import { err, ok } from '../../src/result.ts';
import { audience, claims, forgeries, newSigner, type Signer, signed } from './access-tokens.ts';
import { mounted, problemOf, token } from './calls.ts';

const text = (value: string) => Buffer.from(value).toString('base64url');

const team = 'https://acme.cloudflareaccess.com';

describe('the variables of Access', () => {
  it('turn it on together, and off together', () => {
    const on = { is: 'on', team, audience };
    expect(accessOf({ ACCESS_TEAM_DOMAIN: team, ACCESS_AUD: audience })).toEqual(on);
    expect(accessOf({ ACCESS_TEAM_DOMAIN: `${team}/`, ACCESS_AUD: audience })).toEqual(on);
    expect(accessOf({ ACCESS_TEAM_DOMAIN: 'http://127.0.0.1:81', ACCESS_AUD: 'x' })).toMatchObject({ is: 'on' });
    for (const nothing of [{}, { ACCESS_TEAM_DOMAIN: '', ACCESS_AUD: '' }])
      expect(accessOf(nothing)).toEqual({ is: 'off' });
  });

  it.each([
    [{ ACCESS_TEAM_DOMAIN: team }, 'ACCESS_AUD is not'],
    [{ ACCESS_AUD: audience }, 'ACCESS_TEAM_DOMAIN is not'],
    [{ ACCESS_TEAM_DOMAIN: 'acme.cloudflareaccess.com', ACCESS_AUD: audience }, 'ACCESS_TEAM_DOMAIN'],
    [{ ACCESS_TEAM_DOMAIN: 'http://acme.cloudflareaccess.com', ACCESS_AUD: audience }, 'http'],
    [{ ACCESS_TEAM_DOMAIN: `${team}/cdn-cgi`, ACCESS_AUD: audience }, 'path'],
    [{ ACCESS_TEAM_DOMAIN: `${team}?x`, ACCESS_AUD: audience }, 'query'],
    [{ ACCESS_TEAM_DOMAIN: 'https://ada:pw@acme.example', ACCESS_AUD: audience }, 'password'],
  ])('close the API when they are %j, also to the token, and say why', async (env, why) => {
    const response = await mounted({ env })('GET', '/api/openapi.json');
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 503, code: 'admin_disabled', detail: expect.stringContaining(why) });
    expect(problem.mend).toBeTruthy();
  });
});

describe('a token of Access', () => {
  let signer: Signer;
  const on = { is: 'on' as const, team, audience };
  const keys = {
    find: async (_: string, kid: unknown) =>
      kid === 'k1' ? ok(signer.jwk as unknown as PublicKey) : err<KeyFault>('unknown'),
  };
  const nameIn = async (more: Record<string, unknown>) =>
    accessName(await signed(claims(team, more), signer), on, keys, Date.now());

  beforeAll(async () => {
    signer = await newSigner('k1');
  });

  it('gives the name of a person by e-mail, and of a service by its client id', async () => {
    expect(await nameIn({})).toEqual({ ok: true, value: 'ada@example.com' });
    expect(await nameIn({ aud: audience })).toEqual({ ok: true, value: 'ada@example.com' });
    const service = { email: undefined, sub: '', common_name: 'e367826f93b8d71185e03fe518aff3b4.access' };
    expect(await nameIn(service)).toEqual({ ok: true, value: service.common_name });
  });

  it('opens nothing when it is forged, for somebody else, or of another time', async () => {
    const tokens = await forgeries(team, signer);
    const opened: string[] = [];
    for (const [what, forged] of Object.entries(tokens)) {
      const answer = await accessName(forged, on, keys, Date.now());
      if (answer.ok || answer.error.reason !== 'refused') opened.push(what);
    }
    expect(opened).toEqual([]);
    expect(Object.keys(tokens).length).toBeGreaterThan(25);
  });

  it('gives a name in any script', async () => {
    expect(await nameIn({ email: 'zoë@例え.テスト' })).toEqual({ ok: true, value: 'zoë@例え.テスト' });
  });

  it('opens nothing when any character of it is another', async () => {
    const good = await signed(claims(team), signer);
    // The last character has four bits to spare, which no decoder has to look at.
    const changed = [...good.slice(0, -1)].map((char, at) => {
      return good.slice(0, at) + (char === 'A' ? 'B' : 'A') + good.slice(at + 1);
    });
    const answers = await Promise.all(changed.map((one) => accessName(one, on, keys, Date.now())));
    expect(answers.filter(({ ok: isTaken }) => isTaken)).toEqual([]);
  });

  it.each(['[]', '"x"', 'null', '7', '{"exp":1', '\ufeff{}', ''])(
    'opens nothing when it is signed over %j',
    async (payload) => {
      const said = `${text('{"alg":"RS256","kid":"k1"}')}.${text(payload)}`;
      const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', signer.privateKey, Buffer.from(said));
      const answer = await accessName(`${said}.${Buffer.from(signature).toString('base64url')}`, on, keys, Date.now());
      expect(answer).toMatchObject({ ok: false, error: { reason: 'refused' } });
    },
  );

  it('opens nothing by a key that is short, or no key', async () => {
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]) };
    const pair = (await crypto.subtle.generateKey({ ...algorithm, modulusLength: 1024 }, true, [
      'sign',
      'verify',
    ])) as CryptoKeyPair;
    const said = `${text('{"alg":"RS256","kid":"k1"}')}.${text(JSON.stringify(claims(team)))}`;
    const signature = await crypto.subtle.sign(algorithm.name, pair.privateKey, Buffer.from(said));
    const forged = `${said}.${Buffer.from(signature).toString('base64url')}`;
    const short = await crypto.subtle.exportKey('jwk', pair.publicKey);
    for (const key of [short, ...['', '!', 'AA'].map((n) => ({ kty: 'RSA', n, e: 'AQAB' }))]) {
      const answer = await accessName(forged, on, { find: async () => ok(key as PublicKey) }, Date.now());
      expect(answer).toMatchObject({ ok: false, error: { reason: 'refused' } });
    }
  });

  it.each(['', '.', '..', '...', 'x', 'x.y.z', 'x'.repeat(1_000_000), '{}.{}.{}', `${text('{}')}..`])(
    'opens nothing where something else was sent',
    async (sent) => {
      const answer = await accessName(sent, on, keys, Date.now());
      expect(answer).toMatchObject({ ok: false, error: { reason: 'refused' } });
    },
  );

  it('is refused with the reason that its owner can act on', async () => {
    expect(await nameIn({ exp: 1 })).toMatchObject({ error: { detail: expect.stringContaining('expired') } });
    expect(await nameIn({ nbf: 99_999_999_999 })).toMatchObject({ error: { detail: expect.stringContaining('yet') } });
    expect(await nameIn({ iss: 'x' })).toMatchObject({ error: { detail: expect.stringContaining('"iss"') } });
    expect(await nameIn({ aud: 'x' })).toMatchObject({ error: { detail: expect.stringContaining('"aud"') } });
  });

  it('asks for no key before its algorithm is known to be right', async () => {
    const asking = { find: () => Promise.reject(new Error('asked')) };
    const none = `${btoa('{"alg":"none","kid":"k1"}')}.${btoa('{}')}.`.replaceAll('=', '');
    expect(await accessName(none, on, asking, Date.now())).toMatchObject({ ok: false, error: { reason: 'refused' } });
  });

  it('is no fault of the caller’s while the keys are away', async () => {
    const away = { find: async () => err<KeyFault>('unreachable') };
    expect(await accessName(await signed(claims(team), signer), on, away, Date.now())).toMatchObject({
      error: { reason: 'unreachable' },
    });
  });

  it('counts for nothing while Access is off', async () => {
    const headers = { 'cf-access-jwt-assertion': await signed(claims(team), signer) };
    const response = await mounted()('GET', '/api/openapi.json', undefined, { token: null, headers });
    expect(response.status).toBe(401);
    const closed = await mounted({ env: { ADMIN_TOKEN: '' } })('GET', '/api/openapi.json', undefined, { headers });
    expect(closed.status).toBe(503);
    expect((await mounted()('GET', '/api/openapi.json', undefined, { token, headers })).status).toBe(200);
  });
});

describe('a write through Access', () => {
  let signer: Signer;
  beforeAll(async () => {
    signer = await newSigner('k1');
    vi.stubGlobal('fetch', async () => Response.json({ keys: [signer.jwk] }));
  });
  afterAll(() => vi.unstubAllGlobals());

  const env = { ACCESS_TEAM_DOMAIN: team, ACCESS_AUD: audience, ADMIN_TOKEN: '' };
  const write = async (headers: Record<string, string>, method = 'POST', given: string | null = null) => {
    const assertion = await signed(claims(team), signer);
    const all = { 'cf-access-jwt-assertion': assertion, ...headers };
    const options = { token: given, headers: all, env: { ...env, ...(given !== null && { ADMIN_TOKEN: given }) } };
    return mounted()(method, '/api/config/validate', '{}', options);
  };

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a neighbour of the host', { 'sec-fetch-site': 'same-site', origin: 'https://shop.test' }],
    ['a page of an old browser', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
  ])('is refused when %s asks for it, for the browser would send the cookie along', async (_, headers) => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      expect(await problemOf(await write(headers, method))).toMatchObject({ status: 403, code: 'cross_site' });
    }
    // Whoever bears the token has it from no cookie.
    expect((await write(headers, 'POST', token)).status).toBe(422);
  });

  it('is taken while others at its address guess', async () => {
    const call = mounted();
    const access = { ...env, ADMIN_TOKEN: 'right-token-000000000' };
    const headers = { 'cf-connecting-ip': '192.0.2.9' };
    const guess = () => call('GET', '/api/openapi.json', undefined, { token: 'wrong', headers, env: access });
    while ((await guess()).status === 401);
    expect((await guess()).status).toBe(429);
    const assertion = await signed(claims(team), signer);
    const bearing = { ...headers, 'cf-access-jwt-assertion': assertion };
    const write = (given: Record<string, string>) =>
      call('POST', '/api/config/validate', '{}', { token: null, headers: given, env: access });
    expect((await write(bearing)).status).toBe(422);
    expect((await write({ ...bearing, 'cf-access-jwt-assertion': `${assertion}x` })).status).toBe(429);
  });

  it('is taken from a page of the very host, and from what is no page', async () => {
    for (const headers of [
      { 'sec-fetch-site': 'same-origin', origin: 'https://headgate.test' },
      { origin: 'https://headgate.test' },
      {},
    ] as Record<string, string>[]) {
      expect((await write(headers)).status).toBe(422);
    }
  });
});
