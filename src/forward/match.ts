/**
 * Owns the choice of a route: host, path and headers against the config's match rules, in document order.
 * It decodes nothing: the path is compared as the URL parser wrote it, which is also what the origin is sent.
 */

import type { Config, MatchRule, Route } from '../config/types.ts';
import { matchesPath } from '../split/audience.ts';

interface Entry {
  route: Route;
  rule: MatchRule;
}

/** Hosts whose rules are kept apart. Beyond them (a wildcard route under a flood of hosts) rules are gathered anew each time. */
const MAX_REMEMBERED_HOSTS = 1_000;

/** Finds the route of a request. Made once a config, so that a request looks only at rules its host can meet. */
export class Matcher {
  #entries: Entry[];
  #byHost = new Map<string, Entry[]>();

  constructor(config: Config) {
    this.#entries = config.routes.flatMap((route) => route.match.map((rule) => ({ route, rule })));
  }

  /** The first route that matches, or null. `hostname` has no port and is in small letters. */
  find(hostname: string, path: string, headers: Pick<Headers, 'get'>): Route | null {
    for (const { route, rule } of this.#entriesOf(hostname)) {
      if (rule.path !== null && !matchesPath(rule.path, path)) continue;
      if (rule.headers.length === 0 || rule.headers.every(({ name, values }) => isOneOf(headers.get(name), values))) {
        return route;
      }
    }
    return null;
  }

  #entriesOf(hostname: string): Entry[] {
    const known = this.#byHost.get(hostname);
    if (known !== undefined) return known;
    const entries = this.#entries.filter(({ rule }) => matchesHost(rule.host, hostname));
    if (this.#byHost.size < MAX_REMEMBERED_HOSTS) this.#byHost.set(hostname, entries);
    return entries;
  }
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
