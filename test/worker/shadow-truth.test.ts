import { readFileSync } from 'node:fs';
import { Pool } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';
import { account, comparisonsOf, manyTimes, steady, UNIT } from './shadow-world.ts';

const CALLS = readFileSync('test/shadow/compare/transcripts/openai-chat-tools.txt', 'utf8');

let headgate: Headgate;
let blue: Origin;
let green: Origin;
let client: Pool;

/** A model: the same answer to the same number, but for id and time, and for what a path asks green to do worse. */
function model(name: string) {
  return startOrigin((request, response) => {
    const [, kind, number = '0'] = request.url!.split('/');
    const n = Number(number);
    const isWorse = name === 'green' && n % 20 === 0;
    if (kind === 'calls') {
      response.setHeader('content-type', 'text/event-stream');
      const fresh = CALLS.replaceAll('chatcmpl-B9', `c-${Math.random()}`);
      response.end(isWorse ? fresh.replace('"arguments":"celsius"', '"arguments":"kelvin"') : fresh);
      return;
    }
    response.setHeader('content-type', 'application/json');
    const answer = {
      id: `r-${Math.random()}`,
      at: new Date().toISOString(),
      noise: kind === 'noisy' ? Math.random() : 0,
      label: kind === 'worse' && isWorse ? 'wrong' : `label-${n % 7}`,
      scores: [{ name: 'a', value: n % 10 }],
    };
    response.end(JSON.stringify(answer));
  });
}

beforeAll(async () => {
  blue = await model('blue');
  green = await model('green');
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  const shadow = { variant: 'green', percent: 100, compare: { ignore: ['/id', '/at'] } };
  headgate = await startHeadgate({
    recorder: false,
    config: {
      version: 1,
      routes: [
        steady('same', { variants, shadows: [shadow], timeoutMs: 20_000 }),
        steady('noisy', { variants, shadows: [shadow], timeoutMs: 20_000 }),
        steady('worse', { variants, shadows: [shadow], timeoutMs: 20_000 }),
        steady('calls', { variants, shadows: [{ variant: 'green', repeat: 50 }], timeoutMs: 20_000 }),
      ],
    },
  });
  client = new Pool(headgate.url, { connections: 32 });
});

afterAll(async () => {
  await client.close();
  await headgate.dispose();
  await blue.close();
  await green.close();
});

/** Sends numbered requests, `width` at a time; each must be answered. */
async function send(route: string, times: number, width: number): Promise<void> {
  const statuses = new Set<number>();
  await manyTimes(times, width, async (n) => {
    const { statusCode, body } = await client.request({
      path: `/${route}/${n}`,
      method: 'GET',
      headers: { 'x-unit': UNIT },
    });
    await body.dump();
    statuses.add(statusCode);
  });
  expect([...statuses]).toEqual([200]);
}

describe('what a shadow finds over real sockets', () => {
  it('finds nothing between identical models over 10,000 requests, 32 at a time', async () => {
    await send('same', 10_000, 32);
    const answer = await comparisonsOf(headgate, 'same', 10_000);
    const { classes, fields, repeats } = answer;
    expect(account(answer)).toMatchObject({ eligible: 10_000, accounted: 10_000 });
    const { match, ...others } = classes;
    expect(others).toEqual({ 'status-mismatch': 0, 'body-mismatch': 0, error: 0, timeout: 0 });
    expect(match).toBeGreaterThan(5_000);
    expect(Object.keys(repeats)).toEqual(['match']);
    expect(fields).toEqual([]);
  }, 180_000);

  it('calls no field real beside one that is random in both models', async () => {
    await send('noisy', 1_000, 16);
    const answer = await comparisonsOf(headgate, 'noisy', 1_000);
    expect(account(answer)).toMatchObject({ eligible: 1_000, accounted: 1_000 });
    expect(answer.fields.map(({ path, verdict }) => [path, verdict])).toEqual([['/noise', 'noise']]);
  });

  it('finds a planted 5 % regression in one field within 2,000 pairs, and names it', async () => {
    await send('worse', 1_760, 16);
    const answer = await comparisonsOf(headgate, 'worse', 1_760);
    expect(account(answer)).toMatchObject({ eligible: 1_760, accounted: 1_760 });
    const [field] = answer.fields;
    expect(field!.candidatePairs + field!.repeatPairs).toBeLessThanOrEqual(2_000);
    expect(answer.fields.map(({ path, verdict }) => [path, verdict])).toEqual([['/label', 'real']]);
  });

  it('finds a regression that hides in the tool-call arguments of a stream', async () => {
    await send('calls', 600, 16);
    const answer = await comparisonsOf(headgate, 'calls', 600);
    expect(account(answer)).toMatchObject({ eligible: 600, accounted: 600 });
    expect(answer.classes).toMatchObject({ error: 0, timeout: 0, 'status-mismatch': 0 });
    expect(answer.fields.map(({ path, verdict }) => [path, verdict])).toEqual([
      ['/choices/*/message/tool_calls/*/function/arguments/unit', 'real'],
    ]);
  });
});
