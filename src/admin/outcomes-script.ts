/** Owns the script that pages report outcomes with: `import { report } from '/_headgate/outcomes.js'`. It keeps and reads nothing. */

import { Hono } from 'hono/tiny';
import type { AdminEnv } from './context.ts';

// A text body needs no preflight, and `keepalive` lets it arrive when the page is left. Types are for editors that read JSDoc.
const script = `/** @type {(route: string, metric: string, value?: boolean | number, receipt?: string) => Promise<boolean>} whether it was taken */
export const report = (route, metric, value, receipt) =>
  fetch(new URL('outcomes', import.meta.url), {
    method: 'POST',
    body: JSON.stringify({ route, metric, value, receipt }),
    credentials: 'include',
    keepalive: true,
  }).then((answer) => answer.ok, () => false);
`;

export function outcomesScript() {
  // Pages of listed origins import it too; it is the same for everybody.
  return new Hono<AdminEnv>().get('/outcomes.js', (c) =>
    c.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8', 'access-control-allow-origin': '*' }),
  );
}
