import { afterEach, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type Headgate, type Origin, oneRoute, startHeadgate, startOrigin } from './harness.ts';

const OUTCOME_TOKEN = 'test-outcome-token-00000000';

let headgate: Headgate;
const origins: Origin[] = [];

afterEach(async () => {
  await headgate.dispose();
  await Promise.all(origins.splice(0).map((origin) => origin.close()));
});

async function start(route: Record<string, unknown>): Promise<void> {
  for (const name of ['blue', 'green']) origins.push(await startOrigin((_, response) => response.end(name)));
  headgate = await startHeadgate({
    vars: { OUTCOME_TOKEN },
    config: oneRoute({
      variants: { blue: { url: origins[0]!.url }, green: { url: origins[1]!.url } },
      receipts: true,
      ...route,
    }),
  });
}

async function api(method: string, path: string, body?: unknown) {
  const response = await fetch(`${headgate.url}/_headgate/api${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  // biome-ignore lint/suspicious/noExplicitAny: answers of every call are looked at by path
  return { status: response.status, body: (isJson ? JSON.parse(text) : text) as any };
}

async function visit(headers: Record<string, string> = {}) {
  const response = await fetch(`${headgate.url}/x`, { headers });
  await response.arrayBuffer();
  return {
    variant: response.headers.get('x-headgate-variant')!,
    receipt: response.headers.get('x-headgate-receipt')!,
    cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '',
  };
}

async function post(outcome: Record<string, unknown>, headers: Record<string, string> = {}) {
  const response = await fetch(`${headgate.url}/_headgate/outcomes`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ route: 'main', ...outcome }),
  });
  return { status: response.status, body: (await response.json()) as { variant?: string; code?: string } };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function eventually(holds: () => Promise<boolean>, seconds: number): Promise<boolean> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline; await pause(300))
    if (await holds()) return true;
  return false;
}

describe('a canary that is fast, free of errors, and wrong', () => {
  it('is stopped by the outcomes alone that come back with its receipts', async () => {
    await start({
      identity: [{ header: 'x-user-id' }],
      outcomes: [{ name: 'correct', kind: 'conversion' }],
    });
    const started = await api('POST', '/routes/main/rollout', {
      to: 'green',
      plan: [
        { weight: 20, for: '60s' },
        { weight: 100, for: '60s' },
      ],
      guardrails: [
        { metric: 'errors', critical: true },
        { metric: 'outcome:correct', critical: true },
      ],
    });
    expect(started.status).toBe(200);
    const phase = async () => (await api('GET', '/routes/main')).body.rollout?.phase;
    let isOver = false;
    let wrong = 0;
    const traffic = (async () => {
      for (let n = 0; !isOver && n < 4_000; n++) {
        const { variant, receipt } = await visit({ 'x-user-id': `u-${n}` });
        if (variant === 'green') wrong++;
        await post({ metric: 'correct', value: variant === 'blue', receipt });
      }
    })();
    const isAborted = await eventually(async () => (await phase()) === 'aborted', 45);
    isOver = true;
    await traffic;
    expect(isAborted).toBe(true);
    const { body } = await api('GET', '/routes/main');
    expect(body.split.weights).toEqual({ blue: 100, green: 0 });
    expect(body.rollout.reason).toContain('outcome:correct');
    expect(wrong).toBeGreaterThanOrEqual(5);
  });

  it('is not stopped by cookies, which anybody can make', async () => {
    await start({ outcomes: [{ name: 'correct', kind: 'conversion' }] });
    await api('POST', '/routes/main/rollout', {
      to: 'green',
      plan: [{ weight: 50, for: '60s' }],
      guardrails: [{ metric: 'outcome:correct', critical: true }],
    });
    await pause(1_500);
    for (let n = 0; n < 120; n++) {
      const { cookie, variant } = await visit();
      await post({ metric: 'correct', value: variant === 'blue' }, { cookie });
    }
    const { body } = await api('GET', '/routes/main');
    expect(body.rollout).toMatchObject({ phase: 'progressing', guardrails: [{ candidate: { n: 0 } }] });
  });

  it('cannot be guarded by an outcome that is not declared, or is a number', async () => {
    await start({ outcomes: [{ name: 'spend', kind: 'mean' }] });
    for (const name of ['spend', 'other']) {
      const refused = await api('POST', '/routes/main/rollout', {
        to: 'green',
        guardrails: [{ metric: `outcome:${name}`, critical: true }],
      });
      expect(refused).toMatchObject({ status: 422, body: { faults: [{ path: 'guardrails[0].metric' }] } });
    }
  });
});

describe('an experiment', () => {
  it('counts every visitor and every outcome exactly, by receipt, by cookie and by token', async () => {
    await start({
      identity: [{ header: 'x-user-id' }, { cookie: true }],
      weights: { blue: 50, green: 50 },
      outcomes: [
        { name: 'helpful', kind: 'conversion' },
        { name: 'spend', kind: 'mean', cap: 50 },
      ],
      experiment: { id: 'e-1', primary: ['helpful'], secondary: ['spend', 'latency'], plannedUnits: 10_000 },
    });
    const expected = { blue: { n: 0, helpful: 0, spend: 0 }, green: { n: 0, helpful: 0, spend: 0 } };
    type Arm = keyof typeof expected;
    const servers: { id: string; arm: Arm }[] = [];
    for (let n = 0; n < 150; n++) {
      const id = `u-${n}`;
      const isServer = n % 3 === 0;
      const { variant, receipt, cookie } = await visit(isServer ? { 'x-user-id': id } : {});
      const arm = expected[variant as Arm];
      arm.n++;
      if (isServer) servers.push({ id, arm: variant as Arm });
      else if (n % 3 === 1) {
        expect(await post({ metric: 'helpful', receipt })).toMatchObject({ status: 200, body: { variant } });
        expect(await post({ metric: 'spend', value: 80, receipt })).toMatchObject({ status: 200 });
        arm.helpful++;
        arm.spend += 50;
      } else if (n % 2 === 0) {
        // The pin in the cookie proves the exposure, also before the ledger has heard of it.
        expect(await post({ metric: 'helpful' }, { cookie })).toMatchObject({ status: 200, body: { variant } });
        arm.helpful++;
      }
    }
    const total = async () => {
      const { body } = await api('GET', '/routes/main/experiment');
      return body.units.blue + body.units.green;
    };
    expect(await eventually(async () => (await total()) === 150, 15)).toBe(true);
    for (const { id, arm } of servers) {
      const answer = await post({ metric: 'spend', value: 7, unit: id }, { authorization: `Bearer ${OUTCOME_TOKEN}` });
      expect(answer).toMatchObject({ status: 200, body: { variant: arm } });
      expected[arm].spend += 7;
    }
    const { body: report } = await api('GET', '/routes/main/experiment');
    const { blue, green } = expected;
    expect(report).toMatchObject({
      id: 'e-1',
      plannedUnits: 10_000,
      units: { blue: blue.n, green: green.n },
      crossovers: 0,
    });
    expect(report.sampleRatio.alarm).toBe(false);
    const [helpful, spend, latency] = report.metrics;
    expect(helpful).toMatchObject({ name: 'helpful', role: 'primary', state: 'keep running: 1 %' });
    expect(helpful.arms.blue).toMatchObject({ n: blue.n, successes: blue.helpful });
    expect(helpful.arms.green).toMatchObject({ n: green.n, successes: green.helpful });
    expect(spend.arms.blue).toMatchObject({ n: blue.n, sum: blue.spend });
    expect(spend.arms.green).toMatchObject({ n: green.n, sum: green.spend });
    expect(latency.arms.blue.mean).toBeGreaterThan(0);

    const { body: csv } = await api('GET', '/routes/main/experiment/units?format=csv&limit=1000');
    const lines = (csv as string).trim().split('\r\n');
    expect(lines[0]).toBe('unit,variant,firstAt,requests,errors,latency,helpful,spend');
    expect(lines).toHaveLength(151);
    expect(csv).not.toContain('u-0');
    expect((await api('DELETE', '/routes/main/experiment/units/u-0?reason=asked')).status).toBe(204);
    expect((await api('DELETE', '/routes/main/experiment/units/u-0')).status).toBe(404);
    const { body: history } = await api('GET', '/routes/main/history');
    expect(history.entries).toMatchObject([{ action: 'unit-deleted', actor: 'api', reason: 'asked' }]);
    expect(JSON.stringify(history)).not.toContain('u-0');
    expect(await total()).toBe(149);
  });

  it('keeps the units of a candidate that fails in their arm, whoever answers them', async () => {
    await start({
      weights: { blue: 50, green: 50 },
      experiment: { id: 'e-1', primary: ['error'], plannedUnits: 1_000 },
    });
    await origins.pop()!.close();
    const dealt = { blue: 0, green: 0 };
    for (let n = 0; n < 60; n++) {
      const { variant, cookie } = await visit();
      expect(variant).toBe('blue');
      dealt[cookie.includes('.main:green:') ? 'green' : 'blue']++;
    }
    expect(dealt.green).toBeGreaterThan(10);
    const units = async () => (await api('GET', '/routes/main/experiment')).body.units;
    const isWhole = async () => JSON.stringify(await units()) === JSON.stringify(dealt);
    await eventually(isWhole, 10);
    expect(await units()).toEqual(dealt);
  });

  it('has no report on a route without one, and plans before it starts', async () => {
    await start({});
    expect(await api('GET', '/routes/main/experiment')).toMatchObject({ status: 404, body: { code: 'no_experiment' } });
    const planned = await api('GET', '/sample-size?baseline=0.1&lift=10%25&perDay=3000');
    expect(planned).toMatchObject({
      status: 200,
      body: { unitsPerArm: { baseline: 14_751, variant: 14_751 }, plannedUnits: 29_502, days: 14 },
    });
    expect((await api('GET', '/sample-size?baseline=0.1&lift=0')).status).toBe(422);
    expect((await api('GET', '/sample-size?baseline=2&lift=5%25')).status).toBe(422);
    for (const asked of ['lift=0.0000000000000000001', 'lift=5%25&power=0.4', 'lift=5%25&ratio=0.0001']) {
      expect((await api('GET', `/sample-size?baseline=0.1&${asked}`)).status).toBe(422);
    }
  });
});
