/**
 * Owns preview tokens: a signed, expiring leave to see one variant of one route on one host, whatever the weights say.
 * It fails closed: what is not signed for this host, or lives longer than a day, is no wish at all.
 */

import { err, ok, type Result } from '../result.ts';
import { readCookie } from './cookies.ts';
import { MAX_PREVIEW_MS, MAX_PREVIEW_TOKEN_LENGTH, MAX_PREVIEW_TOKENS } from './limits.ts';
import { setCookieLine } from './set-cookie.ts';
import { isSigned, sign } from './sign.ts';

/** What a token allows. `host` is the URL's host as the client sees it, with a port where there is one. */
export interface Preview {
  route: string;
  variant: string;
  host: string;
  expiresAtMs: number;
}

/** Why a token is not given or not honoured. */
export interface PreviewFault {
  reason: 'no_secret' | 'malformed' | 'forged' | 'expired' | 'too_long' | 'other_host' | 'other_route';
}

/** The request header that may carry a token. */
export const PREVIEW_HEADER = 'x-headgate-preview';

// `~` is in no name, host, number or tag, and safe in headers, cookies and queries alike.
const TOKEN =
  /^([a-z0-9][a-z0-9-]{0,31})~([a-z0-9][a-z0-9-]{0,31})~([a-z0-9._:[\]-]{1,255})~([1-9][0-9]{0,10})~([^~]*)$/;

/** The only name under which a preview cookie is read and set on this scheme. */
function previewCookieName(https: boolean): string {
  return https ? '__Host-headgate-preview' : 'headgate-preview';
}

/** A token for the preview; its expiry is cut to whole seconds. Refuses bad names and hosts, and lives outside 0 to 24 h. */
export async function createPreviewToken(
  preview: Preview & { nowMs: number },
  secret: string,
): Promise<Result<string, PreviewFault>> {
  const allowed = [preview.route, preview.variant, preview.host.toLowerCase()];
  if (!TOKEN.test([...allowed, '1', ''].join('~'))) return err({ reason: 'malformed' });
  const expirySeconds = Math.floor(preview.expiresAtMs / 1000);
  const fault = lifeFault(expirySeconds * 1000, preview.nowMs);
  if (fault !== null) return err(fault);
  const fields = [...allowed, expirySeconds];
  return ok([...fields, await sign('preview', fields.join('|'), secret)].join('~'));
}

/**
 * The preview that a token allows here and now. `route` is checked when given. Every refusal has its reason, for the admin's
 * eyes; to a visitor all of them are alike (the wish is ignored).
 */
export async function readPreviewToken(
  token: string,
  here: { route?: string; host: string; nowMs: number },
  secret: string | undefined,
): Promise<Result<Preview, PreviewFault>> {
  if (!secret) return err({ reason: 'no_secret' });
  const parts = token.length > MAX_PREVIEW_TOKEN_LENGTH ? null : TOKEN.exec(token);
  if (parts === null) return err({ reason: 'malformed' });
  const [, route = '', variant = '', host = '', expiry = '', tag = ''] = parts;
  const signed = await isSigned('preview', `${route}|${variant}|${host}|${expiry}`, tag, secret);
  if (!signed) return err({ reason: 'forged' });
  const preview = { route, variant, host, expiresAtMs: Number(expiry) * 1000 };
  const fault = lifeFault(preview.expiresAtMs, here.nowMs);
  if (fault !== null) return err(fault);
  if (host !== here.host.toLowerCase()) return err({ reason: 'other_host' });
  if (here.route !== undefined && route !== here.route) return err({ reason: 'other_route' });
  return ok(preview);
}

/** The tokens that a request bears, unread: the header's, then the preview cookies'. Few are worth the reading. */
export function previewTokensOf(request: {
  header(name: string): string | null;
  cookieHeader: string | null;
  https: boolean;
}): readonly string[] {
  const header = request.header(PREVIEW_HEADER);
  const cookies = readCookie(request.cookieHeader, previewCookieName(request.https));
  return (header ? [header, ...cookies] : cookies).slice(0, MAX_PREVIEW_TOKENS);
}

/** The Set-Cookie line that keeps a token until it expires. */
export function serializePreviewCookie(cookie: {
  token: string;
  https: boolean;
  expiresAtMs: number;
  nowMs: number;
}): string {
  const maxAgeSeconds = Math.max(0, Math.floor((cookie.expiresAtMs - cookie.nowMs) / 1000));
  const { token, https } = cookie;
  const name = previewCookieName(https);
  return setCookieLine({ name, value: token, https, maxAgeSeconds, sameSite: 'lax', partitioned: false });
}

function lifeFault(expiresAtMs: number, nowMs: number): PreviewFault | null {
  if (!(expiresAtMs > nowMs)) return { reason: 'expired' };
  return expiresAtMs - nowMs > MAX_PREVIEW_MS ? { reason: 'too_long' } : null;
}
