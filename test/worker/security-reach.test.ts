import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let blue: Origin;
let green: Origin;
let headgate: Headgate;

beforeAll(async () => {
  [blue, green] = await Promise.all([
    startOrigin((_, response) => response.end('blue')),
    startOrigin((_, response) => response.end('green')),
  ]);
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  const identity = [{ header: 'x-user-id' }, { cookie: 'session' }, { query: 'u' }, { cookie: true }];
  const route = (name: string, more: Record<string, unknown>) => ({
    name,
    match: { path: `/${name}/*` },
    variants,
    weights: { blue: 100 },
    identity,
    ...more,
  });
  headgate = await startHeadgate({
    recorder: false,
    config: {
      version: 1,
      routes: [
        route('plain', {}),
        route('sticky', { sticky: true }),
        route('idle', { sticky: { idle: '30m' } }),
        route('audience', { audience: { include: [{ header: 'x-staff', in: ['yes'] }] } }),
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await Promise.all([blue.close(), green.close()]);
});

/** Numbers that are the same at each run (mulberry32), so that a failure can be looked at again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const OURS =
  'variant route role preview experiment weight weights split pin epoch rollout origin target url force'.split(' ');
const TRICKS = [
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'x-forwarded-host',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-server',
  'x-real-ip',
  'forwarded',
  'x-host',
  'x-canary',
  'x-version',
  'x-staff',
  'x-user-id',
  'via',
  'x_headgate_variant',
  'x-headgate_role',
  'x_forwarded_for',
  'x_real_ip',
];
const COOKIES =
  'headgate __Host-headgate headgate-preview __Host-headgate-preview session canary variant __Secure-headgate Headgate'.split(
    ' ',
  );

/** One request of somebody who wants green. */
function wish(random: () => number): { path: string; headers: Record<string, string> } {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const id = () => Array.from({ length: 22 }, () => pick([...'AZaz09-_'])).join('');
  const tag = () => Array.from({ length: 43 }, () => pick([...'AZaz09-_'])).join('');
  const route = pick(['plain', 'sticky', 'idle', 'audience']);
  const later = Math.floor(Date.now() / 1000) + 600;
  const value = (): string =>
    pick([
      () => 'green',
      () => '100',
      () => '{"green":100}',
      () => green.url,
      () => `${route}~green~127.0.0.1~${later}~${tag()}`,
      () => `${id()}.${route}:green:.${tag()}`,
      () => `${id()}.${route}:green:r-1:zzzzzz.${tag()}`,
      id,
      () => 'preview',
      () => '',
    ])();
  const headers: Record<string, string> = {};
  for (let left = Math.ceil(random() * 5); left > 0; left--) {
    headers[random() < 0.6 ? `x-headgate-${pick(OURS)}` : pick(TRICKS)] = value();
  }
  if (random() < 0.7) {
    headers.cookie = Array.from({ length: Math.ceil(random() * 4) }, () => `${pick(COOKIES)}=${value()}`).join('; ');
  }
  const query =
    random() < 0.5 ? '' : `?${pick(['u', 'variant', 'x-headgate-variant', 'token'])}=${encodeURIComponent(value())}`;
  return { path: `/${route}/${pick(['x', 'green', '..%2fgreen'])}${query}`, headers };
}

describe('a variant without weight', () => {
  it('is reached by no header, cookie or query of 1,500 that ask for it, and blue is told nothing forged', async () => {
    const random = seeded(20_261_124);
    const wishes = Array.from({ length: 1_500 }, () => wish(random));
    for (let from = 0; from < wishes.length; from += 30) {
      const answers = await Promise.all(
        wishes.slice(from, from + 30).map(({ path, headers }) => ask(headgate.url, path, { headers })),
      );
      answers.forEach((answer, at) => {
        expect(answer, JSON.stringify(wishes[from + at])).toMatchObject({ status: 200, variant: 'blue', body: 'blue' });
      });
    }
    expect(green.seen).toEqual([]);
    expect(blue.seen).toHaveLength(1_500);
    for (const { headers, url } of blue.seen) {
      const ours = Object.keys(headers).filter((name) => /^x[-_](headgate|forwarded|real)/.test(name));
      expect(ours.sort()).toEqual([
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-headgate-role',
        'x-headgate-route',
        'x-headgate-variant',
      ]);
      expect(headers).toMatchObject({
        'x-forwarded-host': new URL(headgate.url).host,
        'x-forwarded-proto': 'http',
        'x-headgate-role': 'live',
        'x-headgate-route': url.split('/')[1],
        'x-headgate-variant': 'blue',
      });
      expect(headers).not.toHaveProperty('forwarded');
      expect(headers.cookie ?? '').not.toMatch(/(^|; )(__Host-)?headgate(-preview)?=/);
    }
  });

  it("is not in the platform's address of the client either: that is the edge's to say", async () => {
    await ask(headgate.url, '/plain/x', {
      headers: { 'cf-connecting-ip': '192.0.2.7', connection: 'cf-connecting-ip' },
    });
    expect(blue.seen.at(-1)?.headers['x-forwarded-for']).toBe('192.0.2.7');
  });
});
