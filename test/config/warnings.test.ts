import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { type Json, routeWith, textOf, variantWith, warningsOf } from './sample.ts';

function warned(routes: Json[], options: Parameters<typeof warningsOf>[1] = {}): string[] {
  return warningsOf(textOf(...routes), options).map((warning) => `${warning.path}: ${warning.reason}`);
}

const at = (name: string, match?: unknown) => routeWith({ name, ...(match !== undefined && { match }) });

describe('a good document is warned', () => {
  it('of nothing when there is nothing', () => {
    expect(warned([at('a', { path: '/a' }), at('b')])).toEqual([]);
  });

  it('of a shadow that would see no model request', () => {
    const shadows = [{ variant: 'green' }];
    expect(warned([routeWith({ shadows })])).toEqual([
      expect.stringMatching(/^routes\[0\].shadows: only GET, HEAD is mirrored/),
    ]);
    expect(warned([routeWith({ shadows, repeatable: [] })])).toEqual([expect.stringMatching(/no request is mirrored/)]);
    expect(warned([routeWith({ shadows, repeatable: ['POST'] })])).toEqual([]);
  });

  it('of pins that nobody can sign, where the secrets are known', () => {
    const sticky = routeWith({ sticky: true });
    const experiment = routeWith({ experiment: { id: 'e', primary: ['error'] } });
    const without = { secrets: () => false };
    expect(warned([sticky], without)).toEqual([expect.stringMatching(/^routes\[0\].sticky: .*COOKIE_SECRET/)]);
    expect(warned([experiment], without)).toEqual([expect.stringMatching(/^routes\[0\].experiment: .*COOKIE_SECRET/)]);
    expect(warned([sticky])).toEqual([]);
    expect(warned([sticky], { secrets: () => true })).toEqual([]);
  });

  it('of a number that may be sent as another', () => {
    const json = { seed: 2 ** 60, near: [{ n: 2 ** 53 - 1 }], exact: 0.1, text: '1152921504606846976' };
    expect(warned([routeWith({ variants: { blue: { service: 'B', json } } })])).toEqual([
      expect.stringMatching(/^routes\[0\].variants.blue.json.seed: .*beyond 2\^53/),
    ]);
  });

  it('of origins that answer here and not to a deployed Worker', () => {
    const of = (url: string) => warned([routeWith({ variants: { blue: { url } } })]);
    const at = (reason: RegExp) => [
      expect.stringMatching(new RegExp(`^routes\\[0\\].variants.blue.url: ${reason.source}`)),
    ];
    expect(of('https://203.0.113.9/v1')).toEqual(at(/is an address/));
    expect(of('https://[2606:4700::1111]')).toEqual(at(/is an address/));
    expect(of('https://model.acme.workers.dev/v1')).toEqual(at(/cannot be called by a Worker of the same account/));
    for (const url of ['http://127.0.0.1:9000', 'http://[::1]:9000', 'http://localhost:1', 'https://1.example.com'])
      expect(of(url)).toEqual([]);
  });

  it('of outcomes that cannot be taken without a secret', () => {
    const outcomes = routeWith({ outcomes: [{ name: 'helpful', kind: 'conversion' }] });
    expect(warned([outcomes], { secrets: () => false })).toEqual([
      expect.stringMatching(/^routes\[0\].outcomes: .*COOKIE_SECRET/),
    ]);
  });

  it('of receipts that cannot be given, and webhooks that cannot be signed, without a secret', () => {
    const without = { secrets: (name: string) => name === 'WEBHOOK_THERE' };
    expect(warned([routeWith({ receipts: true })], without)).toEqual([
      expect.stringMatching(/^routes\[0\].receipts: .*COOKIE_SECRET/),
    ]);
    const url = 'https://hooks.example.com';
    const webhooks = ['WEBHOOK_THERE', 'WEBHOOK_GONE'].map((secret) => ({ url, secret }));
    const text = JSON.stringify({ ...JSON.parse(textOf(routeWith({}))), webhooks });
    const read = parseConfig(text, { unknownKeys: 'fault', ...without });
    expect(read.ok && read.value.warnings.map(({ path }) => path)).toEqual(['webhooks[1].secret']);
  });

  it('of the metric cost where no model has a price, and of no other metric or segment', () => {
    const primary = ['error', 'latency', 'firstByte', 'tokensOut'];
    const segments = [{ name: 's', header: 'x' }];
    const experiment = { id: 'e', primary, secondary: ['retry', 'cost', 'returned'], segments };
    expect(warned([routeWith({ experiment })])).toEqual([
      expect.stringMatching(/^routes\[0\].experiment.secondary\[1\]: "prices" is empty/),
    ]);
    const document = JSON.parse(textOf(routeWith({ experiment })));
    const prices = { 'm-1': { inputPerMillion: 1, outputPerMillion: 4 } };
    expect(warningsOf(JSON.stringify({ ...document, prices }))).toEqual([]);
  });

  it('of two segments of one name', () => {
    const segments = ['x-plan', 'x-tier', 'x-land'].map((header, at) => ({ name: at < 2 ? 'plan' : 'land', header }));
    expect(warned([routeWith({ experiment: { id: 'e', primary: ['error'], segments } })])).toEqual([
      expect.stringMatching(/^routes\[0\].experiment.segments\[1\].name: "plan" is declared twice/),
    ]);
  });

  it('of a key that lies in KV', () => {
    const route = variantWith({ url: 'https://a.example.com', headers: { Authorization: 'Bearer s3cret' } });
    const warnings = warned([route]);
    expect(warnings).toEqual([expect.stringMatching(/^routes\[0\].variants.blue.headers: authorization /)]);
    expect(warnings.join()).not.toContain('s3cret');
  });

  it('of a plan that hides a built-in one, and of one that ends early', () => {
    const plans = { canary: [{ weight: 100, for: '1m' }], half: [{ weight: 50, for: '1m' }] };
    expect(warned([routeWith({ plans })])).toEqual([
      expect.stringMatching(/^routes\[0\].plans.canary: takes the place/),
      expect.stringMatching(/^routes\[0\].plans.half: ends at 50 %/),
    ]);
    expect(warned([routeWith({ plans: { look: [{ shadow: 100, for: '1m' }] } })])).toEqual([]);
  });

  it('of a guardrail that guards nothing', () => {
    const guardrails = [{ metric: 'errors', critical: true }, { metric: 'truncated' }];
    expect(warned([routeWith({ guardrails })])).toEqual([expect.stringMatching(/^routes\[0\].guardrails\[1\]: /)]);
  });

  it('of hosts that take in the host of the controls', () => {
    const routes = [at('a', { host: '*.example.com' })];
    expect(warned(routes, { adminHost: 'admin.example.com:443' })).toEqual([
      expect.stringMatching(/^routes\[0\].match: "\*\.example\.com" takes in admin\.example\.com/),
    ]);
    expect(warned(routes, { adminHost: 'admin.example.org' })).toEqual([]);
  });
});

describe('a route that can never match', () => {
  it.each([
    ['everything', undefined, { path: '/a' }],
    ['everything by path', { path: '/*' }, { host: 'a.example.com' }],
    ['the same', { host: 'A.example.com', path: '/a' }, { host: 'a.example.com', path: '/a' }],
    ['a wider prefix', { path: '/v1/*' }, { path: '/v1/chat/*' }],
    ['a prefix of its path', { path: '/v1/*' }, { path: '/v1/chat' }],
    ['its domain', { host: '*.example.com' }, { host: 'a.b.example.com' }],
    ['a wider domain', { host: '*.example.com' }, { host: '*.b.example.com' }],
    ['more values of a header', { header: { h: ['a', 'b'] } }, { header: { h: 'a', i: 'c' } }],
    ['one rule for each of its own', [{ path: '/a' }, { path: '/b' }], [{ path: '/b' }, { path: '/a' }]],
  ])('is found behind %s', (_, first, second) => {
    expect(warned([at('a', first), at('b', second)])).toEqual([
      'routes[1].match: "b" can never match: "a", earlier in the list, takes all of its requests',
    ]);
  });

  it.each([
    ['a narrower prefix', { path: '/v1/chat/*' }, { path: '/v1/*' }],
    ['an exact path', { path: '/v1' }, { path: '/v1/*' }],
    ['the domain without its own label', { host: '*.example.com' }, { host: 'example.com' }],
    ['a domain that only ends alike', { host: '*.example.com' }, { host: 'badexample.com' }],
    ['one of its rules', { path: '/a' }, [{ path: '/a' }, { path: '/b' }]],
    ['a header', { path: '/a', header: { h: 'x' } }, { path: '/a' }],
    ['another value of a header', { header: { h: 'x' } }, { header: { h: ['x', 'y'] } }],
  ])('is not claimed behind %s', (_, first, second) => {
    expect(warned([at('a', first), at('b', second)])).toEqual([]);
  });
});
