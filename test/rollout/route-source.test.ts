import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { RouteSource } from '../../src/rollout/route-source.ts';

let looks = 0;
const env = {
  CONFIG: {
    get: async (keys: string[]) => {
      looks++;
      return new Map(keys.map((key) => [key, null]));
    },
  },
} as unknown as Env;

beforeEach(() => {
  looks = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a look at config and KV', () => {
  it('serves all who asked before it began, and nobody who asks later', async () => {
    const source = new RouteSource(env, 'detect', null);
    const askedAtMs = Date.now();
    vi.advanceTimersByTime(10);
    for (let n = 0; n < 5; n++) await source.read(askedAtMs, 0);
    expect(looks).toBe(1);
    vi.advanceTimersByTime(10);
    await source.read(Date.now(), 0);
    expect(looks).toBe(2);
  });

  it('is made anew when the clock was set back', async () => {
    const source = new RouteSource(env, 'detect', null);
    await source.read(Date.now(), 0);
    vi.setSystemTime(Date.now() - 3_600_000);
    await source.read(Date.now(), 0);
    expect(looks).toBe(2);
  });
});

describe('what is known of a route', () => {
  const split = {
    ...{ revision: 7, weights: { blue: 90, green: 10 }, shadows: {}, baseline: 'blue', salt: '', rollout: null },
    ...{ variants: 'hash', by: 'ada', reason: 'because', at: '2026-11-23T10:00:00Z' },
  };

  /** A controller's looks, one after another: at this config (null: unread) and these keys (null: KV fails). */
  async function seen(...looks: { config: string | null; kv: Record<string, string | null> | null }[]) {
    let now = looks[0]!;
    const outside = {
      CONFIG: {
        get: async (keys: string[]) => {
          if (now.kv === null) throw new Error('down');
          return new Map(keys.map((key) => [key, now.kv![key] ?? null]));
        },
      },
      CONTROLLER: {
        idFromName: () => 'config',
        get: () => ({ currentConfig }),
      },
    } as unknown as Env;
    const currentConfig = async () => (now.config === null ? null : { text: now.config });
    const source = new RouteSource(outside, 'main', { green: 100 });
    for (now of looks) {
      await source.read(Date.now(), 0);
      vi.advanceTimersByTime(60_000);
    }
    const { route, isKnown, isKvKnown, byHand, byHandFault, kvRevision, kvSplit } = source.view;
    const fault = byHandFault === null ? null : 'refused';
    return [route?.name ?? null, isKnown, isKvKnown, byHand, fault, kvRevision, kvSplit?.revision ?? null];
  }

  const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
  const config = JSON.stringify({ version: 1, routes: [{ name: 'main', variants, baseline: 'blue' }] });
  const byHand = { 'weights:main': '{"blue":100}' };
  const inKv = { 'split:main': JSON.stringify(split) };

  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
  afterEach(() => void vi.restoreAllMocks());

  it('is what config and KV say', async () => {
    expect(await seen({ config, kv: { ...inKv } })).toEqual(['main', true, true, null, null, 7, 7]);
    expect(await seen({ config, kv: { ...byHand } })).toEqual([
      'main',
      true,
      true,
      { blue: 100, green: 0 },
      null,
      0,
      null,
    ]);
  });

  it('is what it was before where nothing can be read: a failed read is not absence', async () => {
    expect(await seen({ config: null, kv: null })).toEqual([null, false, false, { green: 100 }, null, 0, null]);
    const good = { config, kv: { ...inKv, ...byHand } };
    expect(await seen(good, { config: null, kv: null })).toEqual(await seen(good));
  });

  it('is the last that was valid, and what is wrong with newer weights by hand', async () => {
    const good = { config, kv: { ...inKv, ...byHand } };
    const bad = { config: '{}', kv: { 'split:main': 'words', 'weights:main': '{"blue":7}' } };
    expect(await seen(good, bad)).toEqual(['main', true, true, { blue: 100, green: 0 }, 'refused', 7, 7]);
    expect(await seen(good, bad, { config, kv: {} })).toEqual(['main', true, true, null, null, 7, 7]);
  });

  it('keeps the highest revision that KV has shown, also where KV falls back to an older one', async () => {
    const older = { 'split:main': JSON.stringify({ ...split, revision: 5 }) };
    expect((await seen({ config, kv: inKv }, { config, kv: older })).slice(-2)).toEqual([7, 5]);
  });

  it('is that the route is gone once a config says so, but weights by hand that nobody can read stay', async () => {
    const none = JSON.stringify({ version: 1, routes: [] });
    expect(await seen({ config: none, kv: byHand })).toEqual([null, true, true, { green: 100 }, null, 0, null]);
  });
});
