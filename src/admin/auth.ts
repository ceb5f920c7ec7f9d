/** Owns who may call the API: holders of `ADMIN_TOKEN`. It fails closed: without the secret set, nobody. */

import type { MiddlewareHandler } from 'hono';
import { problem } from '../problem.ts';
import type { AdminEnv } from './context.ts';
import { Failures } from './failures.ts';

const encoder = new TextEncoder();

/** Lets a request pass with `Authorization: Bearer <ADMIN_TOKEN>`; answers 503 `admin_disabled`, 401 or 429 otherwise. */
export function bearerAuth(failures = new Failures()): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const expected = c.env.ADMIN_TOKEN;
    if (typeof expected !== 'string' || expected === '') {
      return problem({
        status: 503,
        code: 'admin_disabled',
        detail: 'The admin API is closed, because ADMIN_TOKEN is not set.',
        mend: 'wrangler secret put ADMIN_TOKEN (locally: ADMIN_TOKEN=… in .dev.vars)',
      });
    }
    const token = bearerToken(c.req.header('authorization'));
    // A request without a token is no guess, so it is not counted.
    if (token === undefined) return unauthorized('This call needs an Authorization: Bearer header.');
    const address = c.req.header('cf-connecting-ip') ?? 'unknown';
    const waitSeconds = failures.waitSeconds(address, Date.now());
    if (waitSeconds > 0) {
      return problem({
        status: 429,
        code: 'too_many_failures',
        detail: 'Too many wrong tokens came from this address.',
        mend: `wait ${waitSeconds} s`,
        headers: { 'retry-after': String(waitSeconds) },
      });
    }
    if (await sameSecret(token, expected)) return next();
    failures.count(address, Date.now());
    return unauthorized('The token is wrong.');
  };
}

function unauthorized(detail: string): Response {
  return problem({
    status: 401,
    code: 'unauthorized',
    detail,
    mend: 'send the Worker secret ADMIN_TOKEN as Authorization: Bearer <token>',
    headers: { 'www-authenticate': 'Bearer realm="headgate"' },
  });
}

/** The token of an Authorization header. RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). */
export function bearerToken(header: string | undefined): string | undefined {
  const found = header?.match(/^bearer +(\S+) *$/i);
  return found?.[1];
}

/** Compares hashes, each looked at to its end, so that neither length nor content shows in the time taken. */
export async function sameSecret(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([sha256(given), sha256(expected)]);
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', encoder.encode(text)));
}
