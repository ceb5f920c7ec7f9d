/**
 * Owns the Workers under measurement: the splitter as it is deployed (bundled, minified) and a bare pass-through, each kind in
 * its own process of the same workerd binary. KV and Analytics Engine are plain objects in the Worker's `env`: KV is asked
 * every 30 s only, and Analytics Engine takes a point without an answer in production too, but what the platform itself
 * spends on the point is not in these figures.
 */

import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { start } from './processes.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMPATIBILITY = 'compatibilityDate = "2026-11-01", compatibilityFlags = ["enable_request_signal"]';
const { default: WORKERD, version } = createRequire(import.meta.url)('workerd') as { default: string; version: string };

export const workerdVersion = version;

/** A Worker's name and the source of its modules; the first is the entry. */
export interface WorkerSource {
  name: string;
  modules: Record<string, string>;
}

/** A running workerd with the port of each of its Workers. */
export interface Running {
  pid: number;
  ports: Map<string, number>;
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
export function splitter(name: string, bundle: string, config: unknown): WorkerSource {
  const entry = `
    import worker from './splitter.mjs';
    const documents = { config: ${JSON.stringify(JSON.stringify(config))} };
    const CONFIG = { get: async (keys) => new Map(keys.map((key) => [key, documents[key] ?? null])) };
    const env = { CONFIG, REQUESTS: { writeDataPoint() {} }, COOKIE_SECRET: 'bench-secret-0000000000000000000' };
    export default { fetch: (request, _, ctx) => worker.fetch(request, env, ctx) };
  `;
  return { name, modules: { 'entry.mjs': entry, 'splitter.mjs': bundle } };
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

/** Starts one workerd with these Workers, each on a port of its own; `folder` gets the files it reads. */
export async function startWorkerd(workers: WorkerSource[], folder: string): Promise<Running> {
  const file = join(folder, `${workers[0]!.name.replace(/\W/g, '-')}.capnp`);
  writeFileSync(file, configOf(workers, folder));
  const child = start(WORKERD, ['serve', file, '--control-fd=3'], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  return { pid: child.pid!, ports: await listening(child, workers) };
}

function configOf(workers: WorkerSource[], folder: string): string {
  const services = ['(name = "internet", network = (allow = ["public", "private", "local"]))'];
  const sockets: string[] = [];
  const definitions: string[] = [];
  for (const [index, { name, modules }] of workers.entries()) {
    services.push(`(name = "${name}", worker = .w${index} )`);
    sockets.push(`(name = "${name}", address = "127.0.0.1:0", http = (), service = "${name}")`);
    const embedded = Object.entries(modules).map(([module, source]) => {
      const file = `${name.replace(/\W/g, '-')}-${module}`;
      writeFileSync(join(folder, file), source);
      return `(name = "${module}", esModule = embed "${file}")`;
    });
    definitions.push(`const w${index} :Workerd.Worker = (modules = [${embedded.join(', ')}], ${COMPATIBILITY});`);
  }
  return [
    'using Workerd = import "/workerd/workerd.capnp";',
    `const config :Workerd.Config = (services = [${services.join(', ')}], sockets = [${sockets.join(', ')}]);`,
    ...definitions,
  ].join('\n');
}

/** workerd tells each port on its control pipe, a JSON object a line. */
function listening(child: ChildProcess, workers: WorkerSource[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  let text = '';
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`workerd ended with ${code}`)));
    child.stdio[3]!.on('data', (bytes) => {
      text += bytes;
      const lines = text.split('\n');
      text = lines.pop()!;
      for (const line of lines) {
        const message = JSON.parse(line) as { event: string; socket?: string; port?: number };
        if (message.event === 'listen') ports.set(message.socket!, message.port!);
      }
      if (workers.every(({ name }) => ports.has(name))) resolve(ports);
    });
  });
}
