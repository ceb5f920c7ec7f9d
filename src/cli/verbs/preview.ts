/** Owns `headgate preview ROUTE VARIANT`: a token, and the two ways of using it. */

import { durationMs } from '../../config/duration.ts';
import { connect } from '../client.ts';
import { usage } from '../stop.ts';
import { verb } from '../verb.ts';

export const preview = verb({
  summary:
    'Get a signed token with which one variant can be seen, also at weight 0; previews are never counted as evidence',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    variant: { type: 'positional', required: true, description: 'The variant to see' },
    host: { type: 'string', description: 'The host to see it on', valueHint: 'HOST' },
    ttl: { type: 'string', description: 'How long, at most 24h', default: '1h', valueHint: 'DURATION' },
  },
  async run(args, terminal) {
    if (durationMs(args.ttl) === null) throw usage(`${args.ttl} is no duration.`, 'such as --ttl 30m');
    const { client, ask } = connect(args, terminal);
    const call = client.api.routes[':route'].preview.$post({
      param: { route: args.route },
      json: { variant: args.variant, host: args.host, ttl: args.ttl },
    });
    const answer = await ask(call);
    if (args.json) {
      terminal.out(JSON.stringify(answer, null, 2));
      return 0;
    }
    const { bold, green } = terminal.paint;
    terminal.out(`${green('✓')} ${args.route}/${args.variant} can be seen until ${answer.expiresAt}`);
    terminal.out(`  in a browser  ${bold(answer.url)}`);
    terminal.out(`  in a call     ${bold(`curl -H '${answer.header.name}: ${answer.header.value}' …`)}`);
    return 0;
  },
});
