/** Owns the second act: the good model gets a growing share, watched by guardrails, and becomes the baseline. */

import { whole } from '../../../cli/figures.ts';
import { runRollout, type Stage, secondsOf } from '../follow.ts';
import { SLO_MS } from '../plans.ts';
import { type ActReport, differing } from '../summary.ts';

const ACT = '2 canary';

export async function canaryAct(stage: Stage): Promise<ActReport> {
  const { teller, ledger, plans, api } = stage;
  const steps = plans.canary.map(({ weight }) => `${weight}`).join(' → ');
  teller.act(
    '2. Canary: a good release earns its traffic',
    `green gets ${steps} % of the visitors, and each step waits until errors, rejected and slow (over ${SLO_MS} ms) pass. ` +
      'Accelerated: with so few samples a bound is wide, so the guardrails allow more here than a service should.',
  );
  const startedMs = Date.now();
  const followed = await runRollout(stage, { to: 'green', plan: plans.canary, reason: 'eld finds more languages' });
  const { phase } = followed.rollout;
  const { split } = await api.status();
  const { answers, failed } = ledger.count(startedMs);
  const seconds = `${secondsOf(followed).toFixed(1)} s`;
  if (phase === 'promoted') teller.moment(`green is the baseline now, ${seconds} after the start`);
  return {
    facts: [
      { act: ACT, what: 'time to promotion', measured: `${seconds}, by ${steps} %` },
      { act: ACT, what: 'failed requests', measured: `${whole(failed)} of ${whole(answers)}` },
    ],
    differs: differing([
      { claim: 'the good release is promoted', holds: phase === 'promoted', seen: `it is ${phase}` },
      { claim: 'green has all the traffic', holds: split.weights.green === 100, seen: `${split.weights.green} %` },
      { claim: 'no visitor notices', holds: failed === 0, seen: `${failed} requests failed` },
    ]),
  };
}
