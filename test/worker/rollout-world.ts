/**
 * Owns the world of the rollout tests: a blue and a green origin, a Headgate with a route for each scenario, visitors that come
 * at a steady rate, and the operators' calls. Scenarios have routes, and so controllers, of their own and may run side by side.
 * It asserts nothing.
 */

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ADMIN_TOKEN,
  type Headgate,
  type HeadgateOptions,
  type Origin,
  startHeadgate,
  startOrigin,
} from './harness.ts';

/** An answer of the API. */
export interface Said {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every call are looked at by path
  body: any;
  headers: Headers;
}

export interface Visit {
  status: number;
  variant: string | undefined;
  sentAtMs: number;
  failover: string | undefined;
}

export interface RolloutWorld {
  headgate: Headgate;
  blue: Origin;
  green: Origin;
  /** How many of a hundred of green's answers on a route are 500; 0 until set. */
  greenFails: Map<string, number>;
  /** Green's `/health` answers 503 while it is sick, and nothing while it is silent. */
  greenIs: { sick: boolean; silent: boolean };
  /** How often green's `/health` was asked while it was silent. */
  unanswered(): number;
  /** When green was asked on a route, oldest first. */
  greenSeen(route: string): number[];
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Said>;
  status(route: string): Promise<Said['body']>;
  phase(route: string): Promise<string | undefined>;
  /** Actions in the history of a route, oldest first. */
  actions(route: string): Promise<string[]>;
  history(route: string): Promise<Said['body'][]>;
  /** Sends one request by a visitor; all share an address, as behind one proxy. */
  visit(route: string, user?: string): Promise<Visit>;
  /** Visitors at a steady rate until they are told to stop; each is another one. */
  visitors(route: string, perSecond: number): { visits: Visit[]; stop(): Promise<Visit[]> };
  close(): Promise<void>;
}

/** Every route has blue and green, users by header, and answers below `/name/`. */
export async function startRolloutWorld(
  routesFor: (urls: { blue: string; green: string }) => Record<string, Record<string, unknown>>,
  options: HeadgateOptions & { document?: Record<string, unknown> } = {},
): Promise<RolloutWorld> {
  const greenFails = new Map<string, number>();
  const seen = new Map<string, number[]>();
  const blue = await startOrigin((_, response) => response.end('blue'));
  const greenIs = { sick: false, silent: false };
  let unanswered = 0;
  let n = 0;
  const green = await startOrigin(({ url = '/' }, response) => {
    if (url.endsWith('/health')) {
      if (greenIs.silent) {
        unanswered++;
        return;
      }
      response.writeHead(greenIs.sick ? 503 : 200).end();
      return;
    }
    const route = url.split('/')[1] ?? '';
    seen.set(route, [...(seen.get(route) ?? []), Date.now()]);
    response.statusCode = (n++ * 37) % 100 < (greenFails.get(route) ?? 0) ? 500 : 200;
    response.end('green');
  });
  const routes = Object.entries(routesFor({ blue: blue.url, green: green.url })).map(([name, more]) => ({
    name,
    match: { path: `/${name}/*` },
    variants: { blue: { url: blue.url }, green: { url: green.url } },
    identity: [{ header: 'x-user-id' }, { cookie: true }],
    failover: false,
    ejection: false,
    ...more,
  }));
  const { document, ...rest } = options;
  const headgate = await startHeadgate({ config: { version: 1, routes, ...document }, ...rest });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  let users = 0;

  const api: RolloutWorld['api'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${headgate.url}/_headgate/api${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : JSON.parse(text), headers: response.headers };
  };
  const status = async (route: string) => (await api('GET', `/routes/${route}`)).body;
  const history = async (route: string) => (await api('GET', `/routes/${route}/history`)).body.entries.reverse();
  const visit: RolloutWorld['visit'] = (route, user = `u-${users++}`) =>
    visitOnce(agent, `${headgate.url}/${route}/x`, user);

  return {
    headgate,
    blue,
    green,
    greenFails,
    greenIs,
    unanswered: () => unanswered,
    greenSeen: (route) => seen.get(route) ?? [],
    api,
    status,
    phase: async (route) => (await status(route)).rollout?.phase,
    history,
    actions: async (route) => (await history(route)).map(({ action }: { action: string }) => action),
    visit,
    visitors(route, perSecond) {
      const visits: Visit[] = [];
      const pending = new Set<Promise<void>>();
      const startedMs = Date.now();
      let sent = 0;
      const timer = setInterval(() => {
        for (const due = ((Date.now() - startedMs) / 1000) * perSecond; sent < due; sent++) {
          const one = visit(route).then((seen) => void visits.push(seen));
          pending.add(one);
          void one.finally(() => pending.delete(one));
        }
      }, 5);
      return {
        visits,
        async stop() {
          clearInterval(timer);
          await Promise.all(pending);
          return visits;
        },
      };
    },
    async close() {
      agent.destroy();
      await headgate.dispose();
      await Promise.all([blue.close(), green.close()]);
    },
  };
}

function visitOnce(agent: Agent, url: string, user: string): Promise<Visit> {
  const sentAtMs = Date.now();
  return new Promise((resolve) => {
    const sent = request(
      url,
      { agent, headers: { 'x-user-id': user, 'cf-connecting-ip': '192.0.2.7' } },
      (response) => {
        response.resume();
        const { 'x-headgate-variant': variant, 'x-headgate-failover': failover } = response.headers;
        response.on('close', () =>
          resolve({
            status: response.statusCode ?? 0,
            variant: variant as string | undefined,
            sentAtMs,
            failover: failover as string | undefined,
          }),
        );
      },
    );
    sent.on('error', () => resolve({ status: 0, variant: undefined, sentAtMs, failover: undefined }));
    sent.end();
  });
}

/** Asks until it holds, for `seconds` at most; the last answer either way. */
export async function until<T>(ask: () => Promise<T>, holds: (value: T) => boolean, seconds = 20): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await ask();
    if (holds(value) || Date.now() > deadline) return value;
    await sleep(150);
  }
}

/** A guardrail on errors by request, which small numbers satisfy. */
export const lenient = [{ metric: 'errors', critical: true, required: true, maxIncrease: 0.2, per: 'request' }];
