/**
 * Owns what a signed token is (RFC 7515, RFC 7519) where one algorithm is taken, RS256, and whose signature it bears. It refuses to
 * know what its claims should say. It fails closed: nothing of a token is believed before its signature, but the name of its key.
 * `jose` would do, at 5 KB of the Worker; it signs, and forges, what the tests hold against this.
 */

import { isObject } from '../json.ts';
import { err, ok, type Result } from '../result.ts';
import { fromBase64url } from '../split/base64url.ts';

/** The public half of an RSA key, as a JSON Web Key has it. */
export interface PublicKey {
  kid: string;
  n: string;
  e: string;
}

export type Claims = Record<string, unknown>;

const RS256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
/** RFC 7518 §3.3. */
const LEAST_BITS = 2048;
/** Longer than any that Access makes; a header may hold no more anyway. */
const MAX_LENGTH = 16_384;

/** The claims of a token that the key which it names has signed; `unsigned` for whatever else was sent. */
export async function signedClaims<E extends string>(
  token: string,
  keyOf: (kid: unknown) => Promise<Result<PublicKey, E>>,
): Promise<Result<Claims, E | 'unsigned'>> {
  const [head = '', body = '', tail = '', ...more] = token.length > MAX_LENGTH ? [] : token.split('.');
  const header = objectOf(head);
  const signature = fromBase64url(tail);
  // RFC 7515 §4.1.11: who does not know a critical header refuses the token.
  if (more.length > 0 || header?.alg !== 'RS256' || 'crit' in header || signature === null) return err('unsigned');
  const key = await keyOf(header.kid);
  if (!key.ok) return key;
  const said = new TextEncoder().encode(`${head}.${body}`);
  const claims = (await isSignedBy(key.value, signature, said)) ? objectOf(body) : null;
  return claims === null ? err('unsigned') : ok(claims);
}

async function isSignedBy({ n, e }: PublicKey, signature: BufferSource, said: BufferSource): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('jwk', { kty: 'RSA', n, e, alg: 'RS256' }, RS256, false, ['verify']);
    const { modulusLength } = key.algorithm as unknown as { modulusLength: number };
    return modulusLength >= LEAST_BITS && (await crypto.subtle.verify(RS256, key, signature, said));
  } catch {
    // A key that is none has signed nothing.
    return false;
  }
}

/** The object that a part of a token is; null when it is none, or spelled in another way than one may. */
function objectOf(part: string): Claims | null {
  const bytes = fromBase64url(part);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
