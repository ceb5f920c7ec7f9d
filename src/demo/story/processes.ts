/** Owns the demo's one child process (`host.ts`): starting it, and leaving nothing behind. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../../result.ts';
import type { HostAnswer, HostOrder } from './host.ts';

export interface Host {
  url: string;
  /** What the Workers and their runtime complained of, the newest 10,000 characters. */
  complaints(): string;
  /** Settles when the process has ended, whoever ended it. */
  exited: Promise<void>;
  /** Ends it: let go first, killed after 5 s. */
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 5_000;

/** Starts the Workers and waits until they listen. On failure nothing runs any more, and the error says why. */
export async function startHost(order: HostOrder, stopping: AbortSignal): Promise<Result<Host, string>> {
  const child = fork(join(import.meta.dirname, 'host.ts'), {
    // A process group of its own: Ctrl-C reaches only us, and whatever it starts can be ended with it.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', WRANGLER_LOG: 'error' },
  });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-10_000);
  });
  process.once('exit', () => killGroup(child));
  const exited = once(child, 'exit').then(() => undefined);
  const stop = () => stopHost(child, exited);
  child.send(order);
  const answer = await Promise.race([
    once(child, 'message').then(([message]) => message as HostAnswer),
    exited.then(() => ({ error: 'the process ended before they were ready' })),
    sleep(
      READY_WITHIN_MS,
      { error: `not ready within ${READY_WITHIN_MS / 1_000} s` },
      { ref: false, signal: stopping },
    ).catch(() => ({ error: 'stopped' })),
  ]);
  if ('url' in answer) return ok({ url: answer.url, complaints: () => complaints, exited, stop });
  await stop();
  return err(`The Workers did not start: ${answer.error}.\n${complaints}`.trimEnd());
}

async function stopHost(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.connected) child.disconnect();
  await Promise.race([exited, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
  // Whatever of it is left, a lost workerd too.
  killGroup(child);
  await exited;
}

function killGroup(child: ChildProcess): void {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid!, 'SIGKILL');
  } catch {
    // ESRCH: nobody of the group is left, which is what we want.
  }
}
