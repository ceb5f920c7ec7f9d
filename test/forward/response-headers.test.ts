import { describe, expect, it } from 'vitest';
import { type Shaping, shapeResponseHeaders } from '../../src/forward/response-headers.ts';

const shaping: Shaping = {
  route: 'main',
  variant: 'green',
  expose: true,
  isPersonal: true,
  origin: { kind: 'url', url: 'https://green.example/base' },
  url: new URL('https://shop.example/a?b=1'),
  failedOver: null,
  setCookies: [],
};

function shaped(headers: [string, string][], changes: Partial<Shaping> = {}): Headers {
  const result = new Headers(headers);
  shapeResponseHeaders(result, { ...shaping, ...changes });
  return result;
}

describe('response headers', () => {
  it('name route and variant, and the candidate whose failure was made good', () => {
    const headers = shaped([], { failedOver: 'red' });
    expect(headers.get('x-headgate-route')).toBe('main');
    expect(headers.get('x-headgate-variant')).toBe('green');
    expect(headers.get('x-headgate-failover')).toBe('red');
    expect(shaped([]).has('x-headgate-failover')).toBe(false);
  });

  it('say nothing of us with "expose": false', () => {
    const headers = shaped([], { failedOver: 'red', expose: false });
    expect([...headers.keys()].filter((name) => name.startsWith('x-headgate'))).toEqual([]);
  });

  it.each([true, false])('say nothing of us that an origin says ("expose": %j)', (expose) => {
    const claims = ['variant', 'route', 'failover', 'receipt', 'role'].map((name) => `x-headgate-${name}`);
    const headers = shaped(
      claims.map((name) => [name, 'evil']),
      { expose },
    );
    const left = [...headers].filter(([name]) => name.startsWith('x-headgate-'));
    expect(left).toEqual(
      expose
        ? [
            ['x-headgate-route', 'main'],
            ['x-headgate-variant', 'green'],
          ]
        : [],
    );
  });

  it('keep the code of an answer of our own, and of a Headgate behind us', () => {
    for (const origin of [null, shaping.origin]) {
      expect(shaped([['x-headgate-error', 'loop']], { origin }).get('x-headgate-error')).toBe('loop');
    }
  });

  it('lose what belongs to the connection to the origin, also what Connection names', () => {
    const headers = shaped([
      ['connection', 'keep-alive, X-Hop'],
      ['keep-alive', 'timeout=5'],
      ['x-hop', '1'],
      ['trailer', 'x-sum'],
      ['x-kept', '1'],
    ]);
    for (const name of ['connection', 'keep-alive', 'trailer', 'x-hop']) expect(headers.has(name)).toBe(false);
    expect(headers.get('x-kept')).toBe('1');
  });

  it.each([
    ['public, max-age=60', 'private, max-age=60'],
    ['max-age=60, s-maxage=600', 'private, max-age=60'],
    ['public', 'private'],
    ['no-store', 'no-store'],
    ['no-store, public', 'no-store'],
    ['No-Store, max-age=0', 'No-Store, max-age=0'],
    ['private, no-store', 'private, no-store'],
    ['no-store, private, public', 'no-store, private'],
    ['PUBLIC, S-MaxAge=1, must-revalidate', 'private, must-revalidate'],
    ['private, max-age=5', 'private, max-age=5'],
    ['no-cache', 'private, no-cache'],
    ['private="x-a, x-b", max-age=3', 'private, max-age=3'],
    ['no-cache="set-cookie, x-b", public', 'private, no-cache="set-cookie, x-b"'],
    ['max-age=60,stale-while-revalidate=30', 'private, max-age=60, stale-while-revalidate=30'],
  ])('take %s away from shared caches', (sent, expected) => {
    expect(shaped([['cache-control', sent]]).get('cache-control')).toBe(expected);
  });

  it('are private where the origin says nothing, and lose what speaks to the CDN', () => {
    const headers = shaped([
      ['cdn-cache-control', 'max-age=60'],
      ['cloudflare-cdn-cache-control', 'max-age=60'],
    ]);
    expect(headers.get('cache-control')).toBe('private');
    expect(headers.has('cdn-cache-control')).toBe(false);
    expect(headers.has('cloudflare-cdn-cache-control')).toBe(false);
  });

  it("keep the origin's caching where everybody gets the same", () => {
    const sent: [string, string][] = [
      ['cache-control', 'public, s-maxage=60'],
      ['cdn-cache-control', 'max-age=60'],
    ];
    const headers = shaped(sent, { isPersonal: false });
    for (const [name, value] of sent) expect(headers.get(name)).toBe(value);
    expect(shaped([], { isPersonal: false }).has('cache-control')).toBe(false);
  });

  it('lose our cookies where an origin sets them, keep the others in order, and end with ours', () => {
    const headers = shaped(
      [
        ['set-cookie', 'a=1; Path=/'],
        ['set-cookie', '__Host-headgate=evil; Path=/; Secure'],
        ['set-cookie', ' headgate = evil'],
        ['set-cookie', '=headgate-preview=evil'],
        ['set-cookie', 'headgate2=2'],
      ],
      { setCookies: ['__Host-headgate=ours; Path=/'] },
    );
    expect(headers.getSetCookie()).toEqual(['a=1; Path=/', 'headgate2=2', '__Host-headgate=ours; Path=/']);
  });

  it.each([
    ['https://green.example/base/next?x=1#y', 'https://shop.example/next?x=1#y'],
    ['https://green.example/base', 'https://shop.example/'],
    ['https://green.example/basement', 'https://shop.example/basement'],
    ['http://green.example/base/a', 'https://shop.example/a'],
    ['//green.example/base/a', 'https://shop.example/a'],
    ['/base/a?b#c', 'https://shop.example/a?b#c'],
    ['/base//other.example', 'https://shop.example//other.example'],
    ['/\\other.example/base/a', '/\\other.example/base/a'],
    ['/basement', '/basement'],
    ['/', '/'],
    ['next', 'next'],
    ['https://other.example/base/a', 'https://other.example/base/a'],
    ['https://green.example.evil/base', 'https://green.example.evil/base'],
    ['http://[', 'http://['],
  ])('send a redirect to %s to %s', (location, expected) => {
    expect(shaped([['location', location]]).get('location')).toBe(expected);
  });

  it.each([
    ['http://shop.example/a?b', 'https://green.example/base/a?b#c', 'https://shop.example/a?b#c'],
    ['http://shop.example/a', 'https://green.example/base/a/', 'http://shop.example/a/'],
    ['http://shop.example/a', 'http://green.example/base/a', 'http://shop.example/a'],
    ['http://shop.example:8787/a', 'https://green.example/base/a', 'http://shop.example:8787/a'],
    ['https://shop.example/a', 'https://green.example/base/a', 'https://shop.example/a'],
  ])('for %s send a redirect to %s to %s', (from, location, expected) => {
    expect(shaped([['location', location]], { url: new URL(from) }).get('location')).toBe(expected);
  });

  it.each([
    ['', 'https://shop.example/a'],
    ['/base', 'http://shop.example/a'],
  ])('lead back to http only from within an origin at our own host (base path "%s")', (base, expected) => {
    const origin = { kind: 'url' as const, url: `https://shop.example${base}` };
    const changes = { origin, url: new URL('http://shop.example/') };
    expect(shaped([['location', `https://shop.example${base}/a`]], changes).get('location')).toBe(expected);
  });
});
