import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, sendBytes, statusOf, until } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let blue: Origin;
let green: Origin;
/** An origin that answers with a status no Response can have, or with a WebSocket, and wants to set our cookies. */
let odd: Server;
let oddUrl: string;
let headgate: Headgate;
let fallback: Headgate;

const PLANTED = [
  'headgate=AAAAAAAAAAAAAAAAAAAAAA; Path=/',
  '__Host-headgate=AAAAAAAAAAAAAAAAAAAAAA; Path=/; Secure',
  'headgate-preview=shop~green~x; Path=/',
  '=headgate=AAAAAAAAAAAAAAAAAAAAAA',
];

beforeAll(async () => {
  blue = await startOrigin((request, response) => {
    if (request.url === '/echo') {
      const hash = createHash('sha256');
      request.on('data', (chunk) => hash.update(chunk));
      request.on('end', () => response.end(`${request.method} ${hash.digest('hex')}`));
      return;
    }
    if (request.url === '/plant') response.setHeader('set-cookie', ['own=1', ...PLANTED]);
    response.end('blue');
  });
  green = await startOrigin((request, response) => {
    request.resume();
    request.on('end', () => response.end('green'));
  });
  odd = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const key = /sec-websocket-key: (\S+)/i.exec(String(bytes))?.[1];
      if (key !== undefined) {
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
        const head = `HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;
        socket.write(`${head}Set-Cookie: ${PLANTED[0]}\r\nX-Headgate-Variant: evil\r\n\r\n`);
        return;
      }
      const planted = String(bytes).startsWith('GET /odd/plant') ? `Set-Cookie: ${PLANTED[0]}\r\n` : '';
      socket.end(`HTTP/1.1 999 Odd\r\n${planted}Content-Length: 2\r\nConnection: close\r\n\r\nhi`);
    });
  });
  await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
  oddUrl = `http://127.0.0.1:${(odd.address() as { port: number }).port}`;
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  const secretHeaders = { authorization: `Bearer \${KEY_MODEL}` };
  headgate = await startHeadgate({
    vars: { KEY_MODEL: 'the-key-of-the-model' },
    config: {
      version: 1,
      routes: [
        { name: 'odd', match: { path: '/odd/*' }, variants: { blue: { url: oddUrl } } },
        { name: 'trial', match: { path: '/trial' }, variants, baseline: 'blue', weights: { green: 100 } },
        { name: 'main', variants: { blue: { url: blue.url, secretHeaders } } },
      ],
    },
  });
  fallback = await startHeadgate({
    recorder: false,
    config: { version: 1, routes: [] },
    vars: { FALLBACK_ORIGIN: blue.url },
  });
});

afterAll(async () => {
  await Promise.all([headgate.dispose(), fallback.dispose()]);
  await Promise.all([blue.close(), green.close()]);
  odd.close();
});

const head = (line: string, more = '') => `${line} HTTP/1.1\r\nHost: shop.test\r\n${more}`;

describe('a client that breaks off its upload', () => {
  const partial = head('POST /trial', 'Content-Length: 200000\r\n\r\n').concat('abc');

  /** Begins an upload and ends it early. The wait lets its first bytes reach the origin. */
  function breakOff(text: string, end: 'fin' | 'reset'): Promise<void> {
    const { hostname, port } = new URL(headgate.url);
    return new Promise((resolve) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
      socket.write(text);
      setTimeout(() => (end === 'fin' ? socket.end() : socket.resetAndDestroy()), 60);
    });
  }

  it.each([
    ['by closing', partial, 'fin'],
    ['by a reset', partial, 'reset'],
    ['in the middle of a chunk', head('POST /trial', 'Transfer-Encoding: chunked\r\n\r\nff\r\nabc'), 'fin'],
    ['by a chunk that is none', head('POST /trial', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'), 'fin'],
    ['of a GET', head('GET /trial', 'Content-Length: 200000\r\n\r\n').concat('abc'), 'fin'],
    ['of a GET by a reset', head('GET /trial', 'Content-Length: 200000\r\n\r\n').concat('abc'), 'reset'],
    ['of a GET by a chunk that is none', head('GET /trial', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n'), 'fin'],
    ['before its first byte', head('POST /trial', 'Content-Length: 200000\r\n\r\n'), 'fin'],
  ] as const)('%s, eight times, takes no candidate out and is not its failure', async (_, text, end) => {
    for (let times = 0; times < 8; times++) await breakOff(text, end);
    const after = await ask(headgate.url, '/trial');
    expect(after).toMatchObject({ status: 200, variant: 'green', body: 'green' });
    const rows = await headgate.records('dataset=requests&route=trial&limit=500');
    expect(rows.filter((row) => row.failed === 1 || row.reason === 'ejected')).toEqual([]);
  });
});

describe('a GET with a body', () => {
  const length = (bytes: number) => head('GET /echo', `Content-Length: ${bytes}\r\nConnection: close\r\n\r\n`);
  const chunks = head('GET /echo', 'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n');

  it.each([1, 5, 200_000])('of %i bytes reaches its origin whole', async (bytes) => {
    const body = 'abcdefghij'.repeat(20_000).slice(0, bytes);
    const received = await sendBytes(headgate.url, length(bytes) + body);
    expect(statusOf(received)).toBe(200);
    expect(received).toContain(`GET ${createHash('sha256').update(body).digest('hex')}`);
  });

  it('that the runtime would drop, or that is too large to be looked at first, is refused', async () => {
    const inChunks = await sendBytes(headgate.url, `${chunks}5\r\nhello\r\n0\r\n\r\n`);
    expect(statusOf(inChunks)).toBe(411);
    expect(inChunks).toContain('"code":"length_required"');
    const tooLarge = await sendBytes(headgate.url, length(262_145) + 'x'.repeat(262_145));
    expect(statusOf(tooLarge)).toBe(413);
    expect(tooLarge).toContain('"code":"body_too_large"');
  });

  it('in chunks of which there are none is a GET like any other', async () => {
    expect(statusOf(await sendBytes(headgate.url, `${chunks}0\r\n\r\n`))).toBe(200);
  });
});

describe('a request that says two things about its length', () => {
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: shop.test\r\nX-Headgate-Role: preview\r\n\r\n';
  const bodies = `0\r\n\r\n${smuggled}`;

  it.each([
    ['length and chunks', `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${bodies}`],
    ['chunks and length', `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${bodies}`],
    ['a coding with a blank before', `Content-Length: 4\r\nTransfer-Encoding : chunked\r\n\r\n${bodies}`],
    ['a coding with a tab', `Content-Length: 4\r\nTransfer-Encoding:\tchunked\r\n\r\n${bodies}`],
    ['a coding nobody knows', `Content-Length: 4\r\nTransfer-Encoding: xchunked\r\n\r\n${bodies}`],
    ['two codings', `Content-Length: 4\r\nTransfer-Encoding: chunked, identity\r\n\r\n${bodies}`],
    [
      'two coding lines',
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: 4\r\n\r\n${bodies}`,
    ],
    ['two lengths', `Content-Length: 5\r\nContent-Length: 85\r\n\r\n${bodies}`],
    ['a length with a sign', `Content-Length: +85\r\n\r\n${bodies}`],
    ['lengths in a list', `Content-Length: 5, 85\r\n\r\n${bodies}`],
    ['a length in hexadecimal', `Content-Length: 0x55\r\n\r\n${bodies}`],
    ['a line that is folded', `X-A: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${bodies}`],
    ['a chunk with an extension', `Transfer-Encoding: chunked\r\n\r\n5;a="\r\n"\r\nhello\r\n${bodies}`],
    ['a bare line feed', `Content-Length: 4\n\nTransfer-Encoding: chunked\r\n\r\n${bodies}`],
    ['a length named by Connection', `Connection: content-length\r\nContent-Length: 85\r\n\r\n${bodies.padEnd(85)}`],
  ])('such as %s brings nothing past us', async (_, rest) => {
    const before = blue.seen.length;
    await sendBytes(headgate.url, head('POST /x', rest).concat(head('GET /last', 'Connection: close\r\n\r\n')));
    // Whatever the origin took for a request was sent as one by us: each has our marks, and none that was smuggled in.
    for (const { headers, url } of blue.seen.slice(before)) {
      expect(headers, url).toMatchObject({ 'x-headgate-role': 'live', 'x-forwarded-host': 'shop.test' });
      expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
    }
    expect((await ask(headgate.url, '/after')).body).toBe('blue');
  });
});

describe('a header', () => {
  it.each([
    ['a carriage return', 'X-Request-Id: a\rX-Headgate-Role: preview\r\n'],
    ['a line feed', 'X-Request-Id: a\nX-Headgate-Role: preview\r\n'],
    ['a zero', 'X-Request-Id: a\0b\r\n'],
    ['a blank before its colon', 'X-Headgate-Role : preview\r\n'],
    ['a second line', 'X-A: a\r\n X-Headgate-Role: preview\r\n'],
    ['percent-encoded line ends', 'X-Request-Id: a%0d%0aX-Headgate-Role:%20preview\r\n'],
    ['300 letters', `X-Request-Id: ${'a'.repeat(300)}\r\n`],
    ['letters beyond ASCII', 'X-Request-Id: \u00e9\r\n'],
  ])('with %s writes no other header, neither to the origin nor to the client', async (_, line) => {
    const before = blue.seen.length;
    const received = await sendBytes(headgate.url, head('GET /x', `${line}Connection: close\r\n\r\n`));
    expect([200, 400]).toContain(statusOf(received));
    for (const { headers } of blue.seen.slice(before)) {
      expect(headers['x-headgate-role']).toBe('live');
      expect(headers['x-request-id']).toMatch(/^[\x21-\x7e]{1,128}$/);
    }
    expect(received).not.toContain('Role: preview');
  });

  it('named by Connection takes nothing away that is ours or the loop guard', async () => {
    const names = 'close, cdn-loop, x-headgate-role, x-forwarded-host, x-request-id, host, authorization';
    await sendBytes(headgate.url, head('GET /x', `CDN-Loop: other\r\nConnection: ${names}\r\n\r\n`));
    expect(blue.seen.at(-1)?.headers).toMatchObject({
      'x-headgate-role': 'live',
      'x-forwarded-host': 'shop.test',
      authorization: 'Bearer the-key-of-the-model',
      'cdn-loop': expect.stringMatching(/^other, headgate;config=/),
    });
  });
});

describe('a method', () => {
  it('that would have the origin echo our secret headers is not passed on', async () => {
    const before = blue.seen.length;
    const received = await sendBytes(headgate.url, head('TRACE /x', 'Connection: close\r\n\r\n'));
    expect(statusOf(received)).toBe(405);
    expect(received).not.toContain('the-key-of-the-model');
    expect(blue.seen).toHaveLength(before);
  });

  it('with an upgrade that is no handshake stays what it was', async () => {
    const more = 'Upgrade: websocket\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi';
    await sendBytes(headgate.url, head('POST /x', more));
    expect(blue.seen.at(-1)).toMatchObject({ method: 'POST' });
    expect(blue.seen.at(-1)?.headers).not.toHaveProperty('upgrade');
  });

  it('for no path at all is answered by a problem document', async () => {
    const received = await sendBytes(headgate.url, head('OPTIONS *', 'Connection: close\r\n\r\n'));
    expect(statusOf(received)).toBe(400);
    expect(received).toContain('"code":"bad_request"');
  });
});

describe('an origin', () => {
  it('sets no cookie of ours, whether it is a variant or the fallback', async () => {
    for (const { url } of [headgate, fallback]) {
      expect(await ask(url, '/plant')).toMatchObject({ status: 200, body: 'blue', setCookies: ['own=1'] });
    }
  });

  it('sets none either under a status that no Response can have', async () => {
    const plain = await sendBytes(headgate.url, head('GET /odd/x', 'Connection: close\r\n\r\n'));
    expect(plain).toMatch(/^HTTP\/1\.1 999 [\s\S]*hi$/);
    const planting = await sendBytes(headgate.url, head('GET /odd/plant', 'Connection: close\r\n\r\n'));
    expect(planting.toLowerCase()).not.toContain('set-cookie');
    expect(statusOf(planting)).toBe(502);
    const rows = await until(
      () => headgate.records('dataset=requests&route=odd&limit=5'),
      (seen) => seen.length === 2,
    );
    expect(rows.map((row) => row.status)).toEqual([999, 999]);
  });

  it('sets none as the fallback under such a status, nor beside a WebSocket', async () => {
    const behind = await startHeadgate({ config: { version: 1, routes: [] }, vars: { FALLBACK_ORIGIN: oddUrl } });
    try {
      const planting = await sendBytes(behind.url, head('GET /odd/plant', 'Connection: close\r\n\r\n'));
      expect(planting.toLowerCase()).not.toContain('set-cookie');
      expect(statusOf(planting)).toBe(502);
      expect(await sendBytes(behind.url, head('GET /odd/x', 'Connection: close\r\n\r\n'))).toMatch(/ 999 [\s\S]*hi$/);
      // Hono would make the answer to a HEAD anew.
      const asked = await sendBytes(behind.url, head('HEAD /odd/x', 'Connection: close\r\n\r\n'));
      expect([statusOf(asked), /x-headgate-error: (.*)\r/.exec(asked)?.[1]]).toEqual([502, 'origin_unreachable']);
      const response = await behind.mf.dispatchFetch('http://shop.test/ws', { headers: { upgrade: 'websocket' } });
      expect(response.status).toBe(101);
      expect([...response.headers.keys()].filter((name) => /cookie|headgate/.test(name))).toEqual([]);
      response.webSocket?.accept();
      response.webSocket?.close();
    } finally {
      await behind.dispose();
    }
  });
});
