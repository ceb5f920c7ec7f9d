/**
 * Owns the way of an origin's body to the client, byte for byte and watched to its end. Content-Length, chunking and encodings stay as
 * they were, except for the length that a bound service declares, which may not be its body's. It gives first a body to hand on, and
 * later a report on how that body ended.
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
  /** The timers and the client's signal of this attempt. */
  patience: Pick<Patience, 'whenLate' | 'streams' | 'done'>;
  /** The visitor, who may leave. */
  receiver?: Leaver;
  upload?: UploadProgress;
  /** A bound service answered: the runtime does not frame its body by Content-Length, which may therefore be wrong. */
  isService?: boolean;
  /** Sees each chunk of the body as it was sent (encoded); must copy what it keeps. */
  tap?: (chunk: Uint8Array) => void;
}

/** Given to a default reader, which brings its own buffer and ignores the argument. */
const NO_BUFFER = new Uint8Array(0);

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

/** Reads a short body of declared length in one piece. Goes over to streaming where it is late, breaks off, or is longer than declared. */
function whole(reader: ChunkReader, length: number, isTiny: boolean, options: RelayOptions): Promise<Relayed> {
  const { isService, patience } = options;
  let taken: Uint8Array | undefined;
  let isOver = false;
  // A single promise and no `await`: nearly every body is one read, and each further promise would show.
  return new Promise((resolve) => {
    const goOn = (pending?: Promise<ReadResult>) => {
      if (isOver) return;
      isOver = true;
      resolve(stream({ reader, options, length: isService ? null : length, head: taken, pending }));
    };
    const read = () => {
      const reading = reader.read(isTiny ? NO_BUFFER : new Uint8Array(length - (taken?.byteLength ?? 0) || 1));
      // If the body broke off, the pump meets the fault at its next read, and breaks the client's body off too.
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
      // Not '', for which the runtime would set a content type.
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
    report: pump({ source: reader, sink, idleMs, receiver, upload, tap, length, head, pending }),
  };
}

function ended(bytes: number, firstByteAtMs: number | null): BodyReport {
  return { end: 'complete', bytes, firstByteAtMs, endedAtMs: Date.now() };
}
