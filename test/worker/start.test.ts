import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../free-port.ts';
import { alive, descendants } from './processes.ts';

const root = join(import.meta.dirname, '../..');
const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');

interface Running {
  child: ChildProcess;
  port: number;
  said(): string;
}

/** Starts the demo on a free port and waits until it greets. */
async function start(state: string): Promise<Running> {
  const port = await freePort();
  const child = spawn(process.execPath, ['src/demo/start.ts', '--port', String(port), '--state', state], { cwd: root });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += chunk));
  const until = Date.now() + 45_000;
  while (!said.includes('Ctrl-C stops') && child.exitCode === null && Date.now() < until) await sleep(50);
  expect(said).toContain(`Headgate listens on http://127.0.0.1:${port}`);
  return { child, port, said: () => said };
}

describe('npm start', () => {
  const state = mkdtempSync(join(tmpdir(), 'headgate-start-'));
  let running: Running;

  beforeAll(async () => {
    running = await start(state);
  });

  afterAll(async () => {
    if (running?.child.exitCode === null) {
      running.child.kill('SIGTERM');
      await once(running.child, 'exit');
    }
    rmSync(state, { recursive: true, force: true });
  });

  async function variantFor(user: string): Promise<string | null> {
    const response = await fetch(`http://127.0.0.1:${running.port}/v1/detect`, {
      method: 'POST',
      headers: { 'x-user-id': user },
      body: JSON.stringify({ text: 'Alle Menschen sind frei und gleich an Würde und Rechten geboren.' }),
    });
    expect(await response.json()).toMatchObject({ language: 'deu' });
    return response.headers.get('x-headgate-variant');
  }

  async function putKv(key: string, value: string): Promise<void> {
    const put = ['kv', 'key', 'put', '--local', '--binding', 'CONFIG', '--persist-to', state, key, value];
    await promisify(execFile)(process.execPath, [wrangler, ...put], {
      cwd: root,
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false' },
    });
  }

  it('names the split and commands to try', () => {
    expect(running.said()).toMatch(/blue +90 %.*tinyld, baseline/);
    expect(running.said()).toMatch(/green +10 %.*eld\/medium/);
    expect(running.said()).toContain('npx wrangler kv key put --local --binding CONFIG weights:detect');
    expect(running.said()).toContain('npm run headgate -- records');
  });

  it('splits users between two models, and a user stays', async () => {
    const users = Array.from({ length: 60 }, (_, index) => `user-${index}`);
    const first = await Promise.all(users.map(variantFor));
    expect(new Set(first)).toEqual(new Set(['blue', 'green']));
    expect(await Promise.all(users.map(variantFor))).toEqual(first);
  });

  it('follows within 5 seconds a weight that wrangler puts into KV', async () => {
    const user = 'user-0';
    const before = await variantFor(user);
    const other = before === 'blue' ? 'green' : 'blue';
    await putKv('weights:detect', JSON.stringify({ [other]: 100 }));
    const put = Date.now();
    let now = before;
    while (now !== other && Date.now() - put < 10_000) {
      await sleep(100);
      now = await variantFor(user);
    }
    expect(now).toBe(other);
    expect(Date.now() - put).toBeLessThan(5_000);
  });

  it('refuses a port that is taken and says how to choose another', async () => {
    const { port } = running;
    const second = spawn(process.execPath, ['src/demo/start.ts', '--port', String(port), '--state', state], {
      cwd: root,
    });
    let complaint = '';
    second.stderr.on('data', (chunk) => (complaint += chunk));
    const [code] = await once(second, 'exit');
    expect(code).toBe(1);
    expect(complaint).toContain(`Port ${port} is taken by another program. Choose another: npm start -- --port`);
  });

  it('ends on SIGTERM with exit code 0 and leaves no process behind', async () => {
    const { child } = running;
    const children = descendants(child.pid!);
    // wrangler, its own child, and the workerd that they share.
    expect(children.length).toBeGreaterThanOrEqual(3);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    await sleep(200);
    expect(alive(children)).toEqual([]);
  });

  it('starts with a config of no routes, and leaves no process behind when it is killed without a chance to clean up', async () => {
    await putKv('config', '{"version":1,"routes":[]}');
    const { child, said } = await start(state);
    expect(said()).toContain('It has no route yet');
    const children = descendants(child.pid!);
    expect(children.length).toBeGreaterThanOrEqual(3);
    child.kill('SIGKILL');
    const until = Date.now() + 10_000;
    while (alive(children).length > 0 && Date.now() < until) await sleep(200);
    expect(alive(children)).toEqual([]);
  });
});
