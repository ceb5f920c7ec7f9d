/**
 * Owns how the tests of split and security speak to the Worker: as a plain client with whatever headers, as bytes on a socket
 * that no client would send, and with patience until something holds. It asserts nothing.
 */

import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseConfig } from '../../src/config/parse.ts';
import type { Route } from '../../src/config/types.ts';

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  setCookies: string[];
  /** The variant that Headgate names. */
  variant: string | undefined;
  body: string;
}

export interface Ask {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Buffer;
}

/** One request by Node's own client, which sends the path and the headers as they are given. */
export function ask(base: string, path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Answer> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          setCookies: response.headers['set-cookie'] ?? [],
          variant: response.headers['x-headgate-variant'] as string | undefined,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes as they are, and answers with everything that came until the other side closed (or 3 s went by). */
export function sendBytes(base: string, bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    const timer = setTimeout(() => socket.destroy(), 3_000);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

/** The status of an answer that `sendBytes` received. */
export function statusOf(received: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(received)?.[1] ?? 0);
}

/** Looks again and again until it holds; throws with what was seen last after 10 s. */
export async function until<T>(look: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadlineMs) throw new Error(`still ${JSON.stringify(seen)}`);
    await sleep(50);
  }
}

/** The value of a cookie among Set-Cookie lines, or undefined. */
export function cookieValue(setCookies: readonly string[], name: string): string | undefined {
  for (const line of setCookies) {
    if (line.startsWith(`${name}=`)) return line.slice(name.length + 1).split(';', 1)[0];
  }
  return undefined;
}

/** A route as the Worker reads it from a config document. */
export function routeIn(config: unknown, name: string): Route {
  const parsed = parseConfig(JSON.stringify(config), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const route = parsed.value.config.routes.find((each) => each.name === name);
  if (route === undefined) throw new Error(`no route ${name}`);
  return route;
}
