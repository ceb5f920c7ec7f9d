import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { configOf, routeOf, routeWith } from './sample.ts';

const example = readFileSync(fileURLToPath(new URL('./example-config.json', import.meta.url).href), 'utf8');

describe('the example config', () => {
  it('is accepted whole, with every key, by people and by an isolate', () => {
    for (const unknownKeys of ['fault', 'warn'] as const) {
      const parsed = parseConfig(example, { unknownKeys });
      expect(parsed.ok ? [] : parsed.error).toEqual([]);
    }
  });

  it('is warned of nothing', () => {
    const parsed = parseConfig(example, { unknownKeys: 'fault', secrets: () => true, services: () => true });
    expect(parsed.ok && parsed.value.warnings).toEqual([]);
  });

  it('keeps what it says', () => {
    const route = configOf(example).routes[0]!;
    expect(route.match).toEqual([
      { host: 'api.example.com', path: '/v1/chat/*', headers: [] },
      { host: 'api.example.com', path: '/v1/complete', headers: [{ name: 'x-team', values: ['search'] }] },
    ]);
    expect(route.sticky).toEqual({ idleMs: 30 * 60_000 });
    expect(route.repeatable).toEqual(['GET', 'HEAD', 'POST']);
    expect(route.variants.canary?.origin).toEqual({ kind: 'service', service: 'CANARY' });
    expect(route.variants.blue?.secretHeaders).toEqual([{ name: 'authorization', template: `Bearer \${KEY_MODELS}` }]);
    expect(route.guardrails[2]).toMatchObject({ metric: 'slow', slow: { sloMs: 3000, of: 'firstByte' } });
    expect(route.plans.careful?.[2]).toMatchObject({ weight: 10, forMs: 7_200_000, maxForMs: 28_800_000 });
    expect(route.shadows[0]?.compare.arrays).toEqual([
      { path: '/tags', mode: 'unordered' },
      { path: '/items', keyBy: 'id' },
    ]);
  });
});

describe('a route that says nothing', () => {
  const route = routeOf(routeWith());

  it('takes every request, by our cookie, and sends all of it to its first variant', () => {
    expect(route.match).toEqual([{ host: null, path: null, headers: [] }]);
    expect(route.identity).toEqual([{ cookie: true }]);
    expect(route.baseline).toBe('blue');
    expect({ ...route.weights }).toEqual({ blue: 100, green: 0 });
  });

  it('has the defaults of the design', () => {
    expect(route).toMatchObject({
      timeoutMs: 120_000,
      idleTimeoutMs: 300_000,
      repeatable: ['GET', 'HEAD'],
      failStatuses: [{ from: 500, to: 599 }],
      failover: { statuses: [429, 502, 503, 504] },
      ejection: true,
      expose: true,
      cache: 'private',
      sticky: false,
      receipts: false,
      recordPercent: 100,
      salt: '',
      shadows: [],
      outcomes: [],
      measures: [],
    });
    expect(route.audience).toBeUndefined();
    expect(route.experiment).toBeUndefined();
  });

  it('is guarded by failures and refusals', () => {
    expect(route.guardrails).toEqual([
      { metric: 'errors', critical: true, required: true, per: 'unit' },
      { metric: 'rejected', critical: true, required: true, per: 'unit' },
    ]);
  });

  it('survives a way through JSON', () => {
    expect(JSON.parse(JSON.stringify(route))).toEqual({ ...route });
  });
});

describe('what is written', () => {
  it('gives the whole traffic to a named baseline when there are no weights', () => {
    expect({ ...routeOf(routeWith({ baseline: 'green' })).weights }).toEqual({ blue: 0, green: 100 });
  });

  it('spells hosts, headers, methods and countries one way', () => {
    const route = routeOf(
      routeWith({
        match: { host: '*.BÜCHER.example', header: { 'X-Team': ['a', 'b'] } },
        repeatable: ['get', 'GET', 'post'],
        audience: { include: [{ country: 'de' }, { header: 'X-Tenant', in: ['acme'] }] },
        identity: [{ header: 'X-User-Id' }, { query: 'user' }],
      }),
    );
    expect(route.match).toEqual([
      { host: '*.xn--bcher-kva.example', path: null, headers: [{ name: 'x-team', values: ['a', 'b'] }] },
    ]);
    expect(route.repeatable).toEqual(['GET', 'POST']);
    expect(route.audience).toEqual({ include: [{ country: ['DE'] }, { header: 'x-tenant', in: ['acme'] }] });
    expect(route.identity).toEqual([{ header: 'x-user-id' }, { query: 'user' }]);
  });

  it('keeps a base path without its last slash', () => {
    const origin = (url: string) => routeOf(routeWith({ variants: { blue: { url } } })).variants.blue?.origin;
    expect(origin('https://a.example.com')).toEqual({ kind: 'url', url: 'https://a.example.com' });
    expect(origin('https://A.example.com:8443/v2/')).toEqual({ kind: 'url', url: 'https://a.example.com:8443/v2' });
    expect(origin('http://localhost:9000/')).toEqual({ kind: 'url', url: 'http://localhost:9000' });
  });

  it('turns failover off, on, or on for some statuses', () => {
    const failover = (value: unknown) => routeOf(routeWith({ failover: value })).failover;
    expect(failover(false)).toBe(false);
    expect(failover(true)).toEqual({ statuses: [429, 502, 503, 504] });
    expect(failover({})).toEqual({ statuses: [429, 502, 503, 504] });
    expect(failover({ statuses: [500] })).toEqual({ statuses: [500] });
  });

  it('reads classes and single statuses as ranges', () => {
    expect(routeOf(routeWith({ failStatuses: ['5xx', 429] })).failStatuses).toEqual([
      { from: 500, to: 599 },
      { from: 429, to: 429 },
    ]);
  });

  it('finds no variant, weight or plan that the document does not name', () => {
    const route = routeOf(routeWith());
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(route.variants[name]).toBeUndefined();
      expect(route.weights[name]).toBeUndefined();
      expect(route.plans[name]).toBeUndefined();
    }
  });
});
