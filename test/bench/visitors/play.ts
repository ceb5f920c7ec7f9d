/** Owns the order of a run: the crowd, the flushes that are still to come, and the comparison. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../../../src/experiment/report.ts';
import { type Compared, compare } from './count.ts';
import { type Crowd, comeInCrowds } from './crowd.ts';
import { CAP, startVisitorWorld } from './world.ts';

export interface Played extends Compared {
  crowd: Crowd;
  /** Calls of ledger and controller that were spoilt, by kind. */
  faults: Record<string, number>;
  ratio: Report['sampleRatio'];
}

/** Long enough for the last flushes of an isolate, with their retries. */
const FLUSHED_WITHIN_MS = 60_000;

export async function playVisitors(options: {
  visitors: number;
  seed: number;
  tell: (said: string) => void;
}): Promise<Played> {
  const sideBySide = 48;
  const world = await startVisitorWorld(sideBySide);
  try {
    const crowd = await comeInCrowds(world, { ...options, sideBySide });
    const faults = await world.faults(0);
    const visits = crowd.diaries.reduce((sum, { requests }) => sum + requests, 0);
    const counted = (rows: { requests: number }[]) => rows.reduce((sum, { requests }) => sum + requests, 0);
    let rows = await world.rows();
    for (const until = Date.now() + FLUSHED_WITHIN_MS; counted(rows) < visits && Date.now() < until; ) {
      await sleep(500);
      rows = await world.rows();
    }
    const report = await world.report();
    return { crowd, faults, ratio: report.sampleRatio, ...compare(crowd.diaries, rows, report, CAP) };
  } finally {
    await world.close();
  }
}
