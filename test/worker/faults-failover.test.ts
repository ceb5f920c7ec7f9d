import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { createPreviewToken } from '../../src/split/preview.ts';
import { NOBODY } from '../../src/split/receipt.ts';
import { routeIn, until } from './client.ts';
import { hashOf } from './faulty-origin.ts';
import { type FaultyWorld, header, startFaultyWorld, type Told } from './faulty-world.ts';
import { COOKIE_SECRET } from './harness.ts';
import { type HeaderLines, RawClient } from './raw-http.ts';

let world: FaultyWorld;
const broken = createServer((_, response) => void response.writeHead(500).end('{}'));
const slow = createServer((_, response) => void setTimeout(() => response.end('{}'), 1_500));
let deadSeen = 0;
const dead = createServer((_, response) => {
  deadSeen++;
  response.writeHead(503).end('{}');
});
const urlOf = async (server: Server) => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  const [brokenUrl, slowUrl, deadUrl] = await Promise.all([broken, slow, dead].map(urlOf));
  world = await startFaultyWorld(({ blue, green, refusing }) => ({
    trial: {},
    impatient: { timeoutMs: 1_500 },
    'trial-refused': { variants: { blue: { url: blue }, green: { url: refusing } } },
    'default-methods': { repeatable: undefined },
    'default-refused': { repeatable: undefined, variants: { blue: { url: blue }, green: { url: refusing } } },
    'no-failover': { failover: false, timeoutMs: 1_500 },
    'only-500': { failover: { statuses: [500] } },
    'both-fail': { variants: { blue: { url: `${green}/b` }, green: { url: green } } },
    'both-refused': { variants: { blue: { url: refusing }, green: { url: green } } },
    'baseline-broken': { variants: { blue: { url: brokenUrl }, green: { url: green } } },
    'baseline-fails': { variants: { green: { url: green }, blue: { url: blue } }, baseline: 'green' },
    'shared-outage': { variants: { blue: { url: `${green}/b` }, green: { url: green } }, ejection: true },
    'shared-posts': {
      ...{ variants: { blue: { url: `${green}/b` }, green: { url: green } }, weights: { blue: 50, green: 50 } },
      ...{ ejection: true, repeatable: undefined, identity: [{ header: 'x-user' }] },
    },
    receipted: { receipts: true },
    'receipted-baseline': { receipts: true, variants: { blue: { url: green }, green: { url: blue } } },
    left: { variants: { blue: { url: slowUrl }, green: { url: deadUrl } }, ejection: true },
    previewed: { ejection: true },
    budget: {},
    'by-hand': { weights: { blue: 100 }, ejection: true },
    'unfit-by-hand': {
      variants: { blue: { url: green }, green: { url: blue, json: { model: 'm' } } },
      weights: { blue: 100 },
      ejection: true,
    },
  }));
});

afterAll(async () => {
  for (const server of [broken, slow, dead]) server.close();
  await world?.close();
});

describe('weights by hand that leave one variant', () => {
  it('are the last word: it is not ejected, and nobody answers in its place', async () => {
    await world.headgate.put('weights:by-hand', { green: 100 });
    for (let n = 0; n < 6; n++) {
      const answer = await world.ask('/by-hand/a?fault=status:503');
      expect([answer.status, header(answer, 'x-headgate-variant')]).toEqual([503, 'green']);
    }
    expect((await world.ask('/by-hand/a')).json).toEqual({ from: 'green', status: 200 });
  });
});

it('a baseline that answers for a lone variant by hand neither fails over to itself nor is ejected', async () => {
  await world.headgate.put('weights:unfit-by-hand', { green: 100 });
  for (let n = 0; n < 6; n++) {
    const answer = await world.ask('/unfit-by-hand/a?fault=status:503', { method: 'POST', body: 'no JSON' });
    expect([answer.status, header(answer, 'x-headgate-failover')]).toEqual([503, undefined]);
    expect(await world.rowsOf(answer.requestId, 1)).toMatchObject([{ variant: 'blue', reason: 'json_unfit' }]);
    expect(world.green.sawOf(answer.requestId)).toHaveLength(1);
  }
});

describe('failover', () => {
  const failures = [
    ['reset', null, 'origin_unreachable'],
    ['garbage', null, 'origin_unreachable'],
    ['hang', null, 'origin_timeout'],
    ...[429, 502, 503, 504, 520, 522, 525, 530].map((status) => [`status:${status}`, status, ''] as const),
  ] as const;

  it.each(failures)('answers a GET from the baseline when the candidate fails by %s', async (fault, status, code) => {
    const answer = await world.ask(`/${fault === 'hang' ? 'impatient' : 'trial'}/a?fault=${fault}`);
    expect(answer.status).toBe(200);
    expect(answer.json).toEqual({ from: 'blue', status: 200 });
    expect(header(answer, 'x-headgate-failover')).toBe('green');
    expect(header(answer, 'x-headgate-variant')).toBe('blue');
    expect(header(answer, 'x-headgate-error')).toBeUndefined();
    expect(world.blue.sawOf(answer.requestId)).toHaveLength(1);
    expect(world.green.sawOf(answer.requestId)).toHaveLength(1);

    const rows = await world.rowsOf(answer.requestId, 2);
    expect(rows).toHaveLength(2);
    expect(rows.find((row) => row.variant === 'green')).toMatchObject({
      reason: 'only',
      failed: 1,
      errorCode: code,
      ...(status && { status }),
    });
    expect(rows.find((row) => row.variant === 'blue')).toMatchObject({
      reason: 'failover',
      status: 200,
      failed: 0,
      errorCode: '',
    });
  });

  it('answers from the baseline when the candidate refuses connections', async () => {
    const answer = await world.ask('/trial-refused/a');
    expect([answer.status, answer.json.from]).toEqual([200, 'blue']);
    const rows = await world.rowsOf(answer.requestId, 2);
    expect(rows.find((row) => row.variant === 'green')).toMatchObject({ failed: 1, errorCode: 'origin_unreachable' });
  });

  it.each([0, 1, 1_000, 65_536, 65_537, 200_000, 262_144])(
    'sends the baseline the same %i bytes of a POST',
    async (bytes) => {
      const body = randomBytes(bytes);
      const faults = ['status:503', 'early:503', 'reset', 'reset-after-body'].map((fault) => `/trial/a?fault=${fault}`);
      for (const path of [...faults, '/trial-refused/a']) {
        const answer = await world.ask(path, { method: 'POST', body });
        expect([path, answer.status, answer.json.from]).toEqual([path, 200, 'blue']);
        expect(world.blue.sawOf(answer.requestId)).toMatchObject([
          { method: 'POST', bodyBytes: bytes, bodyHash: hashOf(body) },
        ]);
      }
    },
  );

  it.each(['/trial/a?fault=early:503', '/trial/a?fault=reset', '/trial-refused/a'])(
    'sends the baseline the whole of an upload that was still under way when the candidate failed (%s)',
    async (path) => {
      const body = randomBytes(200_000);
      const answer = await world.trickle(path, body, 50_000);
      expect([answer.status, answer.json.from]).toEqual([200, 'blue']);
      expect(world.blue.sawOf(answer.requestId)).toMatchObject([{ bodyHash: hashOf(body) }]);
    },
  );

  it('answers a GET in chunks of which there are none, like any other', async () => {
    const client = await RawClient.to(world.headgate.url);
    client.ask({ path: '/trial/a?fault=status:503', headers: [['transfer-encoding', 'chunked']] });
    client.socket.write('0\r\n\r\n');
    const answer = (await client.whole())!;
    client.close();
    expect([answer.status, header(answer, 'x-headgate-failover')]).toEqual([200, 'green']);
  });

  it('sends the baseline the same bytes of a chunked upload', async () => {
    const requestId = randomUUID();
    const client = await RawClient.to(world.headgate.url);
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
    expect(world.blue.sawOf(requestId)).toMatchObject([{ bodyBytes: 3_000, bodyHash: hashOf(sent) }]);
  });

  it('leaves a larger upload to the candidate, whose answer the visitor gets', async () => {
    const body = randomBytes(262_145);
    const answer = await world.ask('/trial/a?fault=status:503', { method: 'POST', body });
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    expect(world.green.sawOf(answer.requestId)).toMatchObject([{ bodyHash: hashOf(body) }]);
    expect(world.blue.sawOf(answer.requestId)).toEqual([]);
  });

  it('tells of an unreachable candidate where a larger upload cannot be sent again', async () => {
    const answer = await world.ask('/trial/a?fault=reset', { method: 'POST', body: randomBytes(1_000_000) });
    expect([answer.status, answer.json.code]).toEqual([502, 'origin_unreachable']);
    expect(world.blue.sawOf(answer.requestId)).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('never sends a %s twice unless the route says so', async (method) => {
    const body = method === 'DELETE' ? undefined : 'x';
    const answer = await world.ask('/default-methods/a?fault=status:503', { method, body });
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    const refused = await world.ask('/default-refused/a', { method, body });
    expect([refused.status, refused.json.code]).toEqual([502, 'origin_unreachable']);
    for (const { requestId } of [answer, refused]) expect(world.blue.sawOf(requestId)).toEqual([]);
  });

  it('is not for a 500: the candidate has answered', async () => {
    const answer = await world.ask('/trial/a?fault=status:500');
    expect([answer.status, answer.json.from]).toEqual([500, 'faulty']);
    expect(header(answer, 'x-headgate-failover')).toBeUndefined();
    expect(world.blue.sawOf(answer.requestId)).toEqual([]);
  });

  it('follows the statuses of the config', async () => {
    expect((await world.ask('/only-500/a?fault=status:500')).json.from).toBe('blue');
    expect((await world.ask('/only-500/a?fault=status:503')).status).toBe(503);
    expect((await world.ask('/only-500/a?fault=reset')).json.from).toBe('blue');
  });

  it.each(['cut', 'cut-chunked'])('never happens after the first byte (%s)', async (fault) => {
    const answer = await world.ask(`/trial/a?fault=${fault}`);
    expect(answer.end).toBe('cut');
    expect(header(answer, 'x-headgate-variant')).toBe('green');
    expect(world.blue.sawOf(answer.requestId)).toEqual([]);
  });

  it('is off with "failover": false', async () => {
    expect((await world.ask('/no-failover/a?fault=status:503')).status).toBe(503);
    expect((await world.ask('/no-failover/a?fault=reset')).status).toBe(502);
    const slow = await world.ask('/no-failover/a?fault=hang');
    expect([slow.status, slow.json.code]).toEqual([504, 'origin_timeout']);
    expect(world.blue.sawOf(slow.requestId)).toEqual([]);
  });

  it('asks the baseline once and no more when it fails too', async () => {
    const answer = await world.ask('/both-fail/a?fault=status:503');
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    expect(world.green.sawOf(answer.requestId).map(({ path }) => path.startsWith('/b/'))).toEqual([false, true]);
    const dead = await world.ask('/both-fail/a?fault=reset');
    expect([dead.status, dead.json.code]).toEqual([502, 'origin_unreachable']);
    expect(world.green.sawOf(dead.requestId)).toHaveLength(2);
  });

  it('is no failure of a candidate that is refused like the baseline: they share a quota', async () => {
    const answer = await world.ask('/both-fail/a?fault=status:429');
    expect([answer.status, answer.json.from]).toEqual([429, 'faulty']);
    const rows = await world.rowsOf(answer.requestId, 2);
    expect(rows.map(({ failed }) => failed)).toEqual([0, 0]);
  });

  it('has made nothing good where the baseline fails in its way', async () => {
    const answer = await world.ask('/baseline-broken/a?fault=status:429');
    expect(answer.status).toBe(500);
    const rows = await world.rowsOf(answer.requestId, 2);
    expect(rows.find(({ variant }) => variant === 'green')).toMatchObject({ status: 429, failed: 0 });
  });

  it('ejects nobody for what the baseline fails at too, with or without a second try', async () => {
    for (let n = 0; n < 30; n++) {
      await world.ask('/shared-posts/a?fault=status:503', {
        method: 'POST',
        body: '{}',
        headers: [['x-user', `u-${n}`]],
      });
    }
    const later = await Promise.all(
      Array.from({ length: 30 }, (_, n) => world.ask('/shared-posts/a', { headers: [['x-user', `u-${n}`]] })),
    );
    expect(new Set(later.map((answer) => header(answer, 'x-headgate-variant')))).toEqual(new Set(['blue', 'green']));
    for (let n = 0; n < 12; n++) await world.ask('/shared-outage/a?fault=status:503');
    expect(header(await world.ask('/shared-outage/a'), 'x-headgate-variant')).toBe('green');
    // Nobody has asked the baseline yet when these fail.
    await Promise.all(Array.from({ length: 12 }, () => world.ask('/shared-outage/a?fault=status:503')));
    expect(header(await world.ask('/shared-outage/a'), 'x-headgate-variant')).toBe('green');
  });

  it('takes no failure back because a client left while the baseline was asked', async () => {
    for (let n = 0; n < 12; n++) {
      const client = await RawClient.to(world.headgate.url);
      client.ask({ path: '/left/a' });
      await sleep(150);
      client.socket.resetAndDestroy();
    }
    expect(deadSeen).toBe(5);
  });

  it('gives receipts that credit nobody for what it spares one version alone, while versions are judged', async () => {
    const config = JSON.parse(
      (await (await world.headgate.mf.getKVNamespace('CONFIG', 'headgate')).get('config', 'text'))!,
    );
    const creditsNobody = async (path: string) =>
      header(await world.ask(path), 'x-headgate-receipt')!.split('~')[2] === NOBODY;
    expect(await creditsNobody('/receipted/a?fault=status:503')).toBe(false);
    for (const [name, weights] of Object.entries({ receipted: { green: 100 }, 'receipted-baseline': { blue: 100 } })) {
      const variants = variantsHash(routeIn(config, name));
      const split = { revision: 1, weights, baseline: 'blue', salt: 's', rollout: 'r-1', variants };
      await world.headgate.put(`split:${name}`, split);
      await until(
        () => creditsNobody(`/${name}/a?fault=status:503`),
        (seen) => seen,
      );
      expect(await creditsNobody(`/${name}/a?fault=status:503`)).toBe(true);
      expect(await creditsNobody(`/${name}/a?fault=reset`)).toBe(true);
      // Of these visitors get each version's own.
      expect(await creditsNobody(`/${name}/a?fault=status:500`)).toBe(false);
      expect(await creditsNobody(`/${name}/a`)).toBe(false);
    }
  });

  it("gives the candidate's own answer when the baseline cannot be reached", async () => {
    const answer = await world.ask('/both-refused/a?fault=status:503');
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    expect(header(answer, 'x-headgate-variant')).toBe('green');
    expect(header(answer, 'x-headgate-failover')).toBeUndefined();
    expect(await world.rowsOf(answer.requestId, 2)).toHaveLength(2);
  });

  it('never leads from the baseline to a candidate', async () => {
    const answer = await world.ask('/baseline-fails/a?fault=status:503');
    expect([answer.status, answer.json.from]).toEqual([503, 'faulty']);
    const dead = await world.ask('/baseline-fails/a?fault=reset');
    expect(dead.json.code).toBe('origin_unreachable');
    for (const { requestId } of [answer, dead]) expect(world.blue.sawOf(requestId)).toEqual([]);
  });

  it('passes HEAD on as HEAD', async () => {
    const answer = await world.ask('/trial/a?fault=status:503', { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(world.blue.sawOf(answer.requestId)).toMatchObject([{ method: 'HEAD' }]);
  });

  it('never happens to a preview, which shows the candidate as it is', async () => {
    const { host } = new URL(world.headgate.url);
    const preview = { route: 'previewed', variant: 'green', host, nowMs: Date.now(), expiresAtMs: Date.now() + 60_000 };
    const token = await createPreviewToken(preview, COOKIE_SECRET);
    if (!token.ok) throw new Error(token.error.reason);
    const headers: HeaderLines = [
      ['host', host],
      ['x-headgate-preview', token.value],
    ];
    for (let n = 0; n < 6; n++) {
      const answer = await world.ask('/previewed/a?fault=status:503', { headers });
      expect([answer.status, header(answer, 'x-headgate-variant')]).toEqual([503, 'green']);
      expect(header(answer, 'x-headgate-failover')).toBeUndefined();
      expect(world.blue.sawOf(answer.requestId)).toEqual([]);
    }
    // Nor do its failures eject the candidate.
    expect((await world.ask('/previewed/a')).json.from).toBe('green');
  });

  it("stays within its budget, and beyond it visitors get the candidate's own answer", async () => {
    const answers: Told[] = [];
    for (let batch = 0; batch < 20; batch++) {
      const asked = Array.from({ length: 25 }, () => world.ask('/budget/a?fault=status:503'));
      answers.push(...(await Promise.all(asked)));
    }
    const failedOver = answers.filter(({ status, json }) => status === 200 && json.from === 'blue').length;
    const passedOn = answers.filter(({ status, json }) => status === 503 && json.from === 'faulty').length;
    expect(failedOver + passedOn).toBe(500);
    expect(failedOver).toBeGreaterThanOrEqual(200);
    expect(passedOn).toBeGreaterThan(0);
  });
});
