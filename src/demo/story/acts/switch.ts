/** Owns the fifth act: blue-green, all traffic to the other version and back, under load. */

import { setTimeout as sleep } from 'node:timers/promises';
import { whole } from '../../../cli/figures.ts';
import { LIVE_WINDOW_MS, type Stage } from '../follow.ts';
import { type ActReport, differing } from '../summary.ts';

const ACT = '5 switch';
/** All of the last answers, over this long, and at least so many. */
const ARRIVED_MS = 600;
const ARRIVED_ANSWERS = 5;
const PATIENCE_MS = 20_000;
const LOOK_MS = 100;

export async function switchAct(stage: Stage): Promise<ActReport> {
  const { teller, ledger, api } = stage;
  teller.act(
    '5. Blue-green: one switch there, one way back',
    'Everybody goes to blue at once, and with one call back to where they were, while the traffic flows on.',
  );
  const startedMs = Date.now();
  const there = await move(stage, 'blue', 'switch: everything to blue', () =>
    api.switchTo('blue', 'green needs an hour of care'),
  );
  const back = await move(stage, 'green', 'rollback: to the split before', () => api.rollback('green is well again'));
  const { answers, failed } = ledger.count(startedMs);
  teller.detail(`${whole(failed)} of ${whole(answers)} requests failed meanwhile.`);
  return {
    facts: [
      { act: ACT, what: 'switch, way back', measured: `${told(there)}, ${told(back)}` },
      { act: ACT, what: 'failed requests', measured: `${whole(failed)} of ${whole(answers)}` },
    ],
    differs: differing([
      { claim: 'all traffic goes to blue', holds: there !== null, seen: `not within ${PATIENCE_MS / 1000} s` },
      { claim: 'all traffic comes back to green', holds: back !== null, seen: `not within ${PATIENCE_MS / 1000} s` },
      { claim: 'no request fails in the switch', holds: failed === 0, seen: `${failed} of ${answers} failed` },
    ]),
  };
}

/** Makes the move and waits until everybody is there. Milliseconds from the call to the last request elsewhere; null when they never were. */
async function move(stage: Stage, to: string, title: string, call: () => Promise<void>): Promise<number | null> {
  const { teller, ledger, plans, stopping } = stage;
  const calledMs = Date.now();
  await call();
  teller.moment(title);
  while (!hasArrived(stage, to)) {
    if (Date.now() > calledMs + PATIENCE_MS) return null;
    await sleep(LOOK_MS, undefined, { signal: stopping });
  }
  teller.moment(`every answer comes from ${to}`);
  await sleep(plans.switchedMs, undefined, { signal: stopping });
  teller.live(ledger, Date.now() - Math.min(LIVE_WINDOW_MS, plans.switchedMs));
  return Math.max(0, (ledger.lastToOthers(to, calledMs) ?? calledMs) - calledMs);
}

function hasArrived({ ledger }: Stage, to: string): boolean {
  const sinceMs = Date.now() - ARRIVED_MS;
  return ledger.count(sinceMs).answers >= ARRIVED_ANSWERS && ledger.lastToOthers(to, sinceMs) === null;
}

const told = (passedMs: number | null): string => (passedMs === null ? 'never' : `${(passedMs / 1000).toFixed(1)} s`);
