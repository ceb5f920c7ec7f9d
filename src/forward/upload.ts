/**
 * Owns the request's body: held whole where it is short (so that it can be spliced, sent again or compared), streamed with a
 * bounded copy where it is not. It never holds more than the bound, and it knows when the last byte was sent.
 */

import { Prefix } from './copies.ts';
import { IdleWatch } from './idle.ts';
import type { Incoming } from './incoming.ts';
import { MAX_HELD_BYTES, SHORT_BYTES } from './limits.ts';
import { type BodyEnd, type BodyReport, pump, type UploadProgress } from './pump.ts';
import { spliceJson } from './splice.ts';
import { declaredLength, isCoded } from './wire.ts';

/** What is sent in one attempt. `sent` settles with the last byte; absent when everything is sent at once. */
export interface Sending {
  body: BodyInit | null;
  sent?: Promise<BodyReport>;
  /**
   * Aborted when the body cannot be sent to its end. The call must be cut by it: the runtime ends a chunked request cleanly
   * when the stream that it is made from is aborted, and the origin would take a part for the whole.
   */
  broken?: AbortSignal;
  /** The body is left in the client's request, so that request itself must be sent on. */
  isInRequest?: true;
}

/** Why a body could not be taken: the client stalled or left, or a GET or HEAD has a body that cannot be sent on. */
export type UploadFault = 'client_stalled' | 'client_left' | 'body_too_large' | 'length_required';

/** Whether a body is short enough to be held for every variant. Only such bodies may be read for evidence: then all arms are read alike. */
export const isShort = (sent: Headers): boolean => (declaredLength(sent) ?? NaN) <= SHORT_BYTES;

/** The body of one request. */
export class Upload implements UploadProgress {
  /** The whole body, where it is in hand; null while it streams or when it is too large. */
  bytes: Uint8Array | null;
  endedAtMs = 0;
  isBroken = false;
  /** Whether there is a body at all. */
  isPresent: boolean;
  /** Whether the client compressed the body. */
  readonly isEncoded: boolean;
  // The runtime makes no GET or HEAD request with a body (search engines take such), but sends on one that came. It is left
  // where it is then, and sent once.
  #isInRequest: boolean;
  #source: ReadableStream | null;
  #length: number | null;
  #idleMs: number;
  #sent: Promise<BodyReport> | null = null;

  private constructor({ request, method, sent }: Incoming, idleMs: number) {
    const isBodyless = method === 'GET' || method === 'HEAD';
    // Most requests have no body: then no header is asked for.
    const { body } = request;
    this.#length = body && declaredLength(sent);
    const source = this.#length === 0 ? null : body;
    this.#isInRequest = isBodyless && source !== null;
    this.isEncoded = source !== null && isCoded(sent);
    this.#source = source;
    this.#idleMs = idleMs;
    this.bytes = null;
    this.isPresent = source !== null;
  }

  /** Takes a request's body, at once where there is none. It is held up to a declared length of `SHORT_BYTES`, or `holdUpTo` if larger. */
  static take(
    incoming: Incoming,
    options: { idleMs: number; holdUpTo: number },
  ): Upload | UploadFault | Promise<Upload | UploadFault> {
    const upload = new Upload(incoming, options.idleMs);
    const source = upload.#source;
    const length = upload.#length;
    if (upload.#isInRequest) {
      // We do not see such a body pass, so one that breaks off would look like the origin's failure: first it must arrive whole.
      return faultOfArrival(incoming.request.clone().body!, length, options.idleMs).then((fault) => {
        // Without a fault there was no chunk: the request is like any other without a body.
        if (length === null) {
          upload.#source = null;
          upload.isPresent = upload.#isInRequest = false;
        }
        return fault ?? upload;
      });
    }
    if (source === null || length === null || length > Math.max(SHORT_BYTES, options.holdUpTo)) return upload;
    return hold(source, length, options.idleMs).then((held) => {
      if (typeof held === 'string') return held;
      upload.bytes = held;
      upload.#source = null;
      return upload;
    });
  }

  /** The body once it was sent whole: empty where there is none, null where it was too large, cut off or not kept. */
  async copy(): Promise<Uint8Array | null> {
    if (this.#sent !== null) await this.#sent;
    return this.isPresent ? this.bytes : new Uint8Array(0);
  }

  /** Whether the body can be sent once more, or has not been sent at all. */
  get isRepeatable(): boolean {
    return !this.isPresent || this.bytes !== null || (this.#source !== null && !this.#isInRequest);
  }

  /** The body with JSON members set; null where there are none to set, or it is not one in which they can be. */
  withJson(members: Record<string, unknown> | undefined): Uint8Array | null {
    if (members === undefined || this.bytes === null || this.isEncoded) return null;
    const spliced = spliceJson(this.bytes, members);
    return spliced.ok ? spliced.value : null;
  }

  /** The body for an attempt. A streamed body can be sent once; `keep` copies it on the way, up to the bound. */
  send(keep: boolean): Sending {
    if (this.bytes !== null) return { body: this.bytes };
    if (this.#source === null) return { body: null };
    if (this.#isInRequest) return { body: null, isInRequest: true };
    const copy = keep ? new Prefix(MAX_HELD_BYTES) : null;
    const through = this.#length === null ? new IdentityTransformStream() : new FixedLengthStream(this.#length);
    const source = this.#source.getReader({ mode: 'byob' });
    const sink = through.writable.getWriter();
    sink.closed.catch(() => {});
    this.#source = null;
    const tap = (chunk: Uint8Array) => {
      copy?.add(chunk);
      // A copy of a part would be of no use.
      if (copy?.isTruncated) copy.drop();
    };
    const broken = new AbortController();
    const onBroken = (end: BodyEnd) => {
      this.isBroken = end !== 'refused';
      broken.abort();
    };
    this.endedAtMs = Infinity;
    const sent = pump({ source, sink, idleMs: this.#idleMs, tap, length: this.#length, onBroken }).then((report) => {
      this.endedAtMs = Date.now();
      if (report.end === 'complete' && copy?.isTruncated === false) this.bytes = copy.take();
      return report;
    });
    this.#sent = sent;
    return { body: through.readable, sent, broken: broken.signal };
  }
}

/** Reads a copy of a body to its end. The fault that it has, or null. */
function faultOfArrival(source: ReadableStream, length: number | null, idleMs: number): Promise<UploadFault | null> {
  const reader = source.getReader();
  return unlessBroken(reader, idleMs, async (touch) => {
    let bytes = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return bytes < (length ?? 0) ? 'client_left' : null;
      touch();
      bytes += value.byteLength;
      // The runtime sends such a body on only if its length was declared; otherwise the origin would get no body.
      if (length !== null && bytes <= MAX_HELD_BYTES) continue;
      reader.cancel().catch(() => {});
      return length === null ? 'length_required' : 'body_too_large';
    }
  });
}

/** The whole body of declared length, or why it did not arrive. */
function hold(source: ReadableStream, length: number, idleMs: number): Promise<Uint8Array | UploadFault> {
  const reader = source.getReader({ mode: 'byob' });
  return unlessBroken(reader, idleMs, async (touch) => {
    let buffer = new ArrayBuffer(length);
    for (let filled = 0; filled < length; ) {
      const { done, value } = await reader.read(new Uint8Array(buffer, filled));
      if (done) return 'client_left';
      touch();
      // The same memory, handed back.
      buffer = value.buffer as ArrayBuffer;
      filled += value.byteLength;
    }
    return new Uint8Array(buffer);
  });
}

/** The result of `read`, which must call `touch` at every chunk; or the fault where the body stalled or broke off. */
async function unlessBroken<T>(
  reader: { cancel(cause: Error): Promise<void> },
  idleMs: number,
  read: (touch: () => void) => Promise<T>,
): Promise<T | UploadFault> {
  let stalled = false;
  const watch = new IdleWatch(idleMs, () => {
    stalled = true;
    reader.cancel(new Error('the body stalled')).catch(() => {});
  });
  try {
    const result = await read(() => watch.touch());
    return stalled ? 'client_stalled' : result;
  } catch {
    return stalled ? 'client_stalled' : 'client_left';
  } finally {
    watch.stop();
  }
}
