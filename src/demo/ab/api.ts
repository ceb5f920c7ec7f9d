/** Owns what the demo's experiments ask of the running Headgate: a config, and the reports that `headgate report` shows. */

import { connect } from '../../cli/client.ts';
import type { Report } from '../../cli/experiment/report.ts';
import { terminal } from '../../cli/terminal.ts';

export interface AbApi {
  configure(document: string): Promise<void>;
  report(route: string): Promise<Report>;
}

/** Every call throws `Stop` when it is refused. */
export function abApi(url: string, token: string): AbApi {
  const args = { _: [], url, token, as: 'demo', json: false };
  const { client, ask } = connect(args, { ...terminal(), env: {} });
  return {
    async configure(document) {
      await ask(client.api.config.$put({ query: { reason: 'the demo begins' } }, { init: { body: document } }));
    },
    async report(route) {
      return (await ask(client.api.routes[':route'].experiment.$get({ param: { route } }))) as Report;
    },
  };
}
