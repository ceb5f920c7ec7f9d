import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MAX_PREVIEW_MS } from '../../src/split/limits.ts';
import {
  createPreviewToken,
  type Preview,
  previewTokensOf,
  readPreviewToken,
  serializePreviewCookie,
} from '../../src/split/preview.ts';

const SECRET = 'a secret of the tests';
const NOW_MS = Date.UTC(2026, 10, 23, 10);
const HOUR_MS = 3_600_000;
const wish = { route: 'chat', variant: 'green', host: 'api.example.com', expiresAtMs: NOW_MS + HOUR_MS };
const here = { route: 'chat', host: 'api.example.com', nowMs: NOW_MS };

async function tokenFor(changes: Partial<Preview> = {}): Promise<string> {
  const created = await createPreviewToken({ ...wish, ...changes, nowMs: NOW_MS }, SECRET);
  if (!created.ok) throw new Error(created.error.reason);
  return created.value;
}

/** A token that our own code would not make, with a true signature. */
function signedByHand(route: string, variant: string, host: string, expiry: string): string {
  const tag = createHmac('sha256', SECRET).update(`preview|${route}|${variant}|${host}|${expiry}`).digest('base64url');
  return [route, variant, host, expiry, tag].join('~');
}

describe('a preview token', () => {
  it('shows the variant it was made for, on its host, until it expires', async () => {
    const token = await tokenFor();
    expect(await readPreviewToken(token, here, SECRET)).toEqual({ ok: true, value: wish });
    expect(await readPreviewToken(token, { host: 'API.example.com', nowMs: NOW_MS }, SECRET)).toMatchObject({
      ok: true,
    });
    const lastMoment = { ...here, nowMs: wish.expiresAtMs - 1 };
    expect(await readPreviewToken(token, lastMoment, SECRET)).toMatchObject({ ok: true });
  });

  it('is an HMAC over preview|route|variant|host|expiry', async () => {
    expect(await tokenFor()).toBe(signedByHand('chat', 'green', 'api.example.com', String(wish.expiresAtMs / 1000)));
  });

  it.each(['localhost:8787', '[::1]:8787', 'a-b.c_d.example'])(
    'is safe in a header, a cookie and a query for %s',
    async (host) => {
      const token = await tokenFor({ host });
      expect(token).toMatch(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]+$/); // RFC 6265 cookie-octet
      expect(new URL(`https://x/?token=${token}`).searchParams.get('token')).toBe(token);
      expect(await readPreviewToken(token, { ...here, host }, SECRET)).toMatchObject({ ok: true });
    },
  );

  it.each<[string, Partial<Preview & { nowMs: number }>, string]>([
    ['lives over 24 h', { expiresAtMs: NOW_MS + MAX_PREVIEW_MS + 1000 }, 'too_long'],
    ['has expired already', { expiresAtMs: NOW_MS }, 'expired'],
    ['has no time', { expiresAtMs: Number.NaN }, 'expired'],
    ['has a host with a separator', { host: 'a~b' }, 'malformed'],
    ['has a host with a bar', { host: 'a|b' }, 'malformed'],
    ['has no host', { host: '' }, 'malformed'],
    ['has a bad variant', { variant: 'Green' }, 'malformed'],
    ['has a bad route', { route: '' }, 'malformed'],
  ])('is not made when it %s', async (_, changes, reason) => {
    const created = await createPreviewToken({ ...wish, nowMs: NOW_MS, ...changes }, SECRET);
    expect(created).toEqual({ ok: false, error: { reason } });
  });

  it('is not read without a secret', async () => {
    const refused = { ok: false, error: { reason: 'no_secret' } };
    expect(await readPreviewToken(await tokenFor(), here, '')).toEqual(refused);
  });

  it.each<[string, (token: string) => string | Promise<string>, object, string]>([
    ['on another host', (token) => token, { host: 'evil.example.com' }, 'other_host'],
    ['on another route', (token) => token, { route: 'search' }, 'other_route'],
    ['after its time', (token) => token, { nowMs: wish.expiresAtMs }, 'expired'],
    ['more than 24 h before its end', (token) => token, { nowMs: wish.expiresAtMs - MAX_PREVIEW_MS - 1 }, 'too_long'],
    ['with another variant', (token) => token.replace('green', 'canary'), {}, 'forged'],
    ['with another host written in', (token) => token.replace('api.', 'evil.'), { host: 'evil.example.com' }, 'forged'],
    ['with a later expiry', (token) => token.replace(/~(\d+)~/, (_, at) => `~${Number(at) + 60}~`), {}, 'forged'],
    ['with a tag of zeros', (token) => token.replace(/~[^~]+$/, `~${'A'.repeat(43)}`), {}, 'forged'],
    ['with a short tag', (token) => token.slice(0, -1), {}, 'forged'],
    ['without a tag', (token) => token.replace(/~[^~]+$/, ''), {}, 'malformed'],
    ['with something after it', (token) => `${token}~x`, {}, 'malformed'],
    ['signed for ten years', () => signedByHand('chat', 'green', 'api.example.com', '2111010000'), {}, 'too_long'],
    [
      'signed with an expiry that is no number',
      () => signedByHand('chat', 'green', 'api.example.com', '1e99'),
      {},
      'malformed',
    ],
    ['that is a plain wish', () => 'green', {}, 'malformed'],
    ['of 60 KB', () => '~'.repeat(60_000), {}, 'malformed'],
    ['of nothing', () => '', {}, 'malformed'],
  ])('is ignored %s', async (_, change, changes, reason) => {
    const token = await change(await tokenFor());
    expect(await readPreviewToken(token, { ...here, ...changes }, SECRET)).toEqual({ ok: false, error: { reason } });
  });

  it('by another secret is forged', async () => {
    const read = await readPreviewToken(await tokenFor(), here, 'guess');
    expect(read).toEqual({ ok: false, error: { reason: 'forged' } });
  });
});

describe('where a request bears its token', () => {
  const bearing = (header: string | null, cookieHeader: string | null, https = true) =>
    previewTokensOf({ header: (name) => (name === 'x-headgate-preview' ? header : null), cookieHeader, https });

  it('is the header first, then the cookies of the scheme, of which few are read', () => {
    expect(bearing('h', '__Host-headgate-preview=c')).toEqual(['h', 'c']);
    expect(bearing(null, 'a=1; __Host-headgate-preview=c')).toEqual(['c']);
    expect(bearing(null, 'headgate-preview=c')).toEqual([]);
    expect(bearing(null, 'headgate-preview=c', false)).toEqual(['c']);
    expect(bearing(null, null)).toEqual([]);
    expect(bearing('', 'headgate-preview=junk; headgate-preview=c', false)).toEqual(['junk', 'c']);
    expect(bearing('h', 'headgate-preview=1; headgate-preview=2; headgate-preview=3', false)).toHaveLength(3);
  });
});

describe('the preview cookie', () => {
  it('lives as long as its token', () => {
    const cookie = { token: 't', expiresAtMs: NOW_MS + HOUR_MS, nowMs: NOW_MS };
    expect(serializePreviewCookie({ ...cookie, https: true })).toBe(
      '__Host-headgate-preview=t; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure',
    );
    expect(serializePreviewCookie({ ...cookie, https: false })).toBe(
      'headgate-preview=t; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax',
    );
  });
});
