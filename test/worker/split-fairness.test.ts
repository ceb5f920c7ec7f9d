import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, until } from './client.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let headgate: Headgate;
let blue: Origin;
let green: Origin;

/** A service that refuses what is no JSON, in both versions alike. */
async function strict(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = '';
  try {
    for await (const chunk of request) text += chunk;
    if (request.method === 'POST') JSON.parse(text);
    response.end('ok');
  } catch {
    response.writeHead(400).end('no JSON');
  }
}

beforeAll(async () => {
  blue = await startOrigin(strict);
  green = await startOrigin(strict);
  const urls = { blue: { url: blue.url }, green: { url: green.url } };
  const json = { model: 'm-1' };
  const route = (name: string, more: object) => ({
    name,
    match: { path: `/${name}/*` },
    identity: [{ header: 'x-user-id' }, { cookie: true }],
    repeatable: ['GET', 'POST'],
    weights: { blue: 50, green: 50 },
    variants: urls,
    ...more,
  });
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        route('baseline', { variants: { ...urls, blue: { ...urls.blue, json } } }),
        route('candidate', { variants: { ...urls, green: { ...urls.green, json } } }),
        route('broken', { experiment: { id: 'b-1', primary: ['error'], plannedUnits: 1_000 } }),
        route('third', { variants: { ...urls, red: { ...urls.blue, json } } }),
        route('mirrored', {}),
        route('preflight', { experiment: { id: 'e-1', primary: ['error'], plannedUnits: 1_000 } }),
      ],
    },
  });
});
afterAll(async () => {
  await headgate.dispose();
  await blue.close();
  await green.close();
});

/** What is looked at of the answers. */
interface Told {
  rollout: { guardrails: { candidate: Count; baseline: Count }[] };
  units: Record<string, number>;
}
interface Count {
  n: number;
  bad: number;
}

async function api(method: string, path: string, body?: unknown): Promise<Told> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const response = await fetch(`${headgate.url}/_headgate/api${path}`, { method, headers, body: JSON.stringify(body) });
  return response.json() as Promise<Told>;
}

describe('bodies in which the members of one variant cannot be set', () => {
  it.each(['baseline', 'candidate'])('are evidence of neither where the %s sets them', async (name) => {
    const guardrails = [{ metric: 'rejected', critical: true, required: true, per: 'request' }];
    await api('POST', `/routes/${name}/rollout`, { to: 'green', plan: [{ weight: 50, for: '10m' }], guardrails });
    const post = (user: string, body: string) =>
      ask(headgate.url, `/${name}/x`, { method: 'POST', headers: { 'x-user-id': user }, body });
    const count = async () => {
      const { rollout } = await api('GET', `/routes/${name}`);
      const { candidate, baseline } = rollout.guardrails[0]!;
      return { n: candidate.n + baseline.n, bad: candidate.bad + baseline.bad };
    };
    await until(
      async () => (await post('first', '{}')) && (await count()).n,
      (n) => n > 0,
    );
    const before = (await until(count, ({ n }) => n > 0)).n;
    const refused = new Set<string | undefined>();
    for (let n = 0; n < 40; n++) {
      const { status, headers } = await post(`u${n}`, n % 2 === 0 ? 'no JSON' : '{}');
      if (status === 400) refused.add(String(headers['x-headgate-variant']));
    }
    // Whoever sets nothing still answers what does not fit the other.
    expect([...refused].toSorted()).toEqual(name === 'baseline' ? ['blue', 'green'] : ['blue']);
    const counted = await until(count, ({ n }) => n >= before + 20);
    expect(counted.bad).toBe(0);
    expect(counted.n).toBeLessThan(before + 40);
  });
});

describe('a variant that is in no trial', () => {
  it('takes no evidence away from those that are, whatever members it sets', async () => {
    const guardrails = [{ metric: 'errors', critical: true, required: true, per: 'request' }];
    await api('POST', '/routes/third/rollout', { to: 'green', plan: [{ weight: 50, for: '10m' }], guardrails });
    const n = async () => {
      await ask(headgate.url, '/third/x', { method: 'POST', headers: { 'x-user-id': 'u' }, body: 'no JSON' });
      const [guardrail] = (await api('GET', '/routes/third')).rollout.guardrails;
      return guardrail!.candidate.n + guardrail!.baseline.n;
    };
    expect(await until(n, (count) => count > 0)).toBeGreaterThan(0);
  });
});

describe('a rollout that only mirrors', () => {
  it('guards a candidate that has traffic already', async () => {
    const guardrails = [{ metric: 'errors', critical: true, required: true, per: 'request' }];
    await api('POST', '/routes/mirrored/rollout', { to: 'green', plan: [{ shadow: 100, for: '10m' }], guardrails });
    let asked = 0;
    const n = async () => {
      await ask(headgate.url, '/mirrored/x', { headers: { 'x-user-id': `u${asked++}` } });
      return (await api('GET', '/routes/mirrored')).rollout.guardrails[0]!.candidate.n;
    };
    expect(await until(n, (count) => count > 0)).toBeGreaterThan(0);
  });
});

describe('an upload that breaks off', () => {
  it('is a unit of no arm, whether it was held or streamed', async () => {
    for (let n = 0; n < 24; n++) {
      const head = ['POST /broken/x HTTP/1.1', 'Host: shop.example', `X-User-Id: u${n}`, 'Content-Length: 100000'];
      const socket = connect(Number(new URL(headgate.url).port), '127.0.0.1');
      socket.on('error', () => {}).write(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(70_000)}`);
      await sleep(30);
      socket.destroy();
    }
    const good = { method: 'POST', headers: { 'x-user-id': 'good' }, body: '{}' };
    const units = async () => {
      await ask(headgate.url, '/broken/x', good);
      return Object.values((await api('GET', '/routes/broken/experiment')).units);
    };
    const told = await until(units, (all) => all.some((n) => n > 0));
    expect(told.reduce((sum, n) => sum + n, 0)).toBe(1);
  });
});

describe('a browser’s question before the request', () => {
  it('is no unit of an experiment, and gets no cookie', async () => {
    let cookie = '';
    for (let n = 0; n < 5; n++) {
      const asks = { origin: 'https://shop.example', 'access-control-request-method': 'POST' };
      const asked = await ask(headgate.url, '/preflight/x', { method: 'OPTIONS', headers: asks });
      expect([asked.status, asked.headers['set-cookie']]).toEqual([200, undefined]);
      const headers = cookie === '' ? {} : { cookie };
      const sent = await ask(headgate.url, '/preflight/x', { method: 'POST', headers, body: '{}' });
      cookie ||= sent.headers['set-cookie']![0]!.split(';')[0]!;
    }
    const units = async () => (await api('GET', '/routes/preflight/experiment')).units;
    const total = await until(
      async () => Object.values(await units()).reduce((sum, n) => sum + n, 0),
      (n) => n > 0,
    );
    expect(total).toBe(1);
  });
});
