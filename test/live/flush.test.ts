import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import type { Batch, FlushAnswer } from '../../src/live/batch.ts';
import { Flusher } from '../../src/live/flush.ts';
import { BUSY_INTERVAL_MS, FLUSH_LIMIT_MS, QUIET_INTERVAL_MS, RETRY_MS } from '../../src/live/limits.ts';

const ANSWER: FlushAnswer = { intervalMs: 0, split: null, isolates: 1, tokensToday: {} };

/** A controller that applies each number of an isolate once, and fails as told. */
class FakeController {
  /** Every batch that came, as it was when it came. */
  came: Batch[] = [];
  applied = 0;
  eligible = 0;
  answer = ANSWER;
  /** How the next flush goes; `lost` is applied, but its answer never comes back. */
  next: ('good' | 'down' | 'lost' | 'hang')[] = [];
  otherwise: 'good' | 'down' = 'good';
  #newest = new Map<string, number>();

  async flush(batch: Batch): Promise<FlushAnswer> {
    this.came.push(structuredClone(batch));
    const fault = this.next.shift() ?? this.otherwise;
    if (fault === 'down') throw new Error('the controller is down');
    if (batch.sequence > (this.#newest.get(batch.isolate) ?? 0)) {
      this.#newest.set(batch.isolate, batch.sequence);
      this.applied++;
      for (const pairs of batch.pairs) this.eligible += pairs.eligible;
    }
    if (fault === 'lost') throw new Error('Network connection lost.');
    if (fault === 'hang') return new Promise(() => {});
    return this.answer;
  }
}

let controller: FakeController;
let flusher: Flusher;
let env: Env;
let heard: string[];
let background: Promise<unknown>[];
const about = { route: 'main', candidate: 'green', rollout: '', revision: 3, isBusy: true, isByHand: false };
const ctx = { waitUntil: (work: Promise<unknown>) => void background.push(work) };
const counts = (over: Partial<typeof about> = {}) => flusher.pairs({ ...about, ...over }, env, ctx).skip('busy');

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  controller = new FakeController();
  heard = [];
  background = [];
  flusher = new Flusher((route) => heard.push(route));
  env = { CONTROLLER: { idFromName: (name: string) => name, get: () => controller } } as unknown as Env;
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('a flush', () => {
  it('comes once, 2 s after the first count while evidence is wanted, with everything that was counted', async () => {
    for (let i = 0; i < 5; i++) counts();
    expect(background).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS - 1);
    expect(controller.came).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(controller.came).toMatchObject([{ route: 'main', sequence: 1, revision: 3, pairs: [{ eligible: 5 }] }]);
    expect(heard).toEqual(['main']);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(controller.came).toHaveLength(1);
  });

  it('asks although nothing has ended yet, so that an isolate among long streams hears of a way back', async () => {
    flusher.live(about, env, ctx);
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(controller.came).toMatchObject([{ sequence: 1, live: [], evidence: [], pairs: [] }]);
    expect(heard).toEqual(['main']);
    flusher.live({ ...about, isBusy: false }, env, ctx);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(controller.came).toHaveLength(1);
  });

  it('waits 15 s on a quiet route, and is brought forward when evidence is wanted', async () => {
    counts({ isBusy: false });
    await vi.advanceTimersByTimeAsync(QUIET_INTERVAL_MS - 1);
    expect(controller.came).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(controller.eligible).toBe(1);
    counts({ isBusy: false });
    counts({ isBusy: true });
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(controller.eligible).toBe(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(controller.came).toHaveLength(2);
  });

  it('numbers batches by one, and routes apart', async () => {
    counts();
    counts({ route: 'other' });
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(controller.came.map(({ route, sequence }) => [route, sequence])).toEqual([
      ['main', 1],
      ['other', 1],
      ['main', 2],
    ]);
    expect(new Set(controller.came.map(({ isolate }) => isolate)).size).toBe(1);
  });

  it.each([
    [10_000, 10_000],
    [60_000, 20_000],
  ])('is as rare as the controller asks (%d ms), while the platform lets it wait so long', async (askedMs, waitsMs) => {
    controller.answer = { ...ANSWER, intervalMs: askedMs };
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    counts();
    await vi.advanceTimersByTimeAsync(waitsMs - 1);
    expect(controller.came).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(controller.came).toHaveLength(2);
  });

  it('whose answer was lost is sent again unchanged, and applied once', async () => {
    controller.next = ['lost'];
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    counts();
    counts();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(controller.came[1]).toEqual(controller.came[0]);
    expect(controller).toMatchObject({ applied: 2, eligible: 3 });
    expect(controller.came.map(({ sequence }) => sequence)).toEqual([1, 1, 2]);
  });

  it('brings what was counted while it was under way, so that the last requests before a silence are told', async () => {
    const flush = controller.flush.bind(controller);
    controller.flush = async (batch) => {
      if (controller.came.length === 0) counts();
      return flush(batch);
    };
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(controller).toMatchObject({ applied: 2, eligible: 2 });
  });

  it('loses nothing while the controller is down, keeps what it holds bounded, and tells all when it is back', async () => {
    controller.otherwise = 'down';
    let sent = 0;
    for (let minute = 0; minute < 20; minute++) {
      for (let i = 0; i < 100; i++) {
        sent++;
        counts();
      }
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(controller.applied).toBe(0);
    const first = controller.came[0]!;
    for (const batch of controller.came) expect(batch).toEqual(first);
    controller.otherwise = 'good';
    sent++;
    counts();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(controller).toMatchObject({ applied: 2, eligible: sent });
    expect(JSON.stringify(controller.came.at(-1)).length).toBeLessThan(4_000);
  });

  it('that hangs is sent again in seconds, although nobody comes any more', async () => {
    controller.next = ['hang'];
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS + FLUSH_LIMIT_MS + RETRY_MS);
    expect(controller.came).toHaveLength(2);
    expect(controller).toMatchObject({ applied: 1, eligible: 1 });
    expect(heard).toEqual(['main']);
  });

  it('that hangs is given up, sent again, and its late answer drops no younger batch', async () => {
    let answerLate: () => void = () => {};
    const flush = controller.flush.bind(controller);
    controller.flush = (batch) => {
      if (controller.came.length > 0) return flush(batch);
      const answered = flush(batch);
      return new Promise((resolve) => {
        answerLate = () => resolve(answered);
      });
    };
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    // The platform would have ended the first flush's request by now.
    await vi.advanceTimersByTimeAsync(60_000);
    counts();
    controller.next = ['good', 'down', 'good'];
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    answerLate();
    await vi.advanceTimersByTimeAsync(10_000);
    counts();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(controller.eligible).toBe(3);
  });

  it('is not held up until the clock has caught up, where that is set back while one hangs', async () => {
    controller.next = ['hang'];
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    vi.setSystemTime(Date.now() - 3_600_000);
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(controller).toMatchObject({ applied: 2, eligible: 2 });
  });

  it('keeps pairs of a rollout apart from those of before', async () => {
    const flushed: [string, number][] = [];
    vi.spyOn(controller, 'flush').mockImplementation(async ({ pairs }) => {
      for (const { rollout, eligible } of pairs) flushed.push([rollout, eligible]);
      return controller.answer;
    });
    counts();
    counts({ rollout: 'r-1' });
    counts({ rollout: 'r-1' });
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(flushed).toEqual([
      ['', 1],
      ['r-1', 2],
    ]);
  });

  it('tells since when its pairs were counted, so that a beginning at zero leaves them out', async () => {
    const startedMs = Date.now();
    flusher.live(about, env, ctx);
    await vi.advanceTimersByTimeAsync(500);
    counts();
    await vi.advanceTimersByTimeAsync(500);
    counts({ rollout: 'r-1' });
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    const since = controller.came.map(({ pairsSinceMs }) => pairsSinceMs! - startedMs);
    expect(since).toEqual([500, 1_000 + BUSY_INTERVAL_MS]);
  });

  it('is not missed when the platform ends its request before it comes', async () => {
    const dead = { waitUntil: () => {} };
    // Nothing of this request's work goes on: its timers are taken away.
    flusher.pairs(about, env, dead).skip('busy');
    vi.clearAllTimers();
    await vi.advanceTimersByTimeAsync(30_000);
    counts();
    await vi.advanceTimersByTimeAsync(BUSY_INTERVAL_MS);
    expect(controller.eligible).toBe(2);
  });

  it('never rejects, whatever the binding does', async () => {
    env = {
      CONTROLLER: {
        idFromName: () => {
          throw new Error('no such object');
        },
      },
    } as unknown as Env;
    counts();
    await vi.advanceTimersByTimeAsync(60_000);
    await expect(Promise.all(background)).resolves.toBeDefined();
  });

  it('is none without a controller', async () => {
    env = {} as Env;
    counts();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(background).toEqual([]);
  });
});
