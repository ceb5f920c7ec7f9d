/** Owns the world of the simulated visitors: origins, Headgate before a ledger that fails at random, sockets that are kept. It asserts nothing. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import type { Report } from '../../../src/experiment/report.ts';
import type { UnitRow } from '../../../src/experiment/words.ts';
import { ADMIN_TOKEN, oneRoute, startHeadgate } from '../../worker/harness.ts';

export const CAP = 40;

export interface Answer {
  status: number;
  header(name: string): string | null;
  text: string;
}

export interface VisitorWorld {
  ask(method: 'GET' | 'POST', path: string, headers?: Record<string, string>, body?: unknown): Promise<Answer>;
  setWeights(weights: Record<string, number>): Promise<void>;
  /** Sets how many of a hundred calls of ledger and controller are spoilt; tells how many were. */
  faults(percent: number): Promise<Record<string, number>>;
  report(): Promise<Report>;
  rows(): Promise<UnitRow[]>;
  close(): Promise<void>;
}

export async function startVisitorWorld(connections: number): Promise<VisitorWorld> {
  // Nothing is kept of a request: there are too many of them.
  const origin = createServer((request, response) => {
    response.statusCode = request.url === '/broken' ? 500 : 200;
    response.end('ok');
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const headgate = await startHeadgate({
    entry:
      "export * from './test/bench/visitors/faulty-ledger.ts'; export { default } from './test/bench/visitors/faulty-ledger.ts';",
    recorder: false,
    config: oneRoute({
      variants: { blue: { url }, green: { url: `${url}/` } },
      weights: { blue: 50, green: 50 },
      failover: false,
      ejection: false,
      recordPercent: 0,
      receipts: true,
      outcomes: [
        { name: 'helpful', kind: 'conversion' },
        { name: 'spend', kind: 'mean', cap: CAP },
      ],
      experiment: { id: 'crowd', primary: ['helpful'], secondary: ['spend', 'error'], plannedUnits: 1_000_000_000 },
    }),
  });
  const dispatcher = new Agent({ connections, pipelining: 1 });

  const ask: VisitorWorld['ask'] = async (method, path, headers = {}, body) => {
    const sent = body === undefined ? null : JSON.stringify(body);
    const answer = await dispatcher.request({ origin: headgate.url, method, path, headers, body: sent });
    const header = (name: string) => {
      const value = answer.headers[name];
      return Array.isArray(value) ? (value[0] ?? null) : (value ?? null);
    };
    return { status: answer.statusCode, header, text: await answer.body.text() };
  };
  const api = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${headgate.url}/_headgate/api/routes/main${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };

  return {
    ask,
    async setWeights(weights) {
      await api('PUT', '/split', { weights, reason: 'midway' });
    },
    async faults(percent) {
      return JSON.parse((await ask('GET', `/__faults?percent=${percent}`)).text) as Record<string, number>;
    },
    report: () => api<Report>('GET', '/experiment'),
    async rows() {
      const rows: UnitRow[] = [];
      for (let after: string | null = ''; after !== null; ) {
        const page: { units: UnitRow[]; next: string | null } = await api(
          'GET',
          `/experiment/units?limit=1000&after=${after}`,
        );
        rows.push(...page.units);
        after = page.next;
      }
      return rows;
    },
    async close() {
      await dispatcher.destroy();
      await headgate.dispose();
      origin.closeAllConnections();
      await new Promise((resolve) => origin.close(resolve));
    },
  };
}
