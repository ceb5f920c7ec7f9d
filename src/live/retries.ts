/**
 * Owns the memory of what units asked lately, which tells when a unit asks the same again: the metric `retry`, and not the second copy to
 * the baseline that the design calls a repeat. It keeps hashes only, for two minutes at most. Bounded: with more asks a minute than it
 * can hold it looks back less far.
 */

import { contentHash } from '../config/hash.ts';
import type { Served } from '../forward/served.ts';
import { isShort } from '../forward/upload.ts';
import { hashBytes } from '../split/murmur3.ts';
import { MAX_REMEMBERED_ASKS, RETRY_WITHIN_MS } from './limits.ts';

/** What was asked in the last minute or two, by the hash of `askOf`. */
export class RetryMemory {
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #turnedAtMs = 0;

  /** Whether the same was asked within a minute before or after (answers end out of order). The ask is remembered either way. */
  isRetry(ask: string, atMs: number): boolean {
    if (this.#young.size >= MAX_REMEMBERED_ASKS || atMs - this.#turnedAtMs > RETRY_WITHIN_MS) {
      [this.#old, this.#young] = [this.#young, new Map()];
      this.#turnedAtMs = atMs;
    }
    const before = this.#young.get(ask) ?? this.#old.get(ask);
    this.#young.set(ask, Math.max(before ?? 0, atMs));
    return before !== undefined && Math.abs(atMs - before) <= RETRY_WITHIN_MS;
  }
}

/** One hash of route, unit, method, path, query and body; null where the body was not kept, so that it cannot be told what was asked. */
export function askOf({ unit, method, url, route, upload, sent }: Served): string | null {
  if (upload.isPresent && (upload.bytes === null || !isShort(sent))) return null;
  const text = `${route.name} ${unit} ${method} ${url.pathname}${url.search}`;
  return contentHash(text) + (upload.bytes === null ? '' : `${hashBytes(upload.bytes)}.${upload.bytes.byteLength}`);
}
