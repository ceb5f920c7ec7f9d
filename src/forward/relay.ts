/**
 * Owns the way of an origin's body to the client, seen to its end and byte for byte: Content-Length, chunking and encodings
 * stay as they were, but for a service's length, which may not be its body's. It answers when the body may be handed on, and later how
 * it ended.
 */

import { concatenated } from './bytes.ts';
import { OWN_BUFFER_BYTES, WHOLE_BODY_BYTES } from './limits.ts';
import type { Leaver, Patience } from './patience.ts';
import { type BodyReport, type ChunkReader, pump, type ReadResult, type UploadProgress } from './pump.ts';
import { declaredLength } from './wire.ts';

/** A body to hand to the client, and what was (or will be) seen of it. */
export interface Relayed {
  body: BodyInit | null;
  report: BodyReport | Promise<BodyReport>;
}

export interface RelayOptions {
  idleMs: number;
  /** How long to wait, and for whom. */
  patience: Pick<Patience, 'whenLate' | 'streams' | 'done'>;
  /** The visitor, who may leave. */
  receiver?: Leaver;
  upload?: UploadProgress;
  /** A bound service gave it: its Content-Length is a header like others, which the runtime does not frame by, and may be wrong. */
  isService?: boolean;
  /** Sees each chunk of the body as it was sent (encoded); must copy what it keeps. */
  tap?: (chunk: Uint8Array) => void;
}

/** For a reader that brings its own. */
const NOTHING = new Uint8Array(0);

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
  const isTiny = length !== null && length <= OWN_BUFFER_BYTES && !isService;
  const reader = isTiny ? source.getReader() : source.getReader({ mode: 'byob' });
  if (length === null || length > WHOLE_BODY_BYTES || (length === 0 && !isService)) {
    return stream({ reader, options, length: isService ? null : length });
  }
  return whole(reader, length, isTiny, options);
}

/** Reads a short body of declared length; streams what does not come at once, and what a service adds to it. */
function whole(reader: ChunkReader, length: number, isTiny: boolean, options: RelayOptions): Promise<Relayed> {
  const { isService, patience } = options;
  let taken: Uint8Array | undefined;
  let isOver = false;
  // One promise for all: each more is dear where nearly every body is one read.
  return new Promise((resolve) => {
    const goOn = (pending?: Promise<ReadResult>) => {
      if (isOver) return;
      isOver = true;
      resolve(stream({ reader, options, length: isService ? null : length, head: taken, pending }));
    };
    const read = () => {
      const reading = reader.read(isTiny ? NOTHING : new Uint8Array(length - (taken?.byteLength ?? 0) || 1));
      // The pump meets the fault of a body that broke off at its next read, and breaks off for the client too.
      reading.then(took, () => goOn());
      patience.whenLate(() => goOn(reading));
    };
    const took = ({ done, value }: ReadResult) => {
      if (isOver) return;
      if (done && !isService) return goOn();
      if (!done) {
        taken = taken === undefined ? value : concatenated([taken, value]);
        if (taken.byteLength > length) return goOn();
        if (isService || taken.byteLength < length) return read();
      }
      isOver = true;
      patience.done();
      if (taken !== undefined) options.tap?.(taken);
      // Not '', which would be given a type.
      resolve({ body: taken ?? new Uint8Array(0), report: ended(taken?.byteLength ?? 0, Date.now()) });
    };
    read();
  });
}

function stream(from: {
  reader: ChunkReader;
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
