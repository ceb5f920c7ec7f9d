import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { FLUSH_AFTER_MS, MAX_BATCH_ROWS, MAX_WAITING_ROWS } from '../../src/records/limits.ts';
import type { RecordedPoint } from '../../src/records/recorder.ts';
import type { RequestRow } from '../../src/records/rows.ts';
import { type RecordFault, recordRow } from '../../src/records/write.ts';

const row: RequestRow = { route: 'detect', variant: 'blue', reason: 'hash', status: 200 };
let faults: Partial<Record<RecordFault, number>>;
const lost = (fault: RecordFault, rows = 1) => {
  faults[fault] = (faults[fault] ?? 0) + rows;
};
let background: Promise<unknown>[];

const context = () => ({ waitUntil: (work: Promise<unknown>) => void background.push(work) });
const settled = async () => {
  await vi.advanceTimersByTimeAsync(FLUSH_AFTER_MS);
  return Promise.allSettled(background);
};
const engine = (write: (point?: AnalyticsEngineDataPoint) => unknown) => ({ REQUESTS: { writeDataPoint: write } });
const recorder = (append: (dataset: string, points: RecordedPoint[]) => unknown) => ({
  RECORDER: { idFromName: () => 'id', get: () => ({ append }) },
});
const env = (...parts: object[]) => Object.assign({}, ...parts) as Env;

beforeEach(() => {
  vi.useFakeTimers();
  faults = {};
  background = [];
});
afterEach(async () => {
  await settled();
  vi.useRealTimers();
});

describe('writing a record', () => {
  it('sends the data point to Analytics Engine and asks for no time after the response', () => {
    const write = vi.fn();
    recordRow(env(engine(write)), context(), 'requests', row, lost);
    expect(write).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ indexes: ['detect/blue'] }));
    expect(background).toEqual([]);
  });

  it('sends the same row to the recorder in a batch', async () => {
    const append = vi.fn();
    for (let i = 0; i < 3; i++) recordRow(env(recorder(append)), context(), 'requests', row, lost);
    expect(append).not.toHaveBeenCalled();
    await settled();
    expect(append).toHaveBeenCalledOnce();
    const [dataset, points] = append.mock.calls[0]!;
    expect(dataset).toBe('requests');
    expect(points).toHaveLength(3);
    expect(points[0]).toMatchObject({ index: 'detect/blue', atMs: expect.any(Number) });
  });

  it('does nothing, without a fault, in a Worker that keeps no records', () => {
    recordRow(env(), context(), 'requests', row, lost);
    expect(faults).toEqual({});
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('engine down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('engine down'))],
  ])('goes on unharmed and counts when Analytics Engine %s', async (_, write) => {
    recordRow(env(engine(write)), context(), 'requests', row, lost);
    expect((await settled()).every((work) => work.status === 'fulfilled')).toBe(true);
    expect(faults).toEqual({ record_write: 1 });
  });

  it('still reaches the recorder when Analytics Engine throws', async () => {
    const append = vi.fn();
    const broken = engine(() => {
      throw new Error('engine down');
    });
    recordRow(env(broken, recorder(append)), context(), 'requests', row, lost);
    await settled();
    expect(append).toHaveBeenCalledOnce();
  });

  it('counts every row that a failing recorder loses, and records again once it is back', async () => {
    const append = vi.fn().mockRejectedValueOnce(new Error('object lost'));
    const bound = env(recorder(append));
    recordRow(bound, context(), 'requests', row, lost);
    recordRow(bound, context(), 'requests', row, lost);
    expect((await settled()).every((work) => work.status === 'fulfilled')).toBe(true);
    expect(faults).toEqual({ recorder_append: 2 });
    recordRow(bound, context(), 'requests', row, lost);
    await settled();
    expect(append).toHaveBeenCalledTimes(2);
  });

  it('throws nothing when the execution context itself does', () => {
    const broken = {
      waitUntil: () => {
        throw new Error('already answered');
      },
    };
    recordRow(env(engine(async () => undefined)), broken, 'requests', row, lost);
    expect(faults).toEqual({ record_write: 1 });
  });

  it('refuses a row with a number that is not one, and counts it', () => {
    const write = vi.fn();
    recordRow(env(engine(write)), context(), 'requests', { ...row, totalMs: Number.NaN }, lost);
    expect(write).not.toHaveBeenCalled();
    expect(faults).toEqual({ record_invalid: 1 });
  });

  it('counts what is lost by kind, and logs it ever more seldom', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (let i = 0; i < 12; i++)
      recordRow(env(engine(vi.fn())), context(), 'requests', { ...row, totalMs: Number.NaN });
    expect(warn.mock.calls.flat()).toEqual(['records lost: 1 by record_invalid', 'records lost: 10 by record_invalid']);
    warn.mockRestore();
  });

  it('writes at most 250 points an invocation and counts the rest', () => {
    const write = vi.fn();
    const one = context();
    for (let i = 0; i < 260; i++) recordRow(env(engine(write)), one, 'requests', row, lost);
    recordRow(env(engine(write)), context(), 'requests', row, lost);
    expect(write).toHaveBeenCalledTimes(251);
    expect(faults).toEqual({ record_over_invocation_limit: 10 });
  });

  it('holds a bounded number of rows while the recorder hangs, in batches, and counts what it drops', async () => {
    const append = vi.fn();
    const bound = env(recorder(append));
    for (let i = 0; i < MAX_WAITING_ROWS + 7; i++) recordRow(bound, context(), 'requests', row, lost);
    await settled();
    const sizes = append.mock.calls.map(([, points]) => points.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_BATCH_ROWS);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(MAX_WAITING_ROWS);
    expect(faults).toEqual({ recorder_buffer_full: 7 });
  });

  it('flushes again by itself when an invocation was cut off before its flush', async () => {
    const append = vi.fn();
    const bound = env(recorder(append));
    vi.setSystemTime(0);
    recordRow(bound, { waitUntil: () => undefined }, 'requests', row, lost);
    vi.clearAllTimers();
    vi.setSystemTime(60_000);
    recordRow(bound, context(), 'requests', row, lost);
    await settled();
    expect(append.mock.calls.flatMap(([, points]) => points)).toHaveLength(2);
  });
});
