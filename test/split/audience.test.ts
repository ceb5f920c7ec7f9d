import { describe, expect, it } from 'vitest';
import type { Audience } from '../../src/config/types.ts';
import { consented, inAudience, matchesPath } from '../../src/split/audience.ts';

const facts = {
  header: (name: string) => (name === 'x-tenant' ? 'acme' : null),
  country: 'DE',
  path: '/v1/chat/completions',
};

describe('the audience', () => {
  it.each<[string, Audience, boolean]>([
    ['an empty audience', {}, true],
    ['an excluded tenant', { exclude: [{ header: 'x-tenant', in: ['other', 'acme'] }] }, false],
    ['another tenant excluded', { exclude: [{ header: 'x-tenant', in: ['other'] }] }, true],
    ['an excluded country', { exclude: [{ country: ['FR', 'DE'] }] }, false],
    ['an excluded path', { exclude: [{ path: '/v1/chat/*' }] }, false],
    ['an included country', { include: [{ country: ['FR'] }, { country: ['AT', 'DE'] }] }, true],
    ['other countries included', { include: [{ country: ['FR'] }] }, false],
    ['an included path', { include: [{ path: '/v2/*' }, { path: '/v1/chat/completions' }] }, true],
    ['nothing included', { include: [] }, false],
    [
      'included and excluded',
      { include: [{ country: ['DE'] }], exclude: [{ header: 'x-tenant', in: ['acme'] }] },
      false,
    ],
    ['a header that is absent', { include: [{ header: 'x-plan', in: ['pro'] }] }, false],
    ['two conditions in one entry', { exclude: [{ country: ['DE'], path: '/v2/*' }] }, true],
  ])('with %s: %s → %s', (_, audience, inside) => {
    expect(inAudience(audience, facts)).toBe(inside);
  });

  it('counts an unknown country as in no list', () => {
    const unknown = { ...facts, country: null };
    expect(inAudience({ include: [{ country: ['DE'] }] }, unknown)).toBe(false);
    expect(inAudience({ exclude: [{ country: ['DE'] }] }, unknown)).toBe(true);
  });
});

describe('a path pattern', () => {
  it.each([
    ['/v1/chat/*', '/v1/chat/', true],
    ['/v1/chat/*', '/v1/chat', false],
    ['/v1/chat*', '/v1/chatty', true],
    ['*', '/', true],
    ['/v1', '/v1', true],
    ['/v1', '/v1/', false],
    ['/a*b', '/a*b', true],
    ['', '/', false],
  ])('%j fits %j: %s', (pattern, path, fits) => {
    expect(matchesPath(pattern, path)).toBe(fits);
  });
});

describe('consent', () => {
  const rule = { cookie: 'consent', value: 'yes' };
  it.each<[string | null, boolean]>([
    ['a=1; consent=yes', true],
    ['a=1, consent=yes; b=2', true],
    ['consent=no', false],
    ['consent=yes; consent=no', false],
    ['consent=', false],
    ['xconsent=yes', false],
    [null, false],
  ])('by the cookies %j is %s', (cookies, given) => {
    expect(consented(rule, cookies)).toBe(given);
  });

  it('is not asked for where the route does not require it', () => {
    expect(consented(undefined, null)).toBe(true);
  });
});
