/** Owns `headgate report ROUTE`: what an experiment has found so far. Looking is free, as often as one likes. */

import { connect } from '../client.ts';
import { type Report, reportLines } from '../experiment/report.ts';
import { lookAt, paramOf } from '../route.ts';
import { Stop } from '../stop.ts';
import { verb } from '../verb.ts';

export const report = verb({
  summary: 'Show what an experiment has found: the arms’ sizes, and each metric with difference, interval and state',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
  },
  async run(args, terminal) {
    const { route } = args;
    const connected = connect(args, terminal);
    const { client, ask } = connected;
    const found = (await ask(client.api.routes[':route'].experiment.$get({ param: paramOf(route) }))) as Report;
    if (args.json) {
      terminal.out(JSON.stringify(found, null, 2));
      return 0;
    }
    // A report is worth reading without a controller too.
    const status = await lookAt(route, connected).catch((cause: unknown) => {
      if (cause instanceof Stop) return null;
      throw cause;
    });
    terminal.out(reportLines(route, found, terminal, status?.inForce).join('\n'));
    return 0;
  },
});
