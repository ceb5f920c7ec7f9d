/**
 * Owns the publishing of splits to KV, never more often than KV allows a key to be written. What it publishes is already stored, so a crash
 * in between loses nothing; its owner's alarm tries again until KV has taken it.
 */

import type { Split } from '../config/split.ts';
import type { Env } from '../env.ts';
import { sleep, withLimit } from '../limit.ts';
import { BETWEEN_WRITES_MS, KV_LAG_MS, KV_WRITE_LIMIT_MS } from './limits.ts';
import { Turns } from './turns.ts';

/** The writer of one route’s split. */
export class Publisher {
  #env: Env;
  #key: string;
  #turns = new Turns();
  #lastWriteMs = 0;
  #publishedRevision = 0;
  #onLate: () => void;

  /** `onLate` is called when a write that was given up ends after all: it may have put an older split over a newer one. */
  constructor(env: Env, route: string, onLate: () => void) {
    this.#env = env;
    this.#key = `split:${route}`;
    this.#onLate = onLate;
  }

  /** Whether KV still shows an older split than `own` after the longest lag. Then the next `publish` writes the newest again. */
  isOverwritten(shown: Split, own: Split, nowMs: number): boolean {
    if (shown.revision >= own.revision || nowMs - Math.max(Date.parse(own.at) || 0, this.#lastWriteMs) < KV_LAG_MS)
      return false;
    this.#publishedRevision = 0;
    return true;
  }

  /** Writes the split that `newest` gives when its turn comes. False if KV did not take it, or a newer one is there by then. */
  publish(newest: () => Split | null): Promise<boolean> {
    return this.#turns.take(async () => {
      const waitMs = Math.min(BETWEEN_WRITES_MS, this.#lastWriteMs + BETWEEN_WRITES_MS - Date.now());
      if (waitMs > 0) await sleep(waitMs);
      const split = newest();
      if (split === null || split.revision <= this.#publishedRevision) return true;
      this.#lastWriteMs = Date.now();
      try {
        await this.#write(JSON.stringify(split));
        this.#publishedRevision = split.revision;
        return newest()!.revision === split.revision;
      } catch (cause) {
        console.warn(`KV did not take ${this.#key}: ${cause}`);
        return false;
      }
    });
  }

  async #write(text: string): Promise<void> {
    let isGivenUp = false;
    const writing = this.#env.CONFIG.put(this.#key, text);
    const ended = () => {
      if (!isGivenUp) return;
      this.#publishedRevision = 0;
      this.#onLate();
    };
    writing.then(ended, ended);
    try {
      await withLimit(writing, KV_WRITE_LIMIT_MS);
    } catch (cause) {
      isGivenUp = true;
      throw cause;
    }
  }
}
