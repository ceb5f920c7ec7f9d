import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { freePort } from '../../free-port.ts';

const root = join(import.meta.dirname, '../../..');
const state = mkdtempSync(join(tmpdir(), 'headgate-shadow-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

it('npm start -- --shadow accounts for every text and shows where two real models disagree', async () => {
  const port = String(await freePort());
  const args = ['--shadow', '--seconds', '6', '--rate', '30', '--port', port, '--state', state];
  const child = spawn(process.execPath, ['src/demo/start.ts', ...args], { cwd: root });
  try {
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    const until = Date.now() + 100_000;
    while (!said.includes('by the true language of the text') && child.exitCode === null && Date.now() < until) {
      await sleep(200);
    }
    expect(said).toMatch(/blue +100 % .*tinyld, baseline/);
    expect(said).toContain('green gets a copy of every request');
    const [, sent] = said.match(/\n([\d,]+) texts sent/) ?? [];
    expect(Number(sent)).toBeGreaterThan(30);
    expect(said).toContain(`Every sampled request is accounted for: ${sent} eligible = ${sent} compared + 0`);
    expect(said).toMatch(/scores of \d+ pairs: baseline 0\.\d+, candidate/);
    // tinyld knows no Catalan, Croatian or Slovenian, and eld does.
    expect(said.slice(said.indexOf('by the true language'))).toMatch(
      /(Catalan|Croatian|Slovenian) +\d+ +\d+ +100\.0 % +0 +\d+/,
    );
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
  expect(child.exitCode).toBe(0);
}, 120_000);
