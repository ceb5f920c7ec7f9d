import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MetricReport, Report } from '../../src/experiment/report.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, oneRoute, startHeadgate, startOrigin } from './harness.ts';

let headgate: Headgate;
const origins: Origin[] = [];
const UNITS = 48;
type Arm = 'blue' | 'green';

/** Blue answers 10 tokens, green 40: whole, streamed, compressed, or with more text than anybody keeps; every fifth names no usage. */
function answerAs(tokensOut: number) {
  return (request: IncomingMessage, response: ServerResponse) => {
    const form = String(request.headers['x-form']);
    const usage = { prompt_tokens: 5, completion_tokens: tokensOut };
    const content = form === 'long' ? 'word '.repeat(20_000) : 'word';
    const document = {
      ...{ model: 'm-1', choices: [{ index: 0, message: { content } }] },
      ...(form !== 'silent' && { usage }),
    };
    if (form === 'stream') {
      response.setHeader('content-type', 'text/event-stream');
      for (const chunk of [
        { model: 'm-1', choices: [] },
        { model: 'm-1', choices: [], usage },
      ])
        response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      response.end('data: [DONE]\n\n');
      return;
    }
    response.setHeader('content-type', 'application/json');
    if (form === 'gzip') response.setHeader('content-encoding', 'gzip');
    const bytes = Buffer.from(JSON.stringify(document));
    response.end(form === 'gzip' ? gzipSync(bytes) : bytes);
  };
}

beforeAll(async () => {
  origins.push(await startOrigin(answerAs(10)), await startOrigin(answerAs(40)));
  const config = oneRoute({
    variants: { blue: { url: origins[0]!.url }, green: { url: origins[1]!.url } },
    weights: { blue: 50, green: 50 },
    identity: [{ header: 'x-user-id' }],
    experiment: {
      id: 'm-1',
      primary: ['tokensOut', 'retry'],
      secondary: ['cost', 'returned'],
      plannedUnits: 10_000,
      segments: [
        { name: 'plan', header: 'x-plan' },
        { name: 'tier', pointer: '/meta/tier', values: ['gold'] },
      ],
    },
  }) as object;
  const prices = { 'm-1': { inputPerMillion: 100_000, outputPerMillion: 200_000 } };
  headgate = await startHeadgate({ config: { ...config, prices } });
});

afterAll(async () => {
  await headgate.dispose();
  await Promise.all(origins.map((origin) => origin.close()));
});

async function ask(unit: number, form: string): Promise<Arm> {
  const response = await fetch(`${headgate.url}/v1/chat`, {
    method: 'POST',
    headers: {
      ...{ 'content-type': 'application/json', 'x-user-id': `u-${unit}`, 'x-form': form },
      'x-plan': `plan-${unit % 12}`,
    },
    body: JSON.stringify({ unit, meta: { tier: unit % 3 === 0 ? 'gold' : 'tin' } }),
  });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
  return response.headers.get('x-headgate-variant') as Arm;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function requestsCounted(): Promise<number> {
  const { units } = (await read('/routes/main/experiment/units?limit=1000')) as { units: { requests: number }[] };
  return units.reduce((sum, { requests }) => sum + requests, 0);
}

async function read(path: string) {
  const response = await fetch(`${headgate.url}/_headgate/api${path}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  return (await response.json()) as unknown;
}

describe('an experiment that no client reports to', () => {
  const forms = ['whole', 'stream', 'gzip', 'long', 'silent'];
  const seen = { blue: { units: 0, known: 0, retried: 0 }, green: { units: 0, known: 0, retried: 0 } };
  const golden = { blue: 0, green: 0 };
  let report: Report;
  let metric: (name: string) => MetricReport;
  const armOf: Arm[] = [];

  beforeAll(async () => {
    for (let unit = 0; unit < UNITS; unit++) {
      const form = forms[unit % forms.length]!;
      const arm = await ask(unit, form);
      armOf.push(arm);
      const counts = seen[arm];
      counts.units++;
      if (form !== 'silent') counts.known++;
      if (unit % 3 === 0) golden[arm]++;
      if (unit % 4 > 0) continue;
      expect(await ask(unit, form)).toBe(arm);
      counts.retried++;
    }
    for (let round = 0; round < 40 && (await requestsCounted()) < UNITS * 1.25; round++) await pause(250);
    report = (await read('/routes/main/experiment')) as Report;
    metric = (name) => report.metrics.find((one) => one.name === name)!;
  });

  it('counts the tokens and the cost of every answer that names them, in whatever form it came', () => {
    for (const [arm, tokens] of [
      ['blue', 10],
      ['green', 40],
    ] as const) {
      const { known } = seen[arm];
      expect(metric('tokensOut').arms[arm]).toMatchObject({ n: known, mean: tokens, sum: known * tokens });
      expect(metric('cost').arms[arm]!.n).toBe(known);
      expect(metric('cost').arms[arm]!.mean).toBeCloseTo(0.5 + tokens * 0.2, 9);
    }
    expect(metric('tokensOut')).toMatchObject({ goal: 'decrease', kind: 'mean', difference: 30 });
  });

  it('counts who asked the same again, and that nobody has come back yet', () => {
    for (const arm of ['blue', 'green'] as const) {
      const { units, retried } = seen[arm];
      expect(metric('retry').arms[arm]).toMatchObject({ n: units, successes: retried });
      expect(metric('returned').arms[arm]).toMatchObject({ n: units, successes: 0 });
    }
  });

  it('tells its segments apart, ten values of each and the rest', () => {
    expect(report.segments.map(({ name, exploratory }) => [name, exploratory])).toEqual([
      ['plan', true],
      ['tier', true],
    ]);
    const [plan, tier] = report.segments.map(({ slices }) => slices.filter((slice) => slice.metric === 'retry'));
    expect(plan!.map(({ value }) => value).toSorted()).toEqual(
      ['other', ...Array.from({ length: 10 }, (_, n) => `plan-${n}`)].toSorted(),
    );
    const all = plan!.reduce((sum, { arms }) => sum + arms.blue!.n + arms.green!.n, 0);
    expect(all).toBe(UNITS);
    const gold = tier!.find(({ value }) => value === 'gold')!;
    expect([gold.arms.blue!.n, gold.arms.green!.n]).toEqual([golden.blue, golden.green]);
    expect(tier!.map(({ value }) => value).toSorted()).toEqual(['gold', 'other']);
  });

  it('shows tokens and cost among the live numbers, by the same reading', async () => {
    const answers = (arm: Arm) =>
      armOf.reduce((sum, one, unit) => sum + (one !== arm || unit % 5 === 4 ? 0 : unit % 4 === 0 ? 2 : 1), 0);
    type Live = Record<Arm, { tokensIn: number; tokensOut: number; cost: number }>;
    const live = async () => ((await read('/routes/main')) as { live: Live }).live;
    await expect.poll(async () => (await live()).blue.tokensOut, { timeout: 8_000 }).toBe(answers('blue') * 10);
    await expect.poll(async () => (await live()).green.tokensOut, { timeout: 8_000 }).toBe(answers('green') * 40);
    const counted = await live();
    for (const [arm, tokens] of [
      ['blue', 10],
      ['green', 40],
    ] as const) {
      expect(counted[arm].tokensIn).toBe(answers(arm) * 5);
      expect(counted[arm].cost).toBeCloseTo(answers(arm) * (0.5 + tokens * 0.2), 6);
    }
  });
});
