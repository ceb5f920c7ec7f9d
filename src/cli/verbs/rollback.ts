/** Owns `headgate rollback ROUTE`: the way back. It is bound to no revision unless asked, since in need nothing may be in its way. */

import { ifMatchOf, isMeant, printChanged, trafficLines } from '../change.ts';
import { type ChangedRoute, openRoute, type RouteStatus } from '../route.ts';
import { usage } from '../stop.ts';
import { routeWriteArgs, verb } from '../verb.ts';

export const rollback = verb({
  summary: 'Return to the last steady split (before the rollout that it ends), or to a named one',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    revision: { type: 'string', description: 'The split to return to', valueHint: 'N' },
    force: { type: 'boolean', description: 'Also where health checks or changed variants forbid it' },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route } = args;
    if (args.revision !== undefined && !/^\d{1,15}$/.test(args.revision)) {
      throw usage('--revision is the number of a split.', `headgate history ${route} shows them`);
    }
    const revision = args.revision === undefined ? undefined : Number(args.revision);
    const { client, ask, status, param } = await openRoute(route, args, terminal);
    const headers = ifMatchOf(args, status, 'any');
    const ends = runningOf(status);
    const where = revision === undefined ? 'the last steady split' : `split ${revision}`;
    const change = {
      what: `Roll ${route} back to ${where}`,
      lines: [...trafficLines(status, {}), ...(ends === null ? [] : [`  ends   rollout ${ends}`])],
      data: { route, revision: revision ?? null, before: status.inForce.weights, ends },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const json = { revision, force: args.force === true, reason: args.reason ?? '' };
    const changed = (await ask(
      client.api.routes[':route'].rollback.$post({ param, json }, { headers }),
    )) as ChangedRoute;
    return printChanged(changed, { done: `${route} is back` }, args, terminal);
  },
});

function runningOf({ rollout }: RouteStatus): string | null {
  const isRunning = rollout !== null && ['progressing', 'paused', 'awaiting-approval'].includes(rollout.phase);
  return isRunning ? `${rollout.id} to ${rollout.to}` : null;
}
