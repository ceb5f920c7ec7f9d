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
  const length = declaredLength(upstream.headers);
  const reader = source.getReader({ mode: 'byob' });
  if (length === null) return stream({ reader, through: new IdentityTransformStream(), options });
  if (length === 0 || length > WHOLE_BODY_BYTES) {
    return stream({ reader, through: new FixedLengthStream(length), options, length });
  }
  return whole(reader, length, options);
}

/** Reads a short body of known length; streams what does not come at once. */
async function whole(reader: ReadableStreamBYOBReader, length: number, options: RelayOptions): Promise<Relayed> {
  let taken: Uint8Array | undefined;
  let pending: Promise<ReadResult> | undefined;
  try {
    for (;;) {
      pending = reader.read(new Uint8Array(length - (taken?.byteLength ?? 0)));
      const read = await options.patience.unlessLate(pending);
      if (read === undefined) break;
      pending = undefined;
      if (read.done) break;
      taken = taken === undefined ? read.value : joined(taken, read.value);
      if (taken.byteLength < length) continue;
      options.patience.done();
      options.tap?.(taken);
      return { body: taken, report: ended(length, Date.now()) };
    }
  } catch {
    // The body broke off. The pump meets the same fault at its next read, and breaks off for the client too.
    pending = undefined;
  }
  return stream({ reader, through: new FixedLengthStream(length), options, length, head: taken, pending });
}

function stream(from: {
  reader: ReadableStreamBYOBReader;
  through: IdentityTransformStream;
  options: RelayOptions;
  length?: number;
  head?: Uint8Array;
  pending?: Promise<ReadResult>;
}): Relayed {
  const { reader, through, options, length, head, pending } = from;
  const sink = through.writable.getWriter();
  sink.closed.catch(() => {});
  const { idleMs, receiver, upload, tap, patience } = options;
  patience.done();
  patience.streams();
  return {
    body: through.readable,
    report: pump({ source: reader, sink, idleMs, receiver, upload, tap, length, head, pending }),
  };
}

function ended(bytes: number, firstByteAtMs: number | null): BodyReport {
  return { end: 'complete', bytes, firstByteAtMs, endedAtMs: Date.now() };
}
