/**
 * Owns which request headers reach an origin (design section 6). What the client claims about forwarding or about us is
 * removed first, then ours is set, so that nothing forged can stay behind.
 */

import { hopByHop } from '../config/header-rules.ts';
import type { Variant } from '../config/types.ts';
import { setDeclared } from '../declared-headers.ts';
import type { Env } from '../env.ts';
import { joinCookieLines, stripCookies } from '../split/cookies.ts';
import { cfOf, type Incoming } from './incoming.ts';
import { loopToken } from './loop.ts';
import { removeNamedByConnection } from './wire.ts';

/** What the origin is told of the visitor's request. */
export interface Forwarding {
  requestId: string;
  configHash: string;
  isWebSocket: boolean;
}

/** What a copy of the request is for. */
export type Role = 'live' | 'shadow' | 'repeat' | 'preview';

// What the platform says of the client, and the loop guard (RFC 8586 §2), are not the client's to take away.
const KEPT = new Set(['cdn-loop', 'cf-connecting-ip', 'cf-ray', 'cf-ipcountry', 'cf-visitor']);
const KEPT_BY_HANDSHAKE = new Set([...KEPT, 'upgrade']);
// Whatever begins like one of ours, or says who sent the request through whom, is a claim of the client's. CGI, WSGI and their kin read
// `_` and `-` as one, so a forgery may come with either.
const CLAIMS = ['x[-_](?:forwarded|headgate)[-_].*', 'forwarded', 'x[-_]real[-_]ip'];
// And what describes the visitor's connection, but for the upgrade of a WebSocket. `Expect` is among it: the runtime has taken the body
// already, and an origin that waits for nothing answers 417.
const REMOVED = new RegExp(`^(?:${[...CLAIMS, ...hopByHop].join('|')})$`);

/** The headers of a request, cleaned and with what every variant is told. The caller adds the variant's own. */
export function cleanedHeaders(incoming: Incoming, forwarding: Forwarding): Headers {
  const { url, sent, names, header, cookieHeader } = incoming;
  const headers = new Headers(sent);
  const { requestId, configHash, isWebSocket } = forwarding;
  if (cookieHeader !== null) cleanCookies(headers, cookieHeader);
  removeNamedByConnection(headers, header('connection'), isWebSocket ? KEPT_BY_HANDSHAKE : KEPT);
  for (const name of names) {
    if (REMOVED.test(name) && !(isWebSocket && name === 'upgrade')) headers.delete(name);
  }
  // The platform puts its own `accept-encoding` in place of the client's, and keeps the client's beside the headers.
  const cf = names.includes('accept-encoding') ? cfOf(incoming) : undefined;
  if (cf !== undefined) headers.set('accept-encoding', (cf.clientAcceptEncoding as string) || 'identity');
  headers.set('x-forwarded-host', url.host);
  headers.set('x-forwarded-proto', url.protocol === 'https:' ? 'https' : 'http');
  const ip = header('cf-connecting-ip');
  if (ip !== null) headers.set('x-forwarded-for', ip);
  headers.set('x-request-id', requestId);
  headers.append('cdn-loop', loopToken(configHash));
  return headers;
}

/** Adds what one variant is told and what it asked to be set or removed. False when a secret is missing: do not send. */
export function addVariantHeaders(
  headers: Headers,
  to: { route: string; variant: Variant; role: Role; env: Env },
): boolean {
  const { route, variant, role, env } = to;
  headers.set('x-headgate-route', route);
  headers.set('x-headgate-variant', variant.name);
  headers.set('x-headgate-role', role);
  return setDeclared(headers, variant, env) === null;
}

/** The client's request id where it is one that logs can bear, else a new one. */
export function requestIdOf({ header }: Incoming): string {
  const given = header('x-request-id');
  return given !== null && given.length <= 128 && /^[\x21-\x7e]+$/.test(given) ? given : crypto.randomUUID();
}

/** RFC 6455 §4.1: a handshake is a GET. The runtime would make one of whatever else asks for an upgrade. */
export function isHandshake({ method, header }: Incoming): boolean {
  return method === 'GET' && header('upgrade')?.toLowerCase() === 'websocket';
}

function cleanCookies(headers: Headers, line: string): void {
  const cookies = stripCookies(joinCookieLines(line));
  if (cookies === null) headers.delete('cookie');
  else if (cookies !== line) headers.set('cookie', cookies);
}
