/**
 * Owns the way of a row out of the isolate: to Analytics Engine, and in development to the local recorder.
 * It never throws, rejects or delays a response; what goes wrong is counted and logged, and the row is lost.
 */

import type { Env } from '../env.ts';
import { sleep } from '../limit.ts';
import { type DataPoint, toDataPoint } from './columns.ts';
import { ABANDONED_AFTER_MS, FLUSH_AFTER_MS, MAX_BATCH_ROWS, MAX_POINTS, MAX_WAITING_ROWS } from './limits.ts';
import type { RecordedPoint } from './recorder.ts';
import type { Dataset, Rows } from './rows.ts';

/** What can fail behind a visitor's back while records are written. */
export type RecordFault =
  | 'record_invalid'
  | 'record_over_invocation_limit'
  | 'record_write'
  | 'recorder_buffer_full'
  | 'recorder_append';

/** Called with each fault, and the rows that it lost. */
type Lost = (fault: RecordFault, rows?: number) => void;

/** The part of an execution context that writing needs. */
type Waiter = Pick<ExecutionContext, 'waitUntil'>;

const written = new WeakMap<Waiter, number>();

/** Rows on their way to the recorder. Plain values only: a promise of one request must not be awaited by another. */
const waiting: { dataset: Dataset; point: RecordedPoint }[] = [];
let flushStartedMs: number | undefined;

const lostRows: Partial<Record<RecordFault, number>> = {};

/** Counts lost rows by kind since the isolate started, and logs the first, the tenth, the hundredth: while records fail, each request has one. */
function countLost(fault: RecordFault, rows = 1): void {
  const before = lostRows[fault] ?? 0;
  const all = before + rows;
  lostRows[fault] = all;
  if (before === 0 || `${all}`.length > `${before}`.length) console.warn(`records lost: ${all} by ${fault}`);
}

/**
 * Records one row wherever this Worker keeps records, in the background. Fails open: with every binding throwing, the
 * caller notices nothing and `lost` is told.
 */
export function recordRow<D extends Dataset>(
  env: Env,
  ctx: Waiter,
  dataset: D,
  row: Rows[D],
  lost: Lost = countLost,
): void {
  try {
    const engine = env[dataset.toUpperCase() as Uppercase<Dataset>];
    if (!engine && !env.RECORDER) return;
    const points = written.get(ctx) ?? 0;
    if (points >= MAX_POINTS) {
      lost('record_over_invocation_limit');
      return;
    }
    written.set(ctx, points + 1);
    const point = toDataPoint(dataset, row);
    if (!point.ok) {
      lost('record_invalid');
      return;
    }
    if (env.RECORDER) queueForRecorder(env.RECORDER, ctx, dataset, point.value, lost);
    // Analytics Engine takes the point at once; only an answer that must be awaited (as in the simulator) costs a `waitUntil`.
    const answer: unknown = engine?.writeDataPoint(point.value);
    if (answer instanceof Object && 'then' in answer) {
      ctx.waitUntil(Promise.resolve(answer).catch(() => lost('record_write')));
    }
  } catch {
    lost('record_write');
  }
}

function queueForRecorder(
  recorder: NonNullable<Env['RECORDER']>,
  ctx: Waiter,
  dataset: Dataset,
  { indexes, blobs, doubles }: DataPoint,
  lost: Lost,
): void {
  const nowMs = Date.now();
  if (waiting.length < MAX_WAITING_ROWS) {
    waiting.push({ dataset, point: { atMs: nowMs, index: indexes[0], blobs, doubles } });
  } else {
    lost('recorder_buffer_full');
  }
  if (flushStartedMs !== undefined && nowMs - flushStartedMs < ABANDONED_AFTER_MS) return;
  flushStartedMs = nowMs;
  ctx.waitUntil(flush(recorder, nowMs, lost));
}

/** Empties the buffer. Rows that come meanwhile go with it, for as long as an invocation may last after its response. */
async function flush(recorder: NonNullable<Env['RECORDER']>, startedMs: number, lost: Lost): Promise<void> {
  await sleep(FLUSH_AFTER_MS);
  while (waiting.length > 0 && Date.now() - startedMs < ABANDONED_AFTER_MS / 2) {
    const batch = waiting.splice(0, MAX_BATCH_ROWS);
    try {
      const stub = recorder.get(recorder.idFromName('recorder'));
      const byDataset = Map.groupBy(batch, (entry) => entry.dataset);
      for (const [dataset, entries] of byDataset) {
        await stub.append(
          dataset,
          entries.map((entry) => entry.point),
        );
      }
    } catch {
      lost('recorder_append', batch.length);
    }
  }
  if (flushStartedMs === startedMs) flushStartedMs = undefined;
}
