/**
 * Owns which request headers a variant may set or remove, and how secrets are named inside header values.
 * It reads no secret: the caller passes a function that does.
 */

import type { FaultWords } from '../result.ts';

/** RFC 9110 §7.6.1: request headers that describe one connection and are never passed on. */
export const hopByHop = new Set(
  'connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding upgrade expect'.split(
    ' ',
  ),
);

/** These belong to the message as it is forwarded, or to the loop guard. */
const fixed = new Set(['host', 'content-length', 'cdn-loop']);

/** Header names whose values are keys in nearly every API, which should come from a secret. */
export const credentials = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  // The same token that Cloudflare Access sets as a cookie.
  'cf-access-jwt-assertion',
]);

/** Why a variant may not set (or remove) a header of this name, or null. */
export function headerFault(name: string, action: 'set' | 'remove'): FaultWords | null {
  const lower = name.toLowerCase();
  if (lower.startsWith('x-headgate-')) {
    return { reason: "is one of Headgate's own headers", mend: 'choose another name' };
  }
  if (fixed.has(lower)) {
    return { reason: `cannot be ${action === 'set' ? 'set' : 'removed'}`, mend: 'leave it out' };
  }
  if (action === 'set' && hopByHop.has(lower)) {
    return { reason: 'belongs to one connection and is never passed on', mend: 'leave it out' };
  }
  return null;
}

/** Whether a text can be a header value (RFC 9110 §5.5, as `Headers` takes it): no controls, nothing beyond Latin-1. */
export function isHeaderValue(value: string): boolean {
  return /^[\t -~\x80-\xff]*$/.test(value) && value.trim() === value;
}

const placeholder = /\$\{([^}]*)\}/g;

/** The names between `${` and `}` in a header value, in order. */
export function secretNames(template: string): string[] {
  return Array.from(template.matchAll(placeholder), (match) => match[1]!);
}

/** Whether a placeholder names a secret that the config may use. No other secret of the Worker can be reached. */
export function isKeyName(name: string): boolean {
  return /^KEY_[A-Za-z0-9_]{1,60}$/.test(name);
}

/**
 * Fills `${KEY_…}` from the Worker's secrets. Undefined when a secret is missing, empty, unreadable as a header value or not
 * called `KEY_…`: the caller then treats the variant as unreachable and never sends a half-filled credential.
 */
export function fillSecrets(template: string, secret: (name: string) => string | undefined): string | undefined {
  let whole = true;
  const filled = template.replace(placeholder, (_, name: string) => {
    const value = isKeyName(name) ? secret(name) : undefined;
    if (value === undefined || value === '') whole = false;
    return value ?? '';
  });
  return whole && isHeaderValue(filled) ? filled : undefined;
}
