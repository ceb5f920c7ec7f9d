import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Env } from '../../src/env.ts';
import { Prefix } from '../../src/forward/copies.ts';
import type { Served } from '../../src/forward/served.ts';
import { CAPTURE_BYTES as CAP } from '../../src/shadow/limits.ts';
import { observeCopy, observeLive } from '../../src/shadow/observe.ts';
import { routeOf, servedOf } from './served.ts';

const route = routeOf({
  variants: { blue: { service: 'BLUE' }, green: { service: 'GREEN' } },
  timeoutMs: 300,
  measures: [{ name: 'memory', header: 'x-memory-mb' }],
});

/** Observes what a service binding answers. */
function copyOf(answer: (signal: AbortSignal) => Response | Promise<Response>, leaver: AbortSignal | null = null) {
  const request = new Request('https://front.test/path');
  const GREEN = { fetch: async (_: unknown, init: RequestInit) => answer(init.signal!) };
  return observeCopy({
    request,
    method: 'GET',
    client: leaver === null ? null : { signal: leaver },
    url: new URL(request.url),
    headers: new Headers(),
    route,
    variant: route.variants.green!,
    role: 'shadow',
    send: () => ({ body: null }),
    env: { GREEN } as unknown as Env,
  });
}

/** A body that gives chunks for as long as it is read, and says how many it gave. */
function endless(): { body: ReadableStream; given: () => number; isCancelled: () => boolean } {
  let chunks = 0;
  let cancelled = false;
  const body = new ReadableStream({
    type: 'bytes',
    pull(controller) {
      chunks++;
      controller.enqueue(new Uint8Array(60_000));
    },
    cancel() {
      cancelled = true;
    },
  });
  return { body, given: () => chunks, isCancelled: () => cancelled };
}

describe('a copy’s reply', () => {
  it('is kept with its status, times, type, length and measures', async () => {
    const headers = { 'x-memory-mb': '128', location: '/there', 'content-type': 'text/plain' };
    const seen = await copyOf(() => new Response('hello', { status: 201, headers }));
    expect(seen).toMatchObject({
      status: 201,
      contentType: 'text/plain',
      location: 'https://front.test/there',
      bytes: 5,
      end: 'complete',
      measures: { memory: 128 },
    });
    expect(new TextDecoder().decode(seen.body)).toBe('hello');
    for (const time of [seen.headersMs, seen.firstByteMs, seen.totalMs]) expect(time).toBeTypeOf('number');
  });

  it('without a body has no first byte', async () => {
    const seen = await copyOf(() => new Response(null, { status: 204 }));
    expect(seen).toMatchObject({ status: 204, bytes: 0, end: 'complete' });
    expect(seen.firstByteMs).toBeUndefined();
  });

  it('is read as far as the cap, and cancelled', async () => {
    const { body, given, isCancelled } = endless();
    const seen = await copyOf(() => new Response(body));
    expect(seen).toMatchObject({ end: 'truncated', bytes: CAP });
    expect(isCancelled()).toBe(true);
    expect(given()).toBeLessThan(10);
  });

  it('that is exactly as long as the cap is whole', async () => {
    const seen = await copyOf(() => new Response(new Uint8Array(CAP)));
    expect(seen).toMatchObject({ end: 'complete', bytes: CAP });
  });

  it('is decoded, and truncated where it unpacks to more than the cap', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expect(await copyOf(() => new Response(gzipSync('short'), { headers }))).toMatchObject({
      end: 'complete',
      bytes: 5,
    });
    const bomb = gzipSync(Buffer.alloc(2 * CAP));
    expect(bomb.length).toBeLessThan(CAP);
    expect(await copyOf(() => new Response(bomb, { headers }))).toMatchObject({ end: 'truncated', bytes: CAP });
  });

  it('whose bytes are not what their encoding says is of no use', async () => {
    const headers = { 'content-encoding': 'br' };
    expect((await copyOf(() => new Response('plain text after all', { headers }))).end).toBe('cut');
  });

  it('in a coding that nobody knows is bytes as they came', async () => {
    const headers = { 'content-encoding': 'compress', 'content-type': 'application/json' };
    const seen = await copyOf(() => new Response('{"a":1}', { headers }));
    expect(seen).toMatchObject({ end: 'complete', bytes: 7, contentType: 'application/octet-stream' });
  });

  it('that breaks off is cut, and keeps what came', async () => {
    const body = new ReadableStream({
      type: 'bytes',
      start(controller) {
        controller.enqueue(new TextEncoder().encode('half'));
        setTimeout(() => controller.error(new Error('reset')), 5);
      },
    });
    const seen = await copyOf(() => new Response(body));
    expect(seen).toMatchObject({ end: 'cut', status: 200, bytes: 4 });
  });

  it('that never comes is a timeout, by the route’s time or the deadline’s', async () => {
    const hanging = (signal: AbortSignal) =>
      new Promise<Response>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    expect(await copyOf(hanging)).toMatchObject({ end: 'timeout', status: 0 });
    expect(await copyOf(hanging, AbortSignal.timeout(20))).toMatchObject({ end: 'timeout', status: 0 });
    expect(await copyOf(hanging, AbortSignal.abort())).toMatchObject({ end: 'timeout', status: 0 });
  });

  it('that cannot be had is unreachable', async () => {
    const seen = await copyOf(() => Promise.reject(new Error('refused')));
    expect(seen).toMatchObject({ end: 'unreachable', status: 0, bytes: 0 });
    expect(seen.headersMs).toBeUndefined();
  });
});

describe('the live reply', () => {
  it.each<[Awaited<Served['body']>['end'], string]>([
    ['complete', 'complete'],
    ['cut', 'cut'],
    ['stalled', 'cut'],
    ['refused', 'abandoned'],
  ])('whose body is %s is %s', async (end, seen) => {
    const body = Promise.resolve({ end, bytes: 15, firstByteAtMs: null, endedAtMs: 0 });
    expect(await observeLive(servedOf(route, { body }))).toMatchObject({ end: seen, status: 200 });
  });

  it.each([
    ['origin_timeout', 'timeout'],
    ['origin_unreachable', 'unreachable'],
    ['client_left', 'abandoned'],
  ])('that is none for %s is %s', async (errorCode, end) => {
    const served = servedOf(route, { status: null, errorCode, responseHeaders: null, captured: null });
    expect(await observeLive(served)).toMatchObject({ end, status: 0, bytes: 0 });
  });

  it('has its times from when the origin was asked, as a copy’s has', async () => {
    const body = { end: 'complete', bytes: 15, firstByteAtMs: 1_030, endedAtMs: 1_050 } as const;
    const served = servedOf(route, { startedAtMs: 400, askedAtMs: 1_000, headersAtMs: 1_020, body });
    expect(await observeLive(served)).toMatchObject({ headersMs: 20, firstByteMs: 30, totalMs: 50 });
  });

  it.each([
    ['https://b.example/base/next?a', 'https://front.test/next?a'],
    ['/base/next', 'https://front.test/next'],
    ['next', 'https://front.test/next'],
    ['https://other.example/next', 'https://other.example/next'],
    ['http://[', 'http://['],
  ])('to %s is a redirect as visitors get it', async (location, seen) => {
    const variants = { blue: { url: 'https://b.example/base' }, green: { service: 'GREEN' } };
    const served = servedOf(routeOf({ variants }), { status: 302, responseHeaders: new Headers({ location }) });
    expect((await observeLive(served)).location).toBe(seen);
  });

  it('that was longer than what was kept of it is truncated', async () => {
    const captured = new Prefix(10);
    captured.add(new Uint8Array(11));
    expect(await observeLive(servedOf(route, { captured }))).toMatchObject({ end: 'truncated', bytes: 10 });
  });
});
