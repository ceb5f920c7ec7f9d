/**
 * Owns the watch over a body that stalls. One timer a body, set again lazily: a busy stream costs a clock read a chunk.
 * It does not know what is watched; the owner cuts it when told.
 */

/** Calls `onIdle` once when `touch` was not called for `idleMs`. */
export class IdleWatch {
  #idleMs: number;
  #onIdle: () => void;
  #otherMs: () => number;
  #lastMs = Date.now();
  #timer: ReturnType<typeof setTimeout>;

  /** `otherMs`: when something else last moved that is waited for; later than now while it moves still. */
  constructor(idleMs: number, onIdle: () => void, otherMs = () => 0) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.#otherMs = otherMs;
    this.#timer = setTimeout(() => this.#look(), idleMs);
  }

  /** Something moved. */
  touch(): void {
    this.#lastMs = Date.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const nowMs = Date.now();
    const leftMs = this.#idleMs - (nowMs - Math.max(this.#lastMs, Math.min(nowMs, this.#otherMs())));
    if (leftMs <= 0) this.#onIdle();
    else this.#timer = setTimeout(() => this.#look(), leftMs);
  }
}
