import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './client.ts';
import { refusingUrl } from './faulty-origin.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';
import { FAULTS, type FaultyShadow, startFaultyShadow } from './shadow-faults.ts';
import {
  account,
  bytesOf,
  comparisonsOf,
  type Exchanged,
  exchange,
  hashOfBytes,
  residentMiB,
  steady,
  write,
} from './shadow-world.ts';

const ROUTES = [...FAULTS, 'refuse'] as const;
const ENDLESS: readonly string[] = ['hang', 'no-read', 'trickle'];
const EVENTS = 12;

let headgate: Headgate;
let live: Origin;
let faulty: FaultyShadow;
/** Events that the live stream has sent, by the request's id. */
const sentEvents = new Map<string, number>();
/** Requests sent to each route. */
const sent: Record<string, number> = {};

beforeAll(async () => {
  live = await startOrigin((request, response) => {
    const [, , kind, argument] = request.url!.split('/');
    response.setHeader('content-type', 'text/plain');
    response.setHeader('etag', '"of-this-body"');
    if (kind === 'bytes') {
      response.setHeader('content-length', argument!);
      void write(response, bytesOf(Number(argument)));
    } else if (kind === 'events') {
      response.setHeader('content-type', 'text/event-stream');
      let event = 0;
      const timer = setInterval(() => {
        response.write(`data: {"n":${event++}}\n\n`);
        sentEvents.set(argument!, event);
        if (event < EVENTS) return;
        clearInterval(timer);
        response.end();
      }, 40);
    } else {
      const hash = createHash('sha256');
      request.on('data', (chunk) => hash.update(chunk));
      request.on('end', () => response.end(hash.digest('hex')));
    }
  });
  faulty = await startFaultyShadow();
  const refusing = await refusingUrl();
  const variants = (url: string) => ({ blue: { url: live.url }, green: { url } });
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        steady('plain', { variants: variants(live.url) }),
        ...ROUTES.map((fault) =>
          steady(fault, {
            variants: variants(fault === 'refuse' ? refusing : `${faulty.url}/${fault}`),
            shadows: [{ variant: 'green', percent: 100, repeat: 0 }],
            // Only what never ends has to be waited for.
            timeoutMs: ENDLESS.includes(fault) ? 3_000 : 20_000,
          }),
        ),
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await live.close();
  await faulty.close();
});

function ask(route: string, path: string, how?: Parameters<typeof exchange>[1]): Promise<Exchanged> {
  sent[route] = (sent[route] ?? 0) + 1;
  return exchange(`${headgate.url}/${route}${path}`, how);
}

/** What a visitor sees, but for what differs between any two answers. */
function seen({ status, headers, bytes, hash }: Exchanged): unknown {
  const { date, 'x-headgate-route': _, ...same } = headers;
  return { status, headers: same, bytes, hash };
}

describe('a shadow that fails', () => {
  it('costs less than 64 MB of memory, ten of them at once', async () => {
    const size = 4_194_304;
    const hash = hashOfBytes(size);
    const traffic = async (routes: readonly string[]) => {
      const downs = await Promise.all(routes.map((route) => ask(route, `/bytes/${size}`)));
      const ups = await Promise.all(routes.map((route) => ask(route, '/up', { sends: size })));
      const shorts = await Promise.all(routes.map((route) => ask(route, '/up', { sends: 200_000 })));
      for (const down of downs) expect(down).toMatchObject({ status: 200, bytes: size, hash });
      for (const up of ups) expect(up).toMatchObject({ status: 200, text: hash });
      for (const short of shorts) expect(short).toMatchObject({ status: 200, text: hashOfBytes(200_000) });
    };
    // Before any other test, and idle is after the same bodies without shadows: what the heap has grown to for the visitors is not the shadows' doing.
    await traffic(ROUTES.map(() => 'plain'));
    const idle = residentMiB();
    let peak = idle;
    const watch = setInterval(() => {
      peak = Math.max(peak, residentMiB());
    }, 50);
    await traffic(ROUTES);
    clearInterval(watch);
    expect(peak - idle).toBeLessThan(64);
  });

  it.each(ROUTES)('is not felt when it is: %s', async (fault) => {
    for (const size of [0, 10_240, 1_048_576]) {
      const [plainDown, down] = await Promise.all([ask('plain', `/bytes/${size}`), ask(fault, `/bytes/${size}`)]);
      expect(seen(down)).toEqual(seen(plainDown));
      expect(down).toMatchObject({ status: 200, bytes: size, hash: hashOfBytes(size) });
      const [plainUp, up] = await Promise.all([
        ask('plain', '/up', { sends: size }),
        ask(fault, '/up', { sends: size }),
      ]);
      expect(seen(up)).toEqual(seen(plainUp));
      expect(up).toMatchObject({ status: 200, text: hashOfBytes(size) });
    }
  });

  it('does not keep the visitor waiting: the answers are there while the copies still hang', async () => {
    await Promise.all(['hang', 'no-read', 'trickle'].map((fault) => ask(fault, '/bytes/10240')));
    const open = await until(
      async () => [faulty.open.hang, faulty.open['no-read'], faulty.open.trickle],
      (counts) => counts.every((count) => count > 0),
    );
    expect(open).toHaveLength(3);
  });

  it.each(ROUTES)('lets an event stream through event by event: %s', async (fault) => {
    sent[fault] = (sent[fault] ?? 0) + 1;
    const response = await fetch(`${headgate.url}/${fault}/events/${fault}`, { headers: { 'x-unit': 'u1' } });
    const reader = response.body!.getReader();
    const first = await reader.read();
    expect(sentEvents.get(fault)).toBeLessThan(EVENTS);
    let text = Buffer.from(first.value!).toString();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += Buffer.from(read.value).toString();
    }
    expect(text).toBe(Array.from({ length: EVENTS }, (_, n) => `data: {"n":${n}}\n\n`).join(''));
  });

  it.each(['no-read', 'huge'])('lets bodies of 100 MB through both ways: %s', async (fault) => {
    const size = 100_000_000;
    const [down, up] = await Promise.all([ask(fault, `/bytes/${size}`), ask(fault, '/up', { sends: size })]);
    expect(down).toMatchObject({ status: 200, bytes: size, hash: hashOfBytes(size) });
    expect(up).toMatchObject({ status: 200, text: hashOfBytes(size) });
  });

  it('is read as far as the cap and no further when it sends 1 GiB', () => {
    expect(faulty.came.huge).toBeGreaterThan(0);
    expect(faulty.hugeBytesTaken).toBeLessThan(16 * (1 << 20));
  });

  it('sends nobody round in circles: redirects are not followed', () => {
    expect(faulty.came.loop).toBeGreaterThan(0);
    expect(faulty.came.loop).toBeLessThanOrEqual(sent.loop!);
  });

  it.each(ROUTES)('is accounted for to the last request: %s', async (fault) => {
    const answer = await comparisonsOf(headgate, fault, sent[fault]!);
    const { eligible, accounted } = account(answer);
    expect({ eligible, accounted }).toEqual({ eligible: sent[fault], accounted: sent[fault] });
    // Uploads of 1 MB and more are never copied.
    expect(answer.skipped['too-large']).toBeGreaterThanOrEqual(2);
    const { match, error, timeout, ...differing } = answer.classes;
    if (ENDLESS.includes(fault)) {
      expect({ match, error, ...differing }).toEqual({ match: 0, error: 0, 'status-mismatch': 0, 'body-mismatch': 0 });
      expect(timeout).toBeGreaterThan(0);
    } else if (['reset', 'cut', 'garbage', 'refuse'].includes(fault)) {
      expect({ match, timeout, ...differing }).toEqual({
        match: 0,
        timeout: 0,
        'status-mismatch': 0,
        'body-mismatch': 0,
      });
      expect(error).toBeGreaterThan(0);
    } else if (fault === 'error' || fault === 'loop') {
      expect({ match, error, timeout }).toEqual({ match: 0, error: 0, timeout: 0 });
      expect(differing['status-mismatch']).toBeGreaterThan(0);
    } else {
      expect({ match, error, timeout }).toEqual({ match: 0, error: 0, timeout: 0 });
      expect(differing['body-mismatch']).toBeGreaterThan(0);
      expect(answer.skipped.truncated).toBeGreaterThan(0);
    }
  });

  it('leaves no complaint of the runtime behind: no promise of one request is awaited by another, none is lost', () => {
    // What the Worker says of failed calls is a warning of its own; these are the runtime's.
    expect(headgate.logs.join('\n')).not.toMatch(/different request|uncaught|unhandled|never resolve|internal error/i);
  });
});
