import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let headgate: Headgate;
let origin: Origin;

const experiment = { id: 'x-1', primary: ['helpful'] };
const outcomes = [{ name: 'helpful', kind: 'conversion', goal: 'increase' }];

/** The config, with other weights on some routes. */
function configWith(weights: Record<string, Record<string, number>> = {}) {
  const variants = { blue: { url: origin.url }, green: { url: origin.url } };
  const route = (name: string, more = {}) => ({
    ...{ name, match: { path: `/${name}/*` }, variants, outcomes, experiment },
    ...{ weights: weights[name] ?? { blue: 50, green: 50 }, ...more },
  });
  const accounts = route('accounts', { identity: [{ header: 'x-user-id' }] });
  return { version: 1, routes: [accounts, route('visitors'), route('ramped')] };
}

beforeAll(async () => {
  origin = await startOrigin();
  headgate = await startHeadgate({ config: configWith() });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

async function api(method: string, path: string, body?: unknown) {
  const response = await fetch(`${headgate.url}/_headgate/api${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: body === undefined ? null : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every call are looked at by path
  return { status: response.status, body: (await response.json()) as any };
}

const split = (route: string, weights: Record<string, number>) =>
  api('PUT', `/routes/${route}/split`, { weights, reason: 'test' });

const frozen = { status: 409, body: { code: 'experiment_runs' } };

describe('the weights of a running experiment', () => {
  it('stand still where units come from headers, but for an end', async () => {
    const other = { blue: 90, green: 10 };
    const carrying = (...weights: number[]) => ({
      ...{ to: 'green', reason: 'test' },
      plan: [...weights.map((weight) => ({ weight, experiment: true })), { weight: 100, for: '60s' }],
    });
    expect(await split('accounts', other)).toMatchObject(frozen);
    expect(await api('PUT', '/config', configWith({ accounts: other }))).toMatchObject(frozen);
    expect(await api('POST', '/routes/accounts/rollout', carrying(10))).toMatchObject(frozen);
    expect(await api('POST', '/routes/accounts/rollout', carrying(50, 30))).toMatchObject(frozen);
    const canary = { to: 'green', plan: 'canary', reason: 'test' };
    expect(await api('POST', '/routes/accounts/rollout', canary)).toMatchObject(frozen);
    expect((await split('accounts', { blue: 50, green: 50 })).status).toBe(200);
    const { revision } = (await api('GET', '/routes/accounts')).body.split;
    expect((await split('accounts', { blue: 0, green: 100 })).status).toBe(200);

    // It begins anew, at other weights, and again they stand still.
    expect((await split('accounts', other)).status).toBe(200);
    expect(await api('POST', '/routes/accounts/rollback', { revision, reason: 'test' })).toMatchObject(frozen);
    const ways = await api('GET', `/routes/accounts/splits?revision=${revision}`);
    expect(ways.body).toMatchObject({ target: null, refused: { code: 'experiment_runs' } });
    expect((await api('POST', '/routes/accounts/rollback', { revision, force: true, reason: 'x' })).status).toBe(200);
    expect((await api('PUT', '/config', configWith({ accounts: other }))).status).toBe(200);
  });

  it('may change at any moment: nobody waits until all have heard, and no alarm rings where all are dealt rightly', async () => {
    const seen = { blue: 0, green: 0 };
    const come = async (visitors: number) => {
      for (let n = 0; n < visitors; n++) {
        const response = await fetch(`${headgate.url}/ramped/x`);
        await response.arrayBuffer();
        seen[response.headers.get('x-headgate-variant') as 'blue' | 'green']++;
      }
    };
    const report = async () => (await api('GET', '/routes/ramped/experiment')).body;
    await come(200);
    // Of the same revision as before: both are the config's.
    expect((await api('PUT', '/config', configWith({ ramped: { blue: 90, green: 10 } }))).status).toBe(200);
    const share = () => seen.green / (seen.blue + seen.green);
    for (const until = Date.now() + 20_000; share() >= 0.4 && Date.now() < until; ) await come(20);
    await expect.poll(async () => (await report()).units, { timeout: 10_000 }).toEqual(seen);
    expect(share()).toBeLessThan(0.4);
    expect((await report()).sampleRatio).toMatchObject({ alarm: false });
  });

  it('may change where units are pinned, and move nobody who was exposed', async () => {
    const cookies = new Map<string, string>();
    for (let n = 0; n < 24; n++) {
      const response = await fetch(`${headgate.url}/visitors/x`);
      await response.arrayBuffer();
      const [cookie = ''] = response.headers.getSetCookie();
      cookies.set(cookie.split(';')[0]!, response.headers.get('x-headgate-variant')!);
    }
    expect(new Set(cookies.values())).toEqual(new Set(['blue', 'green']));
    expect((await split('visitors', { blue: 99, green: 1 })).status).toBe(200);
    await expect
      .poll(async () => (await headgate.mf.getKVNamespace('CONFIG', 'headgate')).get('split:visitors'))
      .toContain('"green":1');
    // The isolate looks at KV after a second; whoever comes then is served by the new weights.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await (await fetch(`${headgate.url}/visitors/x`)).arrayBuffer();
    for (const [cookie, variant] of cookies) {
      const response = await fetch(`${headgate.url}/visitors/x`, { headers: { cookie } });
      await response.arrayBuffer();
      expect(response.headers.get('x-headgate-variant')).toBe(variant);
    }
  });
});
