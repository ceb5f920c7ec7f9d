/**
 * Owns the way of an origin's body to the client, seen to its end and byte for byte: Content-Length, chunking and encodings
 * stay as they were. It answers when the body may be handed on, and later how it ended.
 */

import { joined } from './bytes.ts';
import type { Leaver, Patience } from './patience.ts';
import { type BodyReport, pump, type ReadResult, type UploadProgress } from './pump.ts';
import { declaredLength } from './wire.ts';

/** A body to hand to the client, and what was (or will be) seen of it. */
export interface Relayed {
  body: BodyInit | null;
  report: BodyReport | Promise<BodyReport>;
}

export interface RelayOptions {
  idleMs: number;
  /** How long to wait, and for whom. */
  patience: Pick<Patience, 'unlessLate' | 'streams' | 'done'>;
  /** The visitor, who may leave. */
  receiver?: Leaver;
  upload?: UploadProgress;
  /** A bound service gave it: its Content-Length is a header like others, which the runtime does not frame by, and may be wrong. */
  isService?: boolean;
  /** Sees each chunk of the body as it was sent (encoded); must copy what it keeps. */
  tap?: (chunk: Uint8Array) => void;
}

// A small body usually comes with its headers. Taken whole it costs a tenth of a pump; one that is late streams, so that nobody
// waits for a body that trickles.
const WHOLE_BODY_BYTES = 65_536;

/** Takes over the body of a response fetched with `encodeResponseBody: 'manual'`. Never rejects. */
export function relay(upstream: Response, options: RelayOptions): Relayed | Promise<Relayed> {
  const source = upstream.body;
  if (source === null) {
    options.patience.done();
    return { body: null, report: ended(0, null) };
  }
  const { isService } = options;
  // RFC 9112 §6.3: where both are given, the length is not the body's.
  const length = upstream.headers.has('transfer-encoding') ? null : declaredLength(upstream.headers);
  const reader = source.getReader({ mode: 'byob' });
  if (length === null || length > WHOLE_BODY_BYTES || (length === 0 && !isService)) {
    return stream({ reader, options, length: isService ? null : length });
  }
  return whole(reader, length, options);
}

/** Reads a short body of declared length; streams what does not come at once, and what a service adds to it. */
async function whole(reader: ReadableStreamBYOBReader, length: number, options: RelayOptions): Promise<Relayed> {
  const { isService } = options;
  let taken: Uint8Array | undefined;
  let pending: Promise<ReadResult> | undefined;
  try {
    for (;;) {
      pending = reader.read(new Uint8Array(length - (taken?.byteLength ?? 0) || 1));
      const read = await options.patience.unlessLate(pending);
      if (read === undefined) break;
      pending = undefined;
      if (read.done && !isService) break;
      if (!read.done) {
        taken = taken === undefined ? read.value : joined(taken, read.value);
        if (taken.byteLength > length) break;
        if (isService || taken.byteLength < length) continue;
      }
      options.patience.done();
      if (taken !== undefined) options.tap?.(taken);
      return { body: taken ?? '', report: ended(taken?.byteLength ?? 0, Date.now()) };
    }
  } catch {
    // The body broke off. The pump meets the same fault at its next read, and breaks off for the client too.
    pending = undefined;
  }
  return stream({ reader, options, length: isService ? null : length, head: taken, pending });
}

function stream(from: {
  reader: ReadableStreamBYOBReader;
  options: RelayOptions;
  length: number | null;
  head?: Uint8Array;
  pending?: Promise<ReadResult>;
}): Relayed {
  const { reader, options, length, head, pending } = from;
  const through = length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  const sink = through.writable.getWriter();
  sink.closed.catch(() => {});
  const { idleMs, receiver, upload, tap, patience } = options;
  patience.done();
  patience.streams();
  return {
    body: through.readable,
    report: pump({ source: reader, sink, idleMs, receiver, upload, tap, length: length ?? 0, head, pending }),
  };
}

function ended(bytes: number, firstByteAtMs: number | null): BodyReport {
  return { end: 'complete', bytes, firstByteAtMs, endedAtMs: Date.now() };
}
