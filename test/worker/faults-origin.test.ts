import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultyWorld, header, startFaultyWorld, type Told } from './faulty-world.ts';
import { type HeaderLines, RawClient } from './raw-http.ts';

let world: FaultyWorld;
/** Answers while it reads, and ends when the request does. */
const duplex = createServer((request, response) => {
  response.writeHead(200).write('begun');
  request.resume().on('end', () => response.end('done'));
});

beforeAll(async () => {
  await once(duplex.listen(0, '127.0.0.1'), 'listening');
  const { port } = duplex.address() as AddressInfo;
  world = await startFaultyWorld(({ blue, green, refusing }) => ({
    duplex: { variants: { green: { url: `http://127.0.0.1:${port}` } }, idleTimeoutMs: 800 },
    alone: { variants: { green: { url: green } } },
    impatient: { variants: { green: { url: green } }, timeoutMs: 300 },
    refused: { variants: { green: { url: refusing } } },
    idle: { idleTimeoutMs: 1_000 },
    ejects: {
      variants: { blue: { url: blue }, green: { url: refusing } },
      ejection: true,
      weights: { blue: 50, green: 50 },
    },
    'ejects-faulty': { ejection: true },
    'ejects-well': { ejection: true },
    keeps: { failover: false },
  }));
});

afterAll(async () => {
  duplex.close();
  await world?.close();
});

/** A tenth of an upload, whose rest does not come by itself. */
async function beginUpload(path: string, requestId: string): Promise<RawClient> {
  const client = await RawClient.to(world.headgate.url);
  const headers: HeaderLines = [
    ['x-request-id', requestId],
    ['content-length', '1000000'],
  ];
  client.ask({ method: 'POST', path, headers });
  client.socket.write(randomBytes(100_000));
  return client;
}

describe('an origin without another to answer for it', () => {
  it.each([
    ['refuses connections', '/refused/a', 502, 'origin_unreachable'],
    ['resets before headers', '/alone/a?fault=reset', 502, 'origin_unreachable'],
    ['answers what is not HTTP', '/alone/a?fault=garbage', 502, 'origin_unreachable'],
    ['switches to a protocol that nobody asked for', '/alone/a?fault=switch', 502, 'origin_unreachable'],
    ['hangs', '/impatient/a?fault=hang', 504, 'origin_timeout'],
  ])('that %s gives a problem with a stable code', async (_, path, status, code) => {
    const answer = await world.ask(path);
    expect(answer.status).toBe(status);
    expect(header(answer, 'content-type')).toBe('application/problem+json');
    expect(header(answer, 'x-headgate-error')).toBe(code);
    expect(header(answer, 'cache-control')).toContain('no-store');
    expect(header(answer, 'x-headgate-variant')).toBe('green');
    expect(answer.json).toMatchObject({ status, code });
    const [row] = await world.rowsOf(answer.requestId, 1);
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
    await world.ask('/impatient/a?fault=hang');
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(290);
  });

  it.each(['cut', 'cut-chunked'])('that breaks its body off (%s) breaks off for the client too', async (fault) => {
    const answer = await world.ask(`/alone/a?fault=${fault}`);
    expect(answer.status).toBe(200);
    expect(answer.end).toBe('cut');
    const [row] = await world.rowsOf(answer.requestId, 1);
    expect(row).toMatchObject({ status: 200, failed: 1, errorCode: 'origin_cut' });
  });

  it('that stalls in its body is cut after idleTimeoutMs', async () => {
    const answer = await world.ask('/idle/a?fault=stall');
    expect(answer.end).toBe('cut');
    expect(answer.body.toString()).toBe('the first bytes');
    const [row] = await world.rowsOf(answer.requestId, 1);
    expect(row).toMatchObject({ status: 200, failed: 1, errorCode: 'stalled' });
  });

  it('answers 5xx in a burst, and every visitor gets its answer as it is', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => world.ask('/alone/a?fault=status:500')));
    for (const { status, json } of answers) expect([status, json.from]).toEqual([500, 'faulty']);
    expect((await world.ask('/alone/a')).json).toEqual({ from: 'green', status: 200 });
  });

  it('may answer before the upload has ended', async () => {
    const answer = await world.ask('/alone/a?fault=early:413', { method: 'POST', body: randomBytes(8_000_000) });
    expect(answer.status).toBe(413);
    expect(answer.json).toEqual({ from: 'faulty', status: 413 });
  });
});

describe('ejection', () => {
  it('shows no failure to visitors of a repeatable method when half of them belong to a dead candidate', async () => {
    const answers: Told[] = [];
    for (let batch = 0; batch < 20; batch++) {
      const methods = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? {} : { method: 'POST', body: 'x' }));
      answers.push(...(await Promise.all(methods.map((what) => world.ask('/ejects/a', what)))));
    }
    for (const { status, json } of answers) expect([status, json.from]).toEqual([200, 'blue']);
    const rows = (await world.headgate.records('dataset=requests&route=ejects&limit=500')) as {
      variant: string;
      reason: string;
    }[];
    expect(rows.filter((row) => row.reason === 'ejected').length).toBeGreaterThan(100);
    // The failures until the ejection; those of the first batch were under way together.
    expect(rows.filter((row) => row.variant === 'green').length).toBeLessThanOrEqual(20);
  });

  it('keeps the sixth request from a candidate that failed five times in a row', async () => {
    for (let n = 0; n < 5; n++) await world.ask('/ejects-faulty/a?fault=reset');
    const sixth = await world.ask('/ejects-faulty/a');
    expect([sixth.status, sixth.json.from]).toEqual([200, 'blue']);
    expect(header(sixth, 'x-headgate-failover')).toBeUndefined();
    expect(world.green.sawOf(sixth.requestId)).toEqual([]);
    const [row] = await world.rowsOf(sixth.requestId, 1);
    expect(row).toMatchObject({ variant: 'blue', reason: 'ejected', failed: 0 });
  });

  it.each(['resetAndDestroy', 'destroy', 'end'] as const)(
    'does not count uploads that their client broke off (%s)',
    async (leave) => {
      const ids: string[] = [];
      for (let n = 0; n < 6; n++) {
        const requestId = randomUUID();
        ids.push(requestId);
        const client = await beginUpload('/ejects-well/a', requestId);
        const until = Date.now() + 5_000;
        while (world.green.sawOf(requestId).length === 0 && Date.now() < until) await sleep(5);
        expect(world.green.sawOf(requestId)).toHaveLength(1);
        client.socket[leave]();
      }
      await sleep(50);
      expect((await world.ask('/ejects-well/a')).json.from).toBe('green');
      const rows = (await world.headgate.records()).filter((row) => ids.includes(String(row.requestId)));
      expect(rows.filter((row) => row.failed === 1)).toEqual([]);
    },
  );

  it('does not count uploads that stall at their client', async () => {
    const client = await RawClient.to(world.headgate.url);
    client.ask({ method: 'POST', path: '/idle/a', headers: [['content-length', '1000000']] });
    client.socket.write(randomBytes(100_000));
    const answer = await client.whole();
    client.close();
    expect([answer?.status, JSON.parse(String(answer?.body)).code]).toEqual([408, 'client_stalled']);
    const rows = await world.headgate.records('dataset=requests&route=idle');
    expect(rows.find((row) => row.method === 'POST')).toMatchObject({ failed: 0, errorCode: 'client_stalled' });
  });

  it.each(['leaves', 'stalls'])('does not count an upload whose client %s after the answer has begun', async (how) => {
    const requestId = randomUUID();
    const client = await beginUpload('/duplex/a', requestId);
    expect((await client.answer())?.status).toBe(200);
    if (how === 'leaves') client.socket.end();
    expect(await world.rowsOf(requestId, 1)).toMatchObject([{ status: 200, failed: 0, errorCode: '' }]);
    client.close();
  });

  it('lets an answer that has begun wait for a slow upload', async () => {
    const answer = await world.trickle('/duplex/a', randomBytes(300_000), 10_000);
    expect([answer.status, String(answer.body), answer.end]).toEqual([200, 'begundone', 'complete']);
  });

  it('never happens with "ejection": false', async () => {
    for (let n = 0; n < 7; n++) await world.ask('/keeps/a?fault=reset');
    expect((await world.ask('/keeps/a')).json.from).toBe('green');
  });
});
