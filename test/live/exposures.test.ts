import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ExperimentPlan, ExposureBatch } from '../../src/experiment/words.ts';
import type { Served } from '../../src/forward/served.ts';
import { Exposures } from '../../src/live/exposures.ts';
import type { Spent } from '../../src/live/usage.ts';
import { hashUnit } from '../../src/split/receipt.ts';
import { keptBytes, longFrom } from '../kept-bytes.ts';
import { body, served, T0 } from './served.ts';

const experiment = { id: 'e', primary: ['tokensOut'], secondary: ['retry'], segments: [] };
const plain = { name: 'main', failStatuses: [], repeatable: ['GET'], failover: false, outcomes: [], variants: {} };
const route = { ...plain, experiment } as unknown as Served['route'];
const inForce = { experiment: 'e', rollout: null };
const upload = { isPresent: false, bytes: null } as unknown as Served['upload'];

function seeing(spent: Spent | null, failing = 0, holding: (Promise<void> | null)[] = []) {
  const batches: ExposureBatch[] = [];
  const plans: (ExperimentPlan | null)[] = [];
  const triedAtMs: number[] = [];
  const ledger = {
    expose: async (batch: ExposureBatch, plan: ExperimentPlan | null) => {
      triedAtMs.push(Date.now());
      await holding.shift();
      if (failing-- > 0) throw new Error('down');
      batches.push(batch);
      plans.push(plan);
      return [];
    },
  };
  const env = { COOKIE_SECRET: 's', LEDGER: { idFromName: String, get: () => ledger } };
  const work: Promise<unknown>[] = [];
  const ctx = { waitUntil: (one: Promise<unknown>) => void work.push(one) };
  const exposures = new Exposures(() => (spent === null ? null : Promise.resolve(spent)));
  return {
    plans,
    triedAtMs,
    see: (changes: Partial<Served>) => {
      const url = new URL('https://shop.example/x');
      exposures.observe(served({ route, url, upload, ...changes, inForce } as never), env as never, ctx as never);
    },
    flushed: async () => {
      await vi.advanceTimersByTimeAsync(2_100);
      await Promise.all(work);
      return batches.flatMap((batch) => batch.exposures);
    },
  };
}

beforeEach(() => void vi.useFakeTimers({ now: T0 }));
afterEach(() => void vi.useRealTimers());

describe('the exposures of a batch', () => {
  it('bear what answers have used, priced or not', async () => {
    const { see, flushed } = seeing({ tokensIn: 1, tokensOut: 30, cost: null });
    see({});
    see({});
    expect(await flushed()).toMatchObject([{ requests: 2, used: { answers: 2, tokensOut: 60, priced: 0, cost: 0 } }]);
  });

  it('bear first and last time whatever the order of ends, and retries within a minute', async () => {
    const { see, flushed } = seeing(null);
    for (const startedAtMs of [T0 + 50_000, T0, T0 + 200_000]) see({ startedAtMs, body });
    see({ startedAtMs: T0 + 201_000, url: new URL('https://shop.example/other') });
    expect(await flushed()).toMatchObject([
      { requests: 4, firstAtMs: T0, lastAtMs: T0 + 201_000, retries: 1, latencyMs: expect.any(Number) },
    ]);
  });

  it('wait in no more memory than there is, however long the names are that clients give themselves', async () => {
    const dropped = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { see, flushed } = seeing(null);
    for (let n = 0; n < 2_000; n++) see({ unit: `${n}`.padEnd(12_000, 'x') });
    const told = (await flushed()).length;
    expect(dropped.mock.calls.join()).toContain('exposures were dropped');
    vi.restoreAllMocks();
    expect(told).toBeGreaterThan(100);
    expect(told * 12_000).toBeLessThan(8_000_000);
  });

  it('keep nothing of the headers that units and segments were read from', async () => {
    const { see, flushed } = seeing(null);
    const segments = [{ name: 'plan', from: { header: 'x-plan' } }];
    const segmented = {
      ...route,
      experiment: { ...experiment, secondary: [], segments },
    } as unknown as Served['route'];
    const kept = await keptBytes(() => {
      for (let n = 100_000; n < 100_500; n++) {
        const sent = new Headers({ 'x-plan': longFrom(`a-plan-of-mine-${n}`) });
        see({ unit: longFrom(`a-visitor-id-${n}`).slice(0, 19), sent, route: segmented });
      }
    });
    expect(await flushed()).toHaveLength(500);
    expect(kept).toBeLessThan(5_000_000); // the headers have 60 MB
  });

  it('come through in the end, though nobody asks any more when the ledger is back', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { see, flushed } = seeing(null, 5);
    see({});
    await vi.advanceTimersByTimeAsync(9_000);
    see({ unit: 'late' });
    await vi.advanceTimersByTimeAsync(21_000);
    vi.restoreAllMocks();
    expect(await flushed()).toMatchObject([{ requests: 1 }, { requests: 1 }]);
  });

  it('are told by one flush at a time, however long the ledger is away', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { see, triedAtMs } = seeing(null, 1_000);
    const units = Array.from({ length: 120 }, (_, second) => `u-${second}`);
    // Hashed before: a hash takes real time, and this clock runs through seconds meanwhile.
    await Promise.all(units.map((unit) => hashUnit(unit, 's')));
    for (const unit of units) {
      see({ unit });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    vi.restoreAllMocks();
    // After five failures it waits ten seconds, in which a second flush would try: no six tries are closer together.
    const ofSix = triedAtMs.slice(5).map((atMs, index) => atMs - triedAtMs[index]!);
    expect(ofSix.length).toBeGreaterThan(16);
    expect(Math.min(...ofSix)).toBeGreaterThanOrEqual(10_000);
  });

  it('come with the plan, by which the ledger notices a planned size that nobody looks at', async () => {
    const { see, flushed, plans } = seeing(null);
    see({ route: { ...route, experiment: { ...experiment, plannedUnits: 200 } } as unknown as Served['route'] });
    await flushed();
    expect(plans).toMatchObject([{ id: 'e', plannedUnits: 200 }]);
  });

  it('hold the quota of both against both: a 429 of the baseline counts where failover makes good a candidate’s', async () => {
    const { see, flushed } = seeing(null);
    const limited = { ...route, repeatable: ['GET'], failover: { statuses: [429] } } as unknown as Served['route'];
    see({ route: limited, variant: 'blue', status: 429, unit: 'a' });
    see({ route: limited, variant: 'green', status: 429, isMadeGood: true, unit: 'b' });
    expect((await flushed()).map(({ errors }) => errors)).toEqual([1, 1]);
  });

  it('take no time of a request that failed, in either arm: failover adds that of another answer', async () => {
    const { see, flushed } = seeing({ tokensIn: 1, tokensOut: 30, cost: null });
    const failing = { ...route, failover: { statuses: [503] } } as unknown as Served['route'];
    const lost = { ...body, firstByteAtMs: null, endedAtMs: T0 + 10 };
    see({ route: failing, status: 503, headersAtMs: T0 + 10, isMadeGood: true, isLost: true, body: lost });
    const standsIn = { variant: 'green', startedAtMs: T0 };
    const of = { variant: 'blue', reason: 'failover' as const, isEvidence: false, standsIn };
    const answer = { ...body, firstByteAtMs: T0 + 80, endedAtMs: T0 + 90 };
    see({ route: failing, ...of, startedAtMs: T0 + 10, askedAtMs: T0 + 10, headersAtMs: T0 + 70, body: answer });
    const seen = await flushed();
    expect(seen).toMatchObject([{ variant: 'green', requests: 1, errors: 1, latencyMs: 0, firstByteMs: 0 }]);
    see({ variant: 'blue', unit: 'of-blue', status: 503, headersAtMs: T0 + 70, body: answer });
    expect((await flushed()).at(-1)).toMatchObject({ variant: 'blue', requests: 1, errors: 1, latencyMs: 0 });
    // Nothing is said of it before its answer has ended.
    see({ route: failing, status: 503, headersAtMs: T0 + 10, isMadeGood: true, isLost: true, body: lost });
    expect((await flushed()).at(-1)).toMatchObject({ requests: 0, errors: 0, latencyMs: 0 });
    expect(seen[0]?.used).toBeUndefined();
  });

  it('tell of a unit that met both arms as of both', async () => {
    const { see, flushed } = seeing(null);
    see({ variant: 'green' });
    see({ variant: 'blue', status: 500 });
    const seen = await flushed();
    expect(seen).toMatchObject([
      { variant: 'green', requests: 1, errors: 0 },
      { variant: 'blue', requests: 1, errors: 1 },
    ]);
    expect(seen[0]!.unit).toBe(seen[1]!.unit);
  });

  it('keep a unit in its arm when another variant answers in its place', async () => {
    const { see, flushed } = seeing(null);
    const instead = { variant: 'blue', reason: 'ejected' as const, isEvidence: false };
    see({ ...instead, dealt: 'green', unit: 'dealt' });
    see({ ...instead, dealt: null, unit: 'outside' });
    expect(await flushed()).toMatchObject([{ variant: 'green', requests: 1 }]);
  });

  it('hold an answer of the baseline against the candidate that could not give it, and never what it has used', async () => {
    const { see, flushed } = seeing({ tokensIn: 1, tokensOut: 30, cost: 2 });
    see({ variant: 'green' });
    see({ variant: 'blue', reason: 'ejected', isEvidence: false, dealt: 'green' });
    expect(await flushed()).toMatchObject([{ variant: 'green', requests: 2, errors: 1, used: { answers: 1 } }]);
  });

  it('say nothing of requests that one variant could not be shown, in both arms', async () => {
    const { see, flushed } = seeing({ tokensIn: 1, tokensOut: 30, cost: 2 });
    see({ variant: 'blue', reason: 'json_unfit', isEvidence: false, dealt: 'green', unit: 'a' });
    see({ variant: 'blue', reason: 'hash', isEvidence: false, dealt: 'blue', unit: 'b', status: 500 });
    const seen = await flushed();
    expect(seen).toMatchObject([
      { variant: 'green', requests: 0, errors: 0 },
      { variant: 'blue', requests: 0, errors: 0 },
    ]);
    for (const one of seen) expect(one.used).toBeUndefined();
  });

  it('bear the weights under which a unit was dealt; who comes with a pin was dealt before', async () => {
    const { see, flushed } = seeing(null);
    see({ unit: 'u-1', reason: 'pin' });
    see({ unit: 'u-1', reason: 'hash' });
    see({ unit: 'u-2', reason: 'pin' });
    const [first, second] = await flushed();
    expect(JSON.parse(first!.weights!)).toEqual({ blue: 50, green: 50 });
    expect(second).not.toHaveProperty('weights');
  });

  it('tell of a unit before its answer has ended, so that a slow arm is not a small one', async () => {
    const { see, flushed } = seeing(null);
    let end = (_: typeof body) => {};
    see({ body: new Promise((resolve) => (end = resolve)) });
    await vi.advanceTimersByTimeAsync(2_100);
    end(body);
    const [begun, ended] = await flushed();
    expect(begun).toMatchObject({ requests: 0, latencyMs: 0, weights: expect.any(String) });
    expect(ended).toMatchObject({ requests: 1, firstAtMs: T0, unit: begun!.unit });
  });

  it('bear no retries where nobody asks for them', async () => {
    const { see, flushed } = seeing(null);
    const quiet = { ...route, experiment: { ...experiment, secondary: [] } } as Served['route'];
    for (const startedAtMs of [T0, T0 + 1]) see({ startedAtMs, route: quiet });
    const [exposure] = await flushed();
    expect(exposure).toMatchObject({ requests: 2 });
    expect(exposure).not.toHaveProperty('retries');
  });
});

/** Lets ten seconds pass at most, until so many batches were sent. Units are hashed in real time, so that gets its turns too. */
async function reached(sentAtMs: readonly number[], times: number): Promise<void> {
  for (let steps = 0; steps < 200 && sentAtMs.length < times; steps++) {
    await hashUnit(`turn ${steps}`, 's');
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(sentAtMs).toHaveLength(times);
}

describe('exposures that the ledger does not take', () => {
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));

  it('are told when it is back, although their experiment has ended', async () => {
    const { see, triedAtMs, flushed } = seeing(null, 30);
    see({});
    await reached(triedAtMs, 1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(triedAtMs.length).toBeLessThan(30);
    for (let n = 0; n < 20; n++) {
      see({ armCount: 1, unit: `later-${n}` });
      await vi.advanceTimersByTimeAsync(20_000);
    }
    expect(await flushed()).toMatchObject([{ requests: 1 }]);
  });

  it('are not lost when a late answer comes to the batch before', async () => {
    let answer: () => void = () => {};
    let refuse: (cause: Error) => void = () => {};
    const late = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const lost = new Promise<void>((_, reject) => {
      refuse = reject;
    });
    lost.catch(() => {});
    const { see, triedAtMs, flushed } = seeing(null, 0, [late, null, lost]);
    see({ unit: 'first' });
    await reached(triedAtMs, 1);
    await vi.advanceTimersByTimeAsync(60_000);
    see({ unit: 'second' });
    // The first batch is sent again, and then the second.
    await reached(triedAtMs, 3);
    answer();
    await vi.advanceTimersByTimeAsync(100);
    refuse(new Error('down'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(new Set((await flushed()).map(({ unit }) => unit)).size).toBe(2);
  });

  it('are told soon by a clock that was set back meanwhile', async () => {
    const { see, triedAtMs } = seeing(null, 0, [new Promise(() => {})]);
    see({ unit: 'first' });
    await reached(triedAtMs, 1);
    vi.setSystemTime(Date.now() - 3_600_000);
    see({ unit: 'second' });
    // The first batch once more, and the second.
    await reached(triedAtMs, 3);
  });
});
