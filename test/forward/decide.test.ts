import { describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { nextState } from '../../src/config/route-state.ts';
import { decide, type Facts } from '../../src/forward/decide.ts';
import { type Json, routeOf, routeWith } from '../config/sample.ts';

/** What is decided for one request on a route, maybe under a split of a rollout. */
async function decided(
  route: Json,
  {
    method = 'GET',
    headers = {},
    green,
    guardrails,
    cookies = { sameSite: 'lax' },
  }: { method?: string; headers?: Record<string, string>; green?: number; guardrails?: Json[]; cookies?: Json } = {},
) {
  const given = routeOf(routeWith(route));
  const of = { baseline: 'blue', salt: 'r-1', rollout: 'r-1', variants: variantsHash(given) };
  const split =
    green === undefined
      ? null
      : JSON.stringify({ revision: 1, weights: { blue: 100 - green, green }, guardrails, ...of });
  const state = nextState(given, { split, weights: null }, undefined, () => {});
  const url = new URL('https://shop.example/x');
  const request = new Request(url, { method });
  const sent = new Headers(headers);
  const read = { cookieHeader: sent.get('cookie'), header: (name: string) => sent.get(name) };
  const facts = { request, method, url, sent, ...read, cookies, nowMs: 0 };
  return decide(state, { ...facts, secret: 'a secret' } as unknown as Facts);
}

/** What a page of another site makes a browser send that comes to us with it, as a bank does after a payment. */
const sentOn = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } };
const byHeader = { identity: [{ header: 'x-user-id' }] };
const experiment = { id: 'e-1', primary: ['error'], plannedUnits: 100 };

describe('a request of nobody known', () => {
  it.each([
    ['whose identity gives no unit', byHeader, {}],
    ['that a browser asks before another', {}, { method: 'OPTIONS' }],
    ['that comes from a form of another site, without the cookies of its sender', {}, sentOn],
    ["for a page's manifest, which browsers fetch without cookies", {}, { headers: { 'sec-fetch-dest': 'manifest' } }],
  ])('%s gets the baseline of a trial, and is no evidence', async (_, route, asks) => {
    const decision = await decided(route, { ...asks, green: 50 });
    expect(decision).toMatchObject({ variant: 'blue', reason: 'only', isEvidence: false, setCookie: null });
    expect(decision.dealt).toBeUndefined();
  });

  it.each([
    ['whose identity gives no unit', byHeader, {}],
    ['that a browser asks before another', {}, { method: 'OPTIONS' }],
    ['that comes from a form of another site, without the cookies of its sender', {}, sentOn],
    ["for a page's manifest, which browsers fetch without cookies", {}, { headers: { 'sec-fetch-dest': 'manifest' } }],
  ])('%s goes on to the only variant in the bake, where it is no evidence either', async (_, route, asks) => {
    const decision = await decided(route, { ...asks, green: 100 });
    expect(decision).toMatchObject({ variant: 'green', isEvidence: false, dealt: 'green', setCookie: null });
  });

  it.each([
    ['that has its cookie all the same', sentOn, { cookie: `__Host-headgate=${'x'.repeat(22)}` }, {}],
    ['whose cookie would have come along', sentOn, {}, { cookies: { sameSite: 'none' } }],
    ['by a link', { ...sentOn, method: 'GET' }, {}, {}],
    ['of a script', sentOn, { 'sec-fetch-mode': 'cors' }, {}],
    ['of a form of the same site', sentOn, { 'sec-fetch-site': 'same-site' }, {}],
  ])('is none that comes from another page, but one %s', async (_, { method, headers }, more, settings) => {
    const decision = await decided({}, { method, headers: { ...headers, ...more }, green: 50, ...settings });
    expect(decision).toMatchObject({ reason: 'hash', isEvidence: true });
  });

  it('counts where there is but one variant and no rollout', async () => {
    // For an experiment's or rollout's hour before he is nobody, as he will be in it.
    const one = { variant: 'blue', isEvidence: true, unit: null, dealt: 'blue' };
    expect(await decided(byHeader)).toMatchObject(one);
  });

  it('gets no variant that has no weight, also where an experiment is declared', async () => {
    const switched = { weights: { blue: 0, green: 100 }, baseline: 'blue', experiment };
    expect(await decided(switched, { method: 'OPTIONS' })).toMatchObject({ variant: 'green', setCookie: null });
    const asking = { ...switched, requireConsent: { cookie: 'consent', value: 'yes' } };
    expect(await decided(asking, { method: 'OPTIONS' })).toMatchObject({ variant: 'green', setCookie: null });
    // A whole page is no question before one: who may not have consented gets no candidate.
    expect(await decided(asking, sentOn)).toMatchObject({ variant: 'blue', isEvidence: false, setCookie: null });
    const third = { ...routeWith().variants!, red: { url: 'https://red.example.com' } };
    const retired = { variants: third, weights: { green: 50, red: 50 }, baseline: 'blue' };
    expect((await decided(retired, { method: 'OPTIONS' })).variant).not.toBe('blue');
  });
});

describe('a visitor', () => {
  const id = 'x'.repeat(22);
  const known = { headers: { cookie: `__Host-headgate=${id}` } };

  it('keeps the id of the cookie, and is pinned only where the route is sticky', async () => {
    expect(await decided({}, { green: 50, ...known })).toMatchObject({ unit: id, setCookie: null });
    const { variant, setCookie } = await decided({ sticky: { idle: '30m' } }, { green: 50, ...known });
    expect(setCookie).toContain(`=${id}.detect:${variant}:r-1:`);
  });

  it('is pinned in an experiment, by which it stays', async () => {
    const split = { weights: { blue: 50, green: 50 }, experiment };
    const { variant, setCookie } = await decided(split, known);
    expect(setCookie).toContain(`=${id}.detect:${variant}:e-1.`);
  });
});

describe('a new visitor while one variant has everything', () => {
  const guardrails = [{ metric: 'errors', per: 'unit' }];

  it.each([0, 100])(
    'gets an id where a rollout is judged by units, so that all requests are one unit (%i %)',
    async (green) => {
      const first = await decided({}, { green, guardrails });
      expect(first).toMatchObject({ variant: green === 0 ? 'blue' : 'green', reason: 'only', isEvidence: true });
      const cookie = first.setCookie!.split(';')[0]!;
      const again = await decided({}, { green, guardrails, headers: { cookie } });
      expect(again).toMatchObject({ unit: first.unit, reason: 'only', setCookie: null });
    },
  );

  it('gets none where nothing is judged', async () => {
    expect(await decided({})).toMatchObject({ unit: null, setCookie: null });
    expect(await decided({}, { green: 0 })).toMatchObject({ unit: null, setCookie: null });
  });
});

describe('consent', () => {
  it('is asked for wherever units come from cookies, also from a cookie of the service', async () => {
    const route = {
      identity: [{ cookie: 'uid' }],
      requireConsent: { cookie: 'consent', value: 'yes' },
      weights: { green: 100 },
    };
    const two = { ...route, weights: { blue: 50, green: 50 } };
    const asked = (cookie: string) => decided(two, { headers: { cookie } });
    expect(await asked('uid=u-1')).toMatchObject({ variant: 'blue', reason: 'only', isEvidence: false });
    expect(await asked('uid=u-1; consent=yes')).toMatchObject({ reason: 'hash', isEvidence: true, unit: 'u-1' });
  });
});
