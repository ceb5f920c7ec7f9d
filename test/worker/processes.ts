/** Owns the looking at processes of this machine, for tests that nothing is left running. It ends none. */

import { execFileSync } from 'node:child_process';

interface Process {
  pid: number;
  parent: number;
  state: string;
}

function processes(): Process[] {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [pid, parent, state] = line.trim().split(/\s+/);
    return { pid: Number(pid), parent: Number(parent), state: state! };
  });
}

/** Children of a process, and theirs. */
export function descendants(pid: number): number[] {
  const all = processes();
  const found = [pid];
  for (const ancestor of found) found.push(...all.filter((one) => one.parent === ancestor).map((one) => one.pid));
  return found.slice(1);
}

/** Of these, who still runs; a zombie only waits for its parent to look. */
export function alive(pids: number[]): number[] {
  return processes()
    .filter((one) => pids.includes(one.pid) && !one.state.startsWith('Z'))
    .map((one) => one.pid);
}
