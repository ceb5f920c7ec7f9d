import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armsOf, assign } from '../../src/split/assign.ts';
import vectors from '../vectors/assignment.json' with { type: 'json' };
import { type Ask, ask, cookieValue } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let origin: Origin;
let headgate: Headgate;

const HALVES = { blue: 50, green: 50 };
const headersOf = (headers: Record<string, string>): Ask => ({ headers });

beforeAll(async () => {
  origin = await startOrigin();
  const at = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, { url: `${origin.url}/${name}` }]));
  const route = (name: string, more: Record<string, unknown>) => ({
    name,
    match: { path: `/${name}/*` },
    variants: at(['blue', 'green']),
    weights: HALVES,
    ...more,
  });
  const tested = new Map(
    vectors.vectors.map(({ salt, route: name, weights }) => {
      const given: Record<string, number> = Object.fromEntries(Object.entries(weights));
      const identity = [{ header: 'x-unit' }, { query: 'u' }];
      return [name, route(name, { salt, weights: given, variants: at(Object.keys(weights)), identity })];
    }),
  );
  const services = Array.from({ length: 100 }, (_, index) =>
    route(`svc-${index}`, { weights: { blue: 100 }, match: { host: 'many.test', path: `/svc-${index}/*` } }),
  );
  const chain = [{ header: 'x-user-id' }, { cookie: 'session' }, { query: 'u' }, { cookie: true }];
  headgate = await startHeadgate({
    recorder: false,
    config: {
      version: 1,
      routes: [
        ...tested.values(),
        route('chain', { identity: chain }),
        route('api', { identity: [{ header: 'x-user-id' }] }),
        route('late', { identity: [{ cookie: true }, { header: 'x-user-id' }] }),
        ...services,
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

const expected = (route: string, unit: string) => assign('', route, unit, armsOf(HALVES));

/** A unit that the route gives to the variant. */
function unitOn(route: string, variant: string): string {
  for (let index = 0; ; index++) if (expected(route, `unit-${index}`) === variant) return `unit-${index}`;
}

describe('units', () => {
  it.each(vectors.vectors)('$unit of $route goes to $variant, by header and by query alike', async (vector) => {
    // On the wire a header is bytes, and these are the text's in UTF-8.
    const bytes = Buffer.from(vector.unit, 'utf8').toString('latin1');
    const byHeader = await ask(headgate.url, `/${vector.route}/x`, headersOf({ 'x-unit': bytes }));
    expect(byHeader).toMatchObject({ status: 200, variant: vector.variant, setCookies: [] });
    const byQuery = await ask(headgate.url, `/${vector.route}/x?a=b&u=${encodeURIComponent(vector.unit)}`);
    expect(byQuery.variant).toBe(vector.variant);
  });

  it('are named by the first entry of the chain that the request has', async () => {
    const blue = unitOn('chain', 'blue');
    const green = unitOn('chain', 'green');
    const cases: [string, Record<string, string>, string][] = [
      ['/chain/x', { 'x-user-id': green, cookie: `session=${blue}` }, 'green'],
      [`/chain/x?u=${blue}`, { cookie: `session=${green}` }, 'green'],
      [`/chain/x?u=${green}`, {}, 'green'],
      [`/chain/x?u=${green}`, { 'x-user-id': '', cookie: 'session=' }, 'green'],
      [`/chain/x?u=${green}`, { 'x-user-id': blue }, 'blue'],
    ];
    for (const [path, headers, variant] of cases) {
      expect(await ask(headgate.url, path, { headers })).toMatchObject({ variant, setCookies: [] });
    }
  });

  it("are minted last, and a service's own cookie is passed on as it came", async () => {
    const minted = await ask(headgate.url, '/chain/x');
    const id = cookieValue(minted.setCookies, 'headgate')!;
    expect(minted.variant).toBe(expected('chain', id));
    await ask(headgate.url, '/chain/x', headersOf({ cookie: `session=abc; headgate=${id}` }));
    expect(origin.seen.at(-1)?.headers.cookie).toBe('session=abc');
  });

  it('come from a header where our cookie stands first in the chain and is not there', async () => {
    const green = unitOn('late', 'green');
    expect(await ask(headgate.url, '/late/x', headersOf({ 'x-user-id': green }))).toMatchObject({
      variant: 'green',
      setCookies: [],
    });
  });

  it('that nobody can name get the baseline, each time and without a cookie', async () => {
    for (let times = 0; times < 20; times++) {
      expect(await ask(headgate.url, '/api/x')).toMatchObject({ status: 200, variant: 'blue', setCookies: [] });
    }
  });

  it('stay where they are whatever else of the request changes', async () => {
    const green = unitOn('api', 'green');
    for (let times = 0; times < 10; times++) {
      const more = { 'x-user-id': green, 'user-agent': `a/${times}`, cookie: `headgate=${'A'.repeat(22)}` };
      const method = times % 2 === 0 ? 'POST' : 'DELETE';
      const answer = await ask(headgate.url, `/api/${times}?q=${times}`, { method, headers: more });
      expect(answer.variant).toBe('green');
    }
  });
});

describe('a hundred routes', () => {
  it('are each found by their path, and by no other host', async () => {
    for (const index of [0, 1, 10, 57, 99]) {
      const answer = await ask(headgate.url, `/svc-${index}/x`, headersOf({ host: 'many.test' }));
      expect(answer.headers['x-headgate-route']).toBe(`svc-${index}`);
      expect(origin.seen.at(-1)).toMatchObject({ url: `/blue/svc-${index}/x` });
    }
    const strange = await ask(headgate.url, '/svc-57/x', headersOf({ host: 'other.test' }));
    expect(strange).toMatchObject({ status: 404 });
    expect(JSON.parse(strange.body)).toMatchObject({ code: 'no_route' });
    expect((await ask(headgate.url, '/svc-100/x', headersOf({ host: 'many.test' }))).status).toBe(404);
  });
});
