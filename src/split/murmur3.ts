/**
 * Owns the hash behind assignment: MurmurHash3_x86_32 over the UTF-8 bytes of a text (Austin Appleby, public domain).
 * It refuses to be a security measure: whoever must not be able to aim at a value needs `sign.ts`.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

const encoder = new TextEncoder();

/**
 * Hash of a text's UTF-8 bytes, an unsigned 32-bit integer.
 * Lone surrogates count as U+FFFD, as TextEncoder writes them. Never fails, and allocates no buffer where all is ASCII.
 */
export function murmur3(text: string, seed = 0): number {
  const length = text.length;
  let hash = seed | 0;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    const a = text.charCodeAt(at);
    const b = text.charCodeAt(at + 1);
    const c = text.charCodeAt(at + 2);
    const d = text.charCodeAt(at + 3);
    if ((a | b | c | d) > 0x7f) return hashBytes(encoder.encode(text), seed);
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let index = at; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return hashBytes(encoder.encode(text), seed);
    tail |= code << ((index - at) << 3);
  }
  return finish(hash ^ scramble(tail), length);
}

/** The same of bytes. */
export function hashBytes(bytes: Uint8Array, seed = 0): number {
  let hash = seed | 0;
  let block = 0;
  for (let at = 0; at < bytes.length; at++) {
    block |= bytes[at]! << ((at & 3) << 3);
    if ((at & 3) !== 3) continue;
    hash = mixBlock(hash, block);
    block = 0;
  }
  return finish(hash ^ scramble(block), bytes.length);
}

/** Murmur3's block mix. Gives 0 for 0, so that an empty tail changes nothing. */
function scramble(block: number): number {
  const mixed = Math.imul(block, C1);
  return Math.imul((mixed << 15) | (mixed >>> 17), C2);
}

function mixBlock(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, byteCount: number): number {
  let h = hash ^ byteCount;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
