/** Owns the fourth act: a release that is fast, free of errors and wrong, stopped by what visitors say of its answers. */

import { setTimeout as sleep } from 'node:timers/promises';
import { shares, whole } from '../../../cli/figures.ts';
import { runRollout, type Stage, secondsOf } from '../follow.ts';
import { FEEDBACK_GUARDRAILS, SLO_MS } from '../plans.ts';
import { type ActReport, differing } from '../summary.ts';

const ACT = '4 wrong';
const GUARDRAIL = 'outcome:correct';

export async function wrongAct(stage: Stage): Promise<ActReport> {
  const { teller, ledger, plans, api, feedback, stopping } = stage;
  teller.act(
    '4. A wrong release: stopped by feedback alone',
    `The release after it answers faster than ever and never fails, but its cache mixes people's answers up. Errors and times see nothing; ` +
      `visitors do. "correct" is posted back with the receipt of each answer, and guards the rollout.`,
  );
  const startedMs = Date.now();
  feedback.begin();
  const asked = { to: 'wrong', plan: plans.broken, guardrails: FEEDBACK_GUARDRAILS, reason: 'answers from a cache' };
  const followed = await runRollout(stage, asked);
  await feedback.end();
  const { phase, guardrails } = followed.rollout;
  await sleep(plans.settleMs, undefined, { signal: stopping });
  const { inForce } = await api.status();
  const { requests, failed, visitors } = ledger.touched('wrong', startedMs, SLO_MS);
  const failing = guardrails.filter(({ verdict }) => verdict === 'fail').map(({ metric }) => metric);
  teller.detail(
    `It answered ${whole(requests)} requests of ${whole(visitors)} visitors, and ${whole(failed)} failed. ` +
      `${whole(feedback.taken)} outcomes came back.`,
  );
  return {
    facts: [
      { act: ACT, what: 'time to stop', measured: `${secondsOf(followed).toFixed(1)} s, by ${failing.join(', ')}` },
      { act: ACT, what: 'requests it answered, failed', measured: `${whole(requests)}, ${whole(failed)}` },
      { act: ACT, what: 'outcomes by receipt', measured: whole(feedback.taken) },
    ],
    differs: differing([
      { claim: 'the wrong release is stopped', holds: phase === 'aborted', seen: `it is ${phase}` },
      {
        claim: 'feedback alone stops it',
        holds: failing.length === 1 && failing[0] === GUARDRAIL,
        seen: failing.join(', ') || 'no guardrail fails',
      },
      {
        claim: 'all traffic is back',
        holds: inForce.weights.wrong === 0 && inForce.baseline === 'green',
        seen: shares(inForce.weights),
      },
      { claim: 'it fails no request', holds: failed === 0, seen: `${failed} failed` },
      { claim: 'every outcome is taken', holds: feedback.refused === 0, seen: `${feedback.refused} were refused` },
    ]),
  };
}
