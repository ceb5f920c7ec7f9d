/**
 * Owns which response headers reach the client (design section 6): the origin's, less what would betray or confuse, plus ours.
 */

import type { Origin } from '../config/types.ts';
import { isOurSetCookie } from '../split/cookies.ts';
import type { RequestUrl } from './request-url.ts';
import { removeNamedByConnection } from './wire.ts';

/** What the headers of one answer depend on. */
export interface Shaping {
  route: string;
  variant: string;
  expose: boolean;
  /** Others would get another answer, or a cookie is set: shared caches must not keep it. */
  isPersonal: boolean;
  /** Whose answer it is; null where it is our own. */
  origin: Origin | null;
  url: RequestUrl;
  /** The candidate whose failure the baseline made good. */
  failedOver: string | null;
  /** Set-Cookie lines of ours. */
  setCookies: readonly string[];
}

const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'trailer', 'transfer-encoding'];
const FOR_CACHES = ['cdn-cache-control', 'cloudflare-cdn-cache-control'];
const NONE: string[] = [];
/** What something is done about; most answers have few of these. */
const LOOKED_AT = new RegExp(
  `^(?:x-headgate-.*|set-cookie|location|cache-control|${[...HOP_BY_HOP, ...FOR_CACHES].join('|')})$`,
);
// Without these the bytes that follow would be read as something else, whatever an origin says of them. `upgrade` is the runtime's.
const FRAMING = new Set(['content-length', 'content-encoding', 'content-type', 'upgrade']);

/** Changes `headers` in place. It looks once at what is there: a call for each name that may be costs more, and so does a set of them. */
export function shapeResponseHeaders(headers: Headers, shaping: Shaping): void {
  let names = NONE;
  for (const name of headers.keys()) {
    if (!LOOKED_AT.test(name)) continue;
    if (names === NONE) names = [];
    names.push(name);
  }
  if (names !== NONE) {
    if (names.includes('connection')) removeNamedByConnection(headers, headers.get('connection'), FRAMING);
    for (const name of names) if (HOP_BY_HOP.includes(name)) headers.delete(name);
    if (shaping.origin !== null) removeClaims(headers, names, { origin: shaping.origin, url: shaping.url });
  }
  if (shaping.isPersonal) makePrivate(headers, names);
  if (shaping.expose) {
    headers.set('x-headgate-route', shaping.route);
    headers.set('x-headgate-variant', shaping.variant);
    if (shaping.failedOver !== null) headers.set('x-headgate-failover', shaping.failedOver);
  }
  for (const line of shaping.setCookies) headers.append('set-cookie', line);
}

/** Takes away what an origin says in our name, or of its own address. */
export function removeClaims(
  headers: Headers,
  names: Iterable<string>,
  { origin, url }: { origin: Origin; url: RequestUrl },
): void {
  for (const name of names) {
    // An origin that echoes what it is sent would tell what `expose` keeps. An error may be that of a Headgate behind us: a loop's.
    if (name.startsWith('x-headgate-') && name !== 'x-headgate-error') headers.delete(name);
    if (name === 'set-cookie') removeOurCookies(headers);
    if (name === 'location') nameOurHost(headers, origin, url);
  }
}

/** An origin must not choose our visitors' variants. */
function removeOurCookies(headers: Headers): void {
  const lines = headers.getSetCookie();
  if (!lines.some(isOurSetCookie)) return;
  headers.delete('set-cookie');
  for (const line of lines) if (!isOurSetCookie(line)) headers.append('set-cookie', line);
}

/** A redirect to the origin's own host would lead visitors around us. */
export function nameOurHost(headers: Headers, origin: Origin, url: RequestUrl): void {
  if (origin.kind !== 'url') return;
  const location = headers.get('location')!;
  const base = new URL(origin.url);
  const prefix = base.pathname === '/' ? '' : base.pathname;
  let target: URL;
  try {
    // A path is the origin's, base path and all.
    target = location.startsWith('/') ? new URL(location, base) : new URL(location);
  } catch {
    return;
  }
  if (target.host !== base.host || !/^https?:$/.test(target.protocol)) return;
  const inside = prefix !== '' && (target.pathname === prefix || target.pathname.startsWith(`${prefix}/`));
  // What names our host already must not be led from https to the http that was called: it would lead there for ever.
  if (!inside && (target.host === url.host || /^\/(?!\/)/.test(location))) return;
  const path = inside ? target.pathname.slice(prefix.length) || '/' : target.pathname;
  const here = url.origin + path + target.search;
  // Who is sent by http to where they are would go there for ever, where the origin asks for https. That has a port of its own.
  const isLoop = here === url.href && target.protocol === 'https:';
  headers.set('location', (isLoop ? here.replace(/^http(?=:\/\/[^/:]+\/)/, 'https') : here) + target.hash);
}

/**
 * Takes leave from shared caches. Directives other than those that speak to shared caches keep their text; an answer that
 * nobody may store is left as it is.
 */
function makePrivate(headers: Headers, names: readonly string[]): void {
  for (const name of names) if (FOR_CACHES.includes(name)) headers.delete(name);
  const sent = names.includes('cache-control') ? headers.get('cache-control') : null;
  if (sent === null) {
    headers.set('cache-control', 'private');
    return;
  }
  const directives = sent.match(/(?:[^,"]|"[^"]*"?)+/g)?.map((directive) => directive.trim()) ?? [];
  const nameOf = (directive: string) => directive.split('=', 1)[0]!.trim().toLowerCase();
  const without = (taken: string[], list: string[]) => list.filter((one) => one !== '' && !taken.includes(nameOf(one)));
  const kept = without(['public', 's-maxage'], directives);
  const isForbidden = kept.some((directive) => nameOf(directive) === 'no-store');
  const next = (isForbidden ? kept : ['private', ...without(['private'], kept)]).join(', ');
  if (next !== sent) headers.set('cache-control', next);
}

/**
 * Whether an answer whose status `Response` refuses may be passed on as it is. Its headers cannot be changed, and an origin must not set
 * the cookies that choose our visitors' variants. Hono builds a new Response for every HEAD, which would throw for such a status. After a 101
 * that nobody asked for no answer follows.
 */
export function mayPassUntouched({ status, headers }: Response, method: string): boolean {
  return status !== 101 && method !== 'HEAD' && !headers.getSetCookie().some(isOurSetCookie);
}
