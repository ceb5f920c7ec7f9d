import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { change } from '../../src/rollout/calls.ts';
import { Meta } from '../../src/rollout/meta.ts';
import { RouteControl } from '../../src/rollout/route-control.ts';
import { storage } from './sqlite.ts';
import { step } from './world.ts';

const text = JSON.stringify({
  version: 1,
  routes: [
    {
      name: 'main',
      variants: {
        blue: { url: 'https://blue.example' },
        green: { url: 'https://green.example', health: { path: '/' } },
      },
      guardrails: [{ metric: 'errors', critical: true }],
    },
  ],
});

/** The control of a route whose KV never changes, without alarms. */
function control(): RouteControl {
  const alarms = { setAlarm: async () => {}, deleteAlarm: async () => {} };
  const ctx = { storage: { ...storage(), ...alarms }, waitUntil: () => {} } as unknown as DurableObjectState;
  const keeper = { currentConfig: async () => ({ text }) };
  const CONFIG = { get: async (keys: string[]) => new Map(keys.map((key) => [key, null])), put: async () => {} };
  const CONTROLLER = { get: () => keeper, idFromName: (name: string) => name };
  return new RouteControl('main', ctx, { CONFIG, CONTROLLER } as unknown as Env, new Meta(ctx.storage));
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('holds a step for a health check of before only as long as that is new, also when the clock was set back', async () => {
  let status = 200;
  vi.stubGlobal('fetch', async () => new Response(null, { status }));
  const main = control();
  const plan = [5, 50].map((weight, n) => step({ weight, forMs: n === 0 ? 2_000 : 60_000, minSamples: 0 }));
  const started = change(
    main,
    { kind: 'rollout', to: 'green', plan, guardrails: null, force: false },
    { actor: 'ada', reason: 'release', ifMatch: null },
  );
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await started).ok).toBe(true);

  const tick = async () => {
    vi.setSystemTime(Date.now() + 2_500);
    const ticked = main.tick();
    await vi.advanceTimersByTimeAsync(2_500);
    await ticked;
  };
  status = 503;
  await tick();
  await tick();
  expect(main.running?.waiting.join()).toContain('answered 503');
  vi.setSystemTime(Date.now() - 3_600_000);
  status = 200;
  await tick();
  await tick();
  expect(main.rollout?.step).toBe(1);
});
