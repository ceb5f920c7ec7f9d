/**
 * Owns who comes through Cloudflare Access: what the two variables must be, what its token must say, and whose name it bears. Only
 * the header that Access sets on its way to the Worker counts, never the cookie, which any page can make a browser send.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */

import { originFault } from '../config/address.ts';
import type { Env } from '../env.ts';
import { err, ok, type Result } from '../result.ts';
import type { AccessKeys } from './access-keys.ts';
import { type Claims, signedClaims } from './access-token.ts';

/** The request header with the token. */
export const ACCESS_HEADER = 'cf-access-jwt-assertion';

/** What the variables make of Access. `wrong`: they contradict each other, so nothing may open by them. */
export type Access =
  | { is: 'off' }
  | { is: 'on'; team: string; audience: string }
  | { is: 'wrong'; detail: string; mend: string };

/** How to put Access before the controls, or to take it away. */
export const setAccess = 'set both ACCESS_TEAM_DOMAIN (https://<team>.cloudflareaccess.com) and ACCESS_AUD, or neither';

export function accessOf(env: Pick<Env, 'ACCESS_TEAM_DOMAIN' | 'ACCESS_AUD'>): Access {
  const { ACCESS_TEAM_DOMAIN: domain, ACCESS_AUD: audience } = env;
  if (!domain && !audience) return { is: 'off' };
  if (!domain || !audience) {
    const [set, unset] = domain ? ['ACCESS_TEAM_DOMAIN', 'ACCESS_AUD'] : ['ACCESS_AUD', 'ACCESS_TEAM_DOMAIN'];
    return { is: 'wrong', detail: `${set} is set, and ${unset} is not`, mend: setAccess };
  }
  const fault = originFault(domain);
  if (fault !== null) return { is: 'wrong', detail: `ACCESS_TEAM_DOMAIN: ${fault.reason}`, mend: fault.mend };
  const { origin, pathname } = new URL(domain);
  if (pathname !== '/') return { is: 'wrong', detail: 'ACCESS_TEAM_DOMAIN has a path', mend: setAccess };
  return { is: 'on', team: origin, audience };
}

/** Why a token opens nothing. `unreachable` is no fault of the caller's. */
export type AccessRefusal = { reason: 'refused' | 'unreachable'; detail: string };

/** Access and Workers keep the same time; this is for seconds that were rounded. */
const CLOCK_TOLERANCE_S = 5;
const MAX_NAME = 128;

/** The name of who bears the token: the e-mail address of a person, the client id of a service token. */
export async function accessName(
  token: string,
  access: Extract<Access, { is: 'on' }>,
  keys: Pick<AccessKeys, 'find'>,
  nowMs: number,
): Promise<Result<string, AccessRefusal>> {
  const claims = await signedClaims(token, (kid) => keys.find(access.team, kid));
  if (!claims.ok) {
    const detail = 'The keys of Cloudflare Access cannot be read.';
    return claims.error === 'unreachable' ? err({ reason: 'unreachable', detail }) : refused(unproved[claims.error]);
  }
  // The signature is the team's by now, so saying which claim is wrong helps no forger.
  const wrong = wrongIn(claims.value, access, nowMs / 1000);
  if (wrong !== null) return refused(wrong);
  // A service token has no e-mail address, and an empty `sub`.
  const { email, common_name, sub } = claims.value;
  const name = [email, common_name, sub].find((one) => typeof one === 'string' && one !== '');
  return name === undefined ? refused('names nobody') : ok((name as string).slice(0, MAX_NAME));
}

const unproved = {
  unsigned: 'is not one that Access has signed',
  unknown: 'is signed with an unknown key',
};

/** RFC 7519 §4.1. What should be there and is not is wrong. */
function wrongIn({ iss, aud, exp, nbf }: Claims, { team, audience }: Extract<Access, { is: 'on' }>, nowS: number) {
  const isFor = Array.isArray(aud) ? aud.includes(audience) : aud === audience;
  const isBegun = nbf === undefined || (typeof nbf === 'number' && nbf <= nowS + CLOCK_TOLERANCE_S);
  if (iss !== team) return 'is of another team ("iss")';
  if (!isFor) return 'is for another application ("aud")';
  if (!isBegun) return 'is not valid yet';
  return typeof exp === 'number' && exp > nowS - CLOCK_TOLERANCE_S ? null : 'has expired';
}

function refused(why: string): Result<never, AccessRefusal> {
  return err({ reason: 'refused', detail: `The token of Cloudflare Access ${why}.` });
}
