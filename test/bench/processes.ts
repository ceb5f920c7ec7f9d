/** Owns the bench's child processes: starting them, asking them, their CPU time, and that none outlives the bench. */

import { type ChildProcess, fork, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const children = new Set<ChildProcess>();
process.on('exit', stopAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** Ends every process that was started here. */
export function stopAll(): void {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
}

/** Starts a program. */
export function start(command: string, args: string[], options: SpawnOptions): ChildProcess {
  return kept(spawn(command, args, options));
}

/** Starts a module of this folder as a Node process one can send messages to. */
export function startModule(file: string): ChildProcess {
  return kept(fork(join(import.meta.dirname, file)));
}

function kept(child: ChildProcess): ChildProcess {
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

/** The next message of a process. */
export async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const [message] = await once(child, 'message');
  return message as T;
}

/**
 * CPU time of a process so far, user and system, all threads, in milliseconds: in nanoseconds from the scheduler where the
 * kernel keeps them, else in ticks of 10 ms.
 */
export function cpuMs(pid: number): number {
  try {
    let ns = 0;
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    }
    return ns / 1e6;
  } catch {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}
