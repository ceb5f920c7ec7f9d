/** Owns the first act: the new model answers every request too, nobody sees it, and the pairs are compared. */

import { ms, percent, signed, whole } from '../../../cli/figures.ts';
import { runRollout, type Stage } from '../follow.ts';
import { type ActReport, differing } from '../summary.ts';

const ACT = '1 shadow';

export async function shadowAct(stage: Stage): Promise<ActReport> {
  const { teller, ledger, plans, api } = stage;
  teller.act(
    '1. Shadow: is the new model any better?',
    'blue (tinyld) answers every visitor; a copy of each request also goes to green (eld), whose answers nobody sees.',
  );
  const startedMs = Date.now();
  const { rollout } = await runRollout(stage, { to: 'green', plan: plans.shadow, reason: 'compare the models' });
  const { compared, classes, scores, latency } = await api.comparisons('green');
  const alike = percent(classes.match / compared);
  teller.moment(`${whole(compared)} pairs compared: ${alike} are alike`);
  const points = (value: number) => `${(value * 100).toFixed(1)} points`;
  const right = `blue ${percent(scores?.live.mean ?? 0)}, green ${percent(scores?.candidate.mean ?? 0)}`;
  const interval = scores?.interval?.map((bound) => signed(bound, points)).join(' to ');
  teller.detail(`right by the scorer, which knows the true languages: ${right}`);
  if (interval !== undefined)
    teller.detail(`green better by ${signed(scores?.difference.mean, points)} (95 %: ${interval})`);
  teller.detail(`median time to answer: blue ${ms(latency?.live.p50Ms)} ms, green ${ms(latency?.candidate.p50Ms)} ms`);
  const { requests } = ledger.touched('green', startedMs, 0);
  return {
    facts: [
      { act: ACT, what: 'pairs compared, alike', measured: `${whole(compared)}, ${alike}` },
      { act: ACT, what: 'right answers', measured: right },
      { act: ACT, what: 'visitors who saw the shadow', measured: whole(requests) },
    ],
    differs: differing([
      { claim: 'the shadow ends completed', holds: rollout.phase === 'completed', seen: `it is ${rollout.phase}` },
      { claim: 'nobody sees the shadow', holds: requests === 0, seen: `it answered ${requests} requests` },
      { claim: 'green is right more often', holds: (scores?.difference.mean ?? 0) > 0, seen: right },
    ]),
  };
}
