import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audience, claims, forgeries, newSigner, type Signer, signed } from '../admin/access-tokens.ts';
import { ask } from './client.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, oneRoute, startHeadgate, startOrigin } from './harness.ts';

const API = '/_headgate/api/routes/main';
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** The Worker with a clock that a request can set forward. */
const ENTRY = `
import worker from './src/index.ts';
export * from './src/index.ts';
const now = Date.now;
let aheadMs = 0;
Date.now = () => now() + aheadMs;
export default {
  fetch(request, env, ctx) {
    aheadMs = Number(request.headers.get('x-ahead-ms') ?? aheadMs);
    return worker.fetch(request, env, ctx);
  },
};`;

let certs: Origin;
let isAway = false;
let shown: Signer[];
/** Opens to Access alone. */
let headgate: Headgate;
/** Opens to Access and to the token, and never had a key. */
let both: Headgate;
let half: Headgate;
let team: string;
let k1: Signer;
let k2: Signer;

beforeAll(async () => {
  [k1, k2] = await Promise.all([newSigner('k1'), newSigner('k2')]);
  shown = [k1];
  certs = await startOrigin((_, response) => {
    if (isAway) response.writeHead(503).end();
    else response.end(JSON.stringify({ keys: shown.map(({ jwk }) => jwk), public_cert: {}, public_certs: [] }));
  });
  team = certs.url;
  const config = oneRoute({ variants: { blue: { url: certs.url }, green: { url: certs.url } } });
  const vars = { ACCESS_TEAM_DOMAIN: team, ACCESS_AUD: audience };
  const away = { ...vars, ACCESS_TEAM_DOMAIN: 'http://127.0.0.1:9' };
  [headgate, both, half] = await Promise.all([
    startHeadgate({ config, entry: ENTRY, vars: { ...vars, ADMIN_TOKEN: '' } }),
    startHeadgate({ config, recorder: false, vars: away }),
    startHeadgate({ config, recorder: false, vars: { ACCESS_AUD: audience } }),
  ]);
});

afterAll(async () => {
  await Promise.all([headgate, both, half].map((one) => one.dispose()));
  await certs.close();
});

const bearing = (assertion: string, more: Record<string, string> = {}) => ({
  'cf-access-jwt-assertion': assertion,
  ...more,
});
const codeOf = ({ body }: { body: string }) => JSON.parse(body).code as string;

describe('Cloudflare Access', () => {
  it('opens the API, and its name is the actor in the history, whatever the caller says', async () => {
    const headers = bearing(await signed(claims(team), k1), { 'x-headgate-actor': 'Eve' });
    expect(codeOf(await ask(headgate.url, API))).toBe('unauthorized');
    const call = { method: 'PUT', headers, body: JSON.stringify({ weights: { blue: 90, green: 10 }, reason: 'try' }) };
    expect((await ask(headgate.url, `${API}/split`, call)).status).toBe(200);
    const service = { email: undefined, sub: '', common_name: 'e367826f.access' };
    const robot = bearing(await signed(claims(team, service), k1));
    expect(
      (await ask(headgate.url, `${API}/switch`, { method: 'POST', headers: robot, body: '{"to":"blue"}' })).status,
    ).toBe(200);
    const { entries } = JSON.parse((await ask(headgate.url, `${API}/history`, { headers })).body);
    expect(entries.map(({ actor, action }: { actor: string; action: string }) => [action, actor])).toEqual([
      ['switch', 'e367826f.access'],
      ['split', 'ada@example.com'],
    ]);
    const { findings } = JSON.parse((await ask(headgate.url, '/_headgate/api/doctor', { headers })).body);
    expect(findings).toContainEqual(
      expect.objectContaining({ about: 'Cloudflare Access', state: 'warn', mend: 'set ADMIN_HOST' }),
    );
  });

  it('refuses every forged, foreign and outdated token, on all methods', async () => {
    const tokens = Object.entries(await forgeries(team, k1));
    const opened: string[] = [];
    for (const [index, [what, forged]] of tokens.entries()) {
      for (const method of METHODS) {
        const headers = bearing(forged, { 'cf-connecting-ip': `192.0.2.${index}` });
        const answer = await ask(headgate.url, `${API}/split`, { method, headers });
        const isRefused = answer.status === 401 && answer.headers['x-headgate-error'] === 'unauthorized';
        if (!isRefused || answer.headers['cache-control'] !== 'no-store') opened.push(`${method} with ${what}`);
      }
    }
    expect(opened).toEqual([]);
    expect(tokens.length).toBeGreaterThan(25);
  });

  it('is not proved by a cookie, a bearer token or the header of another name', async () => {
    const token = await signed(claims(team), k1);
    for (const headers of [
      { cookie: `CF_Authorization=${token}` },
      { authorization: `Bearer ${token}` },
      { 'cf-access-token': token },
      { authorization: `Bearer ${ADMIN_TOKEN}` },
    ] as Record<string, string>[]) {
      expect(codeOf(await ask(headgate.url, API, { headers }))).toBe('unauthorized');
    }
  });

  it('changes nothing for a page of another site', async () => {
    const headers = bearing(await signed(claims(team), k1), { 'sec-fetch-site': 'cross-site' });
    const call = { method: 'POST', headers, body: '{"to":"green"}' };
    expect(codeOf(await ask(headgate.url, `${API}/switch`, call))).toBe('cross_site');
  });

  it('has its keys asked for anew when one is unknown, once a minute, and when they are an hour old', async () => {
    const asked = certs.seen.length;
    const now = async (signer: Signer, aheadMs: number) =>
      (
        await ask(headgate.url, API, {
          headers: bearing(await signed(claims(team), signer), { 'x-ahead-ms': String(aheadMs) }),
        })
      ).status;
    shown = [k1, k2];
    for (let i = 0; i < 5; i++) await now(await newSigner(`made-up-${i}`), 70_000);
    expect(certs.seen.length).toBe(asked + 1);
    expect([await now(k1, 70_000), await now(k2, 70_000)]).toEqual([200, 200]);
    shown = [k2];
    expect(await now(k1, 70_000)).toBe(200);
    expect([await now(k1, 3_700_000), await now(k2, 3_700_000)]).toEqual([401, 200]);
    isAway = true;
    expect(await now(k2, 4 * 3_600_000)).toBe(200);
    expect(await now(k1, 4 * 3_600_000)).toBe(503);
    expect(await now(k2, 30 * 3_600_000)).toBe(503);
    isAway = false;
    expect(await now(k2, 31 * 3_600_000)).toBe(200);
  });

  it('fails closed and clearly while its keys cannot be read; the token of the Worker opens', async () => {
    const headers = bearing(await signed(claims('http://127.0.0.1:9'), k1));
    const answer = await ask(both.url, API, { headers });
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'access_unavailable', mend: expect.any(String) });
    const opened = await ask(both.url, API, { headers: { ...headers, authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(opened.status).toBe(200);
  });

  it('set up by half closes the API, and says what is missing', async () => {
    const answer = await ask(half.url, API, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(answer.status).toBe(503);
    const detail = expect.stringContaining('ACCESS_TEAM_DOMAIN is not');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'admin_disabled', detail });
  });

  it('makes an address wait that keeps guessing', async () => {
    const address = { 'cf-connecting-ip': '198.51.100.7' };
    const forged = bearing(await signed(claims(team), await newSigner('k2')), address);
    const answers: number[] = [];
    for (let i = 0; i < 101; i++) answers.push((await ask(headgate.url, API, { headers: forged })).status);
    expect(new Set(answers.slice(0, 100))).toEqual(new Set([401]));
    expect(answers[100]).toBe(429);
    expect((await ask(headgate.url, API, { headers: bearing(await signed(claims(team), k2)) })).status).toBe(200);
  });
});
