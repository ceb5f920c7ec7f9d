/**
 * Owns HMAC-SHA-256, mostly over `<domain>|<text>`: the tags of pins, preview tokens and receipts, and the hashes of units. The domain
 * keeps a signature made for one purpose from passing for another. It compares in constant time, and does not know what the texts mean.
 */

import { fromBase64url, toBase64url } from './base64url.ts';
import { MAX_IMPORTED_KEYS, TAG_LENGTH } from './limits.ts';

/** What a signature is for. */
export type Domain = 'pin' | 'preview' | 'receipt' | 'unit';

const encoder = new TextEncoder();

// Keys, not promises of keys: a promise begun in one request must not be awaited in another.
const keys = new Map<string, CryptoKey>();

/** The tag of a text: 43 base64url characters. `secret` must not be empty. */
export async function sign(domain: Domain, text: string, secret: string): Promise<string> {
  return toBase64url(await digest(domain, text, secret));
}

/** The 32 bytes that a tag spells. */
export function digest(domain: Domain, text: string, secret: string): Promise<Uint8Array> {
  return hmac(`${domain}|${text}`, secret);
}

/** HMAC-SHA-256 of a text as it stands: for what is signed with a secret that signs nothing else. */
export async function hmac(text: string, secret: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', await keyOf(secret), encoder.encode(text)));
}

/** Whether `tag` is the text's tag. Anything that is not a tag at all is false; never throws on what a client sent. */
export async function isSigned(domain: Domain, text: string, tag: string, secret: string): Promise<boolean> {
  const signature = tag.length === TAG_LENGTH ? fromBase64url(tag) : null;
  if (signature === null) return false;
  return crypto.subtle.verify('HMAC', await keyOf(secret), signature, encoder.encode(`${domain}|${text}`));
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  const usages: ('sign' | 'verify')[] = ['sign', 'verify'];
  const raw = encoder.encode(secret);
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, usages);
  if (keys.size >= MAX_IMPORTED_KEYS) keys.clear();
  keys.set(secret, key);
  return key;
}
