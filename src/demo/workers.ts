/**
 * Owns the processes behind `npm start`: one `wrangler dev` that runs Headgate, the demo's models and its scorer in one workerd. It
 * starts them, waits until they answer, and leaves none behind. It prints only what wrangler calls an error.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { err, ok, type Result } from '../result.ts';

interface WorkersOptions {
  /** The directory of `wrangler.toml` and `.dev.vars`. */
  root: string;
  port: number;
  stateDirectory: string;
  /** Gives up waiting, and ends what was started. */
  signal: AbortSignal;
}

export interface Workers {
  url: string;
  /** Settles when the processes have ended, whoever ended them. */
  exited: Promise<void>;
  /** Ends them all: asked first, killed after 5 s. */
  stop(): Promise<void>;
}

const BESIDE = ['blue', 'green', 'third', 'scorer'];
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 5_000;

/** Starts the Workers and waits until Headgate answers. On failure nothing runs any more and wrangler's words are in the error. */
export async function startWorkers(options: WorkersOptions): Promise<Result<Workers, string>> {
  const child = spawnWrangler(options);
  const said = relayErrors(child);
  // Also when a bug ends us: nothing may go on running that nobody sees.
  process.once('exit', () => send(child, 'SIGKILL'));
  const exited = once(child, 'exit').then(() => undefined);
  const workers: Workers = {
    url: `http://127.0.0.1:${options.port}`,
    exited,
    stop: () => stop(child, exited),
  };
  const ready = await Promise.race([
    answers(workers.url, options.signal),
    exited.then(() => 'wrangler ended before it was ready'),
  ]);
  if (ready === 'ready') {
    said.live = true;
    return ok(workers);
  }
  await workers.stop();
  return err(`The Workers did not start: ${ready}.\n${said.text}`.trimEnd());
}

function spawnWrangler({ root, port, stateDirectory }: WorkersOptions): ChildProcess {
  const wrangler = join(dirname(createRequire(import.meta.url).resolve('wrangler/package.json')), 'bin', 'wrangler.js');
  const configs = ['wrangler.toml', ...BESIDE.map((name) => `src/demo/${name}.toml`)];
  const args = [
    ...['dev', '--env', 'dev', ...configs.flatMap((config) => ['-c', config])],
    ...['--ip', '127.0.0.1', '--port', String(port), '--inspector-port', '0'],
    ...['--persist-to', resolve(stateDirectory), '--show-interactive-dev-session=false', '--log-level', 'error'],
  ];
  const followParent = pathToFileURL(join(import.meta.dirname, 'follow-parent.ts')).href;
  return spawn(process.execPath, ['--import', followParent, wrangler, ...args], {
    cwd: root,
    env: { ...process.env, ...quietEnvironment(stateDirectory) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C reaches only us, and whatever wrangler starts can be ended with it.
    detached: true,
  });
}

/** No questions, no telemetry, no look at the network: the demo runs on a machine that has none. */
function quietEnvironment(stateDirectory: string): Record<string, string> {
  return {
    CLOUDFLARE_CF_FETCH_ENABLED: 'false',
    WRANGLER_HIDE_BANNER: 'true',
    WRANGLER_LOG_PATH: join(resolve(stateDirectory), 'logs'),
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: 'true',
    WRANGLER_REGISTRY_PATH: join(resolve(stateDirectory), 'registry'),
    WRANGLER_SEND_ERROR_REPORTS: 'false',
    WRANGLER_SEND_METRICS: 'false',
    // Wrangler's own trace store and browser would cost each request of the demo.
    X_LOCAL_EXPLORER: 'false',
    X_LOCAL_OBSERVABILITY: 'false',
  };
}

/** What wrangler says goes to our stderr once it runs; before that it is kept for the error. */
function relayErrors(child: ChildProcess): { text: string; live: boolean } {
  const said = { text: '', live: false };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (said.live) process.stderr.write(text);
      else said.text = (said.text + text).slice(-10_000);
    });
  }
  return said;
}

/** `ready`, or why not. */
async function answers(url: string, signal: AbortSignal): Promise<string> {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    if (signal.aborted) return 'stopped';
    const asked = fetch(`${url}/_headgate/health`, { signal: AbortSignal.timeout(5_000) });
    // Connections are refused while workerd starts: that is what we wait for.
    const response = await asked.catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return 'ready';
    await sleep(100);
  }
  return `no answer within ${READY_WITHIN_MS / 1_000} s`;
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  send(child, 'SIGTERM');
  const ended = await Promise.race([exited.then(() => true), sleep(STOP_WITHIN_MS, false, { ref: false })]);
  if (!ended) {
    send(child, 'SIGKILL');
    await exited;
  }
  // Wrangler has ended; a workerd that it lost on the way has not.
  send(child, 'SIGKILL');
}

function send(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (process.platform === 'win32') child.kill(name);
    else process.kill(-child.pid!, name);
  } catch {
    // ESRCH: nobody of the group is left, which is what we want.
  }
}
