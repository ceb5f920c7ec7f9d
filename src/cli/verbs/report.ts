/** Owns `headgate report ROUTE`: what an experiment has found so far. Looking is free, as often as one likes. */

import { connect } from '../client.ts';
import { type Report, reportLines } from '../experiment/report.ts';
import { paramOf } from '../route.ts';
import { verb } from '../verb.ts';

export const report = verb({
  summary: 'Show what an experiment has found: the arms’ sizes, and each metric with difference, interval and state',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
  },
  async run(args, terminal) {
    const { route } = args;
    const { client, ask } = connect(args, terminal);
    const found = (await ask(client.api.routes[':route'].experiment.$get({ param: paramOf(route) }))) as Report;
    terminal.out(args.json ? JSON.stringify(found, null, 2) : reportLines(route, found, terminal).join('\n'));
    return 0;
  },
});
