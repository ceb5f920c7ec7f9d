/** Owns `headgate explain ROUTE --unit U`: which variant a unit gets, with the arithmetic that says so. */

import { whole } from '../figures.ts';
import { tableLines } from '../print.ts';
import { openRoute } from '../route.ts';
import { safe } from '../text.ts';
import { verb } from '../verb.ts';

export const explain = verb({
  summary: 'Show which variant a unit (visitor, account) gets, why, and under which revision',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    unit: {
      type: 'string',
      required: true,
      description: 'The value of the header or query, or of our cookie the 22 characters before its first dot',
      valueHint: 'UNIT',
    },
  },
  async run(args, terminal) {
    const { client, ask, param } = await openRoute(args.route, args, terminal);
    const call = client.api.routes[':route'].explain.$get({ param, query: { unit: args.unit } });
    const answer = await ask(call);
    if (args.json) {
      terminal.out(JSON.stringify(answer, null, 2));
      return 0;
    }
    const { bold, dim } = terminal.paint;
    terminal.out(`${bold(safe(answer.unit))} gets ${bold(answer.variant)}: ${answer.sentence}`);
    if (answer.reason === 'hash') {
      const rows = tableLines<(typeof answer.scores)[number]>(
        [
          { title: 'variant', cell: ({ variant }) => variant },
          { title: 'weight', align: 'right', cell: ({ weight }) => `${weight} %` },
          { title: 'hash', align: 'right', cell: ({ hash }) => whole(hash) },
          { title: 'score', align: 'right', cell: ({ score }) => score.toPrecision(4) },
          { title: '', cell: ({ variant }) => (variant === answer.variant ? '← lowest' : '') },
        ],
        answer.scores,
        terminal.columns - 2,
      );
      terminal.out(rows.map((line) => `  ${line}`).join('\n'));
      terminal.out(
        dim(
          `  hash = murmur3("${answer.salt}/${answer.route}/VARIANT/UNIT"), score = −ln((hash + 0.5) / 2^32) / weight`,
        ),
      );
    }
    terminal.out(
      dim(
        '  Where the route gives pins (sticky, an experiment), one in the visitor’s cookie beats this while its variant has weight.',
      ),
    );
    return 0;
  },
});
