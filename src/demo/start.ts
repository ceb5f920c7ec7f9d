/**
 * Owns `npm start`: secrets, a seeded local KV, Headgate and the demo's models running, a greeting, and on wish traffic. It
 * is for a person's own machine and knows nothing of production. Exit codes: 0 stopped, 1 could not start, 2 wrong usage.
 */

import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { withLocalKv } from './local-kv.ts';
import { DEFAULT_PORT, HELP, parseOptions, type StartOptions } from './options.ts';
import { choosePort } from './port.ts';
import { ensureSecrets } from './secrets.ts';
import { seedConfig } from './seed.ts';
import { unmirrored, withShadow } from './shadow/config.ts';
import { showShadow } from './shadow/run.ts';
import { greeting } from './show.ts';
import { showTraffic } from './show-traffic.ts';
import { readSplits } from './splits.ts';
import { stopSignal } from './stop-signal.ts';
import { startWorkers, type Workers } from './workers.ts';

const ROOT = join(import.meta.dirname, '../..');
const SHADOW_MEND = `The config in local KV is not the demo's, so it stays as it is, and --shadow would change nothing.
Take another place for this run (npm start -- --shadow --state .wrangler/shadow), or put a shadow into your own config:
  "shadows": [ { "variant": "…", "percent": 100, "samples": true } ], and then npm run headgate -- comparisons ROUTE`;
const CONFIG_MEND = `That is the config in local KV, which is not the demo's. Mend it, or take it away and start again:
  npx wrangler kv key delete --local --binding CONFIG config`;

/** Runs until it is told to stop. Returns the exit code. */
async function main(): Promise<number> {
  const startedMs = performance.now();
  const options = parseOptions(process.argv.slice(2));
  if (!options.ok) return complain(`${options.error}\n\n${HELP}`, 2);
  if (options.value.help) {
    console.log(HELP);
    return 0;
  }
  const stopping = stopSignal();
  const port = await choosePort(options.value.port, DEFAULT_PORT);
  if (!port.ok) return complain(port.error, 1);
  if (options.value.port === null && port.value !== DEFAULT_PORT) {
    console.log(`Port ${DEFAULT_PORT} is taken, so this is ${port.value}; choose yourself with --port N.`);
  }
  const added = ensureSecrets(join(ROOT, '.dev.vars'));
  if (added.length > 0) console.log(`Made ${added.join(', ')} in .dev.vars.`);

  const seeded = await seed(options.value).catch((cause: unknown) => String(cause));
  if (typeof seeded === 'string') return complain(`Local KV in ${options.value.stateDirectory} failed. ${seeded}`, 1);
  if (!seeded.splits.ok) return complain(`${seeded.splits.error}\n${CONFIG_MEND}`, 1);
  if (options.value.shadow !== null && seeded.config === 'kept') return complain(SHADOW_MEND, 1);
  const inTheWay = options.value.shadow === null ? null : unmirrored(seeded.splits.value, options.value.shadow);
  if (inTheWay !== null) return complain(inTheWay, 1);
  console.log('Starting Headgate and its models …');
  const { stateDirectory } = options.value;
  const started = await startWorkers({ root: ROOT, port: port.value, stateDirectory, signal: stopping });
  if (!started.ok) return stopping.aborted ? 0 : complain(started.error, 1);
  const workers = started.value;
  const lines = greeting({
    url: workers.url,
    startedInMs: performance.now() - startedMs,
    config: seeded.config,
    shadow: options.value.shadow,
    splits: seeded.splits.value,
    stateDirectory: isUsual(options.value) ? null : resolve(options.value.stateDirectory),
  });
  console.log(lines.join('\n'));
  if (options.value.traffic && seeded.config === 'kept') {
    console.log(
      `The traffic asks ${workers.url}/v1/detect; "(nobody)" below means that no route of your config matches that.\n`,
    );
  }
  // Only the demo's own config has a shadow sent to, and it has a route; somebody else's may have none yet.
  return run(workers, { ...options.value, baseline: seeded.splits.value[0]?.baseline ?? '' }, stopping);
}

type RunOptions = StartOptions & { baseline: string };

async function run(workers: Workers, options: RunOptions, stopping: AbortSignal): Promise<number> {
  const stopped = new Promise<'stopped'>((done) => {
    if (stopping.aborted) done('stopped');
    stopping.addEventListener('abort', () => done('stopped'));
  });
  const traffic = send(workers.url, options, stopping);
  const why = await Promise.race([stopped, workers.exited.then(() => 'exited' as const)]);
  if (why === 'exited') return complain('The Workers ended by themselves; what they said stands above.', 1);
  await traffic;
  await workers.stop();
  return 0;
}

function send(url: string, { traffic, shadow, baseline }: RunOptions, stopping: AbortSignal): Promise<void> | null {
  if (traffic === null) return null;
  if (shadow === null) return showTraffic(url, traffic, stopping);
  return showShadow({ url, root: ROOT, baseline, candidate: shadow, ...traffic }, stopping);
}

async function seed(options: StartOptions) {
  const plain = readFileSync(join(import.meta.dirname, 'config.json'), 'utf8');
  const text = options.shadow === null ? plain : withShadow(plain, options.shadow);
  return withLocalKv(resolve(options.stateDirectory), async (kv) => {
    const { config, text: inKv } = await seedConfig(kv, text);
    return { config, splits: await readSplits(kv, inKv) };
  });
}

function isUsual(options: StartOptions): boolean {
  return relative(join(ROOT, '.wrangler/state'), resolve(options.stateDirectory)) === '';
}

function complain(text: string, code: number): number {
  console.error(text);
  return code;
}

process.exit(await main());
