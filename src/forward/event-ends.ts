/**
 * Owns what is kept of an event stream while it passes: its first events and its last one, each as it begins. It is read line by
 * line, since the event that ends a stream may bear the whole answer once more. It knows no dialect.
 */

export interface StreamEvent {
  /** Empty where it has none. */
  name: string;
  /** Its first line of data, cut to `MAX_CHARS`. */
  data: string;
}

/** By one of these a stream shows whose it is; the first may be a ping. */
const FIRST_EVENTS = 4;
const MAX_CHARS = 4_096;

export class EventEnds {
  #first: StreamEvent[] = [];
  #last: StreamEvent | null = null;
  #decoder = new TextDecoder();
  /** The line that has not ended yet, as far as it is kept. */
  #line = '';
  #name = '';
  #data: string | null = null;

  add(chunk: Uint8Array): void {
    const [rest = '', ...lines] = this.#decoder.decode(chunk, { stream: true }).split(/\r?\n/);
    this.#line = (this.#line + rest).slice(0, MAX_CHARS);
    for (const line of lines) {
      this.#take(this.#line);
      this.#line = line.slice(0, MAX_CHARS);
    }
  }

  /**
   * To be asked once, when the stream has ended: the first events, the last, and whether the end came within a line. An event without
   * its empty line is one too, as clients of model APIs take it.
   */
  ended(): { first: readonly StreamEvent[]; last: StreamEvent | null; isInLine: boolean } {
    this.#take(this.#line);
    this.#take('');
    return { first: this.#first, last: this.#last, isInLine: this.#line !== '' };
  }

  /** WHATWG HTML §9.2.6, but for lines that end with a carriage return alone. */
  #take(line: string): void {
    const [, field, value = ''] = /^(event|data): ?(.*)$/s.exec(line) ?? [];
    if (field === 'event') this.#name = value.trim();
    if (field === 'data') this.#data ??= value;
    if (line.trim() !== '') return;
    if (this.#data !== null) {
      this.#last = { name: this.#name, data: this.#data };
      if (this.#first.length < FIRST_EVENTS) this.#first.push(this.#last);
    }
    this.#name = '';
    this.#data = null;
  }
}
