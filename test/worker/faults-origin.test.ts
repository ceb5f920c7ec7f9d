import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOf, type NamedOrigin, refusingUrl, startNamedOrigin } from './faulty-origin.ts';
import { type Headgate, startHeadgate } from './harness.ts';
import { answerTo, type HeaderLines, type RawAsk, RawClient, values, type WholeAnswer } from './raw-http.ts';

let blue: NamedOrigin;
let green: NamedOrigin;
let headgate: Headgate;

const INFERENCE = ['GET', 'HEAD', 'POST'];

beforeAll(async () => {
  [blue, green] = await Promise.all([
    startNamedOrigin('blue', { isFaulty: false }),
    startNamedOrigin('green', { isFaulty: true }),
  ]);
  const refusing = await refusingUrl();
  const route = (name: string, more: Record<string, unknown>) => ({
    name,
    match: { path: `/${name}/*` },
    variants: { blue: { url: blue.url }, green: { url: green.url } },
    weights: { green: 100 },
    timeoutMs: 300,
    ejection: false,
    repeatable: INFERENCE,
    ...more,
  });
  const refuses = { blue: { url: blue.url }, green: { url: refusing } };
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        route('alone', { variants: { green: { url: green.url } } }),
        route('refused', { variants: { green: { url: refusing } } }),
        route('trial', {}),
        route('trial-refused', { variants: refuses }),
        route('default-methods', { repeatable: undefined }),
        route('default-refused', { repeatable: undefined, variants: refuses }),
        route('no-failover', { failover: false }),
        route('only-500', { failover: { statuses: [500] } }),
        route('both-fail', { variants: { blue: { url: `${green.url}/b` }, green: { url: green.url } } }),
        route('both-refused', { variants: { blue: { url: refusing }, green: { url: green.url } } }),
        route('baseline-fails', {
          variants: { green: { url: green.url }, blue: { url: blue.url } },
          baseline: 'green',
        }),
        route('idle', { idleTimeoutMs: 1_000 }),
        route('ejects', { variants: refuses, ejection: true, weights: { blue: 50, green: 50 } }),
        route('ejects-faulty', { ejection: true }),
        route('ejects-well', { ejection: true }),
        route('keeps', { failover: false }),
      ],
    },
  });
});

afterAll(async () => {
  await headgate?.dispose();
  await Promise.all([blue?.close(), green?.close()]);
});

interface Told extends WholeAnswer {
  requestId: string;
  json: Record<string, unknown>;
}

/** Asks under an id of its own. */
async function ask(path: string, what: RawAsk = {}): Promise<Told> {
  const requestId = randomUUID();
  const headers: RawAsk['headers'] = [['x-request-id', requestId], ...(what.headers ?? [])];
  const answer = await answerTo(headgate.url, { ...what, path, headers });
  const text = answer.body.toString();
  return { ...answer, requestId, json: text.startsWith('{') && answer.end === 'complete' ? JSON.parse(text) : {} };
}

const header = (answer: WholeAnswer, name: string) => values(answer.headers, name)[0];

/** The rows of one request, oldest first. */
async function rowsOf(requestId: string, count: number): Promise<Record<string, unknown>[]> {
  const until = Date.now() + 5_000;
  for (;;) {
    const rows = (await headgate.records()).filter((row) => row.requestId === requestId).reverse();
    if (rows.length >= count || Date.now() > until) return rows;
  }
}

describe('an origin without another to answer for it', () => {
  it.each([
    ['refuses connections', '/refused/a', 502, 'origin_unreachable'],
    ['resets before headers', '/alone/a?fault=reset', 502, 'origin_unreachable'],
    ['answers what is not HTTP', '/alone/a?fault=garbage', 502, 'origin_unreachable'],
    ['hangs', '/alone/a?fault=hang', 504, 'origin_timeout'],
  ])('that %s gives a problem with a stable code', async (_, path, status, code) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(header(answer, 'content-type')).toBe('application/problem+json');
    expect(header(answer, 'x-headgate-error')).toBe(code);
    expect(header(answer, 'cache-control')).toContain('no-store');
    expect(header(answer, 'x-headgate-variant')).toBe('green');
    expect(answer.json).toMatchObject({ status, code });
    const [row] = await rowsOf(answer.requestId, 1);
    expect(row).toMatchObject({
      route: path.split('/')[1],
      variant: 'green',
      errorCode: code,
      failed: 1,
      reason: 'only',
    });
  });

  it('that hangs is not given up before timeoutMs', async () => {
    const startedAtMs = performance.now();
    await ask('/alone/a?fault=hang');
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(290);
  });

  it.each(['cut', 'cut-chunked'])('that breaks its body off (%s) breaks off for the client too', async (fault) => {
    const answer = await ask(`/alone/a?fault=${fault}`);
    expect(answer.status).toBe(200);
    expect(answer.end).toBe('cut');
    const [row] = await rowsOf(answer.requestId, 1);
    expect(row).toMatchObject({ status: 200, failed: 1, errorCode: 'origin_cut' });
  });

  it('that stalls in its body is cut after idleTimeoutMs', async () => {
    const answer = await ask('/idle/a?fault=stall');
    expect(answer.end).toBe('cut');
    expect(answer.body.toString()).toBe('the first bytes');
    const [row] = await rowsOf(answer.requestId, 1);
    expect(row).toMatchObject({ status: 200, failed: 1, errorCode: 'stalled' });
  });

  it('answers 5xx in a burst, and every visitor gets its answer as it is', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask('/alone/a?fault=status:500')));
    for (const { status, json } of answers) expect([status, json.from]).toEqual([500, 'faulty']);
    expect((await ask('/alone/a')).json).toEqual({ from: 'green', status: 200 });
  });

  it('may answer before the upload has ended', async () => {
    const answer = await ask('/alone/a?fault=early:413', { method: 'POST', body: randomBytes(8_000_000) });
    expect(answer.status).toBe(413);
    expect(answer.json).toEqual({ from: 'faulty', status: 413 });
  });
});

describe('failover', () => {
  const failures = [
    ['reset', null, 'origin_unreachable'],
    ['garbage', null, 'origin_unreachable'],
    ['hang', null, 'origin_timeout'],
    ...[429, 502, 503, 504, 520, 522, 525, 530].map((status) => [`status:${status}`, status, ''] as const),
  ] as const;

  it.each(failures)('answers a GET from the baseline when the candidate fails by %s', async (fault, status, code) => {
    const answer = await ask(`/trial/a?fault=${fault}`);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ from: 'blue', status: 200 });
    expect(header(answer, 'x-headgate-failover')).toBe('green');
    expect(header(answer, 'x-headgate-variant')).toBe('blue');
    expect(header(answer, 'x-headgate-error')).toBeUndefined();
    expect(blue.sawOf(answer.requestId)).toHaveLength(1);
    expect(green.sawOf(answer.requestId)).toHaveLength(1);

    const rows = await rowsOf(answer.requestId, 2);
    expect(rows).toHaveLength(2);
    expect(rows.find((row) => row.variant === 'green')).toMatchObject({
      reason: 'only',
      errorCode: code,
      ...(status && { status }),
    });
    expect(rows.find((row) => row.variant === 'blue')).toMatchObject({
      reason: 'failover',
      status: 200,
      failed: 0,
      errorCode: '',
    });
    if (status !== 429) expect(rows.find((row) => row.variant === 'green')?.failed).toBe(1);
  });

  it('answers from the baseline when the candidate refuses connections', async () => {
    const answer = await ask('/trial-refused/a');
    expect([answer.status, answer.json.from]).toEqual([200, 'blue']);
    const rows = await rowsOf(answer.requestId, 2);
    expect(rows.find((row) => row.variant === 'green')).toMatchObject({ failed: 1, errorCode: 'origin_unreachable' });
  });

  it.each([0, 1, 1_000, 65_536, 65_537, 200_000, 262_144])(
    'sends the baseline the same %i bytes of a POST',
    async (bytes) => {
      const body = randomBytes(bytes);
      for (const path of ['/trial/a?fault=status:503', '/trial/a?fault=reset-after-body', '/trial-refused/a']) {
        const answer = await ask(path, { method: 'POST', body });
        expect([path, answer.status, answer.json.from]).toEqual([path, 200, 'blue']);
        expect(blue.sawOf(answer.requestId)).toMatchObject([
          { method: 'POST', bodyBytes: bytes, bodyHash: hashOf(body) },
        ]);
      }
    },
  );

  it('sends the baseline the same bytes of a chunked upload', async () => {
    const requestId = randomUUID();
    const client = await RawClient.to(headgate.url);
    const headers: HeaderLines = [
      ['x-request-id', requestId],
      ['transfer-encoding', 'chunked'],
    ];
    client.ask({ method: 'POST', path: '/trial/a?fault=status:503', headers });
    for (let n = 0; n < 3; n++) {
      client.socket.write(`3e8\r\n${String(n).repeat(1_000)}\r\n`);
      await sleep(20);
    }
    client.socket.write('0\r\n\r\n');
    const answer = await client.whole();
    client.close();
    expect(answer?.status).toBe(200);
    const sent = ['0', '1', '2'].map((digit) => digit.repeat(1_000)).join('');
    expect(blue.sawOf(requestId)).toMatchObject([{ bodyBytes: 3_000, bodyHash: hashOf(sent) }]);
  });

  it('leaves a larger upload to the candidate, whose answer the visitor gets', async () => {
    const body = randomBytes(262_145);
    const answer = await ask('/trial/a?fault=status:503', { method: 'POST', body });
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    expect(green.sawOf(answer.requestId)).toMatchObject([{ bodyHash: hashOf(body) }]);
    expect(blue.sawOf(answer.requestId)).toEqual([]);
  });

  it('tells of an unreachable candidate where a larger upload cannot be sent again', async () => {
    const answer = await ask('/trial/a?fault=reset', { method: 'POST', body: randomBytes(1_000_000) });
    expect([answer.status, answer.json.code]).toEqual([502, 'origin_unreachable']);
    expect(blue.sawOf(answer.requestId)).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('never sends a %s twice unless the route says so', async (method) => {
    const body = method === 'DELETE' ? undefined : 'x';
    const answer = await ask('/default-methods/a?fault=status:503', { method, body });
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    const refused = await ask('/default-refused/a', { method, body });
    expect([refused.status, refused.json.code]).toEqual([502, 'origin_unreachable']);
    for (const { requestId } of [answer, refused]) expect(blue.sawOf(requestId)).toEqual([]);
  });

  it('is not for a 500: the candidate has answered', async () => {
    const answer = await ask('/trial/a?fault=status:500');
    expect([answer.status, answer.json.from]).toEqual([500, 'faulty']);
    expect(header(answer, 'x-headgate-failover')).toBeUndefined();
    expect(blue.sawOf(answer.requestId)).toEqual([]);
  });

  it('follows the statuses of the config', async () => {
    expect((await ask('/only-500/a?fault=status:500')).json.from).toBe('blue');
    expect((await ask('/only-500/a?fault=status:503')).status).toBe(503);
    expect((await ask('/only-500/a?fault=reset')).json.from).toBe('blue');
  });

  it.each(['cut', 'cut-chunked'])('never happens after the first byte (%s)', async (fault) => {
    const answer = await ask(`/trial/a?fault=${fault}`);
    expect(answer.end).toBe('cut');
    expect(header(answer, 'x-headgate-variant')).toBe('green');
    expect(blue.sawOf(answer.requestId)).toEqual([]);
  });

  it('is off with "failover": false', async () => {
    expect((await ask('/no-failover/a?fault=status:503')).status).toBe(503);
    expect((await ask('/no-failover/a?fault=reset')).status).toBe(502);
    const slow = await ask('/no-failover/a?fault=hang');
    expect([slow.status, slow.json.code]).toEqual([504, 'origin_timeout']);
    expect(blue.sawOf(slow.requestId)).toEqual([]);
  });

  it('asks the baseline once and no more when it fails too', async () => {
    const answer = await ask('/both-fail/a?fault=status:503');
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    expect(green.sawOf(answer.requestId).map(({ path }) => path.startsWith('/b/'))).toEqual([false, true]);
    const dead = await ask('/both-fail/a?fault=reset');
    expect([dead.status, dead.json.code]).toEqual([502, 'origin_unreachable']);
    expect(green.sawOf(dead.requestId)).toHaveLength(2);
  });

  it("gives the candidate's own answer when the baseline cannot be reached", async () => {
    const answer = await ask('/both-refused/a?fault=status:503');
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    expect(header(answer, 'x-headgate-variant')).toBe('green');
    expect(header(answer, 'x-headgate-failover')).toBeUndefined();
    expect(await rowsOf(answer.requestId, 2)).toHaveLength(2);
  });

  it('never leads from the baseline to a candidate', async () => {
    const answer = await ask('/baseline-fails/a?fault=status:503');
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    const dead = await ask('/baseline-fails/a?fault=reset');
    expect(dead.json.code).toBe('origin_unreachable');
    for (const { requestId } of [answer, dead]) expect(blue.sawOf(requestId)).toEqual([]);
  });

  it('passes HEAD on as HEAD', async () => {
    const answer = await ask('/trial/a?fault=status:503', { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(blue.sawOf(answer.requestId)).toMatchObject([{ method: 'HEAD' }]);
  });
});

describe('ejection', () => {
  it('shows no failure to visitors of a repeatable method when half of them belong to a dead candidate', async () => {
    const answers: Told[] = [];
    for (let batch = 0; batch < 20; batch++) {
      const methods = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? {} : { method: 'POST', body: 'x' }));
      answers.push(...(await Promise.all(methods.map((what) => ask('/ejects/a', what)))));
    }
    for (const { status, json } of answers) expect([status, json.from]).toEqual([200, 'blue']);
    const rows = (await headgate.records('dataset=requests&route=ejects&limit=500')) as {
      variant: string;
      reason: string;
    }[];
    expect(rows.filter((row) => row.reason === 'ejected').length).toBeGreaterThan(100);
    // The failures until the ejection; those of the first batch were under way together.
    expect(rows.filter((row) => row.variant === 'green').length).toBeLessThanOrEqual(20);
  });

  it('keeps the sixth request from a candidate that failed five times in a row', async () => {
    for (let n = 0; n < 5; n++) await ask('/ejects-faulty/a?fault=reset');
    const sixth = await ask('/ejects-faulty/a');
    expect([sixth.status, sixth.json.from]).toEqual([200, 'blue']);
    expect(header(sixth, 'x-headgate-failover')).toBeUndefined();
    expect(green.sawOf(sixth.requestId)).toEqual([]);
    const [row] = await rowsOf(sixth.requestId, 1);
    expect(row).toMatchObject({ variant: 'blue', reason: 'ejected', failed: 0 });
  });

  it.each(['resetAndDestroy', 'destroy', 'end'] as const)(
    'does not count uploads that their client broke off (%s)',
    async (leave) => {
      const ids: string[] = [];
      for (let n = 0; n < 6; n++) {
        const requestId = randomUUID();
        ids.push(requestId);
        const client = await RawClient.to(headgate.url);
        const headers: HeaderLines = [
          ['x-request-id', requestId],
          ['content-length', '1000000'],
        ];
        client.ask({ method: 'POST', path: '/ejects-well/a', headers });
        client.socket.write(randomBytes(100_000));
        const until = Date.now() + 5_000;
        while (green.sawOf(requestId).length === 0 && Date.now() < until) await sleep(5);
        expect(green.sawOf(requestId)).toHaveLength(1);
        client.socket[leave]();
      }
      await sleep(50);
      expect((await ask('/ejects-well/a')).json.from).toBe('green');
      const rows = (await headgate.records()).filter((row) => ids.includes(String(row.requestId)));
      expect(rows.filter((row) => row.failed === 1)).toEqual([]);
    },
  );

  it('does not count uploads that stall at their client', async () => {
    const client = await RawClient.to(headgate.url);
    client.ask({ method: 'POST', path: '/idle/a', headers: [['content-length', '1000000']] });
    client.socket.write(randomBytes(100_000));
    const answer = await client.whole();
    client.close();
    expect([answer?.status, JSON.parse(String(answer?.body)).code]).toEqual([408, 'client_stalled']);
    const rows = await headgate.records('dataset=requests&route=idle');
    expect(rows.find((row) => row.method === 'POST')).toMatchObject({ failed: 0, errorCode: 'client_stalled' });
  });

  it('never happens with "ejection": false', async () => {
    for (let n = 0; n < 7; n++) await ask('/keeps/a?fault=reset');
    expect((await ask('/keeps/a')).json.from).toBe('green');
  });
});
