import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { nextState } from '../../src/config/route-state.ts';
import type { ConfigStore } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { FAILURES_TO_EJECT } from '../../src/forward/ejection.ts';
import { handle, newPlane } from '../../src/forward/handle.ts';
import type { Served } from '../../src/forward/served.ts';
import { createPreviewToken } from '../../src/split/preview.ts';
import { NOBODY } from '../../src/split/receipt.ts';
import { routeOf } from '../shadow/served.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A status, or that there is no answer. */
type Answer = number | 'refused';

const SECRET = 'a secret';
const TAKES_MS = 100;

/**
 * A route in front of two variants whose answers are written down and take `TAKES_MS` each; no byte of an answer's body passes. Eve is dealt
 * to green, and ada to blue.
 */
function routeWith(members: Record<string, unknown> = {}, rollout: string | null = null) {
  const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
  const half = { baseline: 'blue', weights: { blue: 50, green: 50 }, identity: [{ header: 'x-user' }] };
  const route = routeOf({ variants, ...half, ...members });
  const split = {
    ...{ revision: 1, weights: route.weights, shadows: {}, baseline: 'blue', salt: '', rollout },
    ...{ variants: variantsHash(route), by: 'controller', reason: 'a step', at: '2026-11-23T10:00:00Z' },
  };
  const texts = { split: rollout === null ? null : JSON.stringify(split), weights: null };
  const state = nextState(route, texts, undefined, () => {});
  const asked: { variant: string; signal: AbortSignal; headers: Headers; body: unknown }[] = [];
  const served: Served[] = [];
  let answers: Record<string, Answer> = {};
  vi.stubGlobal('fetch', async (url: string, { signal, headers, body }: RequestInit) => {
    const variant = new URL(url).host.split('.')[0]!;
    asked.push({ variant, signal: signal!, headers: headers as Headers, body });
    vi.setSystemTime(Date.now() + TAKES_MS);
    const answer = answers[variant] ?? 204;
    if (answer === 'refused') throw new Error('refused');
    return new Response(null, { status: answer });
  });
  const loaded = { config: { routes: [route], cookie: {} }, hash: 'h' };
  const plane = newPlane({
    store: { current: () => loaded, stateOf: () => state } as unknown as ConfigStore,
    confirm: () => state,
    watcher: () => null,
    observers: [(one) => void served.push(one)],
  });
  const ctx = { waitUntil: () => {} } as unknown as ExecutionContext;
  const visit = (given: Record<string, Answer> = {}, { user = 'eve', headers = {}, ...init }: Visit = {}) => {
    answers = given;
    const request = new Request('https://shop.example/x', { ...init, headers: { 'x-user': user, ...headers } });
    return handle(request, { COOKIE_SECRET: SECRET } as Env, ctx, plane);
  };
  return { asked, served, visit };
}

type Visit = RequestInit & { user?: string; headers?: Record<string, string> };

const last = ({ served }: ReturnType<typeof routeWith>) => served.at(-1)!;
const other: Visit = { user: 'ada' };

/** What lets its bearer see green. */
async function preview(): Promise<Visit> {
  const nowMs = Date.now();
  const of = { route: 'main', variant: 'green', host: 'shop.example', expiresAtMs: nowMs + 60_000 };
  const token = await createPreviewToken({ ...of, nowMs }, SECRET);
  if (!token.ok) throw new Error(token.error.reason);
  return { headers: { 'x-headgate-preview': token.value } };
}

it('keeps no copy of what was asked while the answer streams', async () => {
  const body = '{"model":"m-1"}';
  const post = { method: 'POST', body, headers: { 'content-length': `${body.length}` } };
  const route = routeWith({ repeatable: ['POST'] });
  await route.visit({}, post);
  expect(new TextDecoder().decode(route.asked[0]!.body as Uint8Array)).toBe(body);
  expect(last(route).upload).toMatchObject({ isPresent: true, bytes: null });
});

describe('failover', () => {
  it('ends the request that it replaces, and tells of both, each with its own time', async () => {
    const route = routeWith();
    const startedAtMs = Date.now();
    const response = await route.visit({ green: 503 });
    expect([response.status, response.headers.get('x-headgate-failover')]).toEqual([204, 'green']);
    expect(route.asked.map(({ variant, signal }) => [variant, signal.aborted])).toEqual([
      ['green', true],
      ['blue', false],
    ]);
    expect(route.served).toMatchObject([
      { variant: 'green', reason: 'hash', isEvidence: true, isMadeGood: true, isLost: true, startedAtMs },
      {
        ...{ variant: 'blue', reason: 'failover', isEvidence: false, isMadeGood: false, isLost: false },
        ...{ startedAtMs: startedAtMs + TAKES_MS, standsIn: { variant: 'green', startedAtMs } },
      },
    ]);
  });

  it.each([
    [519, 519],
    [520, 204],
    [530, 204],
    [531, 531],
  ])('is for what the platform says in the origin’s place: %i becomes %i', async (green, status) => {
    expect((await routeWith().visit({ green })).status).toBe(status);
  });

  it('is neither for the baseline nor for methods that may not be sent twice', async () => {
    const route = routeWith();
    await route.visit({ blue: 503 }, other);
    await route.visit({ green: 503 }, { method: 'POST' });
    expect(route.asked.map(({ variant }) => variant)).toEqual(['blue', 'green']);
  });

  it('sends the baseline no header that is for the candidate', async () => {
    const green = { url: 'https://green.example', headers: { 'x-key': 'of green' } };
    const route = routeWith({ variants: { blue: { url: 'https://blue.example' }, green } });
    await route.visit({ green: 503 });
    expect(route.asked.map(({ headers }) => headers.get('x-key'))).toEqual(['of green', null]);
  });

  it('tells of the baseline where neither can be reached', async () => {
    const route = routeWith();
    const { status, headers } = await route.visit({ green: 'refused', blue: 'refused' });
    expect([status, headers.get('x-headgate-variant'), headers.get('x-headgate-failover')]).toEqual([
      502,
      'blue',
      'green',
    ]);
    expect(route.served).toMatchObject([
      { variant: 'green', isLost: true, isMadeGood: false, errorCode: 'origin_unreachable' },
      { variant: 'blue', isLost: false, ownStatus: 502, errorCode: 'origin_unreachable' },
    ]);
  });
});

describe('ejection', () => {
  it('takes back no failure that was not counted, since the baseline was failing already', async () => {
    const route = routeWith();
    for (let i = 0; i < FAILURES_TO_EJECT - 1; i++) await route.visit({ green: 503 });
    // The first of these shows that the baseline fails too, and is taken back. From then on nothing is counted.
    for (let i = 0; i < 9; i++) await route.visit({ green: 503, blue: 503 });
    expect(route.served.filter(({ reason }) => reason === 'ejected')).toEqual([]);
    // The first of these shows that the baseline is well again, and the second counts.
    for (let i = 0; i < 2; i++) await route.visit({ green: 503 });
    await route.visit();
    expect(last(route)).toMatchObject({ variant: 'blue', reason: 'ejected', isEvidence: false, dealt: 'green' });
  });

  it.each([
    ['a good answer', {}],
    ['one while the baseline fails', { blue: 503 }],
  ])('begins to count anew after %s', async (_, answers) => {
    const route = routeWith();
    for (let i = 1; i < FAILURES_TO_EJECT; i++) await route.visit({ green: 503 });
    await route.visit(answers, other);
    await route.visit(answers);
    await route.visit({}, other);
    for (let i = 1; i < FAILURES_TO_EJECT; i++) await route.visit({ green: 503 });
    await route.visit();
    expect(last(route).reason).toBe('hash');
  });

  it('counts the statuses of failover also where that is turned off', async () => {
    const route = routeWith({ failover: false });
    for (let i = 0; i < FAILURES_TO_EJECT; i++) expect((await route.visit({ green: 503 })).status).toBe(503);
    await route.visit();
    expect(last(route).reason).toBe('ejected');
  });

  it('counts no failure that only a preview saw', async () => {
    const route = routeWith();
    for (let i = 0; i < FAILURES_TO_EJECT; i++) await route.visit({ green: 503 }, await preview());
    await route.visit();
    expect(last(route)).toMatchObject({ variant: 'green', reason: 'hash' });
  });

  it('sends the baseline what its own members make of the body', async () => {
    const blue = { url: 'https://blue.example', json: { model: 'b' } };
    const green = { url: 'https://green.example', json: { model: 'g' } };
    const route = routeWith({ variants: { blue, green }, repeatable: ['POST'] });
    const sent = { method: 'POST', body: '{"q":1}', headers: { 'content-length': '7' } };
    for (let i = 0; i <= FAILURES_TO_EJECT; i++) await route.visit({ green: 503 }, sent);
    expect(last(route).reason).toBe('ejected');
    const { variant, body, headers } = route.asked.at(-1)!;
    expect([variant, new TextDecoder().decode(body as Uint8Array)]).toEqual(['blue', '{"model":"b","q":1}']);
    expect(headers.has('content-length')).toBe(false);
  });
});

describe('an answer', () => {
  const heard = { audience: { include: [{ header: 'x-plan', in: ['pro'] }] } };
  it.each<[string, Record<string, unknown>, Visit, string | null]>([
    ['that everybody gets', { weights: { blue: 100 } }, {}, null],
    ['of one of two', {}, {}, 'private'],
    ['of one of two, where the config says to keep what origins say', { cache: 'preserve' }, {}, null],
    ['with a receipt', { weights: { blue: 100 }, receipts: true }, {}, 'private'],
    [
      'that all but those on no trial get',
      { weights: { green: 100 }, ...heard },
      { headers: { 'x-plan': 'pro' } },
      'private',
    ],
    ['of the baseline, also to those on no trial', { weights: { blue: 100 }, ...heard }, {}, null],
  ])('%s is for whom it may be', async (_, members, init, expected) => {
    expect((await routeWith(members).visit({}, init)).headers.get('cache-control')).toBe(expected);
  });

  it('to a preview is for its bearer alone, says who gave it, and credits nobody', async () => {
    const quiet = { weights: { blue: 100 }, expose: false, receipts: true };
    const { headers } = await routeWith(quiet).visit({}, await preview());
    expect([headers.get('x-headgate-variant'), headers.get('cache-control')]).toEqual(['green', 'private']);
    expect(headers.has('x-headgate-receipt')).toBe(false);
    const bare = await routeWith({ weights: { blue: 100 } }).visit({}, await preview());
    expect(bare.headers.get('cache-control')).toBe('private');
  });

  it('in the place of an ejected variant credits the unit, and no others that are no evidence', async () => {
    const route = routeWith({ receipts: true, audience: { exclude: [{ header: 'x-plan', in: ['none'] }] } });
    const isNobodys = async (init: Visit = {}) =>
      (await route.visit({ green: 503 }, init)).headers.get('x-headgate-receipt')!.split('~')[2] === NOBODY;
    for (let i = 0; i < FAILURES_TO_EJECT; i++) await isNobodys();
    expect(await isNobodys()).toBe(false);
    expect(last(route).reason).toBe('ejected');
    expect(await isNobodys({ headers: { 'x-plan': 'none' } })).toBe(true);
    expect(await isNobodys(other)).toBe(false);
  });
});

describe('a body that does not fit the members of a variant', () => {
  const variants = {
    blue: { url: 'https://blue.example' },
    green: { url: 'https://green.example', json: { model: 'g' } },
  };
  const sent = { method: 'POST', body: 'words', headers: { 'content-length': '5' } };
  it.each<[string, Visit, object]>([
    [
      'moves its request to the baseline',
      {},
      { variant: 'blue', reason: 'json_unfit', isEvidence: false, dealt: 'green' },
    ],
    [
      'is no evidence of the other either',
      other,
      { variant: 'blue', reason: 'hash', isEvidence: false, dealt: 'blue' },
    ],
    [
      'is no matter outside the audience',
      { user: 'out' },
      { variant: 'blue', reason: 'only', isEvidence: false, dealt: null },
    ],
  ])('%s', async (_, { user }, expected) => {
    const route = routeWith({ variants, audience: { exclude: [{ header: 'x-user', in: ['out'] }] } });
    await route.visit({}, { ...sent, user });
    expect(last(route)).toMatchObject(expected);
    expect(new TextDecoder().decode(route.asked[0]!.body as Uint8Array)).toBe('words');
  });

  it.each([
    [null, true],
    ['r-1', false],
  ])('counts where only one serves, but not in a rollout (%s)', async (rollout, isEvidence) => {
    const route = routeWith({ variants, weights: { blue: 100 } }, rollout);
    await route.visit({}, sent);
    expect(last(route)).toMatchObject({ variant: 'blue', isEvidence, dealt: 'blue' });
  });
});
