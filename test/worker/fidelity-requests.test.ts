import { createHash, randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, startHeadgate } from './harness.ts';
import {
  answerTo,
  type Framing,
  RawClient,
  type RawOrigin,
  type RawRequest,
  startRawOrigin,
  values,
} from './raw-http.ts';

const sha = (body: Buffer) => createHash('sha256').update(body).digest('hex');

interface Seen {
  method: string;
  path: string;
  framing: Framing;
  body: string;
}

let origin: RawOrigin;
let headgate: Headgate;
let seen: Seen[] = [];
let handler: ((request: RawRequest) => unknown) | null = null;

beforeAll(async () => {
  origin = await startRawOrigin(async (request) => {
    if (handler !== null) return handler(request);
    const { method, path, framing } = request;
    seen.push({ method, path, framing, body: sha(await request.whole()) });
    await request.say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const service = `export default {
    fetch: (request) => fetch(new Request(${JSON.stringify(origin.url)} + new URL(request.url).pathname, request)),
  };`;
  headgate = await startHeadgate({
    services: { MODEL: service },
    config: {
      version: 1,
      routes: [
        {
          name: 'service',
          match: { path: '/*', header: { 'x-origin': 'service' } },
          variants: { blue: { service: 'MODEL' } },
        },
        { name: 'url', match: { path: '/*' }, variants: { blue: { url: origin.url } } },
      ],
    },
  });
});
afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

async function arrived(send: () => Promise<unknown>): Promise<Seen> {
  handler = null;
  seen = [];
  await send();
  expect(seen).toHaveLength(1);
  return seen[0]!;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'REPORT'];

describe.each(['url', 'service'])('a request to a %s origin', (kind) => {
  const headers: [string, string][] = [['x-origin', kind]];

  it.each(METHODS)('arrives with its method and its body: %s', async (method) => {
    const body = `{"query":"${method}"}`;
    const got = await arrived(() => answerTo(headgate.url, { method, headers, path: '/x', body }));
    expect(got).toEqual({
      method,
      path: '/x',
      framing: { kind: 'length', length: body.length },
      body: sha(Buffer.from(body)),
    });
  });

  it.each(METHODS)('arrives without a body where there was none: %s', async (method) => {
    for (const body of [undefined, '']) {
      const got = await arrived(() => answerTo(headgate.url, { method, headers, body }));
      expect(got.body).toBe(sha(Buffer.alloc(0)));
      // Nothing is declared, or a length of 0: never chunks.
      if (got.framing.kind !== 'none') expect(got.framing).toEqual({ kind: 'length', length: 0 });
    }
  });

  // Around the length up to which a body is held, and that of a large one.
  it.each([1, 65_535, 65_536, 65_537, 262_144, 3_000_000])(
    'keeps the length of an upload of %i bytes',
    async (length) => {
      const body = randomBytes(length);
      const got = await arrived(() => answerTo(headgate.url, { method: 'POST', headers, body }));
      expect(got).toMatchObject({ framing: { kind: 'length', length }, body: sha(body) });
    },
  );

  it.each([0, 1, 65_537, 3_000_000])('keeps an upload of %i bytes chunked', async (length) => {
    const body = randomBytes(length);
    const got = await arrived(async () => {
      const client = await RawClient.to(headgate.url);
      client.ask({ method: 'POST', headers: [...headers, ['Transfer-Encoding', 'chunked']] });
      for (let at = 0; at < length; at += 50_000) {
        const part = body.subarray(at, at + 50_000);
        client.socket.write(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]));
      }
      client.socket.write('0\r\n\r\n');
      expect(await client.whole()).toMatchObject({ status: 200 });
      client.close();
    });
    expect(got).toMatchObject({ framing: { kind: 'chunked' }, body: sha(body) });
  });

  it('keeps the bytes of a compressed upload', async () => {
    const body = gzipSync(randomBytes(100_000));
    const encoded: [string, string][] = [...headers, ['Content-Encoding', 'gzip']];
    const got = await arrived(() => answerTo(headgate.url, { method: 'PUT', headers: encoded, body }));
    expect(got).toMatchObject({ framing: { kind: 'length', length: body.length }, body: sha(body) });
  });
});

it.each(['/a%2Fb//c;d=1/%E4%fc', '/?', '/?q=%20+y&&z=%2e%2E', '/*:@!$,()', '/a?b=http://c/d?e'])(
  'keeps the path and query as they were written: %s',
  async (path) => {
    expect((await arrived(() => answerTo(headgate.url, { path }))).path).toBe(path);
  },
);

describe('an origin that answers while the upload still runs', () => {
  it('is heard at once when it refuses the rest', async () => {
    handler = async (request) => {
      for await (const _ of request.body()) break;
      await request.say('HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 9\r\n\r\ntoo large');
      // The rest is let in, as a server does that closes without a reset.
      for await (const _ of request.body());
    };
    const client = await RawClient.to(headgate.url);
    client.ask({ method: 'POST', headers: [['Content-Length', '50000000']] });
    client.socket.write(Buffer.alloc(1_000_000));
    // The client has sent a fiftieth, and sends no more before it has the answer.
    expect(await client.whole()).toMatchObject({ status: 413, end: 'complete', body: Buffer.from('too large') });
    client.close();
  });

  it('converses: each part of the answer comes before the next part of the upload is sent', async () => {
    handler = async (request) => {
      await request.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for await (const part of request.body()) await request.say(`${part.length.toString(16)}\r\n${part}\r\n`);
      await request.say('0\r\n\r\n');
    };
    const client = await RawClient.to(headgate.url);
    client.ask({ method: 'POST', headers: [['Transfer-Encoding', 'chunked']] });
    client.socket.write('4\r\nha 0\r\n');
    const answer = (await client.answer())!;
    const echo = client.body(answer);
    for (let turn = 0; turn < 5; turn++) {
      expect(String((await echo.next()).value)).toBe(`ha ${turn}`);
      client.socket.write(turn === 4 ? '0\r\n\r\n' : `4\r\nha ${turn + 1}\r\n`);
    }
    expect((await echo.next()).done).toBe(true);
    client.close();
  });
});

describe('a request that goes to FALLBACK_ORIGIN', () => {
  let bare: Headgate;

  beforeAll(async () => {
    bare = await startHeadgate({ vars: { FALLBACK_ORIGIN: origin.url } });
  });
  afterAll(() => bare.dispose());

  it.each(METHODS)('arrives with its method and its body: %s', async (method) => {
    const body = randomBytes(100_000);
    const got = await arrived(() => answerTo(bare.url, { method, path: '/x?y', body }));
    expect(got).toEqual({ method, path: '/x?y', framing: { kind: 'length', length: body.length }, body: sha(body) });
  });

  it('comes back as it was answered', async () => {
    const sent = gzipSync('hello');
    handler = async (request) => {
      await request.whole();
      const head = `HTTP/1.1 201 Made\r\nContent-Encoding: gzip\r\nContent-Length: ${sent.length}\r\n\r\n`;
      await request.say(Buffer.concat([Buffer.from(head), sent]));
    };
    const answer = await answerTo(bare.url, { headers: [['Accept-Encoding', 'gzip']] });
    expect(answer).toMatchObject({ status: 201, statusText: 'Made', end: 'complete' });
    expect(answer.body.equals(sent)).toBe(true);
  });

  it('keeps visitors here when it is redirected, and says nothing in our name', async () => {
    const { host } = new URL(origin.url);
    handler = async (request) => {
      await request.whole();
      const lines = [`Location: http://${host}/n?q`, 'X-Headgate-Variant: evil', 'Content-Length: 0'];
      await request.say(Buffer.from(`HTTP/1.1 302 Found\r\n${lines.join('\r\n')}\r\n\r\n`));
    };
    const answer = await answerTo(bare.url, { path: '/a?' });
    expect(values(answer.headers, 'location')).toEqual(['http://front.test/n?q']);
    expect(values(answer.headers, 'x-headgate-variant')).toEqual([]);
  });

  it('is sent on to https by the origin behind us ("passthrough")', async () => {
    const behind = await startHeadgate({ vars: { FALLBACK_ORIGIN: 'passthrough' } });
    const { host } = new URL(origin.url);
    handler = async (request) => {
      await request.whole();
      await request.say(`HTTP/1.1 301 Moved Permanently\r\nLocation: https://${host}/a\r\nContent-Length: 0\r\n\r\n`);
    };
    const answer = await answerTo(behind.url, { path: '/a', headers: [['Host', host]] });
    expect(values(answer.headers, 'location')).toEqual([`https://${host}/a`]);
    await behind.dispose();
  });
});
