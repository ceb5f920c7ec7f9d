import { describe, expect, it } from 'vitest';
import { TICK_MS } from '../../src/analysis/limits.ts';
import type { Count } from '../../src/analysis/proportions.ts';
import type { Guardrail, PlanStep } from '../../src/config/types.ts';
import type { EvidenceBatch, LiveCounts } from '../../src/live/batch.ts';
import { EvidenceStore } from '../../src/rollout/evidence.ts';
import { Meta } from '../../src/rollout/meta.ts';
import { shareOf } from '../../src/rollout/readiness.ts';
import type { RolloutState } from '../../src/rollout/state.ts';
import type { PairBatch } from '../../src/shadow/tally.ts';
import { storage } from './sqlite.ts';
import { canary, started, step, T0 } from './world.ts';

const TICK = T0 / TICK_MS;
const unit = (n: number) => (n * 0x9e3779b1).toString(16).padStart(16, '0').slice(-16);

function rollout(guardrail: Partial<Guardrail> = {}, plan: PlanStep[] = canary): RolloutState {
  const errors = { metric: 'errors', critical: true, required: true, per: 'unit' as const, ...guardrail };
  return started(plan, { guardrails: [errors as Guardrail] });
}

const opened = (sql: SqlStorage) => new EvidenceStore(sql, new Meta({ sql } as DurableObjectStorage));

/** A store that has begun `state`. */
function begun(state: RolloutState, earlier: Parameters<EvidenceStore['start']>[1] = []) {
  const { sql, transactionSync } = storage();
  const store = opened(sql);
  store.start(state, earlier);
  return { store, sql, transactionSync };
}

interface Saw {
  variant: string;
  from: number;
  units: number;
  bad?: number;
}

/** What an isolate saw in a tick: each unit asked once. */
function batch(state: RolloutState, tick: number, ...saw: Saw[]): EvidenceBatch {
  return {
    rollout: state.id,
    tick,
    threshold: 2 ** 32,
    units: saw.flatMap(({ variant, from, units, bad = 0 }) =>
      Array.from({ length: units }, (_, n): [string, string, number, number] => [
        unit(from + n),
        variant,
        1,
        n < bad ? 1 : 0,
      ]),
    ),
    requests: saw.map(({ variant, units, bad = 0 }) => ({ variant, n: [units], bad: [bad] })),
  };
}

function live(rolloutId: string, revision: number, variant: string, requests: number): LiveCounts {
  return {
    rollout: rolloutId,
    revision,
    variant,
    requests,
    failed: 0,
    rejected: 0,
    watched: { errors: requests },
    firstByte: '',
    total: '',
  };
}

const pairs = (rolloutId: string, classes: Record<string, number>, repeats: Record<string, number>, others = 0) => {
  const alike = ({ match = 0, 'body-mismatch': bad = 0 }) => ({ pairs: match + bad, fields: {} });
  const candidate = { ...alike(classes), pairs: alike(classes).pairs - others };
  const noise = { candidate, repeat: alike(repeats) };
  return { candidate: 'green', rollout: rolloutId, classes, repeats, noise } as unknown as PairBatch;
};

const first = (store: EvidenceStore, state: RolloutState) => store.judge(state).judgements[0]!;
const settledAt = (tick: number) => tick * TICK_MS + 5_000;

describe('the evidence of a rollout', () => {
  it('is looked at while the tick is open, and kept when it is closed', () => {
    const state = rollout();
    const { store } = begun(state);
    store.add([
      batch(state, TICK, { variant: 'green', from: 0, units: 20, bad: 3 }, { variant: 'blue', from: 100, units: 80 }),
    ]);
    const open = first(store, state);
    expect(open).toMatchObject({ candidate: { n: 20, bad: 3 }, baseline: { n: 80, bad: 0 } });
    store.settle(state, settledAt(TICK + 1));
    expect(first(store, state)).toEqual(open);
  });

  it('fails a candidate that fails, on units as on requests', () => {
    for (const per of ['unit', 'request'] as const) {
      const state = rollout({ per });
      const { store } = begun(state);
      store.add([
        batch(
          state,
          TICK,
          { variant: 'green', from: 0, units: 20, bad: 12 },
          { variant: 'blue', from: 100, units: 380 },
        ),
      ]);
      expect(first(store, state).verdict, per).toBe('fail');
    }
  });

  it('counts ticks that were held while it was away one by one, whichever isolate comes first', () => {
    const state = rollout();
    const { store, sql } = begun(state);
    // Each of a hundred units asks in every tick, and one of them fails.
    const held = (from: number) =>
      Array.from({ length: 10 }, (_, k) => {
        const rest = { variant: 'green', from, units: 100 };
        const { units, ...told } = batch(state, TICK + k, rest);
        return {
          ...told,
          units: units.map(([u, v, active], n) => [u, v, active, n === k ? 1 : 0] as (typeof units)[0]),
        };
      });
    store.settle(state, settledAt(TICK + 9));
    for (const [at, from] of [0, 100, 200].entries()) {
      store.add(held(from));
      store.settle(state, settledAt(TICK + 12) + at * 2_000);
    }
    const once = { n: 3 * (1_000 - 45), bad: 30 };
    expect(first(store, state).candidate).toEqual(once);
    store.settle(state, settledAt(TICK + 12) + 11_000);
    expect(first(store, state).candidate).toEqual(once);
    expect(first(opened(sql), state).candidate).toEqual(once);
    store.add([batch(state, TICK + 13, { variant: 'green', from: 0, units: 100 })]);
    store.settle(state, settledAt(TICK + 14));
    expect(first(store, state).candidate).toEqual({ n: once.n + 90, bad: 30 });
  });

  it('does not hold what only a part of a tick tells of a shared outage against the candidate', () => {
    const state = { ...rollout(), sinceMs: (TICK - 13) * TICK_MS };
    const half = { ...state, split: { ...state.split, weights: { blue: 50, green: 50 } } };
    const { store } = begun(half, [{ n: 20_000, bad: 200 }]);
    let next = 0;
    const add = (tick: number, green: [number, number], blue: [number, number]) => {
      const saw = (variant: string, [units, bad]: [number, number]): Saw => {
        next += units;
        return { variant, from: next - units, units, bad };
      };
      store.add([batch(half, tick, saw('green', green), saw('blue', blue))]);
    };
    add(TICK, [750, 8], [750, 8]);
    store.settle(half, (TICK + 1.6) * TICK_MS);
    // The first flushes of the outage's tick, and then parts of it that come late.
    add(TICK + 1, [24, 9], [19, 5]);
    expect(first(store, half)).toMatchObject({ verdict: expect.not.stringMatching('fail') });
    expect(first(store, half).e).toBeLessThan(10);
    store.settle(half, (TICK + 3) * TICK_MS);
    for (let k = 0; k < 200; k++) {
      add(TICK + 1, [k % 2, k % 2], [(k + 1) % 2, (k + 1) % 2]);
      store.settle(half, (TICK + 3) * TICK_MS);
    }
    store.settle(half, (TICK + 4) * TICK_MS);
    expect(first(store, half).candidate).toEqual({ n: 874, bad: 117 });
    expect(first(store, half).e).toBeLessThan(10);
  });

  it('waits for the baseline in the first tick of a rollout, although the hour before is known', () => {
    const state = { ...rollout(), sinceMs: TICK * TICK_MS };
    const half = { ...state, split: { ...state.split, weights: { blue: 50, green: 50 } } };
    const { store } = begun(half, [{ n: 5_000, bad: 50 }]);
    // An outage that both share, of which the candidate's flush tells first.
    const green = { variant: 'green', from: 0, units: 24, bad: 12 };
    store.add([batch(half, TICK, green, { variant: 'blue', from: 100, units: 4, bad: 2 })]);
    expect(first(store, half).e).toBeLessThan(2);
  });

  it('lets outcomes of a step before pass no step, and holds those of this one against the baseline of before where it is thin', () => {
    const late = { ...rollout({ metric: 'outcome:ok' }), sinceMs: TICK * TICK_MS };
    const state = { ...late, split: { ...late.split, weights: { blue: 5, green: 95 } } };
    const { store } = begun(state);
    const green = { variant: 'green', from: 0, units: 400, bad: 20 };
    store.add([batch(state, TICK - 1, green, { variant: 'blue', from: 400, units: 400, bad: 20 })]);
    expect(first(store, state)).toMatchObject({ verdict: 'inconclusive', candidate: { n: 400, bad: 20 } });
    for (let k = 0; k < 5; k++) {
      const trials = { variant: 'green', from: 1_000 + k * 30, units: 28, bad: 17 };
      store.add([batch(state, TICK + k, trials, { variant: 'blue', from: 5_000 + k * 30, units: 2 })]);
      store.settle(state, settledAt(TICK + k + 1));
    }
    expect(first(store, state).verdict).toBe('fail');
    // What has ended is judged as it was.
    const ended = { ...state, end: 'aborted' as const, split: { ...state.split, weights: { blue: 100, green: 0 } } };
    expect(first(store, ended).verdict).toBe('fail');
  });

  it('hears again, in the next step, those who have had their say, where they are most', () => {
    const state = rollout();
    const next = { ...state, stepRun: state.stepRun + 1 };
    const saw = (bad: number) => [
      { variant: 'green', from: 0, units: 100, bad },
      { variant: 'blue', from: 100, units: 100, bad },
    ];
    for (const [bad, heard] of [
      [20, 80],
      [80, 100],
    ] as const) {
      const { store, sql } = begun(state);
      store.add([batch(state, TICK, ...saw(bad))]);
      store.settle(state, settledAt(TICK + 1));
      store.add([batch(state, TICK + 1, ...saw(0))]);
      store.beginStep(next);
      for (const one of [store, opened(sql)]) {
        one.settle(next, settledAt(TICK + 2));
        expect(first(one, next).candidate).toEqual({ n: heard, bad: 0 });
      }
    }
  });

  it('does not hear again those who fail now as they did before', () => {
    const state = rollout();
    const { store } = begun(state);
    const always = { variant: 'green', from: 0, units: 40, bad: 40 };
    store.add([batch(state, TICK, always, { variant: 'green', from: 40, units: 40, bad: 40 })]);
    store.settle(state, settledAt(TICK + 1));
    store.add([batch(state, TICK + 1, always, { variant: 'green', from: 40, units: 40 })]);
    const next = { ...state, stepRun: state.stepRun + 1 };
    store.beginStep(next);
    store.settle(next, settledAt(TICK + 2));
    // Of the eighty of before, forty are heard again.
    expect(first(store, next).candidate).toEqual({ n: 80 + 40, bad: 80 });
  });

  it('hears again who comes seldom once a rollout, and so at most twice who always fails', () => {
    let state = rollout();
    const { store, sql } = begun(state);
    let tick = TICK;
    const good = { variant: 'green', from: 100, units: 100 };
    for (let step = 0; step < 5; step++) {
      // Twenty that fail always come early in each step, and the others have all their say in its middle.
      for (const saw of [[{ variant: 'green', from: 0, units: 20, bad: 20 }], [{ ...good, bad: 100 }]] as Saw[][]) {
        store.add([batch(state, tick, ...saw)]);
        store.settle(state, settledAt(tick + 1));
        tick++;
      }
      store.add([batch(state, tick, good)]);
      state = { ...state, stepRun: state.stepRun + 1 };
      store.beginStep(state);
      tick++;
    }
    for (const one of [store, opened(sql)]) {
      one.settle(state, settledAt(tick));
      expect(first(one, state).candidate.bad).toBe(5 * 100 + 2 * 20);
    }
  });

  it('hears again also who comes seldom, and who is bad at something else', () => {
    const slow = { metric: 'slow', critical: false, required: false, per: 'unit', slow: { sloMs: 1, of: 'headers' } };
    const both = rollout();
    const state = { ...both, guardrails: [...both.guardrails, slow as (typeof both.guardrails)[number]] };
    const { store } = begun(state);
    // All fail, and are slow: half of them come again at once, slow as ever, and half in the next step.
    const saw = (tick: number, from: number, to: number, bad: number) => {
      const units = Array.from({ length: to - from }, (_, n): [string, string, number, number] => [
        unit(from + n),
        'green',
        3,
        bad,
      ]);
      store.add([{ rollout: state.id, tick, threshold: 2 ** 32, units, requests: [] }]);
    };
    saw(TICK, 0, 100, 3);
    store.settle(state, settledAt(TICK + 1));
    saw(TICK + 1, 0, 50, 2);
    const next = { ...state, stepRun: state.stepRun + 1 };
    store.beginStep(next);
    saw(TICK + 2, 0, 100, 1);
    store.settle(next, settledAt(TICK + 3));
    const [errors, slowness] = store.judge(next).judgements;
    expect(errors!.candidate).toEqual({ n: 100 + 50 + 100, bad: 200 });
    expect(slowness!.candidate).toEqual({ n: 100 + 50, bad: 100 });
  });

  it('keeps the whole sample when many come back at once with what they held', () => {
    const state = rollout();
    const { store } = begun(state);
    store.settle(state, settledAt(TICK + 11));
    for (let isolate = 0; isolate < 20; isolate++) {
      const held = Array.from({ length: 12 }, (_, k) =>
        batch(state, TICK + k, { variant: 'green', from: isolate * 300, units: 300 }),
      );
      store.add(held);
      store.settle(state, settledAt(TICK + 11));
    }
    store.settle(state, settledAt(TICK + 12));
    const before = first(store, state).candidate.n;
    store.add([batch(state, TICK + 20, { variant: 'green', from: 0, units: 6_000 })]);
    expect(first(store, state).candidate.n - before).toBe(6_000);
  });

  it('holds a sample of units against the requests of that sample, where the hour before was counted by request', () => {
    const state = { ...rollout(), sinceMs: (TICK - 100) * TICK_MS };
    const all = { ...state, split: { ...state.split, weights: { blue: 0, green: 100 } } };
    const { store } = begun(all, [{ n: 20_000, bad: 200 }]);
    // One request of each, 5 % bad, in a sample of an eighth.
    for (let k = 0; k < 3; k++) {
      const { units, ...told } = batch(all, TICK + k, { variant: 'green', from: k * 1_000, units: 1_000, bad: 50 });
      const within = units.map(([u, ...rest]) => [`0${u.slice(1)}`, ...rest] as (typeof units)[0]);
      store.add([
        { ...told, units: within, threshold: 2 ** 29, requests: [{ variant: 'green', n: [8_000], bad: [400] }] },
      ]);
    }
    expect(first(store, all).verdict).toBe('fail');
  });

  it('takes a young step’s share of the traffic by its weight: good answers may still be under way', () => {
    const seen = (ageMs: number, bad: number) => {
      const state = rollout();
      const half = { ...state.split, weights: { blue: 50, green: 50 } };
      const { store } = begun(state);
      const young = { ...state, split: half, sinceMs: TICK * TICK_MS - ageMs };
      const green = { variant: 'green', from: 0, units: 33, bad };
      store.add([batch(young, TICK, green, { variant: 'blue', from: 100, units: 513, bad: 41 })]);
      return first(store, young);
    };
    expect(seen(0, 9).e).toBeLessThan(1);
    expect(seen(-5_000, 9).e).toBeLessThan(1);
    expect(seen(180_000, 9).e).toBeGreaterThan(10);
    // What is shown, and what passes, are the trials that have ended.
    expect(seen(0, 9).candidate).toEqual({ n: 33, bad: 9 });
  });

  it('takes nothing for under way that an ejected candidate was not asked', () => {
    const seen = (away: number, per: 'unit' | 'request') => {
      const state = rollout({ per });
      const most = { ...state, split: { ...state.split, weights: { blue: 20, green: 80 } } };
      const { store } = begun(most);
      const arms = batch(
        most,
        TICK,
        { variant: 'green', from: 0, units: 5, bad: 5 },
        { variant: 'blue', from: 100, units: 50 },
      );
      store.add([{ ...arms, requests: [...arms.requests, { variant: '', n: [away], bad: [0] }] }]);
      return first(store, most);
    };
    for (const per of ['unit', 'request'] as const) {
      expect(seen(195, per).e).toBeGreaterThan(1_000);
      // Not asked because they came from elsewhere they would be answers still to come.
      expect(seen(0, per).e).toBeLessThan(10);
      expect(seen(195, per).candidate).toEqual({ n: 5, bad: 5 });
    }
  });

  it('is by what has ended alone, as soon as the candidate has had its share in the step', () => {
    const state = rollout();
    const half = { ...state.split, weights: { blue: 50, green: 50 } };
    const young = { ...state, split: half, sinceMs: TICK * TICK_MS };
    const next = (had: number) => {
      const { store } = begun(young);
      const shared = { variant: 'blue', from: 1_000, units: 100 };
      store.add([batch(young, TICK, { variant: 'green', from: 0, units: had }, shared)]);
      store.settle(young, settledAt(TICK + 1));
      const green = { variant: 'green', from: 2_000, units: 10, bad: 8 };
      store.add([batch(young, TICK + 1, green, { variant: 'blue', from: 3_000, units: 100, bad: 8 })]);
      return first(store, young).e;
    };
    expect(next(91)).toBeLessThan(1);
    expect(next(92)).toBeGreaterThan(10);
  });

  it('is the same when the rollout has ended and its split has gone', () => {
    const state = rollout();
    const { store } = begun(state);
    const half = { ...state.split, weights: { blue: 50, green: 50 } };
    const steps = state.steps.map((one) => ({ ...one, weight: 50 }));
    const young = { ...state, steps, split: half, sinceMs: TICK * TICK_MS };
    const green = { variant: 'green', from: 0, units: 33, bad: 9 };
    store.add([batch(young, TICK, green, { variant: 'blue', from: 100, units: 513, bad: 41 })]);
    const gone = { ...young, end: 'aborted' as const, split: { ...half, weights: { blue: 100, green: 0 } } };
    expect(first(store, gone)).toEqual(first(store, young));
  });

  it('holds a candidate that has just got all the traffic against what its baseline did, by all that has ended', () => {
    const seen = (ageMs: number, bad: number, earlier = { n: 2_000, bad: 60 }) => {
      const state = rollout();
      const { store } = begun(state, [earlier]);
      const all = { ...state.split, weights: { blue: 0, green: 100 } };
      const now = { ...state, split: all, sinceMs: TICK * TICK_MS - ageMs };
      const green = { variant: 'green', from: 0, units: 260, bad };
      store.add([batch(now, TICK, green, { variant: 'blue', from: 1_000, units: 240 })]);
      return first(store, now);
    };
    // What fails at once is the candidate's alone by now, and half of what ended well is the baseline's still.
    expect(seen(0, 15).e).toBeLessThan(1.5);
    expect(seen(180_000, 15).e).toBeGreaterThan(100);
    expect(seen(0, 200).verdict).toBe('fail');
    expect(seen(0, 200, { n: 0, bad: 0 }).verdict).toBe('fail');
  });

  it('of another rollout is passed over', () => {
    const state = rollout();
    const { store } = begun(state);
    store.add([{ ...batch(state, TICK, { variant: 'green', from: 0, units: 20, bad: 20 }), rollout: 'r-20261122-9' }]);
    expect(first(store, state)).toMatchObject({ verdict: 'inconclusive', candidate: { n: 0, bad: 0 } });
    expect(store.judge({ ...state, id: 'r-20261124-1' }).judgements).toEqual([]);
  });

  it('that is lost begins anew, so that the rollout stays guarded', () => {
    const state = rollout();
    const store = opened(storage().sql);
    store.settle(state, settledAt(TICK));
    store.add([
      batch(state, TICK, { variant: 'green', from: 0, units: 50, bad: 40 }, { variant: 'blue', from: 900, units: 950 }),
    ]);
    expect(first(store, state)).toMatchObject({ verdict: 'fail', candidate: { n: 50, bad: 40 } });
  });

  it('counts a unit that always fails once, also over a restart', () => {
    const state = rollout();
    const { store, sql } = begun(state);
    for (let tick = TICK; tick < TICK + 3; tick++) {
      store.add([
        batch(state, tick, { variant: 'green', from: 0, units: 1, bad: 1 }, { variant: 'blue', from: 100, units: 9 }),
      ]);
      store.settle(state, settledAt(tick + 1));
    }
    const again = opened(sql);
    again.add([batch(state, TICK + 3, { variant: 'green', from: 0, units: 1, bad: 1 })]);
    again.settle(state, settledAt(TICK + 4));
    expect(first(again, state)).toMatchObject({ candidate: { n: 1, bad: 1 }, baseline: { n: 27, bad: 0 } });
  });

  it('survives a restart in the middle of a tick, to the last digit', () => {
    const state = rollout({ per: 'request' });
    const { store, sql } = begun(state);
    store.add([
      batch(
        state,
        TICK,
        { variant: 'green', from: 0, units: 30, bad: 4 },
        { variant: 'blue', from: 100, units: 300, bad: 2 },
      ),
    ]);
    store.settle(state, settledAt(TICK + 1));
    store.add([
      batch(
        state,
        TICK + 1,
        { variant: 'green', from: 40, units: 30, bad: 2 },
        { variant: 'blue', from: 500, units: 300, bad: 2 },
      ),
    ]);
    store.addCounts([live(state.id, 2, 'green', 60)], 'green', 2);
    expect(opened(sql).judge(state)).toEqual(store.judge(state));
  });

  it('is not counted twice when the transaction that brought it fails and the batch comes again', () => {
    const state = rollout({ per: 'request' });
    const { store, transactionSync } = begun(state);
    const came = [batch(state, TICK, { variant: 'green', from: 0, units: 10, bad: 1 })];
    const failing = () =>
      transactionSync(() => {
        store.add(came);
        store.addCounts([live(state.id, 2, 'green', 10)], 'green', 2);
        throw new Error('the disk is full');
      });
    expect(failing).toThrow('the disk is full');
    store.reload();
    expect(store.judge(state).samples.live).toBe(0);
    transactionSync(() => store.add(came));
    expect(first(store, state).candidate).toEqual({ n: 10, bad: 1 });
  });

  it('that comes late counts in the oldest open tick, trial and failure together', () => {
    const state = rollout();
    const { store } = begun(state);
    store.add([batch(state, TICK, { variant: 'green', from: 0, units: 5 })]);
    store.settle(state, settledAt(TICK + 1));
    store.add([
      batch(state, TICK, { variant: 'green', from: 10, units: 5, bad: 5 }, { variant: 'blue', from: 50, units: 5 }),
    ]);
    store.settle(state, settledAt(TICK + 2));
    expect(first(store, state)).toMatchObject({ candidate: { n: 10, bad: 5 }, baseline: { n: 5, bad: 0 } });
  });
});

describe("a step's samples", () => {
  it('are never more than the requests under its own split', () => {
    const state = rollout({ per: 'request' });
    const { store } = begun(state);
    store.add([
      batch(state, TICK, { variant: 'green', from: 0, units: 500 }, { variant: 'blue', from: 1000, units: 500 }),
    ]);
    store.addCounts([live(state.id, 2, 'green', 500)], 'green', 2);
    expect(store.judge(state).samples.live).toBe(500);
    const next = { ...state, step: 1, stepRun: state.stepRun + 1 };
    store.beginStep(next);
    // The tick of the step before is still open, and an isolate still serves by its split.
    store.addCounts([live(state.id, 2, 'green', 40)], 'green', 3);
    expect(store.judge(next)).toMatchObject({ stepRun: next.stepRun, samples: { live: 0 } });
    // One that was over by then is none of the step's.
    const after = { ...next, sinceMs: (TICK + 1) * TICK_MS };
    expect(first(store, after).sentence).toContain('there is no baseline to compare with in this step');
    store.addCounts(
      [live(state.id, 3, 'green', 7), live('r-0', 3, 'green', 9), live(state.id, 3, 'blue', 9)],
      'green',
      3,
    );
    expect(store.judge(next).samples.live).toBe(7);
  });

  it('are the compared pairs while it only mirrors, and survive a restart', () => {
    const state = rollout({ metric: 'mismatch' }, [step({ shadow: 100 })]);
    const { store, sql } = begun(state);
    store.addPairs(state, [pairs(state.id, { match: 8, 'body-mismatch': 2, error: 5, timeout: 1 }, {})]);
    // What was mirrored before it began, or in another rollout, and is told now.
    for (const other of ['', 'r-0']) store.addPairs(state, [pairs(other, { 'body-mismatch': 9 }, { match: 9 })]);
    expect(store.judge(state).samples.compared).toBe(10);
    const again = opened(sql);
    expect(again.judge(state).samples.compared).toBe(10);
    // Only with the baseline's own noise beside them do pairs judge anybody.
    expect(first(again, state).candidate.n).toBe(0);
    again.addPairs(state, [pairs(state.id, {}, { match: 4 })]);
    expect(first(again, state)).toMatchObject({ candidate: { n: 10, bad: 2 }, baseline: { n: 4, bad: 0 } });
    expect(first(again, state).sentence).toContain('2 bad of 10 pairs');
    // Seven that the baseline's own failure made are compared, and judge nobody.
    const unfair = { candidate: 7, repeat: 1 };
    const failing = pairs(state.id, { match: 1, 'status-mismatch': 7 }, { match: 2, 'status-mismatch': 1 });
    again.addPairs(state, [{ ...failing, unfair }]);
    expect(again.judge(state).samples.compared).toBe(18);
    expect(first(again, state)).toMatchObject({ candidate: { n: 11, bad: 2 }, baseline: { n: 6, bad: 0 } });
    // So do matches of what the mirrored baseline was not shown whole.
    again.addPairs(state, [pairs(state.id, { match: 5 }, { match: 1 }, 4)]);
    expect(first(again, state)).toMatchObject({ candidate: { n: 12, bad: 2 }, baseline: { n: 7, bad: 0 } });
  });
});

describe('a step without a baseline beside it', () => {
  const switched = (state: RolloutState): RolloutState => ({
    ...state,
    split: { ...state.split, weights: { blue: 0, green: 100 } },
  });

  it('is held against the hour before, where the rollout has seen no baseline', () => {
    const state = switched(rollout({ per: 'request' }));
    const { store } = begun(state, [{ n: 5_000, bad: 50 }]);
    store.add([batch(state, TICK, { variant: 'green', from: 0, units: 200, bad: 40 })]);
    const judged = store.judge(state);
    expect(judged.reference).toBe(true);
    expect(judged.judgements[0]).toMatchObject({ verdict: 'fail', baseline: { n: 5_000, bad: 50 } });
    expect(judged.judgements[0]!.sentence).toContain('baseline earlier 50 of 5,000');
    const ended = { ...state, end: 'aborted' as const, step: canary.length - 1, split: rollout().split };
    expect(store.judge(ended).judgements).toEqual(judged.judgements);
  });

  it('is held also against what isolates counted of the baseline before the rollout and told after it began', () => {
    const state = switched(rollout({ per: 'request' }));
    const { store, sql } = begun(state, [{ n: 10, bad: 0 }]);
    const late = { ...live('', 0, 'blue', 4_990), failed: 900, watched: { errors: 4_990, '!errors': 50 } };
    store.addEarlier(
      [late, live('', 0, 'green', 70), live(state.id, 2, 'blue', 80), live('r-old', 1, 'blue', 90)],
      state,
    );
    store.add([batch(state, TICK, { variant: 'green', from: 0, units: 200, bad: 40 })]);
    const judged = opened(sql).judge(state);
    expect(judged).toMatchObject({
      reference: true,
      judgements: [{ verdict: 'fail', baseline: { n: 5_000, bad: 50 } }],
    });
  });

  it('is held against the hour before also where isolates of an earlier deployment have watched nothing', () => {
    const state = switched(rollout({ per: 'request' }));
    const { store } = begun(state, [{ n: 5_000, bad: 50 }]);
    store.addEarlier([{ ...live('', 0, 'blue', 90), watched: undefined }], state);
    store.add([batch(state, TICK, { variant: 'green', from: 0, units: 200, bad: 40 })]);
    expect(store.judge(state)).toMatchObject({
      reference: true,
      judgements: [{ verdict: 'fail', baseline: { n: 5_000, bad: 50 } }],
    });
  });

  /** `seen`: what the baseline still answered after the switch. Then the candidate answers 60 a tick, of which `bad` are. */
  const afterSwitch = (
    per: 'unit' | 'request',
    { hour, seen, bad, ticks }: { hour: Count; seen: Count; bad: number; ticks: number },
  ) => {
    const state = { ...switched(rollout({ per })), sinceMs: TICK * TICK_MS };
    const { store } = begun(state, [hour]);
    store.add([batch(state, TICK, { variant: 'blue', from: 0, units: seen.n, bad: seen.bad })]);
    for (let n = 1; n <= ticks; n++) {
      store.add([batch(state, TICK + n, { variant: 'green', from: n * 1_000, units: 60, bad })]);
      store.settle(state, settledAt(TICK + n));
    }
    return first(store, state);
  };

  it.each(['unit', 'request'] as const)('is held against the hour where little came after the switch, by %s', (per) => {
    const hour = { n: 10_000, bad: 10 };
    // 30 answers without a failure could be of a baseline that fails one time in four.
    expect(afterSwitch(per, { hour, seen: { n: 30, bad: 0 }, bad: 9, ticks: 2 })).toMatchObject({
      verdict: 'fail',
      baseline: hour,
    });
    for (const [of, seen] of [
      [10_000, 999],
      [100_000, 1_999],
      [300, 299],
    ] as const) {
      const known = { n: of, bad: 3 };
      const judged = afterSwitch(per, { hour: known, seen: { n: seen, bad: 0 }, bad: 9, ticks: 1 });
      expect(judged.baseline).toEqual(known);
    }
    expect(afterSwitch(per, { hour, seen: { n: 30, bad: 0 }, bad: 0, ticks: 30 }).verdict).toBe('pass');
  });

  it.each([
    { of: 10_000, trials: 1_000 },
    { of: 100_000, trials: 2_000 },
    { of: 300, trials: 300 },
  ])('is held against what came after the switch where that is enough: $trials, and in the hour $of', (counts) => {
    const seen = { n: counts.trials, bad: 0 };
    const judged = afterSwitch('request', { hour: { n: counts.of, bad: 3 }, seen, bad: 9, ticks: 1 });
    expect(judged.baseline).toEqual(seen);
  });

  it('takes a unit that asks often for what it is: several chances to be bad', () => {
    const state = switched(rollout());
    const { store } = begun(state, [{ n: 5_000, bad: 50 }]);
    const often = batch(state, TICK, { variant: 'green', from: 0, units: 200, bad: 18 });
    // Ten requests each at 1 %: one unit in ten is bad, and nothing is wrong.
    store.add([{ ...often, requests: [{ variant: 'green', n: [2_000], bad: [20] }] }]);
    expect(first(store, state).verdict).not.toBe('fail');
  });

  it('allows a unit no more for asking often, where the baseline was counted by unit as well', () => {
    const state = { ...rollout(), sinceMs: (TICK - 100) * TICK_MS };
    const { store } = begun(state);
    store.add([batch(state, TICK, { variant: 'blue', from: 1_000, units: 1_000, bad: 10 })]);
    store.settle(state, settledAt(TICK + 1));
    const often = batch(state, TICK + 1, { variant: 'green', from: 0, units: 200, bad: 18 });
    store.add([{ ...often, requests: [{ variant: 'green', n: [2_000], bad: [20] }] }]);
    expect(first(store, switched(state)).verdict).toBe('fail');
  });

  it('holds nothing against the candidate while nothing is known of the baseline', () => {
    for (const per of ['unit', 'request'] as const) {
      const state = { ...rollout({ per }), sinceMs: (TICK - 100) * TICK_MS };
      const { store } = begun(state);
      store.add([batch(state, TICK, { variant: 'green', from: 0, units: 100, bad: 60 })]);
      store.settle(state, settledAt(TICK + 1));
      // The outage is the candidate's alone only for as long as the baseline was not seen in it.
      store.add([
        batch(
          state,
          TICK + 1,
          { variant: 'green', from: 200, units: 10, bad: 6 },
          { variant: 'blue', from: 500, units: 190, bad: 114 },
        ),
      ]);
      expect(first(store, state).e, per).toBeLessThan(2);
    }
  });

  it.each([1, 2])('holds those who are heard again against the baseline at first, in run %i of the step', (runs) => {
    let state = rollout();
    const { store } = begun(state);
    // A hundred fail at one of thirty ticks each, as often in either arm and in every step; sixty never do.
    const tick = (at: number) => {
      const all = shareOf(state) === 100;
      const asked = Array.from({ length: 160 }, (_, n) => ({
        hash: unit(n),
        variant: all || n % 2 === 1 ? 'green' : 'blue',
        bad: n < 100 && (at + n) % 30 === 0 ? 1 : 0,
      }));
      const units = asked.map(({ hash, variant, bad }): [string, string, number, number] => [hash, variant, 1, bad]);
      const requests = asked.map(({ variant, bad }) => ({ variant, n: [1], bad: [bad] }));
      store.add([{ rollout: state.id, tick: at, threshold: 2 ** 32, units, requests }]);
      store.settle(state, settledAt(at));
    };
    for (let at = 0; at < 150; at++) {
      if (at >= 120 && at < 120 + runs) {
        state = { ...switched(state), stepRun: state.stepRun + 1, sinceMs: (TICK + at) * TICK_MS };
        store.beginStep(state);
      }
      tick(TICK + at);
    }
    expect(first(store, state)).toMatchObject({ verdict: 'pass', baseline: { bad: 22 } });
  });

  it('keeps what the baseline did before, where an earlier deployment began the rollout and clients are heard again', () => {
    const state = rollout();
    const { store: before, sql } = begun(state);
    const tick = (at: number, bad: number, store: EvidenceStore) => {
      store.add([batch(state, at, { variant: 'blue', from: 0, units: 30, bad })]);
      store.settle(state, settledAt(at));
    };
    for (let n = 0; n < 40; n++) tick(TICK + n, Math.min(29, n), before);
    const meta = new Meta({ sql } as DurableObjectStorage);
    const kept = meta.get<{ guardrails: object[] }>('evidence')!;
    meta.set('evidence', { ...kept, guardrails: kept.guardrails.map((one) => ({ ...one, first: undefined })) });
    const store = opened(sql);
    for (const n of [40, 41, 42, 43]) tick(TICK + n, 30, store);
    const bake = { ...switched(state), stepRun: state.stepRun + 1, sinceMs: (TICK + 44) * TICK_MS };
    store.add([batch(bake, TICK + 44, { variant: 'green', from: 0, units: 30 })]);
    store.beginStep(bake);
    expect(store.judge(bake).reference).toBe(true);
  });

  it('is judged on its own counts too, which the many before it do not drown', () => {
    const shared = rollout({ per: 'request' });
    const { store } = begun(shared);
    const requests = (tick: number, variant: string, n: number, bad: number): EvidenceBatch => ({
      ...batch(shared, tick),
      requests: [{ variant, n: [n], bad: [bad] }],
    });
    for (const variant of ['blue', 'green']) store.add([requests(TICK, variant, 1_000_000, 10_000)]);
    store.settle(shared, settledAt(TICK + 1));
    const bake = { ...switched(shared), stepRun: shared.stepRun + 1 };
    store.beginStep(bake);
    store.add([requests(TICK + 1, 'green', 20_000, 2_000)]);
    const judgement = first(store, bake);
    expect(judgement).toMatchObject({ verdict: 'fail', candidate: { n: 20_000, bad: 2_000 } });
    expect(judgement.sentence).toContain('in this step');
  });

  it.each([
    { share: 100, bad: 100, ticks: 1 },
    { share: 100, bad: 20, ticks: 2 },
    { share: 50, bad: 100, ticks: 1 },
    { share: 50, bad: 20, ticks: 3 },
  ])(
    'finds what breaks after half a day at $share %, as soon as it would have at first: $bad % in $ticks ticks',
    (late) => {
      const plain = rollout({ per: 'request' });
      const weights = { blue: 100 - late.share, green: late.share };
      const state = { ...plain, sinceMs: TICK * TICK_MS, split: { ...plain.split, weights } };
      const { store } = begun(state, [{ n: 36_000, bad: 360 }]);
      const half = 4_320;
      for (let n = 0; n < half + late.ticks; n++) {
        const saw = [{ variant: 'green', n: [100], bad: [n < half ? 1 : late.bad] }];
        if (late.share < 100) saw.push({ variant: 'blue', n: [100], bad: [1] });
        store.add([{ ...batch(state, TICK + n), requests: saw }]);
        store.settle(state, settledAt(TICK + n));
        if (n === half - 1) expect(first(store, state).verdict).not.toBe('fail');
      }
      expect(first(store, state)).toMatchObject({
        verdict: 'fail',
        sentence: expect.stringMatching(/^errors: lately /),
      });
    },
  );

  it.each([
    { name: 'does not fail', later: {} },
    { name: 'fails', later: { bad: 500 } },
  ])('$name a candidate after an outage of the baseline alone, unless it has got worse itself', ({ name, later }) => {
    const plain = rollout();
    const state = { ...plain, sinceMs: TICK * TICK_MS, split: { ...plain.split, weights: { blue: 50, green: 50 } } };
    const { store } = begun(state);
    // Half of the clients stay, and fail in 2 of 100 ticks; half are new in each, and 1 of 500 fails.
    for (let n = 0; n < 40; n++) {
      const saw = ['green', 'blue'].flatMap((variant, arm) => {
        const from = arm * 1_000_000;
        const isOut = variant === 'blue' && n > 0 && n < 3;
        const steady = [10, 490 - n * 10].map((units, rest) => {
          return { variant, from: from + (n + rest) * 10, units, bad: isOut || rest === 0 ? units : 0 };
        });
        const fresh = { variant, from: from + (n + 1) * 1_000, units: 500, bad: isOut ? 500 : 1 };
        return [...steady, n > 36 && variant === 'green' ? { ...fresh, ...later } : fresh];
      });
      store.add([batch(state, TICK + n, ...saw)]);
      store.settle(state, settledAt(TICK + n));
      if (n < 37) expect(first(store, state).verdict).not.toBe('fail');
    }
    expect(first(store, state).verdict === 'fail').toBe(name === 'fails');
  });

  it('needs a person as soon as one required guardrail has no reference, and only then', () => {
    const slow = {
      metric: 'slow',
      critical: true,
      required: true,
      per: 'request',
      slow: { sloMs: 800, of: 'headers' },
    };
    const both = (more: Partial<Guardrail>, order = 1): RolloutState => {
      const plain = rollout({ per: 'request' });
      const guardrails = [...plain.guardrails, { ...slow, ...more } as Guardrail];
      return switched({ ...plain, guardrails: order > 0 ? guardrails : guardrails.reverse() });
    };
    const earlier = { n: 5_000, bad: 50 };
    expect(begun(both({}), [earlier]).store.judge(both({})).reference).toBe(false);
    expect(begun(both({}, -1), [{ n: 0, bad: 0 }, earlier]).store.judge(both({}, -1)).reference).toBe(false);
    const loose = both({ required: false });
    expect(begun(loose, [earlier]).store.judge(loose).reference).toBe(true);
    expect(begun(loose).store.judge(loose).reference).toBe(false);
  });

  it('needs a person where no guardrail is required, unless one of live traffic knows the baseline', () => {
    const critical = (metric: string): Guardrail => ({ metric, critical: true, required: false, per: 'request' });
    const guardedBy = (...guardrails: Guardrail[]) => switched({ ...rollout(), guardrails });
    const nothing = { n: 0, bad: 0 };
    const known = { n: 20, bad: 0 };
    for (const [state, earlier, reference] of [
      [guardedBy(critical('errors'), critical('rejected')), [nothing, known], true],
      [guardedBy(critical('errors'), critical('rejected')), [nothing, { n: 19, bad: 0 }], false],
      [guardedBy(critical('mismatch')), [known], false],
      [guardedBy(), [], false],
    ] as const) {
      expect(begun(state, earlier).store.judge(state).reference).toBe(reference);
    }
  });

  it('has no reference where nothing came before, so that a person must approve', () => {
    const state = switched(rollout({ per: 'request' }));
    const { store } = begun(state, [{ n: 19, bad: 0 }]);
    store.add([batch(state, TICK, { variant: 'green', from: 0, units: 2_000 })]);
    expect(store.judge(state).reference).toBe(false);
    expect(first(store, state)).toMatchObject({ verdict: 'inconclusive', upper: null });
  });
});
