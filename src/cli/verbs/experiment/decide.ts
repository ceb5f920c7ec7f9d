/**
 * Owns `headgate experiment decide ROUTE --winner VARIANT`. A winner still goes through a rollout with guardrails, since an experiment says
 * that people like it, not that it can bear the load. If the baseline wins, it gets all traffic at once, as after an abort.
 */

import { ifMatchOf, isMeant, isShown, printChanged, refuseBusy, trafficLines } from '../../change.ts';
import { decisionOn } from '../../experiment/decision.ts';
import type { Report } from '../../experiment/report.ts';
import { readList } from '../../json-file.ts';
import { type ChangedRoute, nextBaselineOf, openRoute, requireVariant } from '../../route.ts';
import { Stop } from '../../stop.ts';
import { guardrailsArg, planArg, planLines, planOf, stepsOf, type TrialBody } from '../../trial.ts';
import { routeWriteArgs, verb } from '../../verb.ts';

export const decide = verb({
  summary: 'End an experiment: start the rollout to its winner, so that it still ramps under guardrails',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    winner: { type: 'string', required: true, description: 'The variant that stays', valueHint: 'VARIANT' },
    plan: planArg,
    guardrails: guardrailsArg,
    force: { type: 'boolean', description: 'Also where the report speaks against it' },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route, winner } = args;
    const guardrails = args.guardrails ? readList(args.guardrails, 'guardrails', terminal) : undefined;
    const plan = planOf(args.plan, terminal);
    const opened = await openRoute(route, args, terminal);
    const { client, ask, status, param } = opened;
    requireVariant(status, winner);
    const report = (await ask(client.api.routes[':route'].experiment.$get({ param }))) as Report;
    const { against, lines } = decisionOn(winner, report);
    if (against.length > 0 && !args.force) throw refused(route, against);
    const reason = args.reason || `experiment ${report.id}: ${winner} wins`;
    const json = { to: winner, plan, guardrails, force: true, reason } as TrialBody;
    const isBaseline = winner === nextBaselineOf(status);
    const steps = isBaseline ? null : await stepsOf(route, json, opened);
    const headers = ifMatchOf(args, status, 'shown');
    if (isShown(args, terminal)) refuseBusy(status);
    const change = {
      what: `End experiment ${report.id} of ${route} for ${winner}`,
      lines: [
        ...trafficLines(status, isBaseline ? { weights: { [winner]: 100 } } : {}),
        ...lines,
        ...(steps === null ? [] : planLines(winner, steps, status)),
      ],
      data: { route, revision: status.split.revision, experiment: report.id, winner, steps, against },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const api = client.api.routes[':route'];
    const call = isBaseline
      ? api.split.$put({ param, json: { weights: { [winner]: 100 }, reason } }, { headers })
      : api.rollout.$post({ param, json }, { headers });
    const changed = (await ask(call)) as ChangedRoute;
    const done = isBaseline
      ? `${route}: ${winner} has won and stays`
      : `${route}: ${winner} has won, and rollout ${changed.rollout?.id} to it has begun`;
    const when = isBaseline ? 'now' : `headgate status ${route} --watch; when it is promoted,`;
    const next = `${when} take "experiment" out of the route`;
    return printChanged(changed, { done, next }, args, terminal);
  },
});

function refused(route: string, against: readonly string[]): Stop {
  return new Stop({
    exitCode: 1,
    code: 'report_against',
    what: `The report speaks against it: ${against.join('; ')}.`,
    mend: `headgate report ${route} shows the numbers; --force decides nevertheless`,
  });
}
