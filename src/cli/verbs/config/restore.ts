/** Owns `headgate config restore N`: an earlier config in force again, as a new revision. Splits are not touched by it. */

import { isMeant } from '../../change.ts';
import { connect } from '../../client.ts';
import { currentConfig, ifMatchOfConfig } from '../../current-config.ts';
import { faultLines } from '../../print.ts';
import { Stop, usage } from '../../stop.ts';
import { verb, writeArgs } from '../../verb.ts';

export const restore = verb({
  summary: 'Put an earlier revision of the config in force again, as a new revision; splits stay as they are',
  args: {
    revision: { type: 'positional', required: true, description: 'Its number, as headgate config revisions lists it' },
    ...writeArgs,
    'if-match': { type: 'string', description: 'Only if the config in force still has this hash', valueHint: 'HASH' },
  },
  async run(args, terminal) {
    if (!/^\d{1,15}$/.test(args.revision)) throw usage('A revision is a whole number.', 'headgate config revisions');
    const connected = connect(args, terminal);
    const { client, ask } = connected;
    const current = await currentConfig(connected);
    const { revisions } = await ask(client.api.config.revisions.$get());
    const found = revisions.find(({ revision }) => String(revision) === args.revision);
    if (found === undefined) {
      const mend = 'headgate config revisions lists those that are kept';
      throw new Stop({ exitCode: 1, code: 'no_such_revision', what: `Revision ${args.revision} is not kept.`, mend });
    }
    const change = {
      what: `Put revision ${found.revision} of the config in force again`,
      lines: [
        `  written ${found.at.slice(0, 19).replace('T', ' ')} by ${found.actor}: ${found.reason || 'no reason given'}`,
      ],
      data: { revision: found.revision, hash: found.hash, before: current.hash },
    };
    if (!(await isMeant(change, args, terminal))) return 0;
    const json = { revision: found.revision, reason: args.reason ?? '' };
    const headers = ifMatchOfConfig(args['if-match'], current);
    const answer = await ask(client.api.config.restore.$post({ json }, { headers }));
    if (args.json) terminal.out(JSON.stringify(answer, null, 2));
    else {
      terminal.out(
        `${terminal.paint.green('✓')} revision ${found.revision} is in force as revision ${answer.revision}`,
      );
      if (answer.warnings.length > 0) terminal.note(faultLines(answer.warnings, terminal).join('\n'));
    }
    return 0;
  },
});
