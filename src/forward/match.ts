/**
 * Owns the choice of a route: host, path and headers against the config's match rules, in document order.
 * It decodes nothing, but to know the controls: the path is compared as the URL parser wrote it, which is also what the origin is sent.
 */

import { hostCovers } from '../config/address.ts';
import type { Config, MatchRule, Route } from '../config/types.ts';
import { matchesPath } from '../split/audience.ts';

/** The first route that matches, or null. `hostname` has no port and is in small letters. */
export function findRoute(
  { routes }: Pick<Config, 'routes'>,
  { hostname, pathname }: { hostname: string; pathname: string },
  headers: Pick<Headers, 'get'>,
): Route | null {
  const meets = ({ host, path, headers: wanted }: MatchRule) =>
    hostCovers(host, hostname) &&
    (path === null || matchesPath(path, pathname)) &&
    wanted.every(({ name, values }) => values.includes(headers.get(name)!));
  return routes.find(({ match }) => match.some(meets)) ?? null;
}

/** Whether a path is the controls', however it was spelled (RFC 3986 §6.2.2.2: `/%5Fheadgate` is the same): those never reach a variant. */
export function isControlPath(path: string): boolean {
  return /^\/[_%]/.test(path) && /^\/_headgate(?:\/|$)/i.test(unescape(path));
}
