import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { err, ok, type Result } from '../../src/result.ts';
import { RETRY_MS } from '../../src/rollout/limits.ts';
import { Meta } from '../../src/rollout/meta.ts';
import { Promotions } from '../../src/rollout/promotions.ts';
import type { RouteSource } from '../../src/rollout/route-source.ts';
import { routeOf } from '../shadow/served.ts';
import { storage } from './sqlite.ts';
import { T0 } from './world.ts';

const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
const blue = routeOf({ variants, baseline: 'blue' });
const green = routeOf({ variants, baseline: 'green' });
const promotion = { route: 'main', baseline: 'green', weights: { green: 100 }, reason: 'promoted' };

type Told = Result<null, { code: string; detail: string }>;

/** What a route owes a config keeper that answers so. */
function promotionsTo(promote: (told: typeof promotion) => Promise<Told>) {
  const keeper = { promote };
  const env = { CONTROLLER: { idFromName: () => 'config', get: () => keeper } };
  let alarm: number | null = null;
  const alarms = {
    setAlarm: async (atMs: number) => {
      alarm = atMs;
    },
    deleteAlarm: async () => {
      alarm = null;
    },
  };
  const meta = new Meta({ ...storage(), ...alarms } as unknown as DurableObjectStorage);
  const written: { action: string; reason: string }[] = [];
  const promotions = new Promotions(meta, {
    env: env as unknown as Env,
    source: { view: { route: blue } } as unknown as RouteSource,
    write: (entry) => void written.push(entry),
  });
  return { promotions, written, meta, alarm: () => alarm };
}

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a promotion', () => {
  it('is owed until the config has it, and its baseline is the next one meanwhile', async () => {
    const told: unknown[] = [];
    const { promotions, written, meta, alarm } = promotionsTo(async (one) => {
      told.push(one);
      return ok(null);
    });
    expect(promotions.nextBaseline(blue, 'blue')).toBe('blue');
    promotions.owe(promotion, T0);
    expect(promotions.nextBaseline(blue, 'blue')).toBe('green');
    await meta.armEarliest();
    expect(alarm()).toBe(T0 + RETRY_MS);
    await promotions.tell();
    expect([told, promotions.owed, written, alarm()]).toEqual([[promotion], null, [], null]);
    await promotions.tell();
    expect(told).toHaveLength(1);
  });

  it.each<[string, () => Promise<Told>]>([
    ['KV did not take it', async () => err({ code: 'unpublished', detail: 'down' })],
    ['the keeper cannot be reached', () => Promise.reject(new Error('gone'))],
  ])('is kept, and tried again, where %s', async (_, answer) => {
    const { promotions, written, alarm } = promotionsTo(answer);
    promotions.owe(promotion, T0);
    vi.setSystemTime(T0 + 60_000);
    await promotions.tell();
    expect([promotions.owed, written, alarm()]).toEqual([promotion, [], T0 + 60_000 + RETRY_MS]);
  });

  it('that is refused for good is told in the history, and the config’s baseline counts for nothing until it changes', async () => {
    const { promotions, written, alarm } = promotionsTo(async () => err({ code: 'invalid', detail: 'a fault' }));
    promotions.owe(promotion, T0);
    await promotions.tell();
    expect([promotions.owed, alarm()]).toEqual([null, null]);
    expect(written).toMatchObject([
      { action: 'config-unwritten', after: { baseline: 'green', weights: { green: 100 } } },
    ]);
    expect(promotions.nextBaseline(blue, 'green')).toBe('green');
    promotions.seen(null);
    promotions.seen(blue);
    expect(promotions.nextBaseline(blue, 'green')).toBe('green');
    promotions.seen(green);
    expect(promotions.nextBaseline(blue, 'green')).toBe('blue');
  });

  it('that came while another was told is not lost with it', async () => {
    const later = { ...promotion, baseline: 'blue' };
    const { promotions } = promotionsTo(async () => {
      promotions.owe(later, T0);
      return ok(null);
    });
    promotions.owe(promotion, T0);
    await promotions.tell();
    expect(promotions.owed).toEqual(later);
  });
});
