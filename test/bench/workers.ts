/**
 * Owns the Workers under measurement: the splitter as it is deployed (bundled, minified) and a bare pass-through, each kind in
 * its own process of the same workerd binary. KV and Analytics Engine are plain objects in the Worker's `env`: KV is asked
 * every 30 s only, and Analytics Engine takes a point without an answer in production too, but what the platform itself
 * spends on the point is not in these figures. Controller and ledger, where a scenario binds them, are real Durable Objects
 * in the same process, so what they do is in the figures.
 */

import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { start } from './processes.ts';
import { COOKIE_SECRET } from './scenarios.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMPATIBILITY = 'compatibilityDate = "2026-11-01", compatibilityFlags = ["enable_request_signal"]';
const OBJECTS = `, durableObjectStorage = (localDisk = "disk"),
  durableObjectNamespaces = [
    (className = "RolloutController", uniqueKey = "controller", enableSql = true),
    (className = "ExperimentLedger", uniqueKey = "ledger", enableSql = true)
  ],
  bindings = [
    (name = "CONTROLLER", durableObjectNamespace = "RolloutController"),
    (name = "LEDGER", durableObjectNamespace = "ExperimentLedger")
  ]`;
const { default: WORKERD, version } = createRequire(import.meta.url)('workerd') as { default: string; version: string };

export const workerdVersion = version;

/** A Worker's name and the source of its modules; the first is the entry. */
export interface WorkerSource {
  name: string;
  modules: Record<string, string>;
  /** Whether it exports the Durable Object classes, and wants them bound. */
  objects?: boolean;
}

/** A running workerd. */
export interface Running {
  pid: number;
  port: number;
}

/** The Worker as `wrangler deploy` would send it. */
export async function bundleSplitter(entry = join(ROOT, 'src/index.ts')): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'esnext',
    external: ['cloudflare:*', 'node:*'],
    tsconfigRaw: {},
  });
  return outputFiles[0]!.text;
}

/** The splitter with one config in its KV. */
export function splitter(name: string, bundle: string, config: unknown, objects = false): WorkerSource {
  const entry = `
    import worker, * as all from './splitter.mjs';
    const documents = { config: ${JSON.stringify(JSON.stringify(config))} };
    const CONFIG = {
      get: async (keys) => (Array.isArray(keys) ? new Map(keys.map((key) => [key, documents[key] ?? null])) : (documents[keys] ?? null)),
      put: async (key, text) => void (documents[key] = text),
    };
    const own = { CONFIG, REQUESTS: { writeDataPoint() {} }, COOKIE_SECRET: '${COOKIE_SECRET}' };
    let env;
    export default { fetch: (request, bound, ctx) => worker.fetch(request, (env ??= { ...bound, ...own }), ctx) };
    const withOwn = (Base) => class extends Base { constructor(ctx, bound) { super(ctx, { ...bound, ...own }); } };
    export const RolloutController = withOwn(all.RolloutController);
    export const ExperimentLedger = withOwn(all.ExperimentLedger);
  `;
  return { name, modules: { 'entry.mjs': entry, 'splitter.mjs': bundle }, objects };
}

/** A Worker that does nothing but pass on. */
export function bare(origin: string): WorkerSource {
  const entry = `
    export default {
      fetch(request) {
        const { pathname, search } = new URL(request.url);
        return fetch(new Request('${origin}' + pathname + search, request), { redirect: 'manual' });
      },
    };
  `;
  return { name: 'bare', modules: { 'entry.mjs': entry } };
}

/** Starts a workerd with this Worker; `folder` gets the files it reads. */
export async function startWorkerd({ name, modules, objects }: WorkerSource, folder: string): Promise<Running> {
  const prefix = name.replace(/\W/g, '-');
  const embedded = Object.entries(modules).map(([module, source]) => {
    const file = `${prefix}-${module}`;
    writeFileSync(join(folder, file), source);
    return `(name = "${module}", esModule = embed "${file}")`;
  });
  const file = join(folder, `${prefix}.capnp`);
  const disk = join(folder, `${prefix}-disk`);
  if (objects) mkdirSync(disk, { recursive: true });
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "internet", network = (allow = ["public", "private", "local"])),
    (name = "main", worker = .main )${
      objects
        ? `,
    (name = "disk", disk = (path = "${disk}", writable = true))`
        : ''
    }
  ],
  sockets = [(name = "main", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (modules = [${embedded.join(', ')}], ${COMPATIBILITY}${objects ? OBJECTS : ''});
`,
  );
  const child = start(WORKERD, ['serve', file, '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  return { pid: child.pid!, port: await portOf(child) };
}

/** workerd tells its port on the control pipe, a JSON object a line. */
function portOf(child: ChildProcess): Promise<number> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`workerd ended with ${code}`)));
    child.stdio[3]!.on('data', (bytes) => {
      text += bytes;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        const message = JSON.parse(line) as { event: string; port?: number };
        if (message.event === 'listen') resolve(message.port!);
      }
    });
  });
}
