/** Owns the bounded copies that are taken of a body while it passes: its first bytes, or its last ones. */

import { concatenated } from './bytes.ts';

/** Keeps the first bytes of a body, and how many there were in all. */
export class Prefix {
  /** All bytes that passed, kept or not. */
  bytes = 0;
  #chunks: Uint8Array[] = [];
  #kept = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Uint8Array): void {
    this.bytes += chunk.byteLength;
    const room = this.#maxBytes - this.#kept;
    if (room <= 0) return;
    const part = chunk.slice(0, room);
    this.#chunks.push(part);
    this.#kept += part.byteLength;
  }

  /** Whether the body had more bytes than were kept. */
  get isTruncated(): boolean {
    return this.bytes > this.#kept;
  }

  /** What was kept. It stays, so that several may ask. */
  take(): Uint8Array<ArrayBuffer> {
    return concatenated(this.#chunks);
  }

  /** Keeps nothing from now on: nobody will ask. */
  drop(): void {
    this.#chunks = [];
    this.#kept = 0;
    this.#maxBytes = 0;
  }
}

/** Keeps the first and the last bytes of a body. Where the first bound was not reached, `head` is the whole. */
export class Ends {
  readonly head: Prefix;
  readonly tail: Tail;

  constructor(maxBytes: { head: number; tail: number }) {
    this.head = new Prefix(maxBytes.head);
    this.tail = new Tail(maxBytes.tail);
  }

  add(chunk: Uint8Array): void {
    this.head.add(chunk);
    this.tail.add(chunk);
  }
}

/** Keeps the last bytes of a body. */
export class Tail {
  #chunks: Uint8Array[] = [];
  #kept = 0;
  #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Uint8Array): void {
    const part = chunk.slice(Math.max(0, chunk.byteLength - this.#maxBytes));
    this.#chunks.push(part);
    this.#kept += part.byteLength;
    while (this.#chunks.length > 1 && this.#kept - this.#chunks[0]!.byteLength >= this.#maxBytes) {
      this.#kept -= this.#chunks.shift()!.byteLength;
    }
  }

  /** What was kept. It stays, so that several may ask. */
  take(): Uint8Array<ArrayBuffer> {
    return concatenated(this.#chunks);
  }
}
