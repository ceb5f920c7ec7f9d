import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import OpenAI from 'openai';
import { Server as SocketIoServer } from 'socket.io';
import { type Socket as IoSocket, io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

const WORDS = ['Alle', ' Menschen', ' sind', ' frei', ' und', ' gleich', ' 🌍'];

let origin: Origin;
let headgate: Headgate;
let sockets: WebSocketServer;
let socketIo: SocketIoServer;
/** How many words a completion says before the origin breaks it off. */
let wordsBeforeCut = Number.POSITIVE_INFINITY;
let completionEnded: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    if (request.url === '/v1/chat/completions') void complete(request, response);
    else if (!request.url!.startsWith('/socket.io/')) response.writeHead(404).end();
  });
  socketIo = new SocketIoServer(origin.server, { maxHttpBufferSize: 10_000_000 });
  socketIo.on('connection', (socket) => {
    socket.on('echo', (value, answer) => answer(value));
    socket.on('leave', () => socket.disconnect(true));
  });
  sockets = new WebSocketServer({
    noServer: true,
    maxPayload: 10_000_000,
    handleProtocols: (offered) => [...offered].at(-1)!,
  });
  origin.server.on('upgrade', (request, socket, head) => {
    if (request.url === '/refused')
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\nX-Why: key\r\n\r\nkey?');
    else if (!request.url!.startsWith('/socket.io/')) {
      sockets.handleUpgrade(request, socket, head, (accepted) => sockets.emit('connection', accepted, request));
    }
  });
  const service = `export default {
    fetch: (request) => fetch(new Request(${JSON.stringify(origin.url)} + new URL(request.url).pathname, request)),
  };`;
  headgate = await startHeadgate({
    services: { MODEL: service },
    config: {
      version: 1,
      routes: [
        { name: 'service', match: { path: '/service' }, receipts: true, variants: { blue: { service: 'MODEL' } } },
        { name: 'main', match: { path: '/*' }, receipts: true, variants: { blue: { url: origin.url } } },
      ],
    },
  });
});
afterAll(async () => {
  await headgate.dispose();
  socketIo.close();
  await origin.close();
});

async function complete(request: IncomingMessage, response: ServerResponse): Promise<void> {
  completionEnded = once(response, 'close');
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const asked = JSON.parse(Buffer.concat(parts).toString()) as { model: string; stream?: boolean };
  const common = { id: 'chatcmpl-1', created: 1, model: asked.model };
  if (asked.stream !== true) {
    const message = { role: 'assistant', content: WORDS.join('') };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ...common, object: 'chat.completion', choices }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const say = (delta: object, finish_reason: string | null = null) => {
    const choices = [{ index: 0, delta, finish_reason }];
    const event = `data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', choices })}\n\n`;
    return new Promise((resolve) => response.write(event, resolve));
  };
  for (const [index, content] of WORDS.entries()) {
    if (index >= wordsBeforeCut) return void response.destroy();
    await say({ content });
  }
  await say({}, 'stop');
  response.end('data: [DONE]\n\n');
}

describe('the openai SDK', () => {
  const client = () => new OpenAI({ apiKey: 'sk-test', baseURL: `${headgate.url}/v1`, maxRetries: 0 });
  const question = { model: 'blue-1', messages: [{ role: 'user' as const, content: 'Article 1?' }] };

  it('gets a chat completion', async () => {
    const completion = await client().chat.completions.create(question);
    expect(completion.choices[0]!.message.content).toBe(WORDS.join(''));
    expect(origin.seen.at(-1)!.headers.authorization).toBe('Bearer sk-test');
  });

  it('streams a chat completion to its end', async () => {
    wordsBeforeCut = Number.POSITIVE_INFINITY;
    const got: string[] = [];
    let finish: string | null = null;
    for await (const chunk of await client().chat.completions.create({ ...question, stream: true })) {
      const [choice] = chunk.choices;
      if (choice?.delta.content) got.push(choice.delta.content);
      finish = choice?.finish_reason ?? finish;
    }
    expect(got).toEqual(WORDS);
    expect(finish).toBe('stop');
  });

  it.each([0, 1, 4])('throws when the origin breaks the stream off after %i words', async (words) => {
    wordsBeforeCut = words;
    const got: string[] = [];
    const reading = async () => {
      for await (const chunk of await client().chat.completions.create({ ...question, stream: true })) {
        got.push(chunk.choices[0]!.delta.content!);
      }
    };
    await expect(reading()).rejects.toThrow();
    expect(got).toEqual(WORDS.slice(0, words));
  });

  it('ends the generation at the origin when it stops reading', async () => {
    wordsBeforeCut = Number.POSITIVE_INFINITY;
    const asked = origin.seen.length;
    const stream = await client().chat.completions.create({ ...question, stream: true });
    for await (const _ of stream) break;
    await completionEnded;
    expect(origin.seen).toHaveLength(asked + 1);
  });
});

/** A client's socket through the Worker, and the origin's end of it. */
async function openSocket(path: string, protocols: string[] = [], headers: Record<string, string> = {}) {
  const accepting = once(sockets, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const client = new WebSocket(`${headgate.url.replace('http', 'ws')}${path}`, protocols, {
    headers,
    perMessageDeflate: false,
  });
  const upgraded = once(client, 'upgrade') as Promise<[IncomingMessage]>;
  await once(client, 'open');
  const [server, request] = await accepting;
  const [response] = await upgraded;
  return { client, server, request, response };
}

const arrival = async (socket: WebSocket) => {
  const [data, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
  return { data, isBinary };
};

describe.each(['/live?room=1', '/service'])('a WebSocket (%s)', (path) => {
  it('opens with the subprotocol that the origin chose', async () => {
    const sent = { cookie: 'a=1', 'x-key': 'k' };
    const { client, server, request, response } = await openSocket(path, ['first', 'second'], sent);
    expect(client.protocol).toBe('second');
    expect(response.headers['x-headgate-receipt']).toMatch(/^\w+~blue~/);
    expect(request.headers).toMatchObject({ cookie: 'a=1', 'x-key': 'k', 'x-headgate-variant': 'blue' });
    client.terminate();
    await once(server, 'close');
  });

  it('carries text and binary frames of 1 MB both ways, in order', async () => {
    const { client, server } = await openSocket(path);
    const binary = randomBytes(1_000_000);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const first = arrival(to);
      from.send('grüß dich 🌍');
      expect(await first).toEqual({ data: Buffer.from('grüß dich 🌍'), isBinary: false });
      const second = arrival(to);
      from.send(binary);
      const { data, isBinary } = await second;
      expect(isBinary).toBe(true);
      expect(data.equals(binary)).toBe(true);
      const empty = arrival(to);
      from.send(Buffer.alloc(0));
      expect(await empty).toEqual({ data: Buffer.alloc(0), isBinary: true });
    }
    client.terminate();
  });

  it.each([
    [1000, 'done'],
    [3001, ''],
    [4999, 'späte Grüße'],
  ])('closes with the code and reason that either side gave: %i', async (code, reason) => {
    for (const side of ['client', 'server'] as const) {
      const { client, server } = await openSocket(path);
      const [from, to] = side === 'client' ? [client, server] : [server, client];
      const closings = Promise.all([once(to, 'close'), once(from, 'close')]);
      from.close(code, reason);
      for (const [gotCode, gotReason] of await closings) expect([gotCode, String(gotReason)]).toEqual([code, reason]);
    }
  });

  it('answers a ping', async () => {
    const { client, server } = await openSocket(path);
    for (const socket of [client, server]) {
      const pong = once(socket, 'pong') as Promise<[Buffer]>;
      socket.ping('beat');
      expect(String((await pong)[0])).toBe('beat');
    }
    client.terminate();
  });

  it('ends on the other side when one is torn down', async () => {
    for (const side of ['client', 'server'] as const) {
      const { client, server } = await openSocket(path);
      const closing = once(side === 'client' ? server : client, 'close') as Promise<[number]>;
      (side === 'client' ? client : server).terminate();
      expect((await closing)[0]).toBe(1006);
    }
  });
});

it('passes on the answer of an origin that refuses a WebSocket', async () => {
  const client = new WebSocket(`${headgate.url.replace('http', 'ws')}/refused`);
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(response.statusCode).toBe(401);
  expect(response.headers['x-why']).toBe('key');
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  expect(Buffer.concat(parts).toString()).toBe('key?');
});

// The simulator's front replaces Accept-Encoding as the edge does, which once broke polling.
describe.each(['url', 'edgeUrl'] as const)('socket.io (%s)', (way) => {
  async function connected(transports: ('polling' | 'websocket')[]): Promise<IoSocket> {
    const socket = io(headgate[way], { transports, reconnection: false, forceNew: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('connect_error', reject));
    return socket;
  }

  it.each(['polling', 'websocket'] as const)('works over %s', async (transport) => {
    const socket = await connected([transport]);
    const binary = randomBytes(300_000);
    const echoed = (await socket.emitWithAck('echo', { text: 'grüß dich', binary })) as {
      text: string;
      binary: Buffer;
    };
    expect(socket.io.engine.transport.name).toBe(transport);
    expect(echoed.text).toBe('grüß dich');
    expect(Buffer.from(echoed.binary).equals(binary)).toBe(true);
    const left = new Promise((resolve) => socket.once('disconnect', resolve));
    socket.emit('leave');
    expect(await left).toBe('io server disconnect');
  });

  it('moves from polling to a WebSocket', async () => {
    const socket = await connected(['polling', 'websocket']);
    const { engine } = socket.io;
    if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
    expect(engine.transport.name).toBe('websocket');
    expect(await socket.emitWithAck('echo', 'still here')).toBe('still here');
    socket.close();
  });
});
