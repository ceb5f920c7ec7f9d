import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/types.ts';
import { findRoute } from '../../src/forward/match.ts';

type Rule = Record<string, unknown>;

/** A config of routes `r0`, `r1`, … with these match rules. */
function configOf(...rules: (Rule | Rule[])[]): Config {
  const routes = rules.map((match, index) => ({
    name: `r${index}`,
    match,
    variants: { blue: { url: 'https://blue.example' } },
  }));
  const parsed = parseConfig(JSON.stringify({ version: 1, routes }), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.config;
}

const found = (config: Config, hostname: string, pathname: string, headers: Record<string, string> = {}) =>
  findRoute(config, { hostname, pathname }, new Headers(headers))?.name ?? null;

describe('match', () => {
  it('takes the first route that matches, not the closest', () => {
    const routes = configOf({ path: '/v1/*' }, { path: '/v1/detect' });
    expect(found(routes, 'a.example', '/v1/detect')).toBe('r0');
  });

  it('takes a literal path only whole', () => {
    const routes = configOf({ path: '/v1/detect' });
    expect(found(routes, 'a.example', '/v1/detect')).toBe('r0');
    expect(found(routes, 'a.example', '/v1/detect/')).toBe(null);
    expect(found(routes, 'a.example', '/v1/detector')).toBe(null);
    expect(found(routes, 'a.example', '/V1/detect')).toBe(null);
  });

  it('takes a prefix that ends in *', () => {
    const routes = configOf({ path: '/v1/*' });
    expect(found(routes, 'a.example', '/v1/')).toBe('r0');
    expect(found(routes, 'a.example', '/v1/a/b')).toBe('r0');
    expect(found(routes, 'a.example', '/v1')).toBe(null);
    expect(found(routes, 'a.example', '/v10/a')).toBe(null);
    expect(found(configOf({ path: '*' }), 'a.example', '/any')).toBe('r0');
  });

  it('takes exact hosts and hosts below a suffix', () => {
    const routes = configOf({ host: 'api.example.com' }, { host: '*.example.org' });
    expect(found(routes, 'api.example.com', '/')).toBe('r0');
    expect(found(routes, 'x.api.example.com', '/')).toBe(null);
    expect(found(routes, 'a.b.example.org', '/')).toBe('r1');
    expect(found(routes, 'example.org', '/')).toBe(null);
    expect(found(routes, 'evilexample.org', '/')).toBe(null);
    expect(found(routes, '.example.org', '/')).toBe(null);
  });

  it('asks for every header of a rule, with one of its exact values', () => {
    const routes = configOf({ header: { 'x-tier': ['gold', 'silver'] } });
    expect(found(routes, 'a.example', '/', { 'X-Tier': 'silver' })).toBe('r0');
    expect(found(routes, 'a.example', '/', { 'x-tier': 'Silver' })).toBe(null);
    expect(found(routes, 'a.example', '/', { 'x-tier': 'gold, silver' })).toBe(null);
    expect(found(routes, 'a.example', '/')).toBe(null);
  });

  it('takes one rule of several', () => {
    const routes = configOf([{ path: '/a' }, { host: 'b.example' }]);
    expect(found(routes, 'x.example', '/a')).toBe('r0');
    expect(found(routes, 'b.example', '/z')).toBe('r0');
    expect(found(routes, 'x.example', '/z')).toBe(null);
  });

  it('keeps the order of the document when a flood of hosts has filled its memory', () => {
    const routes = configOf({ host: '*.a.example', path: '/x' }, { path: '/*' });
    for (let n = 0; n < 3_000; n++) expect(found(routes, `h${n}.a.example`, '/x')).toBe('r0');
    expect(found(routes, 'h2999.a.example', '/y')).toBe('r1');
  });
});
