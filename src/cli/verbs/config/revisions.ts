/** Owns `headgate config revisions`: who wrote the config, when and why. */

import { connect } from '../../client.ts';
import { tableLines } from '../../print.ts';
import { verb } from '../../verb.ts';

export const revisions = verb({
  summary: 'List the last 50 revisions of the config, newest first',
  args: {},
  async run(args, terminal) {
    const { client, ask } = connect(args, terminal);
    const answer = await ask(client.api.config.revisions.$get());
    if (args.json) {
      terminal.out(JSON.stringify(answer, null, 2));
      return 0;
    }
    if (answer.revisions.length === 0) {
      terminal.note('The config was never written through the API. headgate apply FILE does.');
      return 0;
    }
    const lines = tableLines<(typeof answer.revisions)[number]>(
      [
        { title: 'revision', align: 'right', cell: ({ revision }) => String(revision) },
        { title: 'at', cell: ({ at }) => at.slice(0, 19).replace('T', ' ') },
        { title: 'by', cell: ({ actor }) => actor },
        { title: 'hash', cell: ({ hash }) => hash },
        { title: 'why', cell: ({ reason }) => reason },
      ],
      answer.revisions,
      terminal.columns,
    );
    terminal.out(lines.join('\n'));
    return 0;
  },
});
