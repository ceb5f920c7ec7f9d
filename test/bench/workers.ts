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

/** Starts a workerd with this Worker; `folder` gets the files it reads. */
export async function startWorkerd({ name, modules }: WorkerSource, folder: string): Promise<Running> {
  const prefix = name.replace(/\W/g, '-');
  const embedded = Object.entries(modules).map(([module, source]) => {
    const file = `${prefix}-${module}`;
    writeFileSync(join(folder, file), source);
    return `(name = "${module}", esModule = embed "${file}")`;
  });
  const file = join(folder, `${prefix}.capnp`);
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "internet", network = (allow = ["public", "private", "local"])),
    (name = "main", worker = .main )
  ],
  sockets = [(name = "main", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (modules = [${embedded.join(', ')}], ${COMPATIBILITY});
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
