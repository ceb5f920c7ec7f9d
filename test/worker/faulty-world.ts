/**
 * Owns the world of the fault tests: a baseline that is well, a candidate that fails as it is asked to, an address where nobody
 * listens, and a Headgate with a route for each scenario. It asserts nothing.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type NamedOrigin, refusingUrl, startNamedOrigin } from './faulty-origin.ts';
import { type Headgate, type HeadgateOptions, startHeadgate } from './harness.ts';
import { answerTo, type HeaderLines, type RawAsk, RawClient, values, type WholeAnswer } from './raw-http.ts';

/** An answer, and what was behind it. */
export interface Told extends WholeAnswer {
  requestId: string;
  json: Record<string, unknown>;
}

export interface FaultyWorld {
  blue: NamedOrigin;
  green: NamedOrigin;
  headgate: Headgate;
  /** Asks under an id of its own. */
  ask(path: string, what?: RawAsk): Promise<Told>;
  /** Posts a body in parts of `partBytes` with pauses between them. */
  trickle(path: string, body: Buffer, partBytes: number): Promise<Told>;
  /** The rows of one request, oldest first, once there are `count`. */
  rowsOf(requestId: string, count: number): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Routes by name: what differs from all traffic of a repeatable POST, GET or HEAD going to a candidate that is never ejected. */
export async function startFaultyWorld(
  routesFor: (urls: { blue: string; green: string; refusing: string }) => Record<string, Record<string, unknown>>,
  options: HeadgateOptions = {},
): Promise<FaultyWorld> {
  const [blue, green, refusing] = await Promise.all([
    startNamedOrigin('blue', { isFaulty: false }),
    startNamedOrigin('green', { isFaulty: true }),
    refusingUrl(),
  ]);
  const routes = Object.entries(routesFor({ blue: blue.url, green: green.url, refusing })).map(([name, more]) => ({
    name,
    match: { path: `/${name}/*` },
    variants: { blue: { url: blue.url }, green: { url: green.url } },
    weights: { green: 100 },
    timeoutMs: 20_000,
    ejection: false,
    repeatable: ['GET', 'HEAD', 'POST'],
    ...more,
  }));
  const headgate = await startHeadgate({ config: { version: 1, routes }, ...options });
  return {
    blue,
    green,
    headgate,
    async ask(path, what = {}) {
      const requestId = randomUUID();
      const headers: HeaderLines = [['x-request-id', requestId], ...(what.headers ?? [])];
      return told(requestId, await answerTo(headgate.url, { ...what, path, headers }));
    },
    async trickle(path, body, partBytes) {
      const requestId = randomUUID();
      const client = await RawClient.to(headgate.url);
      const headers: HeaderLines = [
        ['x-request-id', requestId],
        ['content-length', String(body.length)],
      ];
      client.ask({ method: 'POST', path, headers });
      for (let at = 0; at < body.length; at += partBytes) {
        client.socket.write(body.subarray(at, at + partBytes));
        await sleep(50);
      }
      const answer = await client.whole();
      client.close();
      if (answer === null) throw new Error('the connection ended without an answer');
      return told(requestId, answer);
    },
    async rowsOf(requestId, count) {
      const until = Date.now() + 5_000;
      for (;;) {
        const rows = (await headgate.records()).filter((row) => row.requestId === requestId).reverse();
        if (rows.length >= count || Date.now() > until) return rows;
      }
    },
    async close() {
      await headgate.dispose();
      await Promise.all([blue.close(), green.close()]);
    },
  };
}

function told(requestId: string, answer: WholeAnswer): Told {
  const text = answer.body.toString();
  return { ...answer, requestId, json: text.startsWith('{') && answer.end === 'complete' ? JSON.parse(text) : {} };
}

/** The first value of a header of an answer. */
export function header(answer: WholeAnswer, name: string): string | undefined {
  return values(answer.headers, name)[0];
}
