/**
 * Owns the real thing for tests: the Worker's bundle in workerd behind a real socket, real origins on loopback beside it, and
 * a KV whose faults a test chooses. It asserts nothing.
 */

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';

export const ADMIN_TOKEN = 'test-admin-token-000000000000';
export const COOKIE_SECRET = 'test-cookie-secret-0000000000';

/** How the KV of a test behaves; set from outside while the Worker runs. */
export type KvFault = 'none' | 'throw' | 'hang';

export interface Headgate {
  /** Origin of the Worker on workerd's own socket, without a trailing slash: what is sent and received here is the Worker's. */
  url: string;
  /** The same through the simulator's front, which adds what the platform's edge adds (`cf`, `cf-connecting-ip`, compression). */
  edgeUrl: string;
  mf: Miniflare;
  /** Writes a KV key as an operator would. */
  put(key: string, value: unknown): Promise<void>;
  /** Rows of a dataset from the local recorder, newest first. */
  records(query?: string): Promise<Record<string, unknown>[]>;
  /** What the Worker logged. */
  logs: string[];
  dispose(): Promise<void>;
}

export interface HeadgateOptions {
  config?: unknown;
  kv?: Record<string, string>;
  vars?: Record<string, string>;
  /** Service bindings: name → a module script, run as a Worker of its own. */
  services?: Record<string, string>;
  /** A module that wraps the Worker (its default export), given as source; `./src/index.ts` is the real one. */
  entry?: string;
  recorder?: boolean;
}

const bundles = new Map<string, Promise<string>>();

/** The Worker's bundle, or that of an entry that wraps it. */
export function bundle(
  entry = "export * from './src/index.ts'; export { default } from './src/index.ts';",
): Promise<string> {
  let bundled = bundles.get(entry);
  if (bundled === undefined) {
    bundled = build({
      stdin: { contents: entry, resolveDir: process.cwd(), loader: 'ts' },
      bundle: true,
      write: false,
      format: 'esm',
      external: ['cloudflare:workers', 'node:*'],
    }).then(({ outputFiles }) => outputFiles[0]!.text);
    bundles.set(entry, bundled);
  }
  return bundled;
}

export async function startHeadgate(options: HeadgateOptions): Promise<Headgate> {
  const logs: string[] = [];
  class Kept extends Log {
    override log(message: string): void {
      logs.push(message);
    }
  }
  const services = Object.entries(options.services ?? {});
  const common = { compatibilityDate: '2026-11-01', compatibilityFlags: ['enable_request_signal'] };
  const mf = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      log: new Kept(LogLevel.DEBUG),
      handleStructuredLogs({ message }) {
        logs.push(message);
      },
      workers: [
        {
          name: 'headgate',
          modules: [{ type: 'ESModule', path: 'index.mjs', contents: await bundle(options.entry) }],
          unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
          ...common,
          kvNamespaces: ['CONFIG'],
          analyticsEngineDatasets: {
            REQUESTS: { dataset: 'headgate_requests' },
            COMPARISONS: { dataset: 'headgate_comparisons' },
          },
          durableObjects: {
            CONTROLLER: { className: 'RolloutController', useSQLite: true },
            LEDGER: { className: 'ExperimentLedger', useSQLite: true },
            ...(options.recorder === false ? {} : { RECORDER: { className: 'Recorder', useSQLite: true } }),
          },
          serviceBindings: Object.fromEntries(services.map(([name]) => [name, `service-${name.toLowerCase()}`])),
          bindings: { ADMIN_TOKEN, COOKIE_SECRET, CONFIG_REFRESH_SECONDS: '1', ...options.vars },
        },
        ...services.map(([name, script]) => ({
          name: `service-${name.toLowerCase()}`,
          modules: [{ type: 'ESModule' as const, path: `${name.toLowerCase()}.mjs`, contents: script }],
          ...common,
        })),
      ],
    }),
  );
  const kv = await mf.getKVNamespace('CONFIG', 'headgate');
  const put = async (key: string, value: unknown) => {
    await kv.put(key, typeof value === 'string' ? value : JSON.stringify(value));
  };
  if (options.config !== undefined) await put('config', options.config);
  for (const [key, value] of Object.entries(options.kv ?? {})) await put(key, value);
  const edgeUrl = String(await mf.ready).replace(/\/$/, '');
  const url = String(await mf.unsafeGetDirectURL('headgate')).replace(/\/$/, '');
  return {
    url,
    edgeUrl,
    mf,
    put,
    logs,
    async records(query = 'dataset=requests&limit=500') {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const response = await fetch(`${url}/_headgate/api/records?${query}`, { headers });
      const page = (await response.json()) as { records: Record<string, unknown>[] };
      return page.records;
    },
    dispose: () => mf.dispose(),
  };
}

export interface Origin {
  url: string;
  server: Server;
  /** Requests that came, oldest first. */
  seen: { method: string; url: string; headers: IncomingMessage['headers']; rawHeaders: string[] }[];
  close(): Promise<void>;
}

/** A real HTTP origin on loopback. */
export async function startOrigin(
  listener: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => response.end('ok'),
): Promise<Origin> {
  const seen: Origin['seen'] = [];
  const handler: RequestListener = (request, response) => {
    const { method = '', url = '', headers, rawHeaders } = request;
    seen.push({ method, url, headers, rawHeaders });
    listener(request, response);
  };
  const server = createServer({ maxHeaderSize: 262_144 }, handler);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    seen,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A config with one route `main` that takes everything. */
export function oneRoute(route: Record<string, unknown>): unknown {
  return { version: 1, routes: [{ name: 'main', match: { path: '/*' }, ...route }] };
}
