/**
 * Owns base64url without padding (RFC 4648 §5) for the bytes of ids and tags.
 * It refuses text that is not canonical, so that a tag has one spelling only.
 */

/** The text of the bytes. */
export function toBase64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/=+$/, '')
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/** The bytes of a text; null when a character is foreign, the length impossible, or a spare bit is set. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 4 === 1 || !isBase64url(text)) return null;
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  // atob passes over spare bits.
  return toBase64url(bytes) === text ? bytes : null;
}

/** Whether every character is of the alphabet. */
export function isBase64url(text: string): boolean {
  return /^[\w-]*$/.test(text);
}
