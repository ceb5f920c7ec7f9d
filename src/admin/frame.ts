/** Owns what holds for every admin answer: never cached, on the right host, 404 or 405 where nothing answers. It knows no endpoint. */

import type { Hono, MiddlewareHandler } from 'hono';
import { isOnHost } from '../config/address.ts';
import { type AdminEnv, adminPath } from './context.ts';
import { refuse, seeApi } from './input.ts';

/** Answers hold state and secrets of the moment: they are for the caller alone. */
export const privateAnswers: MiddlewareHandler<AdminEnv> = async (c, next) => {
  await next();
  c.header('cache-control', 'no-store');
  c.header('x-content-type-options', 'nosniff');
  // Preview tokens stand in URLs.
  c.header('referrer-policy', 'no-referrer');
};

/** What anybody may call, on any host. */
const everywhere = new Set(['/health', '/preview', '/outcomes', '/outcomes.js']);

/** With `ADMIN_HOST` set, a page that a bad candidate serves never shares an origin with the controls. */
export const onlyOnAdminHost: MiddlewareHandler<AdminEnv> = async (c, next) => {
  const adminHost = c.env.ADMIN_HOST;
  if (!adminHost || everywhere.has(adminPath(c.req.path))) return next();
  const url = URL.parse(c.req.url);
  if (url !== null && isOnHost(url, adminHost)) return next();
  return refuse(404, 'not_found', 'The controls do not answer on this host.', 'call ADMIN_HOST');
};

/** The last handler: 405 with `Allow` where the path is known, else 404. */
export function unknownOrWrongMethod({ router }: Pick<Hono<AdminEnv>, 'router'>): MiddlewareHandler<AdminEnv> {
  return async (c) => {
    const path = adminPath(c.req.path);
    const answers = (method: string) => router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL');
    const methods = ['DELETE', 'GET', 'POST', 'PUT'].filter(answers);
    if (methods.length === 0) return refuse(404, 'not_found', `There is no ${path} here.`, seeApi);
    const allow = methods.join(', ').replace('GET', 'GET, HEAD');
    const detail = `${path} does not answer ${c.req.method}.`;
    return refuse(405, 'method_not_allowed', detail, `use ${allow}`, { headers: { allow } });
  };
}
