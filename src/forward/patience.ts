/**
 * Owns the waiting of one attempt. Most answers are there, head and body, within milliseconds, and a timer or a listener costs
 * as much as all that is decided about a request. So there is one timer at first: only when it fires is the client's leaving
 * listened for, and the real time limit set. It cuts nothing by itself; the owner is told.
 */

/** When what has not come yet is taken seriously. A client that leaves earlier is noticed then. */
const LOOK_AFTER_MS = 20;
/** How long a short body may take once headers came late: then it streams. */
const BODY_WAIT_MS = 10;

/** Who may leave: a request, or what has a signal like one. A request's signal is made when it is first asked for, so late is cheap. */
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
  /** Told when headers have not come soon. */
  onLate?: () => void;
}

export class Patience {
  /** Whether the time limit is why the attempt was cut. */
  isOver = false;
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

  /** Calls once a short body has had its time, unless `done` comes before; the newest caller is called. */
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

  /** No more listening to the client (its socket lives on by itself). */
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
      this.isOver = true;
      this.#options.cut();
    }, ms);
  }
}
