/**
 * Owns what is kept of an event stream while it passes: the first line of data of its first and its last events. Lines are cut, since
 * the event that ends a stream may repeat the whole answer. It knows no dialect.
 */

/** As much of an event as is kept. */
export interface StreamEvent {
  /** Empty where it has none. */
  name: string;
  /** Its first line of data, cut to `MAX_CHARS`. */
  data: string;
}

/** The first events show which dialect a stream has, the last ones whether it ended; some of either may be pings. */
const KEPT_EVENTS = 4;
const MAX_CHARS = 4_096;

/** The first and last `KEPT_EVENTS` of one stream. */
export class EventEnds {
  #first: StreamEvent[] = [];
  #last: StreamEvent[] = [];
  #decoder = new TextDecoder();
  /** The line that has not ended yet, as far as it is kept. */
  #line = '';
  #name = '';
  #data: string | null = null;

  add(chunk: Uint8Array): void {
    // A carriage return at the very end may be half of a line's end.
    const lines = (this.#line + this.#decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    this.#line = lines.pop()!.slice(0, MAX_CHARS);
    for (const line of lines) this.#take(line.slice(0, MAX_CHARS));
  }

  /**
   * To be called once, when the stream is over: the first events, the last ones, and whether the stream ended in the middle of a line
   * that was kept whole. A last event without its empty line counts, as clients of model APIs take it.
   */
  ended(): { first: readonly StreamEvent[]; last: readonly StreamEvent[]; isInLine: boolean } {
    const line = this.#line;
    this.#take(line);
    this.#take('');
    return { first: this.#first, last: this.#last, isInLine: line.length < MAX_CHARS && !/(?:^|\r)$/.test(line) };
  }

  /** WHATWG HTML §9.2.6. */
  #take(line: string): void {
    const [, field, value = ''] = /^(event|data): ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') this.#name = value.trim();
    if (field === 'data') this.#data ??= value;
    if (line.trim() !== '') return;
    if (this.#data !== null) {
      const event = { name: this.#name, data: this.#data };
      if (this.#first.length < KEPT_EVENTS) this.#first.push(event);
      if (this.#last.push(event) > KEPT_EVENTS) this.#last.shift();
    }
    this.#name = '';
    this.#data = null;
  }
}
