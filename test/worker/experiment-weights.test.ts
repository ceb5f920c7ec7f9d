import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let headgate: Headgate;
let origin: Origin;

const experiment = { id: 'x-1', primary: ['helpful'] };
const outcomes = [{ name: 'helpful', kind: 'conversion', goal: 'increase' }];

beforeAll(async () => {
  origin = await startOrigin();
  const variants = { blue: { url: origin.url }, green: { url: origin.url } };
  const common = { variants, weights: { blue: 50, green: 50 }, outcomes, experiment };
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        { name: 'accounts', match: { path: '/accounts/*' }, identity: [{ header: 'x-user-id' }], ...common },
        { name: 'visitors', match: { path: '/visitors/*' }, ...common },
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

async function split(route: string, weights: Record<string, number>) {
  const response = await fetch(`${headgate.url}/_headgate/api/routes/${route}/split`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    body: JSON.stringify({ weights, reason: 'test' }),
  });
  return { status: response.status, body: (await response.json()) as { code?: string } };
}

describe('the weights of a running experiment', () => {
  it('stand still where units come from headers, but for an end', async () => {
    expect(await split('accounts', { blue: 90, green: 10 })).toMatchObject({
      status: 409,
      body: { code: 'experiment_runs' },
    });
    expect((await split('accounts', { blue: 50, green: 50 })).status).toBe(200);
    expect((await split('accounts', { blue: 0, green: 100 })).status).toBe(200);
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
