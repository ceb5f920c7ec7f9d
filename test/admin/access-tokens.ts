/** What tests of Cloudflare Access share: a team with its keys, and tokens as Access signs them, or as a forger would. */

import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export const audience = '32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228';

type Key = CryptoKey | Uint8Array;

export interface Signer {
  kid: string;
  privateKey: CryptoKey;
  publicKey: CryptoKey;
  /** As `/cdn-cgi/access/certs` shows it. */
  jwk: Record<string, unknown>;
}

export async function newSigner(kid: string, alg = 'RS256'): Promise<Signer> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' };
  return { kid, ...pair, jwk };
}

/** Claims of a person, good for two days; `undefined` leaves one out. */
export function claims(team: string, more: Record<string, unknown> = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  const usual = { aud: [audience], email: 'ada@example.com', iss: team, sub: 'a-user', type: 'app' };
  return { ...usual, iat: now - 60, nbf: now - 60, exp: now + 172_800, ...more };
}

export function signed(payload: JWTPayload, signer: Signer, header: Record<string, unknown> = {}): Promise<string> {
  return sign(payload, { alg: 'RS256', kid: signer.kid, typ: 'JWT', ...header }, signer.privateKey);
}

const sign = (payload: JWTPayload, header: Record<string, unknown>, key: Key) =>
  new SignJWT(payload).setProtectedHeader(header as { alg: string }).sign(key);

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens that must open nothing, by what is wrong with them. `signer` is the team's, `stranger` somebody else's of the same kid. */
export async function forgeries(team: string, signer: Signer): Promise<Record<string, string>> {
  const good = claims(team);
  const now = Math.floor(Date.now() / 1000);
  const valid = await signed(good, signer);
  const [header, payload, signature] = valid.split('.') as [string, string, string];
  const stranger = await newSigner(signer.kid);
  const pem = new TextEncoder().encode(await exportSPKI(signer.publicKey));
  const elliptic = await newSigner(signer.kid, 'ES256');
  const hmac = { alg: 'HS256', kid: signer.kid };
  return {
    'no signature (alg none)': `${part({ alg: 'none', kid: signer.kid })}.${payload}.`,
    'alg none with the old signature': `${part({ alg: 'none', kid: signer.kid })}.${payload}.${signature}`,
    'alg None': `${part({ alg: 'None', kid: signer.kid })}.${payload}.`,
    'an HMAC with the public key as PEM': await sign(good, hmac, pem),
    'an HMAC with the modulus': await sign(good, hmac, Buffer.from(signer.jwk.n as string, 'base64url')),
    'an HMAC with the JWK': await sign(good, hmac, new TextEncoder().encode(JSON.stringify(signer.jwk))),
    'another algorithm': await signed(good, elliptic, { alg: 'ES256' }),
    'its own key in the header': await signed(good, stranger, { jwk: stranger.jwk }),
    'the address of its own keys in the header': await signed(good, stranger, { jku: 'https://evil.example/certs' }),
    'somebody else’s key under the team’s kid': await signed(good, stranger),
    'a kid that the team does not have': await signed(good, stranger, { kid: 'another' }),
    'no kid': await signed(good, signer, { kid: undefined }),
    'a critical header that nobody knows': `${part({ alg: 'RS256', kid: signer.kid, crit: ['x'], x: 1 })}.${payload}.${signature}`,
    'another aud': await signed(claims(team, { aud: ['another'] }), signer),
    'an aud that only begins alike': await signed(claims(team, { aud: `${audience}0` }), signer),
    'no aud': await signed(claims(team, { aud: undefined }), signer),
    'another iss': await signed(claims(team, { iss: 'https://evil.cloudflareaccess.com' }), signer),
    'an iss with a slash': await signed(claims(team, { iss: `${team}/` }), signer),
    'no iss': await signed(claims(team, { iss: undefined }), signer),
    'an exp in the past': await signed(claims(team, { exp: now - 10 }), signer),
    'no exp': await signed(claims(team, { exp: undefined }), signer),
    'an exp that is no number': await signed(claims(team, { exp: String(now + 600) as never }), signer),
    'an nbf in the future': await signed(claims(team, { nbf: now + 60 }), signer),
    'nobody’s name': await signed(claims(team, { email: '', sub: '' }), signer),
    'a name that was changed': `${header}.${part({ ...good, email: 'eve@example.com' })}.${signature}`,
    'a signature that was changed': `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`,
    'a signature cut off': `${header}.${payload}.${signature.slice(0, 20)}`,
    'a part too many': `${valid}.${signature}`,
    'two tokens': `${valid}, ${valid}`,
    'no token at all': 'undefined',
  };
}
