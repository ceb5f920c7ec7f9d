/**
 * Owns what the end-to-end tests of shadows share: routes on which one unit always gets the baseline, large bodies that are
 * never held, the controller's numbers once they are in, and the memory of workerd. It asserts nothing.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sample } from '../../src/shadow/tally.ts';
import type { PairReport } from '../../src/shadow/totals.ts';
import { ADMIN_TOKEN, type Headgate } from './harness.ts';

/** What the API answers of one candidate. */
export type Comparisons = PairReport & { candidates: string[]; samples: Sample[] };

/** A unit that `steady` routes give to blue. It is sent in the header `x-unit`. */
export const UNIT = 'u1';

/**
 * A route on which `UNIT` always gets blue and green is mirrored to. Two variants have weight, so that isolates flush after
 * 2 s and not after 15.
 */
export function steady(name: string, route: Record<string, unknown>): Record<string, unknown> {
  return {
    name,
    match: { path: `/${name}/*` },
    identity: [{ header: 'x-unit' }],
    weights: { blue: 99.99, green: 0.01 },
    repeatable: ['GET', 'HEAD', 'POST'],
    timeoutMs: 3_000,
    ...route,
  };
}

/** What the controller of a route has gathered, once `eligible` requests are accounted for (or 40 s have gone by). */
export async function comparisonsOf(
  headgate: Headgate,
  route: string,
  eligible: number,
  candidate?: string,
): Promise<Comparisons> {
  const query = candidate === undefined ? '' : `?candidate=${candidate}`;
  const deadlineMs = Date.now() + 40_000;
  for (;;) {
    const response = await fetch(`${headgate.url}/_headgate/api/routes/${route}/comparisons${query}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const answer = (await response.json()) as Comparisons;
    if (answer.eligible >= eligible || Date.now() > deadlineMs) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Eligible, and what it must be equal to: pairs by class and skips by reason, added up. */
export function account(answer: Comparisons): { eligible: number; compared: number; accounted: number } {
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, n) => total + n, 0);
  const compared = sum(answer.classes);
  return { eligible: answer.eligible, compared, accounted: compared + sum(answer.skipped) };
}

export interface Exchanged {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: number;
  /** SHA-256 of the body in hexadecimal. */
  hash: string;
  /** The body's first 64 KiB as text. */
  text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 });
const CHUNK = Buffer.alloc(1 << 20, '0123456789abcde\n');

/** The first `length` bytes of the text that all test bodies are made of, in chunks. */
export function* bytesOf(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= CHUNK.length) yield CHUNK.subarray(0, Math.min(left, CHUNK.length));
}

/** The hash of the first `length` bytes. */
export function hashOfBytes(length: number): string {
  const hash = createHash('sha256');
  for (const chunk of bytesOf(length)) hash.update(chunk);
  return hash.digest('hex');
}

/** One request as `UNIT`; a body of `sends` bytes where that is given, or the text given. */
export function exchange(
  url: string,
  how: { method?: string; sends?: number | string; headers?: Record<string, string> } = {},
): Promise<Exchanged> {
  const { method = how.sends === undefined ? 'GET' : 'POST', sends, headers = {} } = how;
  const length = typeof sends === 'string' ? Buffer.byteLength(sends) : sends;
  const framing: Record<string, string> = length === undefined ? {} : { 'content-length': String(length) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, agent, headers: { 'x-unit': UNIT, ...framing, ...headers } }, (response) => {
      const hash = createHash('sha256');
      let bytes = 0;
      let text = '';
      response.on('data', (chunk: Buffer) => {
        hash.update(chunk);
        bytes += chunk.length;
        if (text.length < 65_536) text += chunk.toString('latin1');
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, hash: hash.digest('hex'), text }),
      );
    });
    sent.on('error', reject);
    if (typeof sends === 'string') sent.end(sends);
    else void write(sent, bytesOf(sends ?? 0));
  });
}

/** Writes chunks no faster than they are taken; a receiver that leaves ends it. */
export async function write(to: Writable, chunks: Iterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(chunks), to).catch(() => {});
}

/** Memory that this process's workerd holds, in MiB. */
export function residentMiB(): number {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,rss=,comm='], { encoding: 'utf8' }).split('\n');
  const sizes = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([ppid, , ...command]) => Number(ppid) === process.pid && command.join(' ').includes('workerd'))
    .map(([, rss]) => Number(rss) / 1024);
  if (sizes.length === 0) throw new Error('no workerd runs under this process');
  return Math.max(...sizes);
}

/** Runs `one` for 0 … times−1, at most `width` at a time. */
export async function manyTimes(times: number, width: number, one: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < times) await one(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
