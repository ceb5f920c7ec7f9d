/**
 * Owns base64url without padding (RFC 4648 §5) for the few dozen bytes of ids and tags.
 * It refuses text that is not canonical, so that a tag has one spelling only.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The text of the bytes. */
export function toBase64url(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    for (bits += 8; bits >= 6; bits -= 6) text += ALPHABET.charAt((held >> (bits - 6)) & 63);
  }
  return bits > 0 ? text + ALPHABET.charAt((held << (6 - bits)) & 63) : text;
}

/** The bytes of a text; null when a character is foreign, the length impossible, or a spare bit is set. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 4 === 1) return null;
  const bytes = new Uint8Array((text.length * 6) >> 3);
  let held = 0;
  let bits = 0;
  let filled = 0;
  for (let at = 0; at < text.length; at++) {
    const value = sextetOf(text.charCodeAt(at));
    if (value === -1) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[filled++] = (held >> bits) & 255;
    }
  }
  return (held & ((1 << bits) - 1)) === 0 ? bytes : null;
}

/** Whether every character between `from` and `to` is of the alphabet. */
export function isBase64url(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (sextetOf(text.charCodeAt(at)) === -1) return false;
  return true;
}

function sextetOf(code: number): number {
  if (code >= 0x41 && code <= 0x5a) return code - 0x41;
  if (code >= 0x61 && code <= 0x7a) return code - 0x61 + 26;
  if (code >= 0x30 && code <= 0x39) return code - 0x30 + 52;
  return code === 0x2d ? 62 : code === 0x5f ? 63 : -1;
}
