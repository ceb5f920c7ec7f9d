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
