import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './client.ts';
import { type Headgate, startHeadgate } from './harness.ts';
import { ask, CutBody, RawClient, type RawOrigin, type RawRequest, startRawOrigin } from './raw-http.ts';

const IDLE_MS = 400;
const TIMEOUT_MS = 400;
/** A pause that is no stall, and how many of them outlast every limit. */
const BREATH_MS = 100;
const BREATHS = 6;

let origin: RawOrigin;
let headgate: Headgate;
let handler: (request: RawRequest) => unknown = () => {};

beforeAll(async () => {
  origin = await startRawOrigin((request) => handler(request));
  const service = `export default {
    fetch: (request) => fetch(new Request(${JSON.stringify(origin.url)} + new URL(request.url).pathname, request)),
  };`;
  const blue = { url: origin.url };
  headgate = await startHeadgate({
    services: { MODEL: service },
    config: {
      version: 1,
      routes: [
        { name: 'idle', match: { path: '/idle' }, idleTimeoutMs: IDLE_MS, variants: { blue } },
        { name: 'timeout', match: { path: '/timeout' }, timeoutMs: TIMEOUT_MS, variants: { blue } },
        { name: 'service', match: { path: '/service' }, variants: { blue: { service: 'MODEL' } } },
        { name: 'left', match: { path: '/left' }, variants: { blue } },
        { name: 'rest', match: { path: '/*' }, variants: { blue } },
      ],
    },
  });
});
afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Met {
  request: RawRequest;
  /** How the origin's reading of the request ended. */
  reading: Promise<'complete' | 'cut'>;
}

/** The next request that reaches the origin, which reads it and leaves the answer to the test. */
function meet(): Promise<Met> {
  return new Promise((resolve) => {
    handler = async (request) => {
      const reading = request.whole().then(
        () => 'complete' as const,
        (cause) => {
          if (cause instanceof CutBody) return 'cut' as const;
          throw cause;
        },
      );
      resolve({ request, reading });
      await request.gone;
    };
  });
}

it('records a client that gives up before there is an answer, and holds it against nobody', async () => {
  const meeting = meet();
  const client = await RawClient.to(headgate.url);
  client.ask({ path: '/left' });
  const { request } = await meeting;
  await pause(BREATH_MS);
  client.socket.resetAndDestroy();
  await request.gone;
  const look = () => headgate.records('dataset=requests&route=left');
  const rows = await until(look, ({ length }) => length > 0);
  expect(rows).toMatchObject([{ variant: 'blue', errorCode: 'client_left', failed: 0 }]);
});

describe.each(['/', '/service'])('a client that leaves (%s)', (path) => {
  it('ends the request to the origin before there is an answer', async () => {
    const meeting = meet();
    const client = await RawClient.to(headgate.url);
    client.ask({ path });
    const { request } = await meeting;
    client.socket.resetAndDestroy();
    await request.gone;
  });

  it('ends it when it had sent a body that was held', async () => {
    const meeting = meet();
    const client = await RawClient.to(headgate.url);
    client.ask({ method: 'POST', path, body: '{"text":"hello"}' });
    const { request, reading } = await meeting;
    await reading;
    client.socket.resetAndDestroy();
    await request.gone;
  });

  it.each(['Content-Length: 1000000', 'Transfer-Encoding: chunked'])(
    'ends it in the middle of an upload, which does not end cleanly at the origin (%s)',
    async (framing) => {
      const [name = '', value = ''] = framing.split(': ');
      for (const how of ['close', 'reset']) {
        const meeting = meet();
        const client = await RawClient.to(headgate.url);
        client.ask({ method: 'POST', path, headers: [[name, value]] });
        client.socket.write('3\r\nabc\r\n');
        const { request, reading } = await meeting;
        if (how === 'reset') client.socket.resetAndDestroy();
        else client.close();
        expect(await reading).toBe('cut');
        await request.gone;
      }
    },
  );

  it.each(['Content-Length: 1000000', 'Transfer-Encoding: chunked'])(
    'ends it in the middle of an answer (%s)',
    async (framing) => {
      for (const how of ['close', 'reset']) {
        const meeting = meet();
        const client = await RawClient.to(headgate.url);
        client.ask({ path });
        const { request } = await meeting;
        await request.say(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n3\r\nabc\r\n`);
        for await (const _ of client.body((await client.answer())!)) break;
        if (how === 'reset') client.socket.resetAndDestroy();
        else client.close();
        // A closed connection is noticed when something is written to it, as with any server.
        const babble = setInterval(() => request.say('3\r\nabc\r\n'), 20);
        await request.gone;
        clearInterval(babble);
      }
    },
  );
});

describe('idleTimeoutMs', () => {
  it.each(['Content-Length: 20', 'Content-Length: 1000000', 'Transfer-Encoding: chunked'])(
    'cuts an answer that stalls, on both sides (%s)',
    async (framing) => {
      for (const begun of ['', '3\r\nabc\r\n']) {
        const meeting = meet();
        const client = await RawClient.to(headgate.url);
        client.ask({ path: '/idle' });
        const { request } = await meeting;
        await request.say(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${begun}`);
        expect(await client.whole()).toMatchObject({ status: 200, end: 'cut' });
        await request.gone;
      }
    },
  );

  it.each(['Content-Length: 48', 'Transfer-Encoding: chunked'])(
    'spares an answer that trickles (%s)',
    async (framing) => {
      const meeting = meet();
      const client = await RawClient.to(headgate.url);
      client.ask({ path: '/idle' });
      const { request } = await meeting;
      await request.say(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`);
      for (let count = 0; count < BREATHS; count++) {
        await pause(BREATH_MS);
        await request.say('3\r\nabc\r\n');
      }
      if (framing.includes('chunked')) await request.say('0\r\n\r\n');
      const answer = await client.whole();
      expect(answer).toMatchObject({ status: 200, end: 'complete' });
      client.close();
      request.socket.destroy();
    },
  );

  it('cuts an answer whose client takes nothing, and holds that against nobody', async () => {
    const meeting = meet();
    const client = await RawClient.to(headgate.url);
    client.ask({ path: '/idle' });
    const { request } = await meeting;
    await request.say('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n');
    const answer = (await client.answer())!;
    client.socket.pause();
    void request.say(Buffer.alloc(100_000_000));
    await request.gone;
    const reading = async () => {
      for await (const _ of client.body(answer));
    };
    await expect(reading()).rejects.toThrow(CutBody);
    const [row] = await headgate.records('dataset=requests&route=idle&limit=1');
    expect(row).toMatchObject({ status: 200, failed: 0, errorCode: '' });
  });

  it('cuts an upload that stalls, on both sides', async () => {
    for (const framing of [['Content-Length', '1000000'] as const, ['Transfer-Encoding', 'chunked'] as const]) {
      const meeting = meet();
      const client = await RawClient.to(headgate.url);
      client.ask({ method: 'POST', path: '/idle', headers: [[...framing]] });
      client.socket.write('3\r\nabc\r\n');
      const { request, reading } = await meeting;
      expect(await client.whole()).toMatchObject({ status: 408 });
      expect(await reading).toBe('cut');
      await request.gone;
      client.close();
    }
  });

  it('cuts an upload of which the origin takes no more, and holds that against its variant', async () => {
    handler = ({ gone }) => gone;
    const client = await RawClient.to(headgate.url);
    client.ask({ method: 'POST', path: '/idle', headers: [['Content-Length', '100000000']] });
    client.socket.write(Buffer.alloc(100_000_000));
    expect(await client.whole()).toMatchObject({ status: 502 });
    client.close();
    const [row] = await headgate.records('dataset=requests&route=idle&limit=1');
    expect(row).toMatchObject({ failed: 1, errorCode: 'origin_unreachable' });
  });

  it('answers 408 to a short upload that stalls, and asks no origin', async () => {
    let asked = 0;
    handler = () => asked++;
    const answer = await ask(headgate.url, { method: 'POST', path: '/idle', headers: [['Content-Length', '20']] });
    expect(answer).toMatchObject({ status: 408 });
    expect(asked).toBe(0);
  });

  it.each(['Content-Length', 'Transfer-Encoding'])('spares an upload that trickles (%s)', async (name) => {
    handler = async (request) => {
      const { length } = await request.whole();
      await request.say(`HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n${String(length).padStart(3)}`);
    };
    const client = await RawClient.to(headgate.url);
    const value = name === 'Content-Length' ? String(8 * BREATHS) : 'chunked';
    client.ask({ method: 'POST', path: '/idle', headers: [[name, value]] });
    for (let count = 0; count < BREATHS; count++) {
      await pause(BREATH_MS);
      client.socket.write('3\r\nabc\r\n');
    }
    if (name === 'Transfer-Encoding') client.socket.write('0\r\n\r\n');
    const bytes = (name === 'Content-Length' ? 8 : 3) * BREATHS;
    expect(await client.whole()).toMatchObject({ status: 200, body: Buffer.from(String(bytes).padStart(3)) });
    client.close();
  });
});

describe('timeoutMs', () => {
  it('ends the wait for headers, at the origin too', async () => {
    for (const body of [undefined, 'held', Buffer.alloc(100_000)]) {
      const meeting = meet();
      const asking = ask(headgate.url, { method: 'POST', path: '/timeout', body });
      const { request } = await meeting;
      const answer = await asking;
      expect(answer).toMatchObject({ status: 504 });
      expect(JSON.parse(String(answer!.body))).toMatchObject({ code: 'origin_timeout' });
      await request.gone;
    }
  });

  it('does not count while the upload still runs, but from its last byte', async () => {
    const meeting = meet();
    const client = await RawClient.to(headgate.url);
    client.ask({ method: 'POST', path: '/timeout', headers: [['Transfer-Encoding', 'chunked']] });
    for (let count = 0; count < BREATHS; count++) {
      client.socket.write('3\r\nabc\r\n');
      await pause(BREATH_MS);
    }
    client.socket.write('0\r\n\r\n');
    const { request, reading } = await meeting;
    expect(await reading).toBe('complete');
    const endedAt = Date.now();
    expect(await client.whole()).toMatchObject({ status: 504 });
    expect(Date.now() - endedAt).toBeGreaterThan(TIMEOUT_MS / 2);
    await request.gone;
    client.close();
  });

  it('does not bound the answer that follows its headers', async () => {
    const meeting = meet();
    const client = await RawClient.to(headgate.url);
    client.ask({ path: '/timeout' });
    const { request } = await meeting;
    await request.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await pause(TIMEOUT_MS * 2);
    await request.say('3\r\nabc\r\n0\r\n\r\n');
    expect(await client.whole()).toMatchObject({ end: 'complete', body: Buffer.from('abc') });
    client.close();
    request.socket.destroy();
  });
});
