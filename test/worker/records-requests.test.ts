import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentHash, variantsHash } from '../../src/config/hash.ts';
import { armsOf, assign } from '../../src/split/assign.ts';
import { type Ask, ask, routeIn, until } from './client.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let blue: Origin;
let green: Origin;
let headgate: Headgate;
let config: unknown;

const HALVES = { blue: 50, green: 50 };

beforeAll(async () => {
  blue = await startOrigin((request, response) => {
    request.resume();
    if (request.url?.startsWith('/lengths/chunked')) {
      response.write('x'.repeat(70_000));
      response.end('y'.repeat(5));
    } else if (request.url?.startsWith('/lengths/none')) response.writeHead(204).end();
    else if (request.url?.startsWith('/failures/cut')) {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('abc');
      setTimeout(() => response.destroy(), 50);
    } else if (request.url?.startsWith('/failures/status-')) {
      response.writeHead(Number(request.url.slice(-3))).end('no');
    } else if (request.url?.startsWith('/failures/never')) return;
    else response.end('blue');
  });
  green = await startOrigin((request, response) => {
    request.resume();
    if (request.headers['x-ill'] !== undefined) response.writeHead(503);
    response.end('green!');
  });
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  const identity = [{ header: 'x-user-id' }, { cookie: true }];
  const route = (name: string, more: Record<string, unknown>) => ({
    name,
    match: { path: `/${name}/*` },
    variants,
    identity,
    ...more,
  });
  const trial = { baseline: 'blue', weights: { green: 100 } };
  const json = { blue: variants.blue, green: { ...variants.green, json: { model: 'two' } } };
  config = {
    version: 1,
    routes: [
      route('hash', { weights: HALVES, salt: 'own' }),
      route('pin', { weights: HALVES, sticky: true, identity: [{ cookie: true }] }),
      route('preview', { weights: { blue: 100 } }),
      route('failover', { ...trial, ejection: false }),
      route('ejected', { ...trial, failover: false }),
      route('ejected-json', {
        // As good as all of it, with somebody to be compared with.
        ...{ baseline: 'blue', weights: { blue: 0.01, green: 99.99 }, failover: false },
        variants: { ...variants, blue: { ...variants.blue, json: { model: 'one' } } },
      }),
      route('json-unfit', { ...trial, variants: json }),
      route('only', { weights: { blue: 100 } }),
      route('nobody', { weights: HALVES, identity: [{ header: 'x-user-id' }] }),
      route('outside', { ...trial, audience: { include: [{ header: 'x-staff', in: ['yes'] }] } }),
      route('lengths', {}),
      route('failures', { weights: { blue: 100 }, failStatuses: ['5xx', 404], timeoutMs: 200 }),
      route('refused', { variants: { blue: { url: 'http://127.0.0.1:1' } } }),
      route('keyless', { variants: { blue: { ...variants.blue, secretHeaders: { 'x-key': `\${KEY_MISSING}` } } } }),
      route('none', { recordPercent: 0 }),
      route('half', { recordPercent: 50 }),
    ],
  };
  const pinned = {
    revision: 7,
    weights: HALVES,
    baseline: 'blue',
    salt: 'r-7',
    rollout: 'r-7',
    variants: variantsHash(routeIn(config, 'pin')),
  };
  headgate = await startHeadgate({ config, kv: { 'split:pin': JSON.stringify(pinned) } });
});

afterAll(async () => {
  await headgate.dispose();
  await Promise.all([blue.close(), green.close()]);
});

type Row = Record<string, unknown>;

/** The rows of a route, oldest first, once there are so many. */
async function rowsOf(route: string, count: number): Promise<Row[]> {
  const rows = await until(
    () => headgate.records(`dataset=requests&route=${route}&limit=1000`),
    (seen) => seen.length >= count,
  );
  expect(rows).toHaveLength(count);
  return rows.toReversed();
}

const send = (path: string, more: Ask = {}) => ask(headgate.url, path, more);

function unitOn(route: string, salt: string, variant: string): string {
  for (let index = 0; ; index++) {
    const unit = `unit-${index}`.padEnd(22, 'x');
    if (assign(salt, route, unit, armsOf(HALVES)) === variant) return unit;
  }
}

describe('a request is recorded', () => {
  it('as assigned by hash, with all that can be said of it and nothing that names the unit', async () => {
    const unit = unitOn('hash', 'own', 'green');
    await send('/hash/a/b%20c?token=secret', {
      method: 'POST',
      headers: { 'x-user-id': unit, 'x-request-id': 'req-1' },
      body: 'hello',
    });
    const [row] = await rowsOf('hash', 1);
    expect(row).toMatchObject({
      route: 'hash',
      variant: 'green',
      reason: 'hash',
      method: 'POST',
      path: '/hash/a/b%20c',
      errorCode: '',
      rollout: '',
      revision: '0',
      configHash: contentHash(JSON.stringify(config)),
      requestId: 'req-1',
      status: 200,
      bytes: 6,
      failed: 0,
    });
    expect(row?.headersMs).toBeGreaterThanOrEqual(0);
    expect(row?.totalMs).toBeGreaterThanOrEqual(row?.headersMs as number);
    expect(JSON.stringify(row)).not.toMatch(new RegExp(`secret|${unit}|127\\.0\\.0\\.1`));
  });

  it('as held by a pin, under the revision and the rollout of the split', async () => {
    const id = unitOn('pin', 'r-7', 'green');
    const first = await send('/pin/x', { headers: { cookie: `headgate=${id}` } });
    await send('/pin/x', { headers: { cookie: first.setCookies[0]!.split(';')[0]! } });
    const rows = await rowsOf('pin', 2);
    expect(rows.map((row) => row.reason)).toEqual(['hash', 'pin']);
    for (const row of rows) expect(row).toMatchObject({ variant: 'green', revision: '7', rollout: 'r-7', status: 200 });
    expect(JSON.stringify(rows)).not.toContain(id);
  });

  it('as a preview', async () => {
    const answer = await send('/_headgate/api/routes/preview/preview', {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: '{"variant":"green"}',
    });
    await send('/preview/x', { headers: { 'x-headgate-preview': JSON.parse(answer.body).token } });
    expect(await rowsOf('preview', 1)).toMatchObject([{ variant: 'green', reason: 'preview', status: 200, bytes: 6 }]);
  });

  it("as a candidate's failure and as the failover that made it good, under one request id", async () => {
    expect(await send('/failover/x', { headers: { 'x-ill': '1', 'x-request-id': 'f-1' } })).toMatchObject({
      status: 200,
      variant: 'blue',
    });
    const rows = await rowsOf('failover', 2);
    expect(rows.find((row) => row.variant === 'green')).toMatchObject({ status: 503, failed: 1, requestId: 'f-1' });
    expect(rows.find((row) => row.variant === 'blue')).toMatchObject({
      reason: 'failover',
      status: 200,
      bytes: 4,
      failed: 0,
      requestId: 'f-1',
    });
  });

  it('as ejected once a candidate has failed five times running', async () => {
    for (let times = 0; times < 5; times++) await send('/ejected/x', { headers: { 'x-ill': '1' } });
    await send('/ejected/x');
    const rows = await rowsOf('ejected', 6);
    expect(rows.slice(0, 5).map((row) => [row.variant, row.reason, row.failed])).toEqual(
      Array.from({ length: 5 }, () => ['green', 'only', 1]),
    );
    expect(rows[5]).toMatchObject({ variant: 'blue', reason: 'ejected', status: 200, failed: 0 });
  });

  it('as what they were where an ejected candidate’s answer would have been evidence of nobody', async () => {
    const post = (body: string, headers = {}) => send('/ejected-json/x', { method: 'POST', body, headers });
    for (let times = 0; times < 5; times++) await post('{}', { 'x-ill': '1' });
    for (const body of ['[1]', '{}']) await post(body);
    const rows = await rowsOf('ejected-json', 7);
    expect(rows.slice(5).map((row) => [row.variant, row.reason])).toEqual([
      ['blue', 'hash'],
      ['blue', 'ejected'],
    ]);
  });

  it('as json_unfit where a body takes no members', async () => {
    const bodies: [string, Record<string, string>][] = [
      ['[1]', {}],
      ['not json', {}],
      ['{"a":1}', { 'content-encoding': 'gzip' }],
      ['{"a":1}', {}],
    ];
    for (const [body, headers] of bodies) await send('/json-unfit/x', { method: 'POST', body, headers });
    const rows = await rowsOf('json-unfit', 4);
    expect(rows.map((row) => [row.variant, row.reason])).toEqual([
      ['blue', 'json_unfit'],
      ['blue', 'json_unfit'],
      ['blue', 'json_unfit'],
      ['green', 'only'],
    ]);
  });

  it('as the only choice with one variant, for units that nobody can name and outside the audience', async () => {
    for (const route of ['only', 'nobody', 'outside']) {
      await send(`/${route}/x`);
      expect(await rowsOf(route, 1)).toMatchObject([{ variant: 'blue', reason: 'only', status: 200 }]);
    }
  });

  it('with the bytes of its body, whatever frames them', async () => {
    await send('/lengths/plain');
    await send('/lengths/chunked');
    await send('/lengths/none');
    await send('/lengths/plain', { method: 'HEAD' });
    const rows = await rowsOf('lengths', 4);
    expect(rows.map((row) => [row.method, row.status, row.bytes]).sort()).toEqual([
      ['GET', 200, 4],
      ['GET', 200, 70_005],
      ['GET', 204, 0],
      ['HEAD', 200, 0],
    ]);
  });

  it('as failed when its origin broke off, was too slow, or answered what the route calls a failure', async () => {
    const paths = ['status-200', 'status-400', 'status-404', 'status-429', 'status-500', 'status-503', 'never'];
    for (const path of paths) await send(`/failures/${path}`);
    await expect(send('/failures/cut')).rejects.toThrow();
    const rows = await rowsOf('failures', 8);
    const told = rows.map((row) => [String(row.path).slice(10), row.status, row.failed, row.errorCode]);
    expect(told).toEqual([
      ['status-200', 200, 0, ''],
      ['status-400', 400, 0, ''],
      ['status-404', 404, 1, ''],
      ['status-429', 429, 0, ''],
      ['status-500', 500, 1, ''],
      ['status-503', 503, 1, ''],
      ['never', 504, 1, 'origin_timeout'],
      ['cut', 200, 1, 'origin_cut'],
    ]);
    expect(rows.at(-1)).toMatchObject({ bytes: 3 });
  });

  it('as failed when its origin cannot be reached, or may not be without its key', async () => {
    for (const route of ['refused', 'keyless']) {
      expect((await send(`/${route}/x`)).status).toBe(502);
      const [row] = await rowsOf(route, 1);
      expect(row).toMatchObject({ status: 502, failed: 1, errorCode: 'origin_unreachable', variant: 'blue' });
    }
  });

  it('with an id of our own where the client gave none that logs can bear', async () => {
    await send('/hash/id', { headers: { 'x-user-id': 'a', 'x-request-id': 'two words' } });
    const rows = await rowsOf('hash', 2);
    expect(rows[1]?.requestId).toMatch(/^[\da-f-]{36}$/);
    const seen = [...blue.seen, ...green.seen].find(({ url }) => url === '/hash/id');
    expect(seen?.headers['x-request-id']).toBe(rows[1]?.requestId);
  });

  it('at the percentage that the route asks for', async () => {
    for (let times = 0; times < 400; times += 20) {
      await Promise.all(Array.from({ length: 20 }, () => send('/half/x')));
    }
    for (let times = 0; times < 20; times++) await send('/none/x');
    await send('/only/last');
    await rowsOf('only', 2); // written after the others
    const half = await headgate.records('dataset=requests&route=half&limit=1000');
    expect(Math.abs(half.length - 200)).toBeLessThan(70); // seven standard deviations
    expect(await headgate.records('dataset=requests&route=none&limit=10')).toEqual([]);
  });
});

describe('the records', () => {
  const page = async (query: string) => {
    const answer = await send(`/_headgate/api/records?${query}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    return { status: answer.status, ...(JSON.parse(answer.body) as { records: Row[]; next: string | null }) };
  };

  it('come newest first, by route and variant, a page at a time', async () => {
    const first = await page('route=failures&limit=3');
    expect(first.records.map((row) => row.path)).toEqual(['/failures/cut', '/failures/never', '/failures/status-503']);
    const second = await page(`route=failures&limit=2&before=${first.next}`);
    expect(second.records.map((row) => row.path)).toEqual(['/failures/status-500', '/failures/status-429']);
    expect((await page('route=failover&variant=green')).records).toHaveLength(1);
    expect((await page('limit=1000')).records.every((row) => !String(row.path).includes('?'))).toBe(true);
  });

  it.each([
    'dataset=users',
    'limit=0',
    'limit=1001',
    'limit=1e3',
    "route=a'%20OR%201=1",
    'before=x;drop',
    'variant=%00',
  ])('are not given for %s', async (query) => {
    expect((await page(query)).status).toBe(422);
  });

  it('are shown by the command line', async () => {
    const env = { ...process.env, HEADGATE_URL: headgate.url, HEADGATE_TOKEN: ADMIN_TOKEN };
    const run = async (...args: string[]) =>
      (await promisify(execFile)('npm', ['run', '--silent', 'headgate', '--', 'records', ...args], { env })).stdout;
    const table = await run('--route', 'failover');
    expect(table).toMatch(/variant +reason/);
    expect(table).toMatch(/failover +blue +failover +GET +\/failover\/x +200/);
    const { records } = JSON.parse(await run('--route', 'failures', '--limit', '1', '--json'));
    expect(records).toMatchObject([{ path: '/failures/cut', failed: 1 }]);
  });
});
