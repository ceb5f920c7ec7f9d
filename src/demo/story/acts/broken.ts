/** Owns the third act: a bad release gets a small share, is found out by its guardrails and taken back; who it touched is counted. */

import { setTimeout as sleep } from 'node:timers/promises';
import { shares, whole } from '../../../cli/figures.ts';
import { LIVE_WINDOW_MS, runRollout, type Stage, secondsOf } from '../follow.ts';
import { SLO_MS } from '../plans.ts';
import { type ActReport, differing } from '../summary.ts';

const ACT = '3 broken';
/** Design section 9: after an abort no new request reaches the candidate later than this. */
const WAY_BACK_MS = 3_000;

export async function brokenAct(stage: Stage): Promise<ActReport> {
  const { teller, ledger, plans, api, stopping } = stage;
  teller.act(
    '3. A broken release: stopped before most people meet it',
    `The next release passes its health check, but fails on Greek, Russian or Polish and is slow for all others. It gets ${plans.broken[0]!.weight} %.`,
  );
  const startedMs = Date.now();
  const followed = await runRollout(stage, { to: 'broken', plan: plans.broken, reason: 'the next release' });
  const { phase } = followed.rollout;
  const seconds = `${secondsOf(followed).toFixed(1)} s`;
  const stoppedMs = Date.parse(followed.moments.at(-1)!.at);
  await sleep(plans.settleMs, undefined, { signal: stopping });
  const { inForce } = await api.status();
  const touched = ledger.touched('broken', startedMs, SLO_MS);
  const lateMs = Math.max(0, (ledger.lastTo('broken', startedMs) ?? stoppedMs) - stoppedMs);
  teller.live(ledger, Date.now() - Math.min(LIVE_WINDOW_MS, plans.settleMs / 2));
  teller.detail(
    `It answered ${whole(touched.requests)} requests of ${whole(touched.visitors)} visitors: ${whole(touched.failed)} failed, ` +
      `${whole(touched.slow)} were slow. The last one was sent ${lateMs} ms after the verdict.`,
  );
  return {
    facts: [
      { act: ACT, what: 'time to stop', measured: seconds },
      { act: ACT, what: 'requests it answered', measured: whole(touched.requests) },
      { act: ACT, what: 'failed, slow', measured: `${whole(touched.failed)}, ${whole(touched.slow)}` },
      {
        act: ACT,
        what: 'visitors it touched, harmed',
        measured: `${whole(touched.visitors)}, ${whole(touched.harmed)} of ${whole(ledger.visitors)}`,
      },
      { act: ACT, what: 'last request after the verdict', measured: `${lateMs} ms` },
    ],
    differs: differing([
      { claim: 'the broken release is stopped', holds: phase === 'aborted', seen: `it is ${phase}` },
      {
        claim: 'all traffic is back',
        holds: inForce.weights.broken === 0 && inForce.baseline === 'green',
        seen: shares(inForce.weights),
      },
      { claim: 'nobody reaches it later than 3 s', holds: lateMs <= WAY_BACK_MS, seen: `${lateMs} ms` },
      { claim: 'visitors met it', holds: touched.failed + touched.slow >= 5, seen: `${touched.requests} requests` },
    ]),
  };
}
