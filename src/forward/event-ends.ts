/**
 * Owns what is kept of an event stream while it passes: its first events and its last ones, each as it begins. It is read line by
 * line, since the event that ends a stream may bear the whole answer once more. It knows no dialect.
 */

export interface StreamEvent {
  /** Empty where it has none. */
  name: string;
  /** Its first line of data, cut to `MAX_CHARS`. */
  data: string;
}

/** By one of the first a stream shows whose it is, by one of the last that it has ended; any of them may be a ping. */
const KEPT_EVENTS = 4;
const MAX_CHARS = 4_096;

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
   * To be asked once, when the stream has ended: the first events, the last ones, and whether the end came within a line that was
   * kept whole. An event without its empty line is one too, as clients of model APIs take it.
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
