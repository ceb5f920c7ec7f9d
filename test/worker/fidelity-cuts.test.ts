import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, startHeadgate } from './harness.ts';
import { ask, type RawOrigin, type RawRequest, startRawOrigin, values, type WholeAnswer } from './raw-http.ts';

/** One way of breaking off. */
interface Kill {
  framing: 'length' | 'chunked' | 'sse';
  bytes: number;
  /** How much of the body is sent before the end. `last` lacks one byte, or only the chunk that says the end. */
  after: 'head' | 'first' | 'half' | 'last';
  how: 'fin' | 'reset';
  /** Whether the head and what follows leave in one write. */
  atOnce: boolean;
}

const KILLS: Kill[] = [];
for (const framing of ['length', 'chunked', 'sse'] as const) {
  for (const bytes of [40, 30_000, 400_000]) {
    for (const after of ['head', 'first', 'half', 'last'] as const) {
      for (const how of ['fin', 'reset'] as const) {
        for (const atOnce of [true, false]) KILLS.push({ framing, bytes, after, how, atOnce });
      }
    }
  }
}

function bodyOf({ framing, bytes }: Kill): Buffer {
  if (framing !== 'sse') return Buffer.alloc(bytes, 'abcdefghij');
  const event = 'event: token\ndata: {"delta":"hello"}\n\n';
  return Buffer.from(event.repeat(Math.ceil(bytes / event.length)));
}

/** The bytes that are sent, head apart. */
function sentOf(kill: Kill): { head: string; body: Buffer } {
  const body = bodyOf(kill);
  const shown = { head: 0, first: 1, half: body.length >> 1, last: body.length }[kill.after];
  const type = kill.framing === 'sse' ? 'text/event-stream' : 'application/json';
  const common = `HTTP/1.1 200 Surely\r\nContent-Type: ${type}\r\nX-Kept: yes\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n`;
  if (kill.framing === 'length') {
    const part = body.subarray(0, kill.after === 'last' ? body.length - 1 : shown);
    return { head: `${common}Content-Length: ${body.length}\r\n\r\n`, body: part };
  }
  // The connection ends within a chunk, or between two.
  const declared = kill.after === 'half' ? body.length : shown;
  const chunk = Buffer.concat([
    Buffer.from(`${declared.toString(16)}\r\n`),
    body.subarray(0, shown),
    Buffer.from('\r\n'),
  ]);
  const part = kill.after === 'head' ? Buffer.alloc(0) : kill.after === 'half' ? chunk.subarray(0, -2) : chunk;
  return { head: `${common}Transfer-Encoding: chunked\r\n\r\n`, body: part };
}

async function breakOff({ path, say, socket }: RawRequest): Promise<void> {
  const kill = KILLS[Number(path.slice(1))]!;
  const { head, body } = sentOf(kill);
  if (kill.atOnce) await say(Buffer.concat([Buffer.from(head), body]));
  else {
    await say(head);
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (body.length > 0) await say(body);
  }
  // A reset overtakes what is not yet read, on any network; a moment lets the head arrive, which is what is looked at.
  if (kill.how === 'reset') await new Promise((resolve) => setTimeout(resolve, 5));
  if (kill.how === 'reset') socket.resetAndDestroy();
  else socket.end();
}

let origin: RawOrigin;
let headgate: Headgate;

beforeAll(async () => {
  origin = await startRawOrigin(breakOff);
  const service = `export default {
    fetch: (request) => fetch(new Request(${JSON.stringify(origin.url)} + new URL(request.url).pathname, request)),
  };`;
  headgate = await startHeadgate({
    services: { MODEL: service },
    config: {
      version: 1,
      routes: [
        {
          name: 'service',
          match: { path: '/*', header: { 'x-origin': 'service' } },
          variants: { blue: { service: 'MODEL' } },
        },
        { name: 'url', match: { path: '/*' }, variants: { blue: { url: origin.url } } },
      ],
    },
  });
});
afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

/** Runs `times` kills, every kind in turn, a few at a time. */
async function kill(times: number, kind: string): Promise<{ kill: Kill; answer: WholeAnswer | null }[]> {
  const outcomes: { kill: Kill; answer: WholeAnswer | null }[] = [];
  let next = 0;
  const worker = async () => {
    while (next < times) {
      const index = next++ % KILLS.length;
      const answer = await ask(headgate.url, { path: `/${index}`, headers: [['x-origin', kind]] });
      outcomes.push({ kill: KILLS[index]!, answer });
    }
  };
  await Promise.all(Array.from({ length: 12 }, worker));
  return outcomes;
}

describe.each([
  ['url', 1_000],
  ['service', 288],
])('a body that a %s origin breaks off', (kind, times) => {
  let outcomes: { kill: Kill; answer: WholeAnswer | null }[] = [];

  it(`breaks off for the client in ${times} of ${times} kills`, async () => {
    outcomes = await kill(times, kind);
    expect(outcomes).toHaveLength(times);
    const clean = outcomes.filter(({ answer }) => answer !== null && answer.end === 'complete');
    expect(clean.map(({ kill, answer }) => ({ ...kill, status: answer!.status }))).toEqual([]);
  });

  it('leaves status, words and headers as they were, and of the body only what was sent', () => {
    for (const { kill, answer } of outcomes) {
      expect(answer, JSON.stringify(kill)).not.toBeNull();
      expect(answer).toMatchObject({ status: 200, statusText: 'Surely' });
      expect(values(answer!.headers, 'x-kept')).toEqual(['yes']);
      expect(values(answer!.headers, 'set-cookie')).toEqual(['a=1', 'b=2']);
      expect(bodyOf(kill).subarray(0, answer!.body.length).equals(answer!.body)).toBe(true);
    }
  });
});

it('records each as failed, with the reason', async () => {
  const rows = await headgate.records('dataset=requests&limit=500');
  expect(rows).toHaveLength(500);
  for (const row of rows) expect(row).toMatchObject({ status: 200, failed: 1, errorCode: 'origin_cut' });
});
