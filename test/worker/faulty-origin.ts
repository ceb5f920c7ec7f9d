/**
 * Owns origins that fail as a request's query asks them to (`?fault=reset`), and one that says what it was sent. It asserts
 * nothing.
 */

import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type RawOrigin, type RawRequest, startRawOrigin, values } from './raw-http.ts';

/** What an origin saw of one request. */
export interface Seen {
  method: string;
  path: string;
  headers: RawRequest['headers'];
  bodyBytes: number;
  /** SHA-256 in hexadecimal; null when the body did not come whole. */
  bodyHash: string | null;
}

export interface NamedOrigin extends RawOrigin {
  name: string;
  /** Requests that came, oldest first. Those of one test are told apart by their `x-request-id`. */
  seen: Seen[];
  /** What it saw of the requests with this id. */
  sawOf(requestId: string): Seen[];
}

/**
 * An origin that answers 200 with its name, or fails as `?fault=…` says: see the switch. It closes each connection, for workerd
 * by itself tries a request again on every idle connection that it finds broken.
 */
export async function startNamedOrigin(name: string, options: { isFaulty: boolean }): Promise<NamedOrigin> {
  const seen: Seen[] = [];
  const origin = await startRawOrigin(async (request) => {
    const { method, path, headers } = request;
    const entry: Seen = { method, path, headers, bodyBytes: 0, bodyHash: null };
    seen.push(entry);
    const fault = new URL(path, 'http://origin').searchParams.get('fault');
    if (options.isFaulty && fault !== null) return fail(fault, request, entry);
    await take(request, entry);
    await request.say(answerOf(name, 200));
    request.socket.end();
  });
  return { ...origin, name, seen, sawOf: (id) => seen.filter((s) => values(s.headers, 'x-request-id')[0] === id) };
}

async function take(request: RawRequest, entry: Seen): Promise<void> {
  const body = await request.whole();
  entry.bodyBytes = body.length;
  entry.bodyHash = hashOf(body);
}

async function fail(fault: string, request: RawRequest, entry: Seen): Promise<void> {
  const { socket } = request;
  const [kind, argument = ''] = fault.split(':');
  switch (kind) {
    case 'status':
      await take(request, entry);
      await request.say(answerOf('faulty', Number(argument)));
      socket.end();
      return;
    case 'early':
      // Answers before the upload is read, and reads none of it: an origin that refuses large bodies does so.
      socket.pause();
      await request.say(answerOf('faulty', Number(argument)));
      socket.end();
      return;
    case 'hang':
      await take(request, entry);
      return request.gone;
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'reset-after-body':
      await take(request, entry);
      socket.resetAndDestroy();
      return;
    case 'cut':
      await take(request, entry);
      await request.say('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthe first bytes');
      setTimeout(() => socket.resetAndDestroy(), 30);
      return request.gone;
    case 'cut-chunked':
      await take(request, entry);
      await request.say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
      setTimeout(() => socket.destroy(), 30);
      return request.gone;
    case 'stall':
      await take(request, entry);
      await request.say('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nthe first bytes');
      return request.gone;
    case 'switch':
      await take(request, entry);
      await request.say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
      return request.gone;
    case 'garbage':
      await take(request, entry);
      await request.say('this is no HTTP\r\n\r\n');
      socket.end();
      return;
    default:
      throw new Error(`no fault is called ${fault}`);
  }
}

function answerOf(name: string, status: number): string {
  const body = JSON.stringify({ from: name, status });
  return `HTTP/1.1 ${status} Said\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

export function hashOf(body: Buffer | string): string {
  return createHash('sha256').update(body).digest('hex');
}

/** The URL of a port on which nobody listens. */
export async function refusingUrl(): Promise<string> {
  const server = createServer().unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // The near end of a connection is a port that listens to nobody, and that nobody else is given.
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').unref();
  await new Promise((resolve) => socket.once('connect', resolve));
  return `http://127.0.0.1:${socket.localPort}`;
}
