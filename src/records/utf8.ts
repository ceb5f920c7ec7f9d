/** Owns measuring and cutting text by its UTF-8 length without encoding it. Pure; refuses nothing. */

/** Bytes of `text` in UTF-8. A lone surrogate counts 3, the length of the U+FFFD that encoders put in its place. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is two units and 4 bytes: 2 were counted by length, 2 just now, so its second unit adds nothing.
    if (isPair(text, i)) i++;
  }
  return bytes;
}

/** The longest beginning of `text` with at most `maxBytes` bytes of UTF-8; a character is kept whole or not at all. */
export function cutUtf8(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  let bytes = 0;
  for (let i = 0; i < text.length; ) {
    const unit = text.charCodeAt(i);
    const pair = isPair(text, i);
    const width = pair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (bytes + width > maxBytes) return text.slice(0, i);
    bytes += width;
    i += pair ? 2 : 1;
  }
  return text;
}

function isPair(text: string, at: number): boolean {
  const first = text.charCodeAt(at);
  if (first < 0xd800 || first > 0xdbff) return false;
  const second = text.charCodeAt(at + 1);
  return second >= 0xdc00 && second <= 0xdfff;
}
