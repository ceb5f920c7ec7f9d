/**
 * Owns who may call the API: holders of `ADMIN_TOKEN`, and those whom Cloudflare Access lets in. It fails closed: with neither set up,
 * nobody may. What a valid token of Access is, `access.ts` knows.
 */

import type { HonoRequest, MiddlewareHandler } from 'hono';
import { sha256 } from '../digest.ts';
import { err } from '../result.ts';
import { ACCESS_HEADER, type Access, type AccessRefusal, accessName, accessOf } from './access.ts';
import { AccessKeys } from './access-keys.ts';
import type { AdminEnv } from './context.ts';
import { putSecret, refuse } from './input.ts';
import { MAX_WRONG_TOKENS } from './limits.ts';
import { MinuteLimit } from './minute-limit.ts';

/** Lets pass `Authorization: Bearer <ADMIN_TOKEN>` and valid tokens of Access; answers 503, 401, 429 or 403 otherwise. */
export function adminAuth(): MiddlewareHandler<AdminEnv> {
  const failures = new MinuteLimit(MAX_WRONG_TOKENS);
  const keys = new AccessKeys();
  return async (c, next) => {
    const expected = c.env.ADMIN_TOKEN || undefined;
    const access = accessOf(c.env);
    if (access.is === 'wrong' || (access.is === 'off' && expected === undefined)) return closed(access);
    const ways = waysIn(expected, access);
    const token = bearerToken(c.req.header('authorization'));
    const assertion = access.is === 'on' ? c.req.header(ACCESS_HEADER) : undefined;
    // A request without a credential is no guess, so it is not counted.
    if (token === undefined && assertion === undefined) return unauthorized('This call needs a credential.', ways);
    // A right token is let in even while its address has to wait: a colleague's stale script must not lock out whoever shares its
    // address and has a bad release to take back.
    if (token !== undefined && expected !== undefined && (await sameSecret(token, expected))) return next();
    const address = c.req.header('cf-connecting-ip') ?? 'unknown';
    const waitSeconds = failures.waitSeconds(address, Date.now());
    const isGuess = access.is !== 'on' || assertion === undefined;
    const name = isGuess ? err(wrongToken) : await accessName(assertion, access, keys, Date.now());
    if (!name.ok) {
      if (waitSeconds > 0) return tooMany(waitSeconds);
      if (name.error.reason === 'unreachable') return keysAway(name.error.detail);
      failures.count(address, Date.now());
      return unauthorized(name.error.detail, ways);
    }
    if (isFromElsewhere(c.req)) return fromElsewhere();
    c.set('actor', name.value);
    return next();
  };
}

/**
 * Whether a page of another origin may have made the browser send this. Browsers send the cookie of Access whichever page calls, and Access
 * turns it into the header. So a call that changes something must come from a page of this very host, or from no page at all.
 */
function isFromElsewhere(request: HonoRequest): boolean {
  if (['GET', 'HEAD'].includes(request.method)) return false;
  const site = request.header('sec-fetch-site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const origin = request.header('origin');
  return origin !== undefined && origin !== new URL(request.url).origin;
}

const wrongToken: AccessRefusal = { reason: 'refused', detail: 'The token is wrong.' };

function closed(access: Exclude<Access, { is: 'on' }>) {
  const [why, mend] =
    access.is === 'wrong' ? [access.detail, access.mend] : ['ADMIN_TOKEN is not set', putSecret('ADMIN_TOKEN')];
  return refuse(503, 'admin_disabled', `The admin API is closed, because ${why}.`, mend);
}

/** What a caller without a valid credential can do. */
function waysIn(expected: string | undefined, access: Access): string {
  return [
    ...(expected === undefined ? [] : ['send Authorization: Bearer <ADMIN_TOKEN>']),
    ...(access.is === 'on' ? [`come through Cloudflare Access (${access.team})`] : []),
  ].join(', or ');
}

/** Every 401 says what is asked for (RFC 9110 §15.5.2). */
export const challenge = { headers: { 'www-authenticate': 'Bearer realm="headgate"' } };

function unauthorized(detail: string, mend: string): Response {
  return refuse(401, 'unauthorized', detail, mend, challenge);
}

function tooMany(waitSeconds: number) {
  const headers = { 'retry-after': String(waitSeconds) };
  const detail = 'Too many wrong tokens came from here.';
  return refuse(429, 'too_many_failures', detail, `wait ${waitSeconds} s`, { headers });
}

const keysAway = (detail: string) =>
  refuse(503, 'access_unavailable', detail, 'try again, send ADMIN_TOKEN, or check ACCESS_TEAM_DOMAIN');

const fromElsewhere = () =>
  refuse(
    403,
    'cross_site',
    'A page of another origin changes nothing here.',
    'call from a page of this host, or send ADMIN_TOKEN',
  );

/** The token of an Authorization header. RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
export function bearerToken(header: string | undefined): string | undefined {
  const found = header?.match(/^bearer +(\S.*)/i);
  return found?.[1];
}

/** Compares hashes, each looked at to its end, so that neither length nor content shows in the time taken. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(expected)]);
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
