import { afterEach, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type Headgate, type Origin, oneRoute, startHeadgate, startOrigin } from './harness.ts';

let headgate: Headgate;
const origins: Origin[] = [];

afterEach(async () => {
  await headgate.dispose();
  await Promise.all(origins.splice(0).map((origin) => origin.close()));
});

async function api(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${headgate.url}/_headgate/api${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  // biome-ignore lint/suspicious/noExplicitAny: answers of every call are looked at by path
  return { status: response.status, body: (await response.json()) as any };
}

/** Sends `perSecond` requests, each by another visitor, until `until` holds or the time is over. Returns what was answered. */
async function traffic(perSecond: number, seconds: number, until: () => Promise<boolean>) {
  const answers: { status: number; variant: string | null; atMs: number }[] = [];
  const deadline = Date.now() + seconds * 1000;
  let isDone = false;
  const watching = (async () => {
    while (!isDone && Date.now() < deadline) {
      isDone = await until();
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    isDone = true;
  })();
  const pending = new Set<Promise<void>>();
  for (let n = 0; !isDone; n++) {
    const one = fetch(`${headgate.url}/x`, { headers: { 'x-user-id': `u-${n}-${Math.random()}` } })
      .then(async (response) => {
        await response.arrayBuffer();
        answers.push({
          status: response.status,
          variant: response.headers.get('x-headgate-variant'),
          atMs: Date.now(),
        });
      })
      .finally(() => pending.delete(one));
    pending.add(one);
    await new Promise((resolve) => setTimeout(resolve, 1000 / perSecond));
  }
  await watching;
  await Promise.all(pending);
  return answers;
}

async function start(greenFails: (n: number) => boolean, route: Record<string, unknown> = {}) {
  const blue = await startOrigin();
  let n = 0;
  const green = await startOrigin((_, response) => {
    response.statusCode = greenFails(n++) ? 500 : 200;
    response.end('green');
  });
  origins.push(blue, green);
  headgate = await startHeadgate({
    config: oneRoute({
      variants: { blue: { url: blue.url }, green: { url: green.url } },
      identity: [{ header: 'x-user-id' }, { cookie: true }],
      ...route,
    }),
  });
}

const phase = async () => (await api('GET', '/routes/main')).body.rollout?.phase;

describe('a rollout', () => {
  it('promotes a good candidate through its steps, and writes the config', async () => {
    await start(() => false);
    const started = await api('POST', '/routes/main/rollout', {
      to: 'green',
      plan: [
        { weight: 20, for: '5s', minSamples: 20 },
        { weight: 100, for: '2s', minSamples: 20 },
      ],
      guardrails: [{ metric: 'errors', critical: true, required: true, maxIncrease: 0.2, per: 'request' }],
      reason: 'release 2',
    });
    expect(started).toMatchObject({ status: 200, body: { rollout: { phase: 'progressing', step: 1, steps: 2 } } });
    await traffic(60, 40, async () => (await phase()) === 'promoted');
    const { body } = await api('GET', '/routes/main');
    expect(body).toMatchObject({
      split: { weights: { blue: 0, green: 100 }, baseline: 'green' },
      rollout: { phase: 'promoted' },
    });
    const config = await api('GET', '/config');
    expect(config.body.routes[0]).toMatchObject({ baseline: 'green', weights: { blue: 0, green: 100 } });
    const { body: history } = await api('GET', '/routes/main/history');
    expect(history.entries.map((entry: { action: string }) => entry.action)).toEqual([
      'promoted',
      'advanced',
      'started',
    ]);
  });

  it('takes a broken candidate back within one flush, and nobody reaches it afterwards', async () => {
    await start(() => true);
    await api('POST', '/routes/main/rollout', {
      to: 'green',
      plan: [
        { weight: 20, for: '60s' },
        { weight: 100, for: '60s' },
      ],
      reason: 'a bad release',
    });
    let abortedAtMs = 0;
    const answers = await traffic(60, 40, async () => {
      if (abortedAtMs === 0 && (await phase()) === 'aborted') abortedAtMs = Date.now();
      return abortedAtMs !== 0 && Date.now() > abortedAtMs + 4_000;
    });
    expect(abortedAtMs).toBeGreaterThan(0);
    const late = answers.filter(({ variant, atMs }) => variant === 'green' && atMs > abortedAtMs + 3_000);
    expect(late).toEqual([]);
    const { body } = await api('GET', '/routes/main');
    expect(body.split.weights).toEqual({ blue: 100, green: 0 });
    expect(body.rollout.reason).toContain('errors');
  });
});
