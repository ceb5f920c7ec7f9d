/**
 * Owns who comes through Cloudflare Access: what the two variables must be, what its token must say, and whose name it bears. Only
 * the header that Access sets on its way to the Worker counts, never the cookie, which any page can make a browser send.
 * https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/validating-json/
 */

import { jwtVerify } from 'jose/jwt/verify';
import { originFault } from '../config/address.ts';
import type { Env } from '../env.ts';
import { err, ok, type Result } from '../result.ts';
import type { AccessKeys, KeyFault } from './access-keys.ts';

/** The request header with the token. */
export const ACCESS_HEADER = 'cf-access-jwt-assertion';

/** What the variables make of Access. `wrong`: they contradict each other, so nothing may open by them. */
export type Access =
  | { is: 'off' }
  | { is: 'on'; team: string; audience: string }
  | { is: 'wrong'; detail: string; mend: string };

export function accessOf(env: Pick<Env, 'ACCESS_TEAM_DOMAIN' | 'ACCESS_AUD'>): Access {
  const { ACCESS_TEAM_DOMAIN: domain, ACCESS_AUD: audience } = env;
  if (!domain && !audience) return { is: 'off' };
  const mend = 'set both ACCESS_TEAM_DOMAIN (https://<team>.cloudflareaccess.com) and ACCESS_AUD, or neither';
  if (!domain || !audience) {
    const [set, unset] = domain ? ['ACCESS_TEAM_DOMAIN', 'ACCESS_AUD'] : ['ACCESS_AUD', 'ACCESS_TEAM_DOMAIN'];
    return { is: 'wrong', detail: `${set} is set, and ${unset} is not`, mend };
  }
  const fault = originFault(domain);
  if (fault !== null) return { is: 'wrong', detail: `ACCESS_TEAM_DOMAIN: ${fault.reason}`, mend: fault.mend };
  const { origin, pathname } = new URL(domain);
  if (pathname !== '/') return { is: 'wrong', detail: 'ACCESS_TEAM_DOMAIN has a path', mend };
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
  { team, audience }: Extract<Access, { is: 'on' }>,
  keys: Pick<AccessKeys, 'find'>,
): Promise<Result<string, AccessRefusal>> {
  let missing: KeyFault | null = null;
  try {
    const { payload } = await jwtVerify(
      token,
      async ({ kid }) => {
        const key = await keys.find(team, kid);
        if (key.ok) return key.value;
        missing = key.error;
        throw new Error(missing);
      },
      {
        // What Access documents. Whatever else a token names (none, HS256 with our public key) ends here.
        algorithms: ['RS256'],
        issuer: team,
        audience,
        requiredClaims: ['exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
      },
    );
    // A service token has no e-mail address, and an empty `sub`.
    const name = [payload.email, payload.common_name, payload.sub].find((one) => typeof one === 'string' && one !== '');
    return name === undefined ? refused('names nobody') : ok((name as string).slice(0, MAX_NAME));
  } catch (cause) {
    if (missing === 'unreachable') {
      return err({
        reason: 'unreachable',
        detail: 'The keys of Cloudflare Access cannot be read, so its token opens nothing.',
      });
    }
    return refused(missing === null ? reasonOf(cause) : 'is signed with a key that the team does not have');
  }
}

/** Claims are only looked at once the signature is known to be the team's, so saying which is wrong helps no forger. */
function reasonOf(cause: unknown): string {
  const { code, claim } = cause as { code?: string; claim?: string };
  if (code === 'ERR_JWT_EXPIRED') return 'has expired';
  return claim === undefined ? 'is not one that Access has signed' : `has the wrong "${claim}" for this Worker`;
}

function refused(why: string): Result<never, AccessRefusal> {
  return err({ reason: 'refused', detail: `The token of Cloudflare Access ${why}.` });
}
