/**
 * Owns the watch over a body that stalls. One timer a body, set again lazily: a busy stream costs a clock read a chunk.
 * It does not know what is watched; the owner cuts it when told.
 */

/** Calls `onIdle` once when `touch` was not called for `idleMs`. */
export class IdleWatch {
  #idleMs: number;
  #onIdle: () => void;
  #isHeld: () => boolean;
  #lastMs = Date.now();
  #timer: ReturnType<typeof setTimeout>;

  /** While `isHeld`, no time counts. */
  constructor(idleMs: number, onIdle: () => void, isHeld = () => false) {
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
    this.#isHeld = isHeld;
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
    if (this.#isHeld()) this.touch();
    const leftMs = this.#idleMs - (Date.now() - this.#lastMs);
    if (leftMs <= 0) this.#onIdle();
    else this.#timer = setTimeout(() => this.#look(), leftMs);
  }
}
