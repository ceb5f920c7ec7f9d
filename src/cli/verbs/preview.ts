/** Owns `headgate preview ROUTE VARIANT`: a token, and the two ways of using it. */

import { hostCovers } from '../../config/address.ts';
import { durationMs } from '../../config/duration.ts';
import type { Route } from '../../config/types.ts';
import { connect } from '../client.ts';
import { routeIfRead } from '../current-config.ts';
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
    const connected = connect(args, terminal);
    const { client, ask } = connected;
    const call = client.api.routes[':route'].preview.$post({
      param: { route: args.route },
      json: { variant: args.variant, host: args.host, ttl: args.ttl },
    });
    const answer = await ask(call);
    if (args.json) {
      terminal.out(JSON.stringify(answer, null, 2));
      return 0;
    }
    const link = landing(answer.url, await routeIfRead(args.route, connected));
    const { bold, green } = terminal.paint;
    terminal.out(`${green('✓')} ${args.route}/${args.variant} can be seen until ${answer.expiresAt}`);
    terminal.out(`  in a browser  ${bold(link)}`);
    terminal.out(`  in a call     ${bold(`curl -H '${answer.header.name}: ${answer.header.value}' …`)}`);
    return 0;
  },
});

/** The link, so that it ends at a path of the route: without a `to` the Worker goes on to `/`, where often no route answers. */
function landing(url: string, route: Route | undefined): string {
  const { hostname } = new URL(url);
  // A browser does not send the headers that other rules want.
  const rules = route?.match.filter(({ host, headers }) => hostCovers(host, hostname) && headers.length === 0) ?? [];
  const paths = rules.map(({ path }) => path ?? '/*');
  const [first] = paths;
  if (first === undefined || paths.includes('/') || paths.includes('/*')) return url;
  return `${url}&to=${encodeURIComponent(first.replace(/\*$/, ''))}`;
}
