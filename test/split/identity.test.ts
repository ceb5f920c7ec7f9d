import { describe, expect, it } from 'vitest';
import type { IdentitySource } from '../../src/config/types.ts';
import { findUnit, type IdentityFacts } from '../../src/split/identity.ts';
import { visitorValue } from '../../src/split/visitor.ts';

const ID = 'CCCCCCCCCCCCCCCCCCCCCA';
const SECRET = 'a secret of the tests';

function request(sent: { headers?: Record<string, string>; cookie?: string; search?: string } = {}): IdentityFacts {
  return {
    header: (name) => sent.headers?.[name] ?? null,
    cookieHeader: sent.cookie ?? null,
    search: sent.search ?? '',
    https: true,
    secret: SECRET,
  };
}

const chain: IdentitySource[] = [{ header: 'x-user-id' }, { query: 'user' }, { cookie: 'session' }, { cookie: true }];

describe('the identity chain', () => {
  it.each<[string, IdentityFacts, object]>([
    [
      'the header',
      request({ headers: { 'x-user-id': 'u-1' }, search: '?user=u-2' }),
      { unit: 'u-1', source: 'header' },
    ],
    ['the query', request({ search: '?a=1&user=u%202', cookie: 'session=u-3' }), { unit: 'u 2', source: 'query' }],
    ['another’s cookie, as sent', request({ cookie: 'session=u%203,4' }), { unit: 'u%203,4', source: 'cookie' }],
    ['our cookie', request({ cookie: `a=1; __Host-headgate=${ID}` }), { unit: ID, source: 'cookie' }],
  ])('takes the unit from %s when it is the first present', (_, facts, found) => {
    expect(findUnit(chain, facts)).toMatchObject({ kind: 'found', ...found });
  });

  it('gives a visitor, and so pins, only where our cookie named the unit', async () => {
    const pins = [{ route: 'chat', variant: 'green', epoch: 'r-1' }];
    const cookie = `__Host-headgate=${await visitorValue(ID, pins, SECRET)}`;
    expect(await findUnit(chain, request({ cookie }))).toMatchObject({ visitor: { id: ID, pins } });
    expect(findUnit(chain, request({ cookie, headers: { 'x-user-id': 'u-1' } }))).toMatchObject({ visitor: null });
  });

  it('passes over what is there but empty', () => {
    const facts = request({
      headers: { 'x-user-id': '' },
      search: '?user=',
      cookie: `session=; __Host-headgate=${ID}`,
    });
    expect(findUnit(chain, facts)).toMatchObject({ unit: ID });
  });

  it('asks for a new cookie when nothing is present, or ours is malformed', () => {
    expect(findUnit(chain, request())).toEqual({ kind: 'mint' });
    expect(findUnit([{ cookie: true }], request({ cookie: '__Host-headgate=junk' }))).toEqual({ kind: 'mint' });
  });

  it('looks at later entries before it asks for a cookie', () => {
    const identity: IdentitySource[] = [{ cookie: true }, { header: 'x-user-id' }];
    expect(findUnit(identity, request({ headers: { 'x-user-id': 'u-1' } }))).toMatchObject({ unit: 'u-1' });
    expect(findUnit(identity, request())).toEqual({ kind: 'mint' });
  });

  it('keeps the id of a forged cookie, without its pins, and says that it must be replaced', async () => {
    const cookie = `__Host-headgate=${ID}.chat:green:r-1.${'A'.repeat(43)}`;
    const found = await findUnit([{ cookie: true }, { header: 'x-user-id' }], request({ cookie }));
    expect(found).toMatchObject({ unit: ID, visitor: { pins: [], replace: true } });
  });

  it('finds no unit where none is present and none can be minted', () => {
    expect(findUnit([{ header: 'x-user-id' }, { cookie: 'session' }], request())).toEqual({ kind: 'none' });
    expect(findUnit([], request())).toEqual({ kind: 'none' });
  });

  it.each(['a'.repeat(60_000), '用'.repeat(86), '😀'.repeat(65)])('takes a long unit whole (case %#)', (unit) => {
    expect(findUnit(chain, request({ headers: { 'x-user-id': unit } }))).toMatchObject({ unit });
  });
});
