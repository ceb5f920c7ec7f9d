/** Owns `headgate history ROUTE`: who did what, when, why, what changed by it, and on what evidence. */

import type { Entry } from '../../rollout/journal.ts';
import { connect } from '../client.ts';
import { shares } from '../figures.ts';
import { lookAt, paramOf } from '../route.ts';
import { columnsOfScreen, type Screen } from '../screen.ts';
import { Stop, usage } from '../stop.ts';
import { safe, wrap } from '../text.ts';
import { verb } from '../verb.ts';

export const history = verb({
  summary: 'Show who did what and why, newest first, also what was refused',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    limit: { type: 'string', description: 'How many, 1 to 500', default: '20', valueHint: 'N' },
    evidence: { type: 'boolean', description: 'With the verdicts of each moment, in full sentences' },
  },
  async run(args, terminal) {
    const limit = Number(args.limit);
    if (!/^\d{1,3}$/.test(args.limit) || limit < 1 || limit > 500) {
      throw usage('--limit is a whole number from 1 to 500.', 'such as --limit 50');
    }
    const connected = connect(args, terminal);
    const { client, ask } = connected;
    const param = paramOf(args.route);
    const call = client.api.routes[':route'].history.$get({ param, query: { limit: args.limit } });
    const page = (await ask(call).catch(async (cause: unknown) => {
      // A route that is gone has a history; one that never was is refused with the nearest name.
      if (cause instanceof Stop && cause.trouble.code === 'no_such_route') await lookAt(args.route, connected);
      throw cause;
    })) as { entries: Entry[] };
    if (args.json) terminal.out(JSON.stringify(page, null, 2));
    else if (page.entries.length === 0) terminal.note(`Nothing has been done to ${args.route} yet.`);
    else terminal.out(historyLines(page.entries, args.evidence === true, terminal).join('\n'));
    return 0;
  },
});

function historyLines(entries: readonly Entry[], withEvidence: boolean, screen: Screen): string[] {
  const { paint } = screen;
  const columns = columnsOfScreen(screen);
  return entries.flatMap(({ at, actor, action, reason, before, after, evidence = [] }) => {
    const traffic = trafficOf(before, after);
    const colour = /refused|aborted/.test(action) ? paint.red : paint.bold;
    const said = [reason, traffic, ...(withEvidence ? evidence : [])].filter((text) => text !== '');
    return [
      `${paint.dim(at.slice(0, 19).replace('T', ' '))}  ${colour(action)} ${paint.dim('by')} ${safe(actor)}`,
      ...said.flatMap((text) => wrap(`  ${safe(text)}`, columns, '    ')),
    ];
  });
}

/** `blue 100 % → blue 90 %, green 10 %`, where the entry has weights. */
function trafficOf(before: unknown, after: unknown): string {
  const [from, to] = [weightsOf(before), weightsOf(after)];
  if (to === null) return '';
  return from === null || from === to ? to : `${from} → ${to}`;
}

function weightsOf(place: unknown): string | null {
  if (typeof place !== 'object' || place === null) return null;
  const { weights = place, phase } = place as { weights?: unknown; phase?: string };
  if (typeof weights !== 'object' || weights === null) return null;
  const numbers = Object.entries(weights).filter(([, percent]) => typeof percent === 'number');
  if (numbers.length === 0) return null;
  return `${phase === undefined ? '' : `${phase}: `}${shares(Object.fromEntries(numbers))}`;
}
