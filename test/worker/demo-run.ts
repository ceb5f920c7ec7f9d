/** Runs `npm run demo` as a process of its own, with a temporary directory that shows what it leaves behind. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const root = join(import.meta.dirname, '../..');
const temporary = mkdtempSync(join(tmpdir(), 'headgate-demo-test-'));
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

export interface Run {
  child: ChildProcess;
  out(): string;
  err(): string;
}

export function demo(...options: string[]): Run {
  const child = spawn(process.execPath, ['src/demo/demo.ts', ...options], {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: '1' },
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return { child, out: () => out, err: () => err };
}

/** What runs of this file have left in their temporary directory. */
export const leftBehind = (): string[] => readdirSync(temporary);

/** A story told to its end: its exit code, and what it said. */
export async function told(...options: string[]): Promise<{ code: number | null; said: string; errors: string }> {
  const { child, out, err } = demo(...options);
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, said: out(), errors: err() };
}
