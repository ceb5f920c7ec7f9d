/**
 * Owns finding a response's end on a raw socket: Content-Length, chunked, or no body. It keeps no body bytes. One response at
 * a time; the load generator does not pipeline.
 */

const CRLF = '\r\n';
const HEAD_END = '\r\n\r\n';

/** Reads one response; make a new one for the next. */
export class ResponseReader {
  status = 0;
  #head: Buffer | null = Buffer.alloc(0);
  /** Body bytes still to come; of the chunk where the body is chunked, its line end included. */
  #left = 0;
  #isChunked = false;
  /** Part of a chunk-size line. */
  #line = '';
  #isLastChunk = false;

  /** Takes what came; true once the response is whole. */
  take(bytes: Buffer): boolean {
    if (this.#head === null) return this.#takeBody(bytes);
    const head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    const end = head.indexOf(HEAD_END);
    if (end === -1) {
      this.#head = head;
      return false;
    }
    const text = head.toString('latin1', 0, end + 2);
    this.status = Number(text.slice(9, 12));
    this.#isChunked = /\r\ntransfer-encoding: *chunked\r/i.test(text);
    this.#left = this.#isChunked ? 0 : Number(/\r\ncontent-length: *(\d+)\r/i.exec(text)?.[1] ?? 0);
    this.#head = null;
    return this.#takeBody(head.subarray(end + HEAD_END.length));
  }

  #takeBody(bytes: Buffer): boolean {
    if (!this.#isChunked) {
      this.#left -= bytes.length;
      return this.#left <= 0;
    }
    let at = 0;
    while (at < bytes.length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
        if (this.#left === 0 && this.#isLastChunk) return true;
        continue;
      }
      this.#line += String.fromCharCode(bytes[at++]!);
      if (!this.#line.endsWith(CRLF)) continue;
      const size = Number.parseInt(this.#line, 16);
      this.#isLastChunk = size === 0;
      this.#left = size + CRLF.length;
      this.#line = '';
    }
    return false;
  }
}
