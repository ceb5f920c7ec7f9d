/**
 * `node test/bench/isolation.ts`: what visitors feel of shadows that fail. Two splitters in the same workerd build before the
 * same origin, one with a shadow on every request that hangs, never reads, resets, loops, sends 1 GiB and so on, the other
 * without shadows, loaded in turn at a fixed rate: p99 side by side. Then all faults at once under bodies of 0 to 100 MB and
 * event streams of a minute: bytes, spacing, memory. It prints what was held and ends with 1 when a byte or event was lost.
 * `--fault NAME` measures the p99 beside one kind of trouble alone.
 */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULTS, startFaultyShadow } from '../worker/shadow-faults.ts';
import { nextMessage, startModule, stopAll } from './processes.ts';
import { quantile } from './ratios.ts';
import { measure } from './rounds.ts';
import { bundleSplitter, type Running, splitter, startWorkerd } from './workers.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, fault: { type: 'string' } } });
/** Issue: at most 5 % or 5 ms more at the 99th percentile, 64 MB more. */
const P99_RATIO = 1.05;
const P99_MS = 5;
const MEMORY_MIB = 64;
const BODIES = [
  { path: '/empty', perSecond: 100 },
  { path: '/10k', perSecond: 100 },
  { path: '/1m', perSecond: 20 },
];
const ROUNDS = values.quick ? 1 : 4;
const SLOT_MS = values.quick ? 500 : 1_500;

const folder = mkdtempSync(join(tmpdir(), 'headgate-isolation-'));
let isWhole = false;
try {
  isWhole = await isolation();
} finally {
  stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(isWhole ? 0 : 1);

function hostOf(fault: string): string {
  return `${fault}.example.com`;
}

function configOf(origin: string, shadowUrl: string, withShadows: boolean): unknown {
  const routes = FAULTS.map((fault) => ({
    name: fault,
    match: { host: hostOf(fault), path: '/*' },
    variants: { blue: { url: origin }, green: { url: `${shadowUrl}/${fault}` } },
    baseline: 'blue',
    recordPercent: 0,
    ...(withShadows && { shadows: [{ variant: 'green', percent: 100, repeat: 0 }] }),
  }));
  return { version: 1, routes };
}

async function isolation(): Promise<boolean> {
  const { port } = await nextMessage<{ port: number }>(startModule('origin.ts'));
  const origin = `http://127.0.0.1:${port}`;
  const faulty = await startFaultyShadow();
  const bundle = await bundleSplitter();
  const start = async (name: string, withShadows: boolean) =>
    startWorkerd(splitter(name, bundle, configOf(origin, faulty.url, withShadows), true), folder);
  const mirrored = await start('mirrored', true);
  const plain = await start('plain', false);
  await latencies(mirrored, plain);
  const kept = values.fault !== undefined || (await everythingAtOnce(mirrored, plain));
  await faulty.close();
  return kept;
}

function verdict(isHeld: boolean): string {
  return isHeld ? 'held  ' : 'missed';
}

async function latencies(mirrored: Running, plain: Running): Promise<void> {
  const load = startModule('load.ts');
  for (const { path, perSecond } of BODIES) {
    for (const fault of FAULTS.filter((one) => values.fault === undefined || one === values.fault)) {
      const requests = [`GET ${path} HTTP/1.1\r\nhost: ${hostOf(fault)}\r\nx-bench: 1\r\n\r\n`];
      const subject = { name: 'mirrored', ...mirrored, requests };
      const reference = { name: 'plain', ...plain, requests };
      const plan = { rounds: ROUNDS, slotMs: SLOT_MS, perSecond, connections: 64 };
      const pair = await measure(load, subject, reference, plan);
      const [with_, without] = [pair.subject.p99Ms, pair.reference.p99Ms];
      const isHeld = with_ <= without * P99_RATIO || with_ - without <= P99_MS;
      console.log(
        `${verdict(isHeld)}  p99 ${path.padEnd(6)} shadow ${fault.padEnd(8)} ${with_.toFixed(2)} ms, without ${without.toFixed(2)} ms`,
      );
    }
  }
}

/** Ten kinds of trouble at the same time, as long as a stream of a minute takes. */
async function everythingAtOnce(mirrored: Running, plain: Running): Promise<boolean> {
  // Both have borne the same load before, and bear the same streams now.
  const mostMiB = { mirrored: 0, plain: 0 };
  const watching = setInterval(() => {
    mostMiB.mirrored = Math.max(mostMiB.mirrored, residentMiB(mirrored.pid));
    mostMiB.plain = Math.max(mostMiB.plain, residentMiB(plain.pid));
  }, 50);
  const streams = (running: Running) => Promise.all(FAULTS.map((fault) => stream(running.port, hostOf(fault))));
  const streaming = Promise.all([streams(mirrored), streams(plain)]);
  const bodies: boolean[] = [];
  for (const path of ['/empty', '/10k', '/1m', '/100m']) {
    const [expected] = await Promise.all(FAULTS.map((fault) => hashOf(plain.port, hostOf(fault), path)));
    const hashes = await Promise.all(FAULTS.map((fault) => hashOf(mirrored.port, hostOf(fault), path)));
    const equal = hashes.filter((hash) => hash === expected).length;
    bodies.push(equal === FAULTS.length);
    console.log(
      `${verdict(equal === FAULTS.length)}  bytes of ${path}: equal behind ${equal} of ${FAULTS.length} faults`,
    );
  }
  const [withShadows, without] = await streaming;
  clearInterval(watching);
  const texts = new Set([...withShadows, ...without].map(({ text }) => text));
  const gap = (of: typeof without) =>
    quantile(
      of.flatMap(({ gapsMs }) => gapsMs),
      0.99,
    );
  const [late, usual] = [gap(withShadows), gap(without)];
  console.log(
    `${verdict(texts.size === 1)}  event streams of a minute: ${texts.size} different text(s) in ${FAULTS.length * 2}`,
  );
  console.log(
    `${verdict(late <= usual * P99_RATIO || late - usual <= P99_MS)}  p99 of the time between events: ${late.toFixed(1)} ms, without ${usual.toFixed(1)} ms`,
  );
  const moreMiB = mostMiB.mirrored - mostMiB.plain;
  console.log(
    `${verdict(moreMiB <= MEMORY_MIB)}  memory: ${mostMiB.mirrored.toFixed(0)} MiB at most, without shadows ${mostMiB.plain.toFixed(0)} MiB`,
  );
  return bodies.every(Boolean) && texts.size === 1;
}

function hashOf(port: number, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, headers: { host } }, (response) => {
      const hash = createHash('sha256');
      response.on('data', (bytes) => hash.update(bytes));
      response.on('end', () => resolve(hash.digest('hex')));
      response.on('error', reject);
    }).on('error', reject);
  });
}

function stream(port: number, host: string): Promise<{ text: string; gapsMs: number[] }> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/sse-minute', headers: { host } }, (response) => {
      let text = '';
      const gapsMs: number[] = [];
      let lastMs = performance.now();
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        gapsMs.push(performance.now() - lastMs);
        lastMs = performance.now();
      });
      response.on('end', () => resolve({ text, gapsMs: gapsMs.slice(1) }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) / 1024;
}
