/**
 * Owns the memory of what units asked lately, so that it is seen when one asks the same again. Bounded: with more asks a minute than
 * it holds it looks back less far. It keeps hashes, and for two minutes at most.
 */

import { contentHash } from '../config/hash.ts';
import type { Served } from '../forward/served.ts';
import { isShort } from '../forward/upload.ts';
import { MAX_ASKS, REPEAT_MS } from './limits.ts';

export class Repeats {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #turnedAtMs = 0;

  /** Whether the same was asked within a minute; it is remembered either way. Answers come in another order than they were asked. */
  isRetry(ask: string, atMs: number): boolean {
    if (this.#young.size >= MAX_ASKS || atMs - this.#turnedAtMs > REPEAT_MS) {
      [this.#old, this.#young] = [this.#young, new Map()];
      this.#turnedAtMs = atMs;
    }
    const before = this.#young.get(ask) ?? this.#old.get(ask);
    this.#young.set(ask, Math.max(before ?? 0, atMs));
    return before !== undefined && Math.abs(atMs - before) <= REPEAT_MS;
  }
}

/** Unit, method, path, query and body as one word; null where the body is not in hand, so that nobody knows what was asked. */
export function askOf({ unit, method, url, route, upload, sent }: Served): string | null {
  if (upload.isPresent && (upload.bytes === null || !isShort(sent))) return null;
  const text = `${route.name} ${unit} ${method} ${url.pathname}${url.search}`;
  return contentHash(text) + (upload.bytes === null ? '' : hashOf(upload.bytes));
}

/** FNV-1a, and the length. */
function hashOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${(hash >>> 0).toString(36)}.${bytes.byteLength}`;
}
