import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './client.ts';
import { refusingUrl, startNamedOrigin } from './faulty-origin.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';
import { RawClient, type RawOrigin, startRawOrigin } from './raw-http.ts';
import { account, type Comparisons, comparisonsOf, exchange, steady, UNIT } from './shadow-world.ts';

const SHADOW = { variant: 'green', percent: 100, repeat: 0 };

let headgate: Headgate;
let blue: Origin;
let green: Origin;
/** Answers as the path says, and slowly where it says so. */
let odd: RawOrigin;
let faulty: Awaited<ReturnType<typeof startNamedOrigin>>;
const originCame: string[] = [];
const originGone: string[] = [];

function json(value: unknown): string {
  const body = JSON.stringify(value);
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

beforeAll(async () => {
  const answer = (name: string) =>
    startOrigin((request, response) => {
      request.resume();
      request.on('end', () => {
        const status = name === 'green' && request.url!.includes('quota') ? 429 : 200;
        response.writeHead(status, { 'content-type': 'application/json' });
        const usage = { prompt_tokens: 30, completion_tokens: 70, total_tokens: 100 };
        const choices = [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }];
        const chat = { id: name, object: 'chat.completion', model: 'm-1', choices, usage };
        response.end(request.method === 'HEAD' ? undefined : JSON.stringify(request.url!.includes('chat') ? chat : {}));
      });
    });
  blue = await answer('blue');
  green = await answer('green');
  faulty = await startNamedOrigin('faulty', { isFaulty: true });
  odd = await startRawOrigin(async (request) => {
    if (request.path.includes('never')) {
      originCame.push(request.path);
      await request.gone;
      originGone.push(request.path);
      return;
    }
    await request.whole();
    if (request.path.includes('stream')) {
      await request.say('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
      while (!request.socket.destroyed) {
        await Promise.race([request.say('9\r\ndata: 1\n\n\r\n'), request.gone]);
        await sleep(20);
      }
      originGone.push(request.path);
      return;
    }
    await request.say(json({}));
  });
  const both = { blue: { url: blue.url }, green: { url: green.url } };
  const refusing = await refusingUrl();
  const routes = [
    steady('plain', { variants: both, shadows: [SHADOW] }),
    steady('small', { variants: both, shadows: [{ ...SHADOW, maxBodyBytes: 1000 }] }),
    steady('half', { variants: both, shadows: [{ ...SHADOW, percent: 50 }] }),
    steady('safe', { variants: both, shadows: [SHADOW], repeatable: ['GET', 'HEAD'] }),
    steady('inside', { variants: both, shadows: [SHADOW], audience: { include: [{ header: 'x-team', in: ['us'] }] } }),
    steady('down', { variants: { blue: { url: refusing }, green: { url: green.url } }, shadows: [SHADOW] }),
    steady('broken', { variants: { blue: { url: faulty.url }, green: { url: green.url } }, shadows: [SHADOW] }),
    steady('early', { variants: { blue: { url: faulty.url }, green: { url: green.url } }, shadows: [SHADOW] }),
    steady('leaves', { variants: { blue: { url: odd.url }, green: { url: green.url } }, shadows: [SHADOW] }),
    steady('quota', { variants: both, shadows: [SHADOW] }),
    steady('minute', { variants: both, shadows: [{ ...SHADOW, budget: { requestsPerMinute: 5 } }] }),
    steady('tokens', { variants: both, shadows: [{ ...SHADOW, budget: { tokensPerDay: 350 } }] }),
    steady('member', {
      variants: { ...both, green: { url: green.url, json: { model: 'm-2' } } },
      shadows: [SHADOW],
    }),
    // Green serves: its failures are made good by blue, or the baseline's word is asked for.
    steady('failover', {
      variants: { blue: { url: blue.url }, green: { url: refusing } },
      baseline: 'blue',
      weights: { blue: 0.01, green: 99.99 },
      ejection: false,
      shadows: [SHADOW],
    }),
    steady('counter', {
      variants: { blue: { url: faulty.url }, green: { url: green.url } },
      baseline: 'blue',
      weights: { blue: 0.01, green: 99.99 },
      shadows: [SHADOW],
    }),
  ];
  headgate = await startHeadgate({ config: { version: 1, routes } });
});

afterAll(async () => {
  await headgate.dispose();
  for (const origin of [blue, green, odd, faulty]) await origin.close();
});

/** The numbers of a route; they must close, and be those of `sent` requests. */
async function closed(route: string, sent: number): Promise<Comparisons> {
  const answer = await comparisonsOf(headgate, route, sent);
  const { eligible, accounted } = account(answer);
  expect({ eligible, accounted }).toEqual({ eligible: sent, accounted: sent });
  return answer;
}

const ask = (path: string, how?: Parameters<typeof exchange>[1]) => exchange(headgate.url + path, how);

describe.concurrent('accounting', () => {
  it('counts every repeatable request of a percent of 100: HEAD, GET and POST', async () => {
    await Promise.all([ask('/plain/a', { method: 'HEAD' }), ask('/plain/a'), ask('/plain/a', { sends: '{"a":1}' })]);
    const { classes } = await closed('plain', 3);
    expect(classes.match).toBe(3);
  });

  it('does not count methods that must not be sent twice', async () => {
    await ask('/safe/a', { sends: '{"a":1}' });
    await ask('/safe/a', { method: 'DELETE' });
    await ask('/safe/a');
    await closed('safe', 1);
    expect(green.seen.filter(({ url }) => url === '/safe/a').map(({ method }) => method)).toEqual(['GET']);
  });

  it('skips bodies over the shadow’s bound as too large, with and without a declared length', async () => {
    await ask('/small/a', { sends: 1000 });
    await ask('/small/a', { sends: 1001 });
    await ask('/small/a', { sends: 300_000 });
    const chunked = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(300_000));
        controller.close();
      },
    });
    const response = await fetch(`${headgate.url}/small/a`, {
      method: 'POST',
      body: chunked,
      duplex: 'half',
      headers: { 'x-unit': UNIT },
    } as RequestInit);
    await response.text();
    expect(await closed('small', 4)).toMatchObject({ classes: { match: 1 }, skipped: { 'too-large': 3 } });
  });

  it('mirrors a percent of the requests, and counts those alone', async () => {
    const before = green.seen.filter(({ url }) => url === '/half/a').length;
    await Promise.all(Array.from({ length: 20 }, () => ask('/half/a')));
    for (let i = 0; i < 180; i++) await ask('/half/a');
    const answer = await comparisonsOf(headgate, 'half', 60);
    await sleep(2_500);
    const { eligible, accounted, compared } = account(await comparisonsOf(headgate, 'half', answer.eligible));
    expect(accounted).toBe(eligible);
    // Six standard deviations of 200 tosses around 100.
    expect(eligible).toBeGreaterThan(57);
    expect(eligible).toBeLessThan(143);
    expect(green.seen.filter(({ url }) => url === '/half/a').length - before).toBe(compared);
  });

  it('does not mirror previews, nor who stands outside the audience', async () => {
    const response = await fetch(`${headgate.url}/_headgate/api/routes/inside/preview`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ variant: 'green' }),
    });
    const { token } = (await response.json()) as { token: string };
    const headers = { 'x-team': 'us' };
    const previewed = await ask('/inside/preview', { headers: { ...headers, 'x-headgate-preview': token } });
    expect(previewed.headers['x-headgate-variant']).toBe('green');
    await ask('/inside/stranger', { headers: { 'x-team': 'them' } });
    await ask('/inside/friend', { headers });
    expect(await closed('inside', 1)).toMatchObject({ classes: { match: 1 } });
    const mirrored = green.seen.filter(({ headers: sent }) => sent['x-headgate-role'] === 'shadow');
    expect(mirrored.map(({ url }) => url).filter((url) => url.startsWith('/inside/'))).toEqual(['/inside/friend']);
  });

  it('says baseline-failed where the baseline gave no answer to compare with', async () => {
    expect((await ask('/down/a')).status).toBe(502);
    expect((await ask('/down/a', { sends: '{}' })).status).toBe(502);
    expect(await closed('down', 2)).toMatchObject({ compared: 0, skipped: { 'baseline-failed': 2 } });
    expect(green.seen.some(({ url }) => url === '/down/a')).toBe(false);
  });

  it('says baseline-failed where the baseline broke its body off', async () => {
    await expect(ask('/broken/a?fault=cut')).rejects.toThrow();
    await expect(ask('/broken/a?fault=cut-chunked')).rejects.toThrow();
    expect(await closed('broken', 2)).toMatchObject({ compared: 0, skipped: { 'baseline-failed': 2 } });
  });

  it('says client-left where the visitor left within the answer, and mirrors nothing where it left before', async () => {
    const cameTo = (path: string) =>
      until(
        async () => originCame,
        (came) => came.includes(path),
      );
    const leaveAfter = async (path: string, hasCome: (client: RawClient) => Promise<unknown>, body?: string) => {
      const client = await RawClient.to(headgate.url);
      client.ask({ path, method: body === undefined ? 'GET' : 'POST', headers: [['x-unit', UNIT]], body });
      await hasCome(client);
      client.socket.resetAndDestroy();
    };
    await leaveAfter('/leaves/never', () => cameTo('/leaves/never'));
    await leaveAfter('/leaves/stream', async (client) => client.body((await client.answer())!).next());
    const client = await RawClient.to(headgate.url);
    client.ask({
      path: '/leaves/never-sent',
      method: 'POST',
      headers: [
        ['x-unit', UNIT],
        ['content-length', '200000'],
      ],
    });
    client.socket.write('x'.repeat(1000));
    await cameTo('/leaves/never-sent');
    client.socket.resetAndDestroy();
    const gone = await until(
      async () => originGone,
      ({ length }) => length === 3,
    );
    expect(gone).toContain('/leaves/stream');
    // The runtime ends all work of a request whose visitor leaves before headers, unless other work is still under way.
    const answer = await comparisonsOf(headgate, 'leaves', 1);
    expect(answer).toMatchObject({ compared: 0, skipped: { 'client-left': answer.eligible } });
    const rows = await headgate.records('dataset=requests&route=leaves');
    expect(rows.filter(({ path }) => path === '/leaves/stream')).toMatchObject([{ failed: 0, errorCode: '' }]);
    expect(green.seen.map(({ url }) => url)).not.toContain('/leaves/never');
    expect(green.seen.map(({ url }) => url)).not.toContain('/leaves/never-sent');
  });

  it('closes where the baseline answers an upload that has not ended', async () => {
    const client = await RawClient.to(headgate.url);
    client.ask({
      path: '/early/a?fault=early:413',
      method: 'POST',
      headers: [
        ['x-unit', UNIT],
        ['content-length', '250000'],
      ],
    });
    client.socket.write('x'.repeat(1000));
    const answer = await client.answer();
    expect(answer!.status).toBe(413);
    await sleep(100);
    client.close();
    const { skipped, compared } = await closed('early', 1);
    expect({ skipped, compared }).toEqual({ skipped: { 'not-kept': 1 }, compared: 0 });
  });

  it('stops for a minute when the shadow answers 429, and says rate-limited', async () => {
    await ask('/quota/a');
    await until(
      async () => green.seen.filter(({ url }) => url === '/quota/a').length,
      (count) => count === 1,
    );
    await sleep(300);
    for (let i = 0; i < 5; i++) await ask('/quota/a');
    expect(await closed('quota', 6)).toMatchObject({ compared: 0, skipped: { 'rate-limited': 6 } });
    expect(green.seen.filter(({ url }) => url === '/quota/a')).toHaveLength(1);
  });

  it('keeps to a budget of requests a minute', async () => {
    // Not across a full minute, where the budget begins anew.
    const left = 60_000 - (Date.now() % 60_000);
    if (left < 5_000) await sleep(left + 100);
    for (let i = 0; i < 9; i++) await ask('/minute/a');
    expect(await closed('minute', 9)).toMatchObject({ classes: { match: 5 }, skipped: { 'budget-requests': 4 } });
    expect(green.seen.filter(({ url }) => url === '/minute/a')).toHaveLength(5);
  });

  it('keeps to a budget of tokens a day', async () => {
    for (let i = 0; i < 6; i++) {
      const before = green.seen.length;
      await ask('/tokens/chat', { sends: '{"messages":[]}' });
      if (i < 4)
        await until(
          async () => green.seen.length,
          (count) => count > before,
        );
      await sleep(150);
    }
    // 100 tokens each: the fourth still begins below 350.
    expect(await closed('tokens', 6)).toMatchObject({ compared: 4, skipped: { 'budget-tokens': 2 } });
  });

  it('says json-unfit where the body cannot bear the members that the shadow sets', async () => {
    await ask('/member/a', { sends: '[1,2]' });
    await ask('/member/a', { sends: 'not json' });
    await ask('/member/a', { sends: '{"model":"m-1"}', headers: { 'content-encoding': 'gzip' } });
    await ask('/member/a', { sends: '{"model":"m-1"}' });
    await ask('/member/a');
    expect(await closed('member', 5)).toMatchObject({ classes: { match: 2 }, skipped: { 'json-unfit': 3 } });
  });

  it('says failover where the baseline made the candidate’s failure good', async () => {
    const answer = await ask('/failover/a');
    expect(answer).toMatchObject({ status: 200, headers: { 'x-headgate-failover': 'green' } });
    expect(await closed('failover', 1)).toMatchObject({ compared: 0, skipped: { failover: 1 } });
  });

  it('asks the baseline where the candidate serves, and says baseline-failed where that fails', async () => {
    await ask('/counter/a');
    await ask('/counter/a?fault=status:500');
    await ask('/counter/a?fault=reset');
    const answer = await closed('counter', 3);
    expect(answer.skipped).toEqual({ 'baseline-failed': 2 });
    const rows = await headgate.records('dataset=comparisons&route=counter');
    expect(rows.map(({ role, baseline, candidate }) => ({ role, baseline, candidate }))).toEqual(
      Array.from({ length: 3 }, () => ({ role: 'counterfactual', baseline: 'blue', candidate: 'green' })),
    );
    expect(faulty.seen.filter(({ path }) => path.startsWith('/counter/'))).not.toHaveLength(0);
  });
});

it('writes a row for every eligible request', async () => {
  for (const route of ['plain', 'small', 'leaves', 'quota', 'minute', 'tokens', 'member', 'failover']) {
    const { eligible, classes, skipped } = await comparisonsOf(headgate, route, 1);
    const rows = await headgate.records(`dataset=comparisons&route=${route}&limit=500`);
    expect(rows).toHaveLength(eligible);
    for (const [name, count] of Object.entries({ ...classes, ...skipped })) {
      const isSkip = name in skipped;
      expect(rows.filter((row) => (isSkip ? row.reason : row.class) === name)).toHaveLength(count);
    }
  }
});
