/**
 * Owns which addresses the config may name: origins of variants, scorers and webhooks, hosts of routes.
 * It resolves no names and opens no connection: only addresses written out as numbers can be judged here.
 */

import type { FaultWords } from '../result.ts';

type Reach = 'public' | 'loopback' | 'private';

/**
 * Whether a written URL may be an origin: `http:` to loopback only, no user-info, query or fragment, no private or
 * link-local address in any spelling. Returns the first fault, or null. Fails closed.
 */
export function originFault(written: string, allow: { query: boolean } = { query: false }): FaultWords | null {
  if (!/^https?:\/\/[^/\\]/i.test(written)) {
    return { reason: 'is not an http or https URL', mend: 'write it as https://host/base/path' };
  }
  // The URL parser drops tabs and newlines and turns \ into /: what people read would not be what is called.
  if (/[\s\\\p{Cc}]/u.test(written)) {
    return { reason: 'has a space, backslash or control character', mend: 'percent-encode it' };
  }
  if (/^https?:\/\/[^/?#]*@/i.test(written)) {
    return { reason: 'The URL carries a user name or password', mend: 'move it to "secretHeaders"' };
  }
  if (written.includes('#')) return { reason: 'has a fragment', mend: 'remove it' };
  if (!allow.query && written.includes('?')) {
    return { reason: 'has a query', mend: 'remove it' };
  }
  const url = URL.parse(written);
  return url === null ? { reason: 'cannot be read as a URL', mend: 'check host and port' } : reachFault(url);
}

function reachFault(url: URL): FaultWords | null {
  const reach = reachOf(url.hostname);
  if (reach === 'private') {
    return {
      reason: `leads to ${url.hostname}, a private, link-local or reserved address`,
      mend: 'name a public host, or a binding by "service"',
    };
  }
  if (url.protocol === 'http:' && reach !== 'loopback') {
    return { reason: 'is http, which is for loopback hosts only', mend: 'use https' };
  }
  return null;
}

/** Takes a host as the URL parser gives it, so that decimal, octal and hexadecimal spellings are already dotted quads. */
function reachOf(hostname: string): Reach {
  const host = hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  if (host.startsWith('[')) return reachOf6(host);
  const quad = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  return quad === null ? 'public' : reachOf4(Number(quad[1]), Number(quad[2]), Number(quad[3]));
}

/** RFC 6890 and the IANA special-purpose registry, by the first three octets. */
function reachOf4(a: number, b: number, c: number): Reach {
  if (a === 127) return 'loopback';
  const special =
    a === 0 ||
    a === 10 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && c === 0) ||
    (a === 198 && (b === 18 || b === 19)) ||
    a >= 224;
  return special ? 'private' : 'public';
}

/**
 * Of what is assigned only 2000::/3 is global (RFC 4291 §2.4), and of that 6to4 (2002::/16) leads to any IPv4 address. Takes the
 * canonical text, in which an IPv4 address inside IPv6 has become groups.
 */
function reachOf6(host: string): Reach {
  if (host === '[::1]' || /^\[::ffff:7f[0-9a-f]{2}:/.test(host)) return 'loopback';
  return /^\[(?!2002:)[23][0-9a-f]{3}:/.test(host) ? 'public' : 'private';
}

/** What is wrong with a written host pattern of a route (`api.example.com` or `*.example.com`), or null. */
export function hostFault(written: string): FaultWords | null {
  const bare = written.startsWith('*.') ? written.slice(2) : written;
  if (bare.length > 1 && bare.includes('*'))
    return { reason: 'has * inside', mend: 'use * only in front: *.example.com' };
  if (/:\d*$/.test(bare.replace(/^\[.*\]/, ''))) return { reason: 'has a port', mend: 'leave the port out' };
  if (bare !== '*' && canonicalHost(bare) !== null) return null;
  return { reason: 'is not a host', mend: 'write the host alone, or leave "host" out for all' };
}

/** A host as requests bear it: small letters, punycode, canonical addresses. Null when it is not a host. */
export function canonicalHost(written: string): string | null {
  return (/^[^\s/\\?#@%]+$/.test(written) && URL.parse(`http://${written}`)?.hostname) || null;
}

/**
 * Whether a URL is on the host that ADMIN_HOST names, in whatever letters either was written; a host without a port stands
 * for all of its ports. False for what is no host.
 */
export function isOnHost(url: Pick<URL, 'protocol' | 'hostname' | 'host'>, written: string): boolean {
  const named = URL.parse(`${url.protocol}//${written}`);
  if (named === null) return false;
  return named.port === '' ? named.hostname === url.hostname : named.host === url.host;
}

/** Whether a pattern of a route (null: any host, `*.example.com`: any below it) takes in a host, or all of another pattern. */
export function hostCovers(pattern: string | null, host: string | null): boolean {
  if (pattern === null || pattern === host) return true;
  return pattern.startsWith('*.') && host !== null && host.length >= pattern.length && host.endsWith(pattern.slice(1));
}

/** A host as it is written without its port, in small letters. */
export function withoutPort(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '');
}

/** Whether two written hosts are the same host once letters and spelling are evened out. */
export function sameHost(a: string, b: string): boolean {
  const canonical = canonicalHost(a);
  return canonical !== null && canonical === canonicalHost(b);
}
