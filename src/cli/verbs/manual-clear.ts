/** Owns `headgate manual clear ROUTE`: the end of weights that a person set in KV, after which the split is in force again. */

import { ifMatchOf, isMeant, printChanged, trafficLines } from '../change.ts';
import { shares } from '../figures.ts';
import { type ChangedRoute, openRoute } from '../route.ts';
import { refusedWords } from '../status/traffic.ts';
import { safe } from '../text.ts';
import { routeWriteArgs, verb } from '../verb.ts';

export const manualClear = verb({
  summary: 'End manual mode: the weights set by hand in KV go, and the split before them is in force again',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route } = args;
    const { client, ask, status, param } = await openRoute(route, args, terminal);
    const headers = ifMatchOf(args, status, 'any');
    const { byHand, byHandFault, split } = status;
    const isRefused = Boolean(byHandFault);
    const notes = byHand === null && !isRefused ? [`No weights are set by hand on ${route}.`] : refusedWords(status);
    if (!args.json) for (const note of notes) terminal.note(safe(note));
    const change = {
      what: `End manual mode on ${route}`,
      lines:
        byHand === null
          ? trafficLines(status, {})
          : [`  now    ${shares(byHand)}   (by hand)`, `  then   ${shares(split.weights)}`],
      data: { route, byHand, byHandFault, weights: split.weights },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const call = { param, query: { reason: args.reason ?? '' } };
    const changed = (await ask(client.api.routes[':route'].weights.$delete(call, { headers }))) as ChangedRoute;
    const done = isRefused ? `weights:${route}, which was refused, is taken away; ${route}` : route;
    return printChanged(changed, { done }, args, terminal);
  },
});
