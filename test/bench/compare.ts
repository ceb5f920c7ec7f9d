/**
 * Owns the speed lines of the comparison engine: `node test/bench/compare.ts` prints a table of medians. The limits shown
 * are those the project set itself; this asserts nothing, since a shared machine's clock proves nothing.
 */

import { compareReplies } from '../../src/shadow/compare/compare.ts';
import type { CompareOptions } from '../../src/shadow/compare/presets.ts';
import { readSse } from '../../src/shadow/compare/sse.ts';
import { similarity } from '../../src/shadow/compare/text.ts';
import type { Observation } from '../../src/shadow/observation.ts';

export interface BenchRow {
  what: string;
  bytes: number;
  medianMs: number;
  p95Ms: number;
  limitMs: number | null;
}

const encoder = new TextEncoder();

function reply(text: string, contentType = 'application/json'): Observation {
  const body = encoder.encode(text);
  return { status: 200, contentType, body, bytes: body.length, end: 'complete' };
}

/** A document of about `size` bytes; `salt` changes every value, `reversed` turns the list round. */
function catalogue(size: number, { salt = '', reversed = false } = {}): string {
  const items = Array.from({ length: Math.floor(size / 137) }, (_, id) => ({
    id: id + (salt === '' ? 0 : 1e6),
    name: `item ${id}${salt}`,
    tags: ['alpha', 'beta', `t${id}${salt}`],
    price: id * 1.25 + salt.length,
    at: `2026-11-24T10:00:00.${id}`,
    stock: { here: id, there: id % 7 },
  }));
  return JSON.stringify({ items: reversed ? items.reverse() : items });
}

/** A list of short texts: the worst case for lists without order is many items, none of which has a partner. */
function words(size: number, salt: string): string {
  return JSON.stringify({ items: Array.from({ length: Math.floor(size / 9.5) }, (_, n) => `${salt}-${n}`) });
}

/** A list of numbers, such as an embedding. */
function numbers(size: number, shift: number): string {
  return JSON.stringify({ items: Array.from({ length: Math.floor(size / 19) }, (_, n) => Math.sin(n) + shift) });
}

function chatStream(chunks: number): Uint8Array {
  const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1763942400, model: 'm-1' };
  const events = Array.from({ length: chunks }, (_, n) => ({
    ...head,
    choices: [{ index: 0, delta: { content: `wörd${n} ` }, logprobs: null, finish_reason: null }],
  }));
  return encoder.encode(`${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`);
}

async function measure(what: string, bytes: number, limitMs: number | null, run: () => unknown): Promise<BenchRow> {
  for (let warm = 0; warm < 30; warm++) await run();
  const times: number[] = [];
  for (let i = 0; i < 100; i++) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { what, bytes, medianMs: times[50]!, p95Ms: times[95]!, limitMs };
}

async function pair(
  what: string,
  limitMs: number,
  live: string,
  candidate: string,
  options: CompareOptions,
): Promise<BenchRow> {
  const [left, right] = [reply(live), reply(candidate)];
  return measure(what, left.bytes, limitMs, () => compareReplies(left, right, { options, role: 'candidate' }));
}

/** Runs every line and gives the rows. */
export async function benchCompare(): Promise<BenchRow[]> {
  const ignoring: CompareOptions = {
    ignore: ['/items/*/at', '/**/trace'],
    tolerance: [{ path: '/items/*/price', rel: 0.001 }],
  };
  const unordered: CompareOptions = { ...ignoring, arrays: [{ path: '/items', mode: 'unordered' }] };
  const keyed: CompareOptions = { ...ignoring, arrays: [{ path: '/items', keyBy: 'id' }] };
  const rows: BenchRow[] = [];
  for (const [name, size, limitMs] of [
    ['10 KB', 10_240, 1],
    ['256 KiB', 262_144, 30],
  ] as const) {
    const same = catalogue(size);
    const other = catalogue(size, { salt: 'x' });
    const turned = catalogue(size, { reversed: true });
    rows.push(
      await pair(`JSON ${name}, identical`, limitMs, same, same, ignoring),
      await pair(`JSON ${name}, equal but spaced`, limitMs, same, JSON.stringify(JSON.parse(same), null, 1), ignoring),
      await pair(`JSON ${name}, wholly different`, limitMs, same, other, ignoring),
      await pair(`JSON ${name}, unordered, reversed`, limitMs, same, turned, unordered),
      await pair(`JSON ${name}, unordered, wholly different`, limitMs, same, other, unordered),
      await pair(
        `JSON ${name}, unordered texts, none in common`,
        limitMs,
        words(size, 'a'),
        words(size, 'b'),
        unordered,
      ),
      await pair(`JSON ${name}, keyed, reversed`, limitMs, same, turned, keyed),
      await pair(`JSON ${name}, numbers, wholly different`, limitMs, numbers(size, 0), numbers(size, 1e-7), ignoring),
    );
  }
  const chunks = chatStream(2000);
  rows.push(await measure('SSE, 2,000 chunks re-assembled', chunks.length, 20, () => readSse(chunks)));
  const [a, b] = ['abcdefgh ', 'hgfdecab '].map((word) => word.repeat(445).slice(0, 4000));
  rows.push(await measure('likeness of 4,000 characters', 4000, null, () => similarity(a!, b!)));
  const [long, longer] = ['one two ', 'two three '].map((word) => word.repeat(32_768).slice(0, 262_144));
  rows.push(await measure('likeness of 256 KiB', 262_144, null, () => similarity(long!, longer!)));
  const [han, kana] = ['東京都千代', '大阪府堺市'].map((word) => word.repeat(17_476));
  rows.push(await measure('likeness of 256 KiB without spaces', 262_140, null, () => similarity(han!, kana!)));
  return rows;
}

if (import.meta.main) {
  const rows = await benchCompare();
  console.table(
    rows.map(({ what, bytes, medianMs, p95Ms, limitMs }) => ({
      what,
      bytes,
      'median ms': medianMs.toFixed(2),
      'p95 ms': p95Ms.toFixed(2),
      'limit ms': limitMs ?? '',
    })),
  );
}
