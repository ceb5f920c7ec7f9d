/**
 * Owns the choice of a route: host, path and headers against the config's match rules, in document order.
 * It decodes nothing: the path is compared as the URL parser wrote it, which is also what the origin is sent.
 */

import type { Config, MatchRule, Route } from '../config/types.ts';
import { matchesPath } from '../split/audience.ts';

/** The first route that matches, or null. `hostname` has no port and is in small letters. */
export function findRoute(
  { routes }: Pick<Config, 'routes'>,
  { hostname, pathname }: { hostname: string; pathname: string },
  headers: Pick<Headers, 'get'>,
): Route | null {
  const meets = ({ host, path, headers: wanted }: MatchRule) =>
    matchesHost(host, hostname) &&
    (path === null || matchesPath(path, pathname)) &&
    wanted.every(({ name, values }) => isOneOf(headers.get(name), values));
  return routes.find(({ match }) => match.some(meets)) ?? null;
}

// RFC 3986 §6.2.2.2: `/%5Fheadgate` is the same path as `/_headgate`.
const CONTROLS = new RegExp(
  `^/${Array.from('_headgate', (letter) => `(?:${letter}|%${letter.charCodeAt(0).toString(16)})`).join('')}(?:/|%2f|$)`,
  'i',
);

/** Whether a path is the controls', however it was spelled: those never reach a variant. */
export function isControlPath(path: string): boolean {
  const first = path.charCodeAt(1);
  return (first === 0x5f || first === 0x25) && CONTROLS.test(path);
}

function matchesHost(pattern: string | null, hostname: string): boolean {
  if (pattern === null) return true;
  if (!pattern.startsWith('*.')) return pattern === hostname;
  return hostname.length >= pattern.length && hostname.endsWith(pattern.slice(1));
}

function isOneOf(value: string | null, values: readonly string[]): boolean {
  return value !== null && values.includes(value);
}
