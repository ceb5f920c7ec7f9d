/**
 * Owns the process that runs the demo's Workers: Headgate as `wrangler.toml` describes it for `dev`, the models, the scorer and
 * the bad releases in one workerd, without `wrangler dev` before them, which would cost more than all of them. It does what
 * the first message asks, and ends with everything it started as soon as its parent is gone or lets go.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare';
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from 'wrangler';

export interface HostOrder {
  /** The directory of `wrangler.toml`. */
  root: string;
  /** 0: any that is free. */
  port: number;
  stateDirectory: string;
  secrets: Record<string, string>;
}

export type HostAnswer = { url: string } | { error: string };

const ENVIRONMENT = 'dev';
const BESIDE = ['blue', 'green', 'third', 'scorer', 'broken', 'wrong'];

let running: Miniflare | null = null;

process.once('message', async (order: HostOrder) => {
  process.on('disconnect', async () => {
    await running?.dispose();
    // Our parent does so too, unless it was killed.
    rmSync(order.stateDirectory, { recursive: true, force: true });
    process.exit(0);
  });
  const answer: HostAnswer = await start(order).catch((cause: unknown) => ({ error: String(cause) }));
  process.send?.(answer);
});

async function start({ root, port, stateDirectory, secrets }: HostOrder): Promise<HostAnswer> {
  const workers = await Promise.all([
    headgate(root, secrets),
    ...BESIDE.map((name) => worker(join(root, `src/demo/${name}.toml`))),
  ]);
  running = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port,
      cf: false,
      log: new Log(LogLevel.ERROR),
      // What Workers log; our parent shows it when the story does not go as told.
      handleStructuredLogs: ({ message }) => process.stderr.write(`${message}\n`),
      resourcePersistencePath: stateDirectory,
      workers,
    }),
  );
  return { url: String(await running.ready).replace(/\/$/, '') };
}

async function headgate(root: string, secrets: Record<string, string>): Promise<V4WorkerOptions> {
  const file = join(root, 'wrangler.toml');
  const options = await worker(file);
  const bound = unstable_getMiniflareWorkerOptions(file, ENVIRONMENT).workerOptions as V4WorkerOptions;
  const { kvNamespaces, analyticsEngineDatasets, durableObjects, serviceBindings } = bound;
  return {
    ...options,
    ...{ kvNamespaces, analyticsEngineDatasets, durableObjects },
    serviceBindings: { ...serviceBindings, BROKEN: 'headgate-demo-broken', WRONG: 'headgate-demo-wrong' },
    // Not the bindings of above: those hold what a person has in `.dev.vars`.
    bindings: { ...unstable_readConfig({ config: file, env: ENVIRONMENT }).vars, ...secrets } as Record<string, string>,
  };
}

async function worker(file: string): Promise<V4WorkerOptions> {
  const { name, main, compatibility_date, compatibility_flags } = unstable_readConfig({
    config: file,
    env: ENVIRONMENT,
  });
  const { outputFiles } = await build({
    entryPoints: [main!],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'esnext',
    external: ['cloudflare:*', 'node:*'],
  });
  return {
    name: name!,
    modules: [{ type: 'ESModule', path: 'index.mjs', contents: outputFiles[0]!.text }],
    compatibilityDate: compatibility_date!,
    compatibilityFlags: compatibility_flags,
  };
}
