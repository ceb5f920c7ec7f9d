/** Owns `headgate switch ROUTE VARIANT`: all traffic to one variant at once, and the command that takes it back. */

import { ifMatchOf, isMeant, isShown, printChanged, refuseBusy, trafficLines } from '../change.ts';
import { type ChangedRoute, openRoute, requireVariant, variantsOf } from '../route.ts';
import { routeWriteArgs, verb } from '../verb.ts';

export const switchTo = verb({
  summary: 'Send all traffic to one variant at once (blue-green); its health is checked first',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    variant: { type: 'positional', required: true, description: 'Who gets all of it' },
    force: { type: 'boolean', description: 'Also to a variant that fails its health check' },
    ...routeWriteArgs,
  },
  async run(args, terminal) {
    const { route, variant } = args;
    const { client, ask, status, param } = await openRoute(route, args, terminal);
    requireVariant(status, variant);
    const headers = ifMatchOf(args, status, 'shown');
    if (isShown(args, terminal)) refuseBusy(status);
    const weights = Object.fromEntries(variantsOf(status).map((name) => [name, name === variant ? 100 : 0]));
    const change = {
      what: `Switch ${route} to ${variant}`,
      lines: trafficLines(status, { weights }),
      data: { route, revision: status.split.revision, before: status.inForce.weights, weights },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const json = { to: variant, force: args.force === true, reason: args.reason ?? '' };
    const changed = (await ask(client.api.routes[':route'].switch.$post({ param, json }, { headers }))) as ChangedRoute;
    return printChanged(changed, { done: route, next: `back again: headgate rollback ${route}` }, args, terminal);
  },
});
