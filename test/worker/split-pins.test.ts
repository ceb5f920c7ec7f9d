import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { armsOf, assign } from '../../src/split/assign.ts';
import type { Pin } from '../../src/split/pins.ts';
import { sign } from '../../src/split/sign.ts';
import { visitorValue } from '../../src/split/visitor.ts';
import { ask, cookieValue, routeIn, until } from './client.ts';
import { COOKIE_SECRET, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let origin: Origin;
let headgate: Headgate;
let config: unknown;

const HALVES = { blue: 50, green: 50 };

function split(route: string, weights: Record<string, number>, rollout: string | null, revision: number) {
  const salt = rollout ?? '';
  const variants = variantsHash(routeIn(config, route));
  return { revision, weights, baseline: 'blue', salt, rollout, variants, by: 'controller', reason: 'test' };
}

beforeAll(async () => {
  origin = await startOrigin();
  const variants = { blue: { url: `${origin.url}/blue` }, green: { url: `${origin.url}/green` } };
  const route = (name: string, sticky: unknown) => ({
    name,
    match: { path: `/${name}/*` },
    variants,
    weights: HALVES,
    sticky,
  });
  const names = ['ramp', 'forge', 'plain'];
  config = {
    version: 1,
    routes: [...names.map((name) => route(name, name !== 'plain')), route('idle', { idle: '30m' })],
  };
  headgate = await startHeadgate({
    config,
    vars: { CONFIG_REFRESH_SECONDS: '0.1' },
    kv: {
      'split:ramp': JSON.stringify(split('ramp', HALVES, 'r-1', 1)),
      'split:forge': JSON.stringify(split('forge', HALVES, 'r-1', 1)),
      'split:idle': JSON.stringify(split('idle', HALVES, 'r-1', 1)),
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

type Rule = { route: string; salt: string; weights: Record<string, number> };
const assigned = (id: string, { route, salt, weights }: Rule) => assign(salt, route, id, armsOf(weights));

/** An id that goes where each rule says. */
function idWith(...wanted: [Rule, string][]): string {
  for (let index = 0; ; index++) {
    const id = `visitor-${index}`.padEnd(22, 'x');
    if (wanted.every(([rule, variant]) => assigned(id, rule) === variant)) return id;
  }
}

const visit = (route: string, cookie: string) =>
  ask(headgate.url, `/${route}/x`, { headers: { cookie: `headgate=${cookie}` } });

async function lastReason(route: string) {
  const [row] = await headgate.records(`dataset=requests&route=${route}&limit=1`);
  return row?.reason;
}

describe('a sticky route', () => {
  const start: Rule = { route: 'ramp', salt: 'r-1', weights: HALVES };
  const low: Rule = { route: 'ramp', salt: 'r-1', weights: { blue: 99, green: 1 } };
  const next: Rule = { route: 'ramp', salt: 'r-2', weights: { blue: 99, green: 1 } };

  it('pins visitors of the candidate, and those of the baseline not', async () => {
    const onGreen = idWith([start, 'green']);
    const pinned = await visit('ramp', onGreen);
    expect(pinned.variant).toBe('green');
    expect(cookieValue(pinned.setCookies, 'headgate')).toMatch(
      new RegExp(`^${onGreen}\\.ramp:green:r-1\\.[\\w-]{43}$`),
    );
    expect(await visit('ramp', idWith([start, 'blue']))).toMatchObject({ variant: 'blue', setCookies: [] });
  });

  it('keeps a pinned visitor on green when its weight falls, until the next rollout or until green has no weight', async () => {
    const id = idWith([start, 'green'], [low, 'blue'], [next, 'blue']);
    const cookie = cookieValue((await visit('ramp', id)).setCookies, 'headgate')!;
    expect(cookie).toContain('ramp:green:r-1');
    const moves = (variant: string) =>
      until(
        () => visit('ramp', id),
        (answer) => answer.variant === variant,
      );

    await headgate.put('split:ramp', split('ramp', low.weights, 'r-1', 2));
    await moves('blue');
    expect(await visit('ramp', cookie)).toMatchObject({ variant: 'green', setCookies: [] });
    expect(await lastReason('ramp')).toBe('pin');

    await headgate.put('weights:ramp', { blue: 100 });
    await until(
      () => visit('ramp', cookie),
      (answer) => answer.variant === 'blue',
    );
    expect(await lastReason('ramp')).toBe('only');
    await headgate.put('weights:ramp', {});
    await until(
      () => visit('ramp', cookie),
      (answer) => answer.variant === 'green',
    );

    await headgate.put('split:ramp', split('ramp', next.weights, 'r-2', 3));
    await until(
      () => visit('ramp', cookie),
      (answer) => answer.variant === 'blue',
    );
    expect(await lastReason('ramp')).toBe('hash');
  });
});

describe('pins that we did not give', () => {
  const rule: Rule = { route: 'forge', salt: 'r-1', weights: HALVES };
  const id = idWith([rule, 'blue']);
  const other = idWith([rule, 'green']);
  const text = `${id}.forge:green:r-1`;
  const pin: Pin = { route: 'forge', variant: 'green', epoch: 'r-1' };
  const genuine = () => visitorValue(id, [pin], COOKIE_SECRET);

  it('are told from ours, which does hold this visitor on green', async () => {
    expect(await visit('forge', await genuine())).toMatchObject({ variant: 'green', setCookies: [] });
  });

  it.each<[string, () => Promise<string> | string]>([
    ['without a tag', () => text],
    ['with an empty tag', () => `${text}.`],
    ['with a tag of zeros', () => `${text}.${'A'.repeat(43)}`],
    ['with a short tag', async () => (await genuine()).slice(0, -1)],
    ['with a long tag', async () => `${await genuine()}A`],
    ['with one letter of the tag changed', async () => flipped(await genuine(), -2)],
    ['signed with a guessed secret', async () => `${text}.${await sign('pin', text, 'secret')}`],
    ['signed as a preview', async () => `${text}.${await sign('preview', text, COOKIE_SECRET)}`],
    [
      "with another visitor's tag",
      async () => `${text}.${(await visitorValue(other, [pin], COOKIE_SECRET)).slice(-43)}`,
    ],
    [
      'of one route renamed to another',
      async () =>
        (await visitorValue(id, [{ ...pin, route: 'plain' }], COOKIE_SECRET)).replace('plain:green', 'forge:green'),
    ],
    [
      'with a second pin slipped in',
      async () =>
        (await visitorValue(id, [{ ...pin, route: 'ramp' }], COOKIE_SECRET)).replace('.ramp', '.forge:green:r-1.ramp'),
    ],
  ])('%s change nothing and are cleared away', async (_, forge) => {
    const answer = await visit('forge', await forge());
    expect(answer).toMatchObject({ status: 200, variant: 'blue' });
    expect(cookieValue(answer.setCookies, 'headgate')).toBe(id);
  });

  it.each<[string, Pin]>([
    ['of another route', { ...pin, route: 'ramp' }],
    ['of another rollout', { ...pin, epoch: 'r-0' }],
    ['of no rollout', { ...pin, epoch: '' }],
    ['to a variant that is not there', { ...pin, variant: 'third' }],
    ['to the baseline', { ...pin, variant: 'blue' }],
  ])('though signed, %s hold nobody', async (_, given) => {
    expect((await visit('forge', await visitorValue(id, [given], COOKIE_SECRET))).variant).toBe('blue');
  });

  it('count for nothing on a route that is not sticky', async () => {
    const plain: Rule = { route: 'plain', salt: '', weights: HALVES };
    const visitor = idWith([plain, 'blue']);
    const value = await visitorValue(visitor, [{ route: 'plain', variant: 'green', epoch: '' }], COOKIE_SECRET);
    expect(await visit('plain', value)).toMatchObject({ variant: 'blue', setCookies: [] });
  });
});

describe('a route that is sticky until visitors are idle', () => {
  const rule: Rule = { route: 'idle', salt: 'r-1', weights: HALVES };
  const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;
  const seen = (variant: string, minutes: number): Pin => ({
    route: 'idle',
    variant,
    epoch: 'r-1',
    seenAtMs: minutesAgo(minutes),
  });

  it.each(['blue', 'green'])('pins visitors of %s', async (variant) => {
    const answer = await visit('idle', idWith([rule, variant]));
    expect(answer.variant).toBe(variant);
    expect(cookieValue(answer.setCookies, 'headgate')).toMatch(new RegExp(`\\.idle:${variant}:r-1:[0-9a-z]+\\.`));
  });

  it.each([
    ['blue', 'green'],
    ['green', 'blue'],
  ])('holds a visitor on %s, whom the hash would send to %s, while the session lasts', async (pinned, hashed) => {
    const id = idWith([rule, hashed]);
    const cookie = await visitorValue(id, [seen(pinned, 1)], COOKIE_SECRET);
    expect(await visit('idle', cookie)).toMatchObject({ variant: pinned, setCookies: [] });
    const after10 = await visit('idle', await visitorValue(id, [seen(pinned, 10)], COOKIE_SECRET));
    expect(after10.variant).toBe(pinned);
    expect(cookieValue(after10.setCookies, 'headgate')).toContain(`idle:${pinned}:r-1:`);
  });

  it('assigns a visitor anew who was away for longer', async () => {
    const id = idWith([rule, 'green']);
    const answer = await visit('idle', await visitorValue(id, [seen('blue', 40)], COOKIE_SECRET));
    expect(answer.variant).toBe('green');
    expect(cookieValue(answer.setCookies, 'headgate')).toContain('.idle:green:r-1:');
  });
});

function flipped(text: string, at: number): string {
  const index = text.length + at;
  return text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1);
}
