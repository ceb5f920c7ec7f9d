/**
 * Owns the hash behind assignment: MurmurHash3_x86_32 over the UTF-8 bytes of a text (Austin Appleby, public domain).
 * It refuses to be a security measure: whoever must not be able to aim at a value needs `sign.ts`.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * Hash of a text's UTF-8 bytes, an unsigned 32-bit integer.
 * Lone surrogates count as U+FFFD, as TextEncoder would write them. Never fails, and allocates no buffer.
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
    if ((a | b | c | d) > 0x7f) return hashBytes(text, at, hash);
    hash = mixBlock(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let index = at; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return hashBytes(text, at, hash);
    tail |= code << ((index - at) << 3);
  }
  if (at < length) hash ^= scramble(tail);
  return finish(hash, length);
}

/** Goes on byte by byte from `from`, where the first `from` characters were ASCII and fill whole blocks. */
function hashBytes(text: string, from: number, startHash: number): number {
  let hash = startHash;
  let byteCount = from;
  let block = 0;
  const push = (byte: number): void => {
    block |= byte << ((byteCount & 3) << 3);
    byteCount++;
    if ((byteCount & 3) === 0) {
      hash = mixBlock(hash, block);
      block = 0;
    }
  };
  for (let at = from; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const point = (unit & 0xf800) === 0xd800 ? surrogateAt(text, at, unit) : unit;
    if (point > 0xffff) at++;
    if (point < 0x80) push(point);
    else if (point < 0x800) {
      push(0xc0 | (point >> 6));
      push(0x80 | (point & 0x3f));
    } else {
      if (point < 0x10000) push(0xe0 | (point >> 12));
      else {
        push(0xf0 | (point >> 18));
        push(0x80 | ((point >> 12) & 0x3f));
      }
      push(0x80 | ((point >> 6) & 0x3f));
      push(0x80 | (point & 0x3f));
    }
  }
  if ((byteCount & 3) !== 0) hash ^= scramble(block);
  return finish(hash, byteCount);
}

/** The code point of the pair that begins at `at`, or U+FFFD where there is no pair. */
function surrogateAt(text: string, at: number, unit: number): number {
  const low = unit < 0xdc00 && at + 1 < text.length ? text.charCodeAt(at + 1) : 0;
  return (low & 0xfc00) === 0xdc00 ? 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
}

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
