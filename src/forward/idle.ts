/**
 * Owns the watch for a body that stalls: one timer for each body, set again lazily, so that a busy stream costs one clock read a
 * chunk. It does not know what is watched; its owner cuts the body when told.
 */

/** Calls `onIdle` once when `touch` was not called for `idleMs`. */
export class IdleWatch {
  #idleMs: number;
  #onIdle: () => void;
  #otherMs: () => number;
  #lastMs = Date.now();
  #timer: ReturnType<typeof setTimeout>;

  /** `otherMs`: when something else that the body waits for last moved; Infinity while it is still moving. */
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
    // A clock that was set back must not keep a stalled body for as long.
    this.#lastMs = Math.min(this.#lastMs, nowMs);
    const leftMs = this.#idleMs - (nowMs - Math.max(this.#lastMs, Math.min(nowMs, this.#otherMs())));
    if (leftMs <= 0) this.#onIdle();
    else this.#timer = setTimeout(() => this.#look(), leftMs);
  }
}
