import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Webhook } from '../../src/config/types.ts';
import type { Env } from '../../src/env.ts';
import { Meta } from '../../src/rollout/meta.ts';
import type { RolloutEvent } from '../../src/rollout/state.ts';
import { Webhooks } from '../../src/rollout/webhooks.ts';
import { storage } from './sqlite.ts';
import { T0 } from './world.ts';

const hook = { url: 'https://hooks.example/x', format: 'json' } as Webhook;
const event = { route: 'detect', text: 'detect: rollout r-1 started' } as RolloutEvent;
const env = {} as Env;

function webhooksOf(store = storage()): Webhooks {
  return new Webhooks(store.sql, new Meta(store as unknown as DurableObjectStorage));
}

let sent: string[];
let answer: () => Promise<Response>;

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  sent = [];
  answer = async () => new Response();
  vi.stubGlobal('fetch', (_: string, { headers }: { headers: Headers }) => {
    sent.push(headers.get('x-headgate-delivery')!);
    return answer();
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('webhooks', () => {
  it('are sent once, also when two send at the same time', async () => {
    const webhooks = webhooksOf();
    webhooks.queue({ isKnown: true, webhooks: [hook] }, event, T0);
    await Promise.all([webhooks.send(env), webhooks.send(env)]);
    expect(sent).toEqual(['detect-1']);
    expect(webhooks.nextAtMs()).toBeNull();
  });

  it('are never more under way than the platform lets wait, so that receivers that hang are in nobody’s way', async () => {
    let [open, most] = [0, 0];
    const queue: (() => void)[] = [];
    // The platform's own line: six wait for an answer, and a call's time runs before it is its turn.
    vi.stubGlobal('fetch', async (url: string, { signal }: { signal: AbortSignal }) => {
      if (open >= 6) await new Promise<void>((resolve) => queue.push(resolve));
      most = Math.max(most, ++open);
      try {
        signal.throwIfAborted();
        if (url.includes('dead')) await new Promise((_, reject) => signal.addEventListener('abort', reject));
        sent.push(url);
        return new Response();
      } finally {
        open--;
        queue.shift()?.();
      }
    });
    // Made by hand, since fake timers do not reach the platform's.
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('late')), ms);
      return controller.signal;
    });
    const webhooks = webhooksOf();
    const dead = Array.from({ length: 6 }, (_, n) => ({ ...hook, url: `https://dead-${n}.example/` }));
    webhooks.queue({ isKnown: true, webhooks: [...dead, hook] }, event, T0);
    const sending = webhooks.send(env);
    await vi.advanceTimersByTimeAsync(16_000);
    await sending;
    expect([sent, most]).toEqual([[hook.url], 3]);
    // The next event's first tries come before those that are tried again.
    webhooks.queue({ isKnown: true, webhooks: [...dead.slice(0, 2), hook] }, event, Date.now());
    void webhooks.send(env);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual([hook.url, hook.url]);
  });

  it('are those of the start where the config cannot be read', async () => {
    const webhooks = webhooksOf();
    webhooks.begin({ webhooks: [hook] });
    webhooks.queue({ isKnown: false, webhooks: [] }, event, T0);
    await webhooks.send(env);
    expect(sent).toEqual(['detect-1']);
  });

  it('of two routes are told apart at one URL', async () => {
    for (const route of ['detect', 'shop']) {
      const webhooks = webhooksOf();
      webhooks.queue({ isKnown: true, webhooks: [hook] }, { ...event, route }, T0);
      await webhooks.send(env);
    }
    expect(sent).toEqual(['detect-1', 'shop-1']);
  });

  it('are tried ten times over a quarter of an hour, later and later, and then given up', async () => {
    answer = async () => new Response(null, { status: 500 });
    const webhooks = webhooksOf();
    webhooks.queue({ isKnown: true, webhooks: [hook] }, event, T0);
    const waits: number[] = [];
    for (let at = webhooks.nextAtMs(); at !== null; at = webhooks.nextAtMs()) {
      vi.setSystemTime(at);
      await webhooks.send(env);
      const next = webhooks.nextAtMs();
      if (next !== null) waits.push((next - at) / 1000);
    }
    expect(sent).toHaveLength(10);
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512]);
  });

  it('that a crash cut off are sent again by whoever comes after it', async () => {
    answer = () => new Promise(() => {});
    const store = storage();
    const webhooks = webhooksOf(store);
    webhooks.queue({ isKnown: true, webhooks: [hook] }, event, T0);
    void webhooks.send(env);
    const again = webhooksOf(store);
    const leaseEndsMs = again.nextAtMs()!;
    expect(leaseEndsMs).toBeGreaterThan(T0 + 5_000);
    answer = async () => new Response();
    vi.setSystemTime(leaseEndsMs);
    await again.send(env);
    expect(sent).toEqual(['detect-1', 'detect-1']);
    expect(again.nextAtMs()).toBeNull();
  });

  it('whose secret is missing are not sent unsigned', async () => {
    const webhooks = webhooksOf();
    webhooks.queue({ isKnown: true, webhooks: [{ ...hook, secret: 'WEBHOOK_SECRET' }] }, event, T0);
    await webhooks.send(env);
    expect(sent).toEqual([]);
    expect(webhooks.nextAtMs()).toBe(T0 + 2_000);
  });

  it('are the event, or its words for Slack, and signed where there is a secret', async () => {
    const bodies: [string, string | null][] = [];
    vi.stubGlobal('fetch', async (_: string, { body, headers }: { body: string; headers: Headers }) => {
      bodies.push([body, headers.get('x-headgate-signature')]);
      return new Response();
    });
    const webhooks = webhooksOf();
    const signed = { ...hook, secret: 'WEBHOOK_SECRET' };
    webhooks.queue({ isKnown: true, webhooks: [hook, { ...hook, format: 'slack' }, signed] }, event, T0);
    await webhooks.send({ WEBHOOK_SECRET: 'a secret' } as unknown as Env);
    const json = JSON.stringify(event);
    const signature = `sha256=${createHmac('sha256', 'a secret').update(json).digest('hex')}`;
    expect(bodies).toEqual([
      [json, null],
      [JSON.stringify({ text: event.text }), null],
      [json, signature],
    ]);
  });
});
