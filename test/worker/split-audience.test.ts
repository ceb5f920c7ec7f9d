import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, cookieValue } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let blue: Origin;
let green: Origin;
let headgate: Headgate;

beforeAll(async () => {
  const origin = (name: string) =>
    startOrigin((request, response) => {
      response.statusCode = request.url!.endsWith('/failing') && name === 'green' ? 503 : 200;
      response.setHeader('cache-control', 'public, s-maxage=60').end(name);
    });
  [blue, green] = await Promise.all([origin('blue'), origin('green')]);
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  // All of the audience is on green, so that blue says "outside".
  const route = (name: string, more: Record<string, unknown>) => ({
    name,
    match: { path: `/${name}/*` },
    variants,
    baseline: 'blue',
    weights: { green: 100 },
    ...more,
  });
  const match = (name: string, rules: unknown) => ({ name, match: rules, variants: { blue: { url: blue.url } } });
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        route('out', {
          audience: {
            exclude: [
              { header: 'x-tenant', in: ['acme', 'initech'] },
              { country: ['DE', 'FR'] },
              { path: '/out/internal/*' },
              { header: 'x-plan', in: ['free'], path: '/out/beta' },
            ],
          },
        }),
        route('in', { audience: { include: [{ header: 'x-staff', in: ['yes'] }, { country: 'NL' }] } }),
        route('both', {
          audience: { include: [{ header: 'x-staff', in: ['yes'] }], exclude: [{ country: 'DE' }] },
          weights: { blue: 50, green: 50 },
        }),
        route('consent', { requireConsent: { cookie: 'consent', value: 'yes' }, weights: { blue: 50, green: 50 } }),
        route('asked', { requireConsent: { cookie: 'consent', value: 'yes' } }),
        route('all', {}),
        route('tried', {
          identity: [{ header: 'x-user-id' }],
          experiment: { id: 'e-1', primary: ['error'], plannedUnits: 100 },
        }),
        match('header', { path: '/m/*', header: { 'x-version': ['2', '3'], 'x-beta': 'on' } }),
        match('exact', { host: 'api.test', path: '/m/exact' }),
        match('suffix', { host: '*.test', path: '/m/*' }),
        match('list', [{ host: 'one.example' }, { path: '/m/two' }]),
        match('rest', { path: '/m/*' }),
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await Promise.all([blue.close(), green.close()]);
});

const variantOf = async (path: string, headers: Record<string, string> = {}) =>
  (await ask(headgate.url, path, { headers })).variant;

/** A request from a country, which only the platform's edge can tell. */
async function variantFrom(country: string, path: string, headers: Record<string, string> = {}) {
  const response = await headgate.mf.dispatchFetch(`http://shop.test${path}`, { headers, cf: { country } as never });
  await response.text();
  return response.headers.get('x-headgate-variant');
}

describe('an audience', () => {
  it('leaves excluded headers, countries and paths on the baseline', async () => {
    expect(await variantOf('/out/x')).toBe('green');
    expect(await variantOf('/out/x', { 'x-tenant': 'acme' })).toBe('blue');
    expect(await variantOf('/out/x', { 'x-tenant': 'acme2' })).toBe('green');
    expect(await variantOf('/out/x', { 'x-tenant': 'ACME' })).toBe('green');
    expect(await variantOf('/out/internal/x')).toBe('blue');
    expect(await variantOf('/out/%2e%2e/out/internal/x')).toBe('blue');
    expect(await variantFrom('DE', '/out/x')).toBe('blue');
    expect(await variantFrom('US', '/out/x')).toBe('green');
  });

  it('takes an entry of several conditions as all of them together', async () => {
    expect(await variantOf('/out/beta', { 'x-plan': 'free' })).toBe('blue');
    expect(await variantOf('/out/beta')).toBe('green');
    expect(await variantOf('/out/x', { 'x-plan': 'free' })).toBe('green');
  });

  it('takes in only those it names, and exclusion beats inclusion', async () => {
    expect(await variantOf('/in/x')).toBe('blue');
    expect(await variantOf('/in/x', { 'x-staff': 'yes' })).toBe('green');
    expect(await variantFrom('NL', '/in/x')).toBe('green');
    expect(await variantFrom('BE', '/in/x')).toBe('blue');
    expect(await variantFrom('DE', '/both/x', { 'x-staff': 'yes' })).toBe('blue');
  });

  it("believes the platform's word for the country and not the client's", async () => {
    expect(await variantOf('/out/x', { 'cf-ipcountry': 'DE' })).toBe('green');
    expect(await variantOf('/in/x', { 'cf-ipcountry': 'NL', 'x-country': 'NL' })).toBe('blue');
  });

  it('gives those outside it no cookie, also where two variants have weight', async () => {
    for (let times = 0; times < 10; times++) {
      expect(await ask(headgate.url, '/both/x')).toMatchObject({ variant: 'blue', setCookies: [] });
    }
    expect((await ask(headgate.url, '/both/x', { headers: { 'x-staff': 'yes' } })).setCookies).toHaveLength(1);
  });
});

describe('consent', () => {
  it.each([
    [undefined],
    ['consent=no'],
    ['consent='],
    ['consent=YES'],
    ['xconsent=yes'],
    ['consent=yes; consent=no'],
    [`headgate=${'A'.repeat(22)}`],
  ])('by the cookies %s is not given: the baseline, and no cookie', async (cookie) => {
    for (let times = 0; times < 8; times++) {
      const answer = await ask(headgate.url, '/consent/x', { headers: cookie === undefined ? {} : { cookie } });
      expect(answer).toMatchObject({ status: 200, variant: 'blue', setCookies: [] });
    }
  });

  it('once given makes visitors of people, on both variants', async () => {
    const seen = new Set<string | undefined>();
    for (let times = 0; times < 40; times++) {
      const answer = await ask(headgate.url, '/consent/x', { headers: { cookie: 'consent=yes' } });
      expect(cookieValue(answer.setCookies, 'headgate')).toMatch(/^[\w-]{22}$/);
      seen.add(answer.variant);
    }
    expect([...seen].sort()).toEqual(['blue', 'green']);
  });
});

describe('shared caches', () => {
  it.each([
    ['/out/x', {}, 'green'],
    ['/out/x', { 'x-tenant': 'acme' }, 'blue'],
    ['/asked/x', { cookie: 'consent=yes' }, 'green'],
    ['/asked/x', {}, 'blue'],
    ['/tried/x', { 'x-user-id': 'u-1' }, 'green'],
    ['/tried/x', { 'x-user-id': 'u-1', 'x-headgate-opt-out': '1' }, 'blue'],
    ['/all/failing', {}, 'blue'],
  ])('keep no answer that others would not get: %s with %j', async (path, headers, variant) => {
    const answer = await ask(headgate.url, path, { headers });
    expect(answer).toMatchObject({ variant, headers: { 'cache-control': 'private' } });
  });

  it('keep what is the same for everybody', async () => {
    const answer = await ask(headgate.url, '/all/x');
    expect(answer).toMatchObject({ variant: 'green', headers: { 'cache-control': 'public, s-maxage=60' } });
  });
});

describe('routes', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['api.test', '/m/exact', {}, 'exact'],
    ['API.Test:8443', '/m/exact', {}, 'exact'],
    ['api.test', '/m/exact', { 'x-version': '3', 'x-beta': 'on' }, 'header'],
    ['api.test', '/m/exact', { 'x-version': '4', 'x-beta': 'on' }, 'exact'],
    ['api.test', '/m/exact', { 'x-version': '3' }, 'exact'],
    ['api.test', '/m/other', {}, 'suffix'],
    ['a.b.test', '/m/x', {}, 'suffix'],
    ['test', '/m/x', {}, 'rest'],
    ['eviltest', '/m/x', {}, 'rest'],
    ['one.example', '/anything', {}, 'list'],
    ['two.example', '/m/two', {}, 'list'],
    ['two.example', '/m/two/', {}, 'rest'],
  ])('on %s%s with %j are tried in order, and %s is the first that fits', async (host, path, headers, route) => {
    const answer = await ask(headgate.url, path, { headers: { host, ...headers } });
    expect(answer.headers['x-headgate-route']).toBe(route);
  });

  it('that do not fit are told so in a problem document', async () => {
    const answer = await ask(headgate.url, '/nowhere', { headers: { host: 'two.example' } });
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'x-headgate-error': 'no_route',
    });
  });
});
