/**
 * Owns what the shadow's view asks of the running Headgate: records as they come, the controller's report, a beginning at zero, and
 * a variant's answer to one text.
 */

import { connect } from '../../cli/client.ts';
import type { Comparisons } from '../../cli/comparisons/report.ts';
import { terminal } from '../../cli/terminal.ts';
import type { RecordEntry } from '../../records/read.ts';
import { member } from '../scorer/score.ts';

const ROUTE = 'detect';
/** The most that one call gives. */
const PAGE = '1000';
/** Longer than anybody watches; a view that runs on for days shows no new answers after it. */
const PREVIEW_TTL = '24h';
const TIMEOUT_MS = 10_000;

export interface ShadowApi {
  /** Forgets what earlier runs compared. */
  reset(candidate: string): Promise<void>;
  /** Comparisons that were recorded since the last call, in no promised order. */
  fresh(): Promise<RecordEntry[]>;
  report(candidate: string): Promise<Comparisons>;
  /** The language that a variant says a text is in, asked by preview: that is never mirrored nor counted. Null: no answer. */
  said(variant: string, text: string): Promise<string | null>;
}

/** Asks with the token in `.dev.vars` of `root`. Calls throw `Stop` when there is no answer. */
export function shadowApi(url: string, root: string): ShadowApi {
  const args = { _: [], url, token: '', as: 'demo', json: false };
  const { client, ask } = connect(args, { ...terminal(), cwd: root, env: {} });
  const { comparisons } = client.api.routes[':route'];
  const previews = new Map<string, { name: string; value: string }>();
  let seen = 0;
  return {
    async reset(candidate) {
      await ask(comparisons.$delete({ param: { route: ROUTE }, query: { candidate } }));
    },
    async fresh() {
      const found: RecordEntry[] = [];
      let before: string | undefined;
      do {
        const query = { dataset: 'comparisons' as const, route: ROUTE, limit: PAGE, before };
        const page = await ask(client.api.records.$get({ query }));
        const news = page.records.filter(({ id = 0 }) => id > seen);
        found.push(...news);
        before = news.length === page.records.length && page.next !== null ? page.next : undefined;
      } while (before !== undefined);
      seen = Math.max(seen, ...found.map(({ id = 0 }) => id));
      return found;
    },
    async report(candidate) {
      const query = { candidate, samples: '0' };
      return (await ask(comparisons.$get({ param: { route: ROUTE }, query }))) as Comparisons;
    },
    async said(variant, text) {
      let preview = previews.get(variant);
      if (preview === undefined) {
        const json = { variant, ttl: PREVIEW_TTL };
        const call = client.api.routes[':route'].preview.$post({ param: { route: ROUTE }, json });
        preview = (await ask(call)).header;
        previews.set(variant, preview);
      }
      const asked = fetch(`${url}/v1/detect`, {
        method: 'POST',
        headers: { [preview.name]: preview.value, 'content-type': 'application/json' },
        body: JSON.stringify({ text }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      return asked.then(async (reply) => member(await reply.text(), 'language')).catch(() => null);
    },
  };
}
