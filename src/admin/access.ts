/**
 * Owns who comes through Cloudflare Access: what the two variables must be, what its token must say, and whose name it bears. Only
 * the header that Access sets on its way to the Worker counts, never the cookie, which any page can make a browser send.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */

import { originFault } from '../config/address.ts';
import type { Env } from '../env.ts';
import { err, ok, type Result } from '../result.ts';
import { fromBase64url } from '../split/base64url.ts';
import type { AccessKeys } from './access-keys.ts';
import { CLOCK_TOLERANCE_S, MAX_ACTOR, MIN_MODULUS } from './limits.ts';

/** The request header with the token. */
export const ACCESS_HEADER = 'cf-access-jwt-assertion';

/** How Access is set up. `wrong`: the two variables do not fit together, so nobody is let in by it. */
export type Access =
  | { is: 'off' }
  | { is: 'on'; team: string; audience: string }
  | { is: 'wrong'; detail: string; mend: string };

/** How to set Access up, or turn it off. */
export const setAccess = 'set both ACCESS_TEAM_DOMAIN (https://<team>.cloudflareaccess.com) and ACCESS_AUD, or neither';

/** How the two variables set Access up. */
export function accessOf(env: Pick<Env, 'ACCESS_TEAM_DOMAIN' | 'ACCESS_AUD'>): Access {
  const { ACCESS_TEAM_DOMAIN: domain, ACCESS_AUD: audience } = env;
  if (!domain && !audience) return { is: 'off' };
  if (!domain || !audience) {
    return { is: 'wrong', detail: `${domain ? 'ACCESS_AUD' : 'ACCESS_TEAM_DOMAIN'} is not set`, mend: setAccess };
  }
  const fault = originFault(domain);
  if (fault !== null) return { is: 'wrong', detail: `ACCESS_TEAM_DOMAIN: ${fault.reason}`, mend: fault.mend };
  const { origin, pathname } = new URL(domain);
  if (pathname !== '/') return { is: 'wrong', detail: 'ACCESS_TEAM_DOMAIN has a path', mend: setAccess };
  return { is: 'on', team: origin, audience };
}

/** Why a token lets nobody in. `unreachable`: Access's keys could not be read, which is not the caller's fault. */
export type AccessRefusal = { reason: 'refused' | 'unreachable'; detail: string };

/** The only algorithm that Access signs with: RS256 (RFC 7518 §3.3). */
const RS256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/**
 * The name of the token's bearer: a person's e-mail address, or a service token's client id. Claims are looked at only after the signature,
 * so that naming a wrong one does not help a forger.
 */
export async function accessName(
  token: string,
  { team, audience }: Extract<Access, { is: 'on' }>,
  keys: Pick<AccessKeys, 'find'>,
  nowMs: number,
): Promise<Result<string, AccessRefusal>> {
  try {
    const [{ alg, typ = 'JWT', crit, kid }, claims] = token.split('.', 2).map(partOf) as [Header, Claims];
    const end = token.lastIndexOf('.');
    const signature = fromBase64url(token.slice(end + 1));
    // Checked before any key is fetched: made-up tokens must not make us call Access.
    const isReadable = alg === 'RS256' && typ.toUpperCase() === 'JWT' && crit === undefined;
    if (!isReadable || signature === null) return refused(wrong.unsigned);
    const key = await keys.find(team, kid);
    if (!key.ok) {
      const detail = 'The keys of Cloudflare Access cannot be read.';
      return key.error === 'unreachable' ? err({ reason: key.error, detail }) : refused(wrong.unknown);
    }
    const signed = new TextEncoder().encode(token.slice(0, end));
    const isSound = key.value.n.length >= MIN_MODULUS && (await isSignedBy(key.value, signature, signed));
    if (!isSound) return refused(wrong.unsigned);
    const claim = wrongClaim(claims, { team, audience, nowS: nowMs / 1_000 });
    if (claim !== null) return refused(wrong[claim]);
    // A service token has no e-mail address, and an empty `sub`.
    const { email, common_name, sub } = claims;
    const name = [email, common_name, sub].find((one) => typeof one === 'string' && one !== '');
    return name === undefined ? refused('names nobody') : ok((name as string).slice(0, MAX_ACTOR));
  } catch {
    return refused(wrong.unsigned);
  }
}

type Header = { alg?: string; typ?: string; crit?: unknown; kid?: string };
type Claims = Record<string, unknown>;

/** RFC 7515 §3.1: a part of a token is JSON in base64url. Throws on anything else. */
function partOf(text: string): unknown {
  return JSON.parse(new TextDecoder().decode(fromBase64url(text) ?? undefined));
}

async function isSignedBy(key: JsonWebKey, signature: Uint8Array, signed: Uint8Array): Promise<boolean> {
  const imported = await crypto.subtle.importKey('jwk', key, RS256, false, ['verify']);
  return crypto.subtle.verify(RS256, imported, signature, signed);
}

/** RFC 7519 §4.1: the first claim that is not as it must be. `exp` must be there, `nbf` may. */
function wrongClaim(
  { iss, aud, exp, nbf = 0 }: Claims,
  { team, audience, nowS }: { team: string; audience: string; nowS: number },
): keyof typeof wrong | null {
  if (iss !== team) return 'iss';
  if (![aud].flat().includes(audience)) return 'aud';
  if (typeof nbf !== 'number' || nbf > nowS + CLOCK_TOLERANCE_S) return 'nbf';
  return typeof exp !== 'number' || exp <= nowS - CLOCK_TOLERANCE_S ? 'exp' : null;
}

const wrong = {
  unsigned: 'is not one that Access has signed',
  unknown: 'is signed with an unknown key',
  iss: 'is of another team ("iss")',
  aud: 'is for another application ("aud")',
  nbf: 'is not valid yet',
  exp: 'has expired',
};

function refused(why: string): Result<never, AccessRefusal> {
  return err({ reason: 'refused', detail: `The token of Cloudflare Access ${why}.` });
}
