import { afterEach, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { toFallback } from '../../src/forward/fallback.ts';
import { readIncoming } from '../../src/forward/incoming.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** A request that no route takes, with what the fallback was asked. */
async function unrouted(FALLBACK_ORIGIN: string | undefined, answer: () => Response = () => new Response('theirs')) {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (request: Request, { headers }: { headers: Headers }) => {
    asked.push(`${request.url} ${headers.get('cookie')}`);
    return answer();
  });
  const cookie = 'theme=dark; __Host-headgate=ours';
  const url = new URL('https://shop.example/a?b');
  const incoming = readIncoming(new Request(url, { headers: { cookie } }), url);
  const otherwise = () => new Response('ours', { status: 404 });
  const { status, headers } = await toFallback(
    incoming,
    { env: { FALLBACK_ORIGIN } as Env, configHash: 'h' },
    otherwise,
  );
  return { asked, status, headers };
}

it.each([
  ['https://old.example', 'https://old.example/a?b'],
  ['https://old.example/base/', 'https://old.example/base/a?b'],
  ['passthrough', 'https://shop.example/a?b'],
])('%s is asked for what no route takes, without our cookies', async (fallback, url) => {
  expect(await unrouted(fallback)).toMatchObject({ status: 200, asked: [`${url} theme=dark`] });
});

it('nobody is asked where there is none, or none that may be', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  for (const fallback of [undefined, '', 'http://10.0.0.1', 'words'])
    expect(await unrouted(fallback)).toMatchObject({ status: 404, asked: [] });
});

it('it says nothing in our name, chooses no variants, and leads nobody around us', async () => {
  const headers = new Headers({ location: 'https://old.example/b', 'x-headgate-variant': 'forged', 'x-own': 'kept' });
  headers.append('set-cookie', '__Host-headgate=forged');
  headers.append('set-cookie', 'theme=light');
  const answer = await unrouted('https://old.example', () => new Response(null, { status: 302, headers }));
  expect(answer.status).toBe(302);
  expect([...answer.headers]).toEqual([
    ['location', 'https://shop.example/b'],
    ['set-cookie', 'theme=light'],
    ['x-own', 'kept'],
  ]);
});

it('one that cannot be reached is said to be so', async () => {
  const answer = await unrouted('https://old.example', () => {
    throw new Error('refused');
  });
  expect([answer.status, answer.headers.get('x-headgate-error')]).toEqual([502, 'origin_unreachable']);
});
