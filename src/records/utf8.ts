/** Owns measuring and cutting text by its UTF-8 length. Pure; refuses nothing. */

const encoder = new TextEncoder();

/** Bytes of `text` in UTF-8. A lone surrogate counts 3, the length of the U+FFFD that encoders put in its place. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

/** The longest beginning of `text` with at most `maxBytes` bytes of UTF-8; a character is kept whole or not at all. */
export function cutUtf8(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  return text.slice(0, encoder.encodeInto(text, new Uint8Array(maxBytes)).read);
}
