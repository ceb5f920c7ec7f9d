/**
 * Owns the waiting of one attempt: the time limit, and the client's leaving. Most answers are there, head and body, within
 * milliseconds, and a timer or a listener costs as much as the whole decision about a request. So at first there is one short timer
 * only; the listener and the real time limit are set when it fires. It cuts nothing by itself: it calls its owner's `cut`.
 */

/** When the short timer fires. A client that left before is noticed then. */
const LOOK_AFTER_MS = 20;
/** How long a short body is waited for when its headers came after the short timer; then it streams. */
const BODY_WAIT_MS = 10;

/** Whose leaving is heard by a signal, such as a request. It is asked for late, since a request's signal is only made when asked for. */
export interface Leaver {
  readonly signal: AbortSignal;
}

export interface PatienceOptions {
  /** Whose leaving ends the attempt. */
  client: Leaver | null;
  timeoutMs: number;
  /** Settles with the request's last byte, from which the time limit counts; absent when everything was sent at once. */
  sent: Promise<unknown> | undefined;
  cut: () => void;
  /** Called when the short timer fires before response headers have come. */
  onLate?: () => void;
}

/** The timers and the listener of one attempt. Its owner ends them with `done`, or hands the body on with `streams`. */
export class Patience {
  /** Whether the time limit is why the attempt was cut. */
  hasTimedOut = false;
  #options: PatienceOptions;
  #look: ReturnType<typeof setTimeout> | undefined;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #hasHeaders = false;
  #listens = false;
  #onLook: (() => void) | null = null;

  constructor(options: PatienceOptions) {
    this.#options = options;
    const { timeoutMs, sent } = options;
    this.#look = setTimeout(
      () => this.#looked(),
      sent === undefined ? Math.min(LOOK_AFTER_MS, timeoutMs) : LOOK_AFTER_MS,
    );
    if (sent !== undefined) {
      const start = () => this.#setLimit(timeoutMs);
      sent.then(start, start);
    }
  }

  /** Response headers came: the time limit is met. */
  headersCame(): void {
    this.#hasHeaders = true;
    clearTimeout(this.#limit);
  }

  /** Calls `onLate` when a short body is late, unless `done` comes first. Of several callers the newest is called. */
  whenLate(onLate: () => void): void {
    this.#onLook = onLate;
    this.#look ??= setTimeout(() => this.#onLook!(), BODY_WAIT_MS);
  }

  /** The body will stream for as long as it likes: from now on the client's leaving must be heard at once. */
  streams(): void {
    this.#listen();
  }

  /** Nothing is waited for any more. */
  done(): void {
    clearTimeout(this.#look);
    clearTimeout(this.#limit);
  }

  /** Stops listening to the client: a WebSocket lives on by itself. */
  forgetClient(): void {
    this.done();
    if (this.#listens) this.#options.client?.signal.removeEventListener('abort', this.#options.cut);
  }

  #looked(): void {
    this.#look = undefined;
    this.#onLook?.();
    this.#listen();
    if (!this.#hasHeaders) this.#options.onLate?.();
    const { timeoutMs, sent } = this.#options;
    if (sent === undefined) this.#setLimit(Math.max(0, timeoutMs - LOOK_AFTER_MS));
  }

  #listen(): void {
    const { client, cut } = this.#options;
    if (client === null || this.#listens) return;
    this.#listens = true;
    const { signal } = client;
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut);
  }

  #setLimit(ms: number): void {
    if (this.#hasHeaders) return;
    this.#limit = setTimeout(() => {
      this.hasTimedOut = true;
      this.#options.cut();
    }, ms);
  }
}
