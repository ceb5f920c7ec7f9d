import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import type { Report } from '../../src/experiment/report.ts';
import { ExperimentWatch } from '../../src/rollout/experiment-watch.ts';
import type { RolloutState } from '../../src/rollout/state.ts';
import { routeOf, routeWith } from '../config/sample.ts';
import { started, step, T0 } from './world.ts';

const route = routeOf(routeWith({ experiment: { id: 'e-1', primary: ['error'], plannedUnits: 100 } }));
const state = started([step({ weight: 50, experiment: true })], { experiment: 'e-1' });
const running = {
  id: 'e-1',
  plannedUnits: 100,
  units: { blue: 20, green: 22 },
  sampleRatio: { alarm: false },
  closed: false,
  closesAt: null,
  changed: [],
  metrics: [],
} as unknown as Report;

let asked: string[];
let ledger: () => Promise<Report>;
let waits: Promise<unknown>[];

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  vi.spyOn(console, 'warn').mockReturnValue();
  asked = [];
  waits = [];
  ledger = () => Promise.resolve(running);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function watch(changes: Partial<Env> = {}): ExperimentWatch {
  const LEDGER = {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      report() {
        asked.push(name);
        return ledger();
      },
    }),
  } as unknown as NonNullable<Env['LEDGER']>;
  const env = { LEDGER, COOKIE_SECRET: 'secret', ...changes } as Env;
  return new ExperimentWatch(env, { waitUntil: (work) => void waits.push(work) }, route.name);
}

const known = { route, split: null };

/** What is heard at once, and once the ledger has had time to answer. */
async function heard(one: ExperimentWatch, of: RolloutState = state) {
  const first = one.hear(of, known, Date.now());
  await vi.advanceTimersByTimeAsync(100);
  return [first, one.hear(of, known, Date.now())];
}

const counted = { verdict: 'wait', sentence: 'experiment e-1: 42 of 100 units' };

describe('what a controller hears of an experiment', () => {
  it('is nothing at first, and then what the ledger said', async () => {
    expect(await heard(watch())).toEqual([undefined, counted]);
    expect(asked).toEqual([`${route.name}/e-1`]);
  });

  it('is asked for no oftener than every two seconds, however often ticks come', async () => {
    const one = watch();
    for (let n = 0; n < 10; n++) await heard(one);
    await vi.advanceTimersByTimeAsync(2_000);
    await heard(one);
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['hangs', () => new Promise<Report>(() => {})],
    ['fails', () => Promise.reject(new Error('the ledger is down'))],
  ])('is no evidence while the ledger %s, and later what it says then', async (_, broken) => {
    const one = watch();
    ledger = broken;
    expect(await heard(one)).toEqual([undefined, undefined]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await heard(one)).toEqual([undefined, undefined]);
    await vi.advanceTimersByTimeAsync(6_000);
    await Promise.all(waits);
    ledger = () => Promise.resolve(running);
    expect((await heard(one))[1]).toEqual(counted);
  });

  it('is forgotten when it is old, or of an earlier run of the step', async () => {
    const one = watch();
    await heard(one);
    ledger = () => new Promise(() => {});
    expect(one.hear({ ...state, stepRun: state.stepRun + 1 }, known, Date.now())).toBeUndefined();
    expect(one.hear(state, known, Date.now() + 15_000)).toEqual(counted);
    expect(one.hear(state, known, Date.now() + 25_000)).toBeUndefined();
  });

  it('is asked for again, and not what it was, when the clock was set back', async () => {
    const one = watch();
    await heard(one);
    vi.setSystemTime(T0 - 3_600_000);
    ledger = () => Promise.resolve({ ...running, units: { blue: 30, green: 33 } });
    expect(await heard(one)).toEqual([undefined, { ...counted, sentence: 'experiment e-1: 63 of 100 units' }]);
  });

  it('is nothing of an earlier rollout, whose steps were counted alike', async () => {
    const one = watch();
    await heard(one);
    const next = { ...state, id: 'r-20261123-9' };
    expect(await heard(one, next)).toEqual([undefined, undefined]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await heard(one, next)).toEqual([undefined, counted]);
  });

  it('is nothing of an earlier rollout that was asked for when the next one began', async () => {
    const one = watch();
    const { promise, resolve } = Promise.withResolvers<Report>();
    ledger = () => promise;
    one.hear(state, known, Date.now());
    resolve(running);
    const next = { ...state, id: 'r-20261123-9' };
    expect(await heard(one, next)).toEqual([undefined, undefined]);
  });

  it('is nothing, and nobody is asked, in a step that carries none', async () => {
    const plain = started([step({ weight: 50 })], { experiment: 'e-1' });
    expect(await heard(watch(), plain)).toEqual([undefined, undefined]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['the binding is missing', { LEDGER: undefined }],
    ['the secret is missing', { COOKIE_SECRET: undefined }],
  ])('says why it never comes where %s', (_, env) => {
    expect(watch(env as Partial<Env>).hear(state, known, T0)).toMatchObject({
      verdict: 'wait',
      sentence: expect.stringContaining('nothing is counted without LEDGER and COOKIE_SECRET'),
    });
  });

  it('says so when the config declares another experiment by now', () => {
    const other = { ...state, experiment: 'e-0' };
    expect(watch().hear(other, known, T0)?.sentence).toContain('experiment e-0: the route no longer declares it');
  });
});
