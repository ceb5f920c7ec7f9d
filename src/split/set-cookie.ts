/**
 * Owns the attributes of the cookies that Headgate sets, by what browsers accept on each scheme. It knows no values.
 */

import type { CookieSettings } from '../config/types.ts';

/** What one Set-Cookie line says. */
export interface SetCookie {
  name: string;
  value: string;
  https: boolean;
  maxAgeSeconds: number;
  sameSite: CookieSettings['sameSite'];
  partitioned: boolean;
}

const SAME_SITE = { lax: 'Lax', none: 'None', strict: 'Strict' } as const;

/**
 * A Set-Cookie value. On http, browsers refuse `SameSite=None` and `Partitioned` for want of `Secure`, so there the cookie is
 * `SameSite=Lax` and unpartitioned: a cookie that is kept and sent to its own site, instead of one that is dropped.
 */
export function setCookieLine(cookie: SetCookie): string {
  const sameSite = cookie.sameSite === 'none' && !cookie.https ? 'lax' : cookie.sameSite;
  const line = `${cookie.name}=${cookie.value}; Path=/; Max-Age=${cookie.maxAgeSeconds}; HttpOnly; SameSite=${SAME_SITE[sameSite]}`;
  if (!cookie.https) return line;
  return cookie.partitioned ? `${line}; Secure; Partitioned` : `${line}; Secure`;
}
