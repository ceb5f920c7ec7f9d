import { createHash } from 'node:crypto';
import { setImmediate as nextTick } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { ConfigStore, type Loaded } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { routeOf, routeWith, textOf } from './sample.ts';

type Mood = 'well' | 'throws' | 'hangs' | 'garbage';

/** A KV whose mood the test chooses. */
class FakeKv {
  mood: Mood = 'well';
  documents = new Map<string, string>();
  reads: { keys: string[]; options: unknown }[] = [];
  #held: (() => void)[] = [];
  #isHolding = false;

  get = (keys: string[], options: unknown): Promise<unknown> => {
    this.reads.push({ keys, options });
    if (this.mood === 'throws') return Promise.reject(new Error('KV is down'));
    if (this.mood === 'hangs') return new Promise(() => {});
    if (this.mood === 'garbage') return Promise.resolve(new Map(keys.map((key) => [key, 42])));
    const found = new Map(keys.map((key) => [key, this.documents.get(key) ?? null]));
    if (!this.#isHolding) return Promise.resolve(found);
    return new Promise((resolve) => this.#held.push(() => resolve(found)));
  };

  /** Answers stay back from now on, with what they were to say. */
  hold(): void {
    this.#isHolding = true;
  }

  /** The held answers, to be let go in any order. */
  release(): (() => void)[] {
    this.#isHolding = false;
    return this.#held.splice(0);
  }
}

/** What one isolate has around it: a KV, its Cache API, and its background work. */
class Isolate {
  kv = new FakeKv();
  store = new ConfigStore();
  background: Promise<unknown>[] = [];
  env = { CONFIG: this.kv, CONFIG_REFRESH_SECONDS: '30', COOKIE_SECRET: 'one', ADMIN_TOKEN: 'two' } as unknown as Env;
  ctx = { waitUntil: (work: Promise<unknown>) => void this.background.push(work) };

  current = () => this.store.current(this.env, this.ctx, Date.now());

  /** The config as a request gets it, with the time that it had to wait. */
  async load(): Promise<{ loaded: Loaded | null; waitedMs: number }> {
    const startMs = Date.now();
    const loaded = await patient(this.current());
    return { loaded, waitedMs: Date.now() - startMs };
  }

  /** What is in force on the config's first route, as a request finds it. */
  async state(index = 0) {
    const { loaded } = await this.load();
    const route = loaded!.config.routes[index]!;
    return patient(this.store.stateOf(this.env, this.ctx, route, Date.now()));
  }

  async settle(): Promise<void> {
    while (this.background.length > 0) await patient(Promise.all(this.background.splice(0)));
  }
}

/** Lets time pass, in steps of 50 ms, until the work is done. Timers are fakes; what the engine does by itself is not. */
async function patient<T>(work: T | Promise<T>): Promise<T> {
  let isDone = false;
  const done = Promise.resolve(work).finally(() => {
    isDone = true;
  });
  done.catch(() => {});
  for (let steps = 0; steps < 400; steps++) {
    for (let ticks = 0; ticks < 20 && !isDone; ticks++) await nextTick();
    if (isDone) return done;
    await vi.advanceTimersByTimeAsync(50);
  }
  throw new Error('never done');
}

const cache = new Map<string, string>();
let cacheFails = false;
let cacheHangs = false;
let isolate: Isolate;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: 1_800_000_000_000 });
  cache.clear();
  cacheFails = false;
  cacheHangs = false;
  vi.stubGlobal('caches', {
    default: {
      match: async (key: string) => {
        if (cacheFails) throw new Error('no cache here');
        if (cacheHangs) return new Promise<never>(() => {});
        return cache.has(key) ? new Response(cache.get(key)) : undefined;
      },
      put: async (key: string, response: Response) => {
        if (cacheFails) throw new Error('no cache here');
        cache.set(key, await response.text());
      },
    },
  });
  // The engine hashes on another thread, in real time, which would be no time at all here.
  vi.spyOn(crypto.subtle, 'digest').mockImplementation(async (_, data) => {
    const hash = createHash('sha256').update(data as Uint8Array);
    return new Uint8Array(hash.digest()).buffer;
  });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  isolate = new Isolate();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

const FIRST = textOf(routeWith({ weights: { blue: 90, green: 10 } }));
const SECOND = textOf(routeWith({ weights: { blue: 50, green: 50 } }));
const CONFIG_OF_TWO = textOf(routeWith({ match: { path: '/detect/*' } }), routeWith({ name: 'other' }));
const greenOf = (loaded: Loaded | null) => loaded?.config.routes[0]?.weights.green;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('the config in memory', () => {
  it('is read once, as text that the platform may keep for 30 s, and then served without a wait', async () => {
    isolate.kv.documents.set('config', FIRST);
    const { loaded, waitedMs } = await isolate.load();
    expect([greenOf(loaded), waitedMs]).toEqual([10, 0]);
    expect(isolate.kv.reads).toEqual([{ keys: ['config'], options: { type: 'text', cacheTtl: 30 } }]);
    await pass(29_000);
    expect(isolate.current()).toBe(loaded);
    expect(isolate.kv.reads).toHaveLength(1);
  });

  it('is waited for by all who come at once when KV is well again, in an isolate that never had it', async () => {
    isolate.kv.mood = 'throws';
    expect((await isolate.load()).loaded).toBeNull();
    await pass(40_000);
    isolate.kv.mood = 'well';
    isolate.kv.documents.set('config', FIRST);
    const all = await patient(Promise.all([isolate.current(), isolate.current(), isolate.current()]));
    expect(all.map(greenOf)).toEqual([10, 10, 10]);
  });

  it('is served at once when stale, while one request of many has it read again', async () => {
    isolate.kv.documents.set('config', FIRST);
    const { loaded } = await isolate.load();
    isolate.kv.documents.set('config', SECOND);
    await pass(31_000);
    for (let requests = 0; requests < 50; requests++) expect(isolate.current()).toBe(loaded);
    expect(isolate.kv.reads).toHaveLength(2);
    await isolate.settle();
    expect(greenOf(isolate.current() as Loaded)).toBe(50);
  });

  it('is waited for when it is older than four times the refresh', async () => {
    isolate.kv.documents.set('config', FIRST);
    await isolate.load();
    isolate.kv.documents.set('config', SECOND);
    await pass(121_000);
    expect(greenOf((await isolate.load()).loaded)).toBe(50);
  });

  it('keeps one identity while the document is the same, so that what is derived from it is kept too', async () => {
    isolate.kv.documents.set('config', FIRST);
    const { loaded } = await isolate.load();
    await pass(121_000);
    expect((await isolate.load()).loaded).toBe(loaded);
  });

  it.each<Mood>(['throws', 'hangs', 'garbage'])(
    'goes on serving when KV %s, and one request waits a second at most',
    async (mood) => {
      isolate.kv.documents.set('config', FIRST);
      const { loaded } = await isolate.load();
      isolate.kv.mood = mood;
      await pass(31_000);
      expect(isolate.current()).toBe(loaded);
      await pass(600_000);
      const again = await isolate.load();
      expect(again.loaded).toBe(loaded);
      expect(again.waitedMs).toBeLessThanOrEqual(1_000);
      for (let requests = 0; requests < 20; requests++) expect(isolate.current()).toBe(loaded);
      isolate.kv.mood = 'well';
      isolate.kv.documents.set('config', SECOND);
      await pass(31_000);
      expect(greenOf((await isolate.load()).loaded)).toBe(50);
    },
  );

  it('stays when the newest is refused, which is said once', async () => {
    isolate.kv.documents.set('config', FIRST);
    await isolate.load();
    for (const bad of ['{', textOf(routeWith({ weights: { blue: 1 } })), `"${'x'.repeat(70_000)}"`]) {
      vi.mocked(console.error).mockClear();
      isolate.kv.documents.set('config', bad);
      for (let reads = 0; reads < 3; reads++) {
        await pass(121_000);
        expect(greenOf((await isolate.load()).loaded)).toBe(10);
      }
      expect(console.error).toHaveBeenCalledTimes(1);
    }
  });

  it('stays when weights by hand are refused, which is an error in the log, once for each text', async () => {
    isolate.kv.documents.set('config', FIRST);
    for (const bad of ['{"blue":97}', '{"blue":']) {
      vi.mocked(console.error).mockClear();
      isolate.kv.documents.set('weights:detect', bad);
      for (let reads = 0; reads < 3; reads++) {
        await pass(121_000);
        expect((await isolate.state()).inForce.weights).toEqual({ blue: 90, green: 10 });
      }
      expect(console.error).toHaveBeenCalledTimes(1);
      expect(console.error).toHaveBeenCalledWith(expect.stringContaining('weights:detect is refused'));
    }
  });

  it('stays when its key is gone', async () => {
    isolate.kv.documents.set('config', FIRST);
    await isolate.load();
    isolate.kv.documents.delete('config');
    await pass(121_000);
    expect(greenOf((await isolate.load()).loaded)).toBe(10);
  });

  it('is never put back by a slow read that began before a quicker one', async () => {
    isolate.env.CONFIG_REFRESH_SECONDS = 1;
    isolate.kv.documents.set('config', FIRST);
    await isolate.load();
    isolate.kv.hold();
    await pass(1_100);
    isolate.current();
    const [slow] = isolate.kv.release();
    isolate.kv.documents.set('config', SECOND);
    await pass(1_100);
    await isolate.load();
    expect(greenOf(isolate.store.loaded)).toBe(50);
    slow!();
    await isolate.settle();
    expect(greenOf(isolate.store.loaded)).toBe(50);
  });
});

describe('a cold isolate', () => {
  it.each<[Mood, number]>([
    ['throws', 0],
    ['garbage', 0],
    ['hangs', 1_000],
  ])('with a KV that %s has nothing after %i ms, and the next requests do not wait', async (mood, bound) => {
    isolate.kv.mood = mood;
    const { loaded, waitedMs } = await isolate.load();
    expect(loaded).toBeNull();
    expect(waitedMs).toBeLessThanOrEqual(bound);
    expect(isolate.current()).toBeNull();
    isolate.kv.mood = 'well';
    isolate.kv.documents.set('config', FIRST);
    await pass(1_000);
    expect(greenOf((await isolate.load()).loaded)).toBe(10);
  });

  it('serves the last good copy of config, split and weights while KV is down', async () => {
    const route = routeOf(routeWith({ weights: { blue: 90, green: 10 } }));
    const split = { revision: 4, weights: { green: 100 }, baseline: 'blue', salt: 's', variants: variantsHash(route) };
    isolate.kv.documents.set('config', FIRST).set('split:detect', JSON.stringify(split));
    isolate.kv.documents.set('weights:detect', '{"blue":75,"green":25}');
    await isolate.state();
    await isolate.settle();
    expect(cache.size).toBe(1);

    const cold = new Isolate();
    cold.kv.mood = 'throws';
    const { inForce } = await cold.state();
    expect(inForce).toMatchObject({ source: 'weights', revision: 4, weights: { blue: 75, green: 25 } });
  });

  it('serves by the weights that a typing error was written over, as those do who knew them', async () => {
    isolate.kv.documents.set('config', FIRST).set('weights:detect', '{"blue":75,"green":25}');
    await isolate.state();
    await isolate.settle();
    isolate.kv.documents.set('weights:detect', '{"blue":75');
    await pass(121_000);
    for (const one of [isolate, new Isolate(), new Isolate()]) {
      one.kv.documents = isolate.kv.documents;
      const { inForce, refused } = await one.state();
      expect(inForce).toMatchObject({ source: 'weights', weights: { blue: 75, green: 25 } });
      expect(refused).toContain('weights:detect is refused');
      await one.settle();
    }
  });

  it.each(['well', 'throws'] as const)('serves by the split that garbage was written over (KV %s)', async (mood) => {
    const route = routeOf(routeWith({ weights: { blue: 90, green: 10 } }));
    const split = { revision: 3, weights: { green: 100 }, baseline: 'blue', variants: variantsHash(route) };
    isolate.kv.documents.set('config', FIRST).set('split:detect', JSON.stringify(split));
    await isolate.state();
    await isolate.settle();
    isolate.kv.documents.set('split:detect', '{"green":100}');
    await pass(121_000);
    for (const one of [isolate, new Isolate()]) {
      one.kv.documents = isolate.kv.documents;
      if (one !== isolate) one.kv.mood = mood;
      const { inForce } = await one.state();
      expect(inForce).toMatchObject({ source: 'split', revision: 3, weights: { green: 100 } });
      await one.settle();
    }
  });

  it('serves by weights by hand that came beside such garbage, also where KV is down', async () => {
    const route = routeOf(routeWith({ weights: { blue: 90, green: 10 } }));
    const split = { revision: 3, weights: { green: 100 }, baseline: 'blue', variants: variantsHash(route) };
    isolate.kv.documents.set('config', FIRST).set('split:detect', JSON.stringify(split));
    await isolate.state();
    await isolate.settle();
    isolate.kv.documents.set('split:detect', '{"blue":100}').set('weights:detect', '{"blue":100}');
    await pass(121_000);
    await isolate.state();
    await isolate.settle();
    const cold = new Isolate();
    cold.kv.mood = 'throws';
    expect((await cold.state()).inForce).toMatchObject({ source: 'weights', revision: 3, weights: { blue: 100 } });
  });

  it('finds in the copy what isolates with other routes have saved, and of each route what was known last', async () => {
    const documents = new Map([['config', CONFIG_OF_TWO]]);
    const saved = async (index: number, weights: string | null) => {
      const one = new Isolate();
      one.kv.documents = documents;
      if (weights !== null) documents.set(`weights:${['detect', 'other'][index]}`, weights);
      await one.state(index);
      await one.settle();
      return one;
    };
    const first = await saved(0, '{"green":100}');
    await saved(1, '{"blue":75,"green":25}');
    // It has served `detect` once, and goes on with another route, whose keys alone it reads.
    await pass(700_000);
    await saved(0, '{}');
    documents.set('weights:other', '{"blue":50,"green":50}');
    await first.state(1);
    await first.settle();
    const cold = new Isolate();
    cold.kv.mood = 'throws';
    expect((await cold.state(0)).inForce).toMatchObject({ source: 'config' });
    expect((await cold.state(1)).inForce).toMatchObject({ source: 'weights', weights: { blue: 50, green: 50 } });
  });

  it('forgets in the copy the routes that the config no longer has, however many come and go', async () => {
    for (const name of ['pr-1', 'pr-2', 'pr-3']) {
      isolate.kv.documents.set('config', textOf(routeWith({ name }))).set(`weights:${name}`, '{"green":100}');
      await pass(121_000);
      await isolate.state();
      await isolate.settle();
    }
    const { routes } = JSON.parse([...cache.values()].join());
    expect(Object.keys(routes)).toEqual(['pr-3']);
  });

  it('takes no copy of another Worker, and its secrets are not in the name of its own', async () => {
    isolate.kv.documents.set('config', FIRST);
    await isolate.load();
    await isolate.settle();
    expect([...cache.keys()].join()).not.toMatch(/one|two/);
    const stranger = new Isolate();
    stranger.env.COOKIE_SECRET = 'three';
    stranger.kv.mood = 'throws';
    expect((await stranger.load()).loaded).toBeNull();
  });

  it('works without a Cache API', async () => {
    cacheFails = true;
    isolate.kv.documents.set('config', FIRST);
    expect(greenOf((await isolate.load()).loaded)).toBe(10);
    await isolate.settle();
    const cold = new Isolate();
    cold.kv.mood = 'throws';
    expect((await cold.load()).loaded).toBeNull();
  });

  it('waits half a second for a cache that hangs, and no longer', async () => {
    cacheHangs = true;
    isolate.kv.mood = 'throws';
    const { loaded, waitedMs } = await isolate.load();
    expect(loaded).toBeNull();
    expect(waitedMs).toBeLessThanOrEqual(550);
  });

  it('survives a copy that is damaged or holds a config that is no longer valid', async () => {
    isolate.kv.documents.set('config', FIRST);
    await isolate.load();
    await isolate.settle();
    const [key] = cache.keys();
    for (const damage of ['{', '{"config":"{}","routes":{}}']) {
      cache.set(key!, damage);
      const cold = new Isolate();
      cold.kv.mood = 'throws';
      expect((await cold.load()).loaded).toBeNull();
    }
  });
});

describe('what is in force on a route', () => {
  it('is read with its first request and refreshed with the config in one operation', async () => {
    isolate.kv.documents.set('config', FIRST).set('weights:detect', '{"green":100}');
    expect((await isolate.state()).inForce.source).toBe('weights');
    expect(isolate.kv.reads.map(({ keys }) => keys)).toEqual([['config'], ['split:detect', 'weights:detect']]);
    isolate.kv.documents.set('weights:detect', '{}');
    await pass(31_000);
    isolate.current();
    await isolate.settle();
    expect(isolate.kv.reads.at(-1)?.keys).toEqual(['config', 'split:detect', 'weights:detect']);
    expect((await isolate.state()).inForce.source).toBe('config');
    expect(isolate.kv.reads).toHaveLength(3);
  });

  it.each<Mood>(['throws', 'hangs', 'garbage'])(
    'is the baseline while KV %s at its first request: a failed read is not absence',
    async (mood) => {
      isolate.kv.documents.set('config', textOf(routeWith({ baseline: 'blue', weights: { green: 100 } })));
      await isolate.load();
      isolate.kv.mood = mood;
      const startMs = Date.now();
      expect((await isolate.state()).inForce).toMatchObject({ source: 'baseline', weights: { blue: 100, green: 0 } });
      expect(Date.now() - startMs).toBeLessThanOrEqual(1_000);
      isolate.kv.mood = 'well';
      await pass(121_000);
      await isolate.load();
      expect((await isolate.state()).inForce.source).toBe('config');
    },
  );

  it('stays as it was while KV is down, also under a changed config', async () => {
    isolate.kv.documents.set('config', FIRST).set('weights:detect', '{"green":100}');
    await isolate.state();
    isolate.kv.documents.set('config', SECOND);
    await pass(700_000); // longer than a route stays active, so its keys are not read with the config
    await isolate.load();
    isolate.kv.mood = 'throws';
    cacheFails = true;
    const { inForce, route } = await isolate.state();
    expect(route.weights.green).toBe(50);
    expect(inForce).toMatchObject({ source: 'weights', weights: { green: 100 } });
  });

  it('is read anew when nobody asked for the route for ten minutes, however busy the others were', async () => {
    isolate.kv.documents.set('config', textOf(routeWith({ name: 'busy' }), routeWith({ name: 'quiet' })));
    isolate.kv.documents.set('weights:quiet', '{"green":100}');
    expect((await isolate.state(1)).inForce.weights.green).toBe(100);
    for (let halfMinutes = 0; halfMinutes < 22; halfMinutes++) {
      await pass(30_100);
      await isolate.state(0);
      await isolate.settle();
    }
    isolate.kv.documents.set('weights:quiet', '{"blue":100}');
    await pass(30_100);
    await isolate.state(0);
    await isolate.settle();
    expect(isolate.kv.reads.at(-1)?.keys).not.toContain('weights:quiet');
    expect((await isolate.state(1)).inForce.weights.green).toBe(0);
  });

  it('is forgotten with its route', async () => {
    isolate.kv.documents.set('config', FIRST);
    await isolate.state();
    isolate.kv.documents.set('config', textOf(routeWith({ name: 'other' })));
    await pass(121_000);
    await isolate.load();
    expect(isolate.store.peek('detect')).toBeNull();
  });

  it('is read for 200 routes in parts of a hundred keys', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `r${index}`);
    isolate.kv.documents.set('config', textOf(...names.map((name) => routeWith({ name }))));
    for (let index = 0; index < names.length; index++) await isolate.state(index);
    isolate.kv.reads.length = 0;
    await pass(31_000);
    isolate.current();
    await isolate.settle();
    expect(isolate.kv.reads.map(({ keys }) => keys.length)).toEqual([100, 21]);
  });

  it('takes a newer split that the controller told, and no older one', async () => {
    const route = routeOf(routeWith());
    const told = (revision: number, green: number) =>
      JSON.stringify({
        revision,
        weights: { blue: 100 - green, green },
        baseline: 'blue',
        salt: 's',
        variants: variantsHash(route),
      });
    isolate.kv.documents.set('config', FIRST).set('split:detect', told(3, 30));
    await isolate.state();
    isolate.store.offer('detect', told(5, 50));
    expect(isolate.store.peek('detect')?.inForce).toMatchObject({ revision: 5, weights: { green: 50 } });
    isolate.store.offer('detect', told(4, 40));
    isolate.store.offer('detect', 'garbage');
    isolate.store.offer('nowhere', told(9, 90));
    await pass(121_000);
    await isolate.load(); // KV still shows revision 3
    expect((await isolate.state()).inForce).toMatchObject({ revision: 5, weights: { green: 50 } });
  });
});
