import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, startHeadgate } from './harness.ts';
import { RawClient, type RawOrigin, type RawRequest, startRawOrigin } from './raw-http.ts';

const MB = 1_000_000;
const DOWNLOAD_BYTES = 200 * MB;
const UPLOAD_BYTES = 100 * MB;
/** What workerd may grow by while a body passes: far less than the body, far more than its own noise. */
const MAX_GROWTH_BYTES = 80 * MB;
/** What may be under way between two sockets that nobody reads: two hops, of which Linux lets each hold some 36 MB. */
const MAX_UNDER_WAY_BYTES = 85 * MB;

let origin: RawOrigin;
let headgate: Headgate;
let workerd = 0;
let handler: (request: RawRequest) => unknown = () => {};

beforeAll(async () => {
  origin = await startRawOrigin((request) => handler(request));
  const service = `export default {
    fetch: (request) => fetch(new Request(${JSON.stringify(origin.url)} + new URL(request.url).pathname, request)),
  };`;
  const before = new Set(workerds());
  headgate = await startHeadgate({
    services: { MODEL: service },
    config: {
      version: 1,
      routes: [
        { name: 'service', match: { path: '/service' }, variants: { blue: { service: 'MODEL' } } },
        {
          name: 'url',
          match: { path: '/*' },
          variants: { blue: { url: origin.url }, green: { url: `${origin.url}/green` } },
          weights: { blue: 50, green: 50 },
        },
      ],
    },
  });
  const [own] = workerds().filter((pid) => !before.has(pid));
  workerd = own!;
});
afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

/** The workerd processes that this one started. */
function workerds(): number[] {
  const lines = execFileSync('ps', ['-e', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, name]) => Number(parent) === process.pid && name!.startsWith('workerd'))
    .map(([pid]) => Number(pid));
}

function memoryBytes(): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${workerd}/status`, 'utf8'))?.[1]) * 1024;
}

/** The most that workerd grew by while `work` ran. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = memoryBytes();
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, memoryBytes());
  }, 10);
  try {
    await work();
  } finally {
    clearInterval(watch);
  }
  return Math.max(most, memoryBytes()) - before;
}

/** A body of `bytes` in blocks that all differ, so that a lost or doubled one shows in the checksum. */
function* blocks(bytes: number): Generator<Buffer> {
  for (let at = 0, count = 0; at < bytes; count++) {
    const block = Buffer.alloc(Math.min(262_139, bytes - at), `block ${count} `);
    at += block.length;
    yield block;
  }
}

const sumOf = (bytes: number) => {
  let sum = 0;
  for (const block of blocks(bytes)) sum = crc32(block, sum);
  return sum;
};

const chunk = (block: Buffer) => [Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')];

type Write = (part: Buffer) => Promise<void>;

/** Writes a body, and counts what has been taken. */
async function pour(bytes: number, isChunked: boolean, write: Write, taken: { bytes: number }): Promise<void> {
  for (const block of blocks(bytes)) {
    await write(isChunked ? Buffer.concat(chunk(block)) : block);
    taken.bytes += block.length;
  }
  if (isChunked) await write(Buffer.from('0\r\n\r\n'));
}

/** Waits until a number stands still: the sender is held up. */
async function standstill(read: () => number): Promise<number> {
  for (let last = -1; ; ) {
    const now = read();
    if (now === last) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

async function drain(body: AsyncIterable<Buffer>): Promise<{ bytes: number; sum: number }> {
  const got = { bytes: 0, sum: 0 };
  for await (const part of body) {
    got.bytes += part.length;
    got.sum = crc32(part, got.sum);
  }
  return got;
}

const FRAMINGS = ['Content-Length', 'Transfer-Encoding'];

describe('memory', () => {
  it.each(FRAMINGS)('stays flat while 200 MB stream to a client that makes them wait (%s)', async (framing) => {
    const isChunked = framing === 'Transfer-Encoding';
    const taken = { bytes: 0 };
    handler = async ({ say }) => {
      await say(`HTTP/1.1 200 OK\r\n${framing}: ${isChunked ? 'chunked' : DOWNLOAD_BYTES}\r\n\r\n`);
      await pour(DOWNLOAD_BYTES, isChunked, say, taken);
    };
    const growth = await growthDuring(async () => {
      const client = await RawClient.to(headgate.url);
      client.ask({ path: '/large' });
      const answer = (await client.answer())!;
      client.socket.pause();
      expect(await standstill(() => taken.bytes)).toBeLessThan(MAX_UNDER_WAY_BYTES);
      expect(await drain(client.body(answer))).toEqual({ bytes: DOWNLOAD_BYTES, sum: sumOf(DOWNLOAD_BYTES) });
      client.close();
    });
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });

  it.each(FRAMINGS)('stays flat while 100 MB are uploaded to an origin that makes them wait (%s)', async (framing) => {
    const isChunked = framing === 'Transfer-Encoding';
    const taken = { bytes: 0 };
    let got: { bytes: number; sum: number } | null = null;
    let underWay = UPLOAD_BYTES;
    handler = async ({ socket, body, say }) => {
      socket.pause();
      underWay = await standstill(() => taken.bytes);
      got = await drain(body());
      await say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    };
    const growth = await growthDuring(async () => {
      const client = await RawClient.to(headgate.url);
      client.ask({ method: 'POST', headers: [[framing, isChunked ? 'chunked' : String(UPLOAD_BYTES)]] });
      const write: Write = (part) => new Promise((resolve) => client.socket.write(part, () => resolve()));
      await pour(UPLOAD_BYTES, isChunked, write, taken);
      expect(await client.whole()).toMatchObject({ status: 200 });
      client.close();
    });
    expect(underWay).toBeLessThan(MAX_UNDER_WAY_BYTES);
    expect(got).toEqual({ bytes: UPLOAD_BYTES, sum: sumOf(UPLOAD_BYTES) });
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
  });
});

/** A question that one side asks and the other answers: no clock is needed to see an order. */
class Turns {
  #seen: (() => void)[] = [];
  #waiting: Promise<void>[] = [];

  constructor(count: number) {
    for (let turn = 0; turn < count; turn++) {
      this.#waiting.push(new Promise((resolve) => this.#seen.push(resolve)));
    }
  }

  done(turn: number): void {
    this.#seen[turn]!();
  }

  after(turn: number): Promise<void> {
    return this.#waiting[turn]!;
  }
}

const EVENTS = 8;

describe.each(['/', '/service'])('an event stream (%s)', (path) => {
  it.each([
    ['in chunks', 'Transfer-Encoding: chunked', 20],
    ['in chunks, large ones', 'Transfer-Encoding: chunked', 100_000],
    ['ended by closing', 'Connection: close', 20],
    ['of a known, short length', 'Content-Length', 20],
    ['of a known, great length', 'Content-Length', 100_000],
    ['in compressed chunks', 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked', 20],
  ])('delivers each event before the origin sends the next: %s', async (_, framing, bytes) => {
    const events = Array.from({ length: EVENTS }, (_, turn) =>
      Buffer.from(`data: ${turn}`.padEnd(bytes, '.').concat('\n\n')),
    );
    const total = events.reduce((sum, event) => sum + event.length, 0);
    const turns = new Turns(EVENTS);
    handler = async ({ say, socket }) => {
      const line = framing === 'Content-Length' ? `Content-Length: ${total}` : framing;
      await say(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${line}\r\n\r\n`);
      for (const [turn, event] of events.entries()) {
        await say(framing.includes('chunked') ? Buffer.concat(chunk(event)) : event);
        await turns.after(turn);
      }
      if (framing.includes('chunked')) await say('0\r\n\r\n');
      if (framing.includes('close')) socket.end();
    };
    const client = await RawClient.to(headgate.url);
    client.ask({ path });
    let got = Buffer.alloc(0);
    let turn = 0;
    for await (const part of client.body((await client.answer())!)) {
      got = Buffer.concat([got, part]);
      const seen = Buffer.concat(events.slice(0, turn + 1));
      if (got.length < seen.length) continue;
      // Nothing more can have come: the next event is sent after this one was seen.
      expect(got.equals(seen)).toBe(true);
      turns.done(turn++);
    }
    expect(turn).toBe(EVENTS);
    client.close();
  });
});

it('hands on the head of a stream before its first event', async () => {
  const turns = new Turns(1);
  handler = async ({ say }) => {
    await say('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    await turns.after(0);
    await say('3\r\nabc\r\n0\r\n\r\n');
  };
  const client = await RawClient.to(headgate.url);
  client.ask({});
  expect(await client.answer()).toMatchObject({ status: 200 });
  turns.done(0);
  client.close();
});
