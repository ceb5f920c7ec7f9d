/**
 * Owns the copying of bytes from one stream to another where they must be watched: for stalls, for the body's end, for a bounded
 * copy. It buffers one chunk and no more. Where nothing needs to be watched, streams are passed on whole instead.
 */

import { sleep } from '../limit.ts';
import { IdleWatch } from './idle.ts';
import { FIRST_CHUNK_BYTES, LARGE_CHUNK_BYTES, LAST_BYTES_MS } from './limits.ts';
import type { Leaver } from './patience.ts';

/**
 * How a body ended. `complete`: whole. `cut`: its sender broke it off. `stalled`: its sender sent nothing for `idleMs`, so we cut it.
 * `refused`: its receiver left, or took nothing for `idleMs`.
 */
export type BodyEnd = 'complete' | 'cut' | 'stalled' | 'refused';

/** What was seen of a body. */
export interface BodyReport {
  end: BodyEnd;
  bytes: number;
  /** Milliseconds of the clock, null when no byte came. */
  firstByteAtMs: number | null;
  endedAtMs: number;
}

/** How far a request's own body has come, where it is streamed. */
export interface UploadProgress {
  /** When it ended; 0 where it was never streamed, Infinity while it is under way. */
  endedAtMs: number;
  /** Whether the client broke it off, or stalled. */
  isBroken: boolean;
}

export interface PumpOptions {
  source: ChunkReader;
  sink: WritableStreamDefaultWriter<Uint8Array>;
  idleMs: number;
  /** Bytes that the whole body has, where that is known: fewer are a cut body even when the source ends politely. */
  length?: number | null;
  /** Bytes that were read before the pump began. */
  head?: Uint8Array;
  /** A read that is under way already. */
  pending?: Promise<ReadResult>;
  /** Sees each chunk before it is passed on; must copy what it keeps and must not throw. */
  tap?: (chunk: Uint8Array) => void;
  /** The receiver. If it has left, that is why the body broke off: its leaving ends the sender's call too. */
  receiver?: Leaver;
  /** The upload that the body answers. The origin may be waiting for its end, and is not to blame if that never comes. */
  upload?: UploadProgress;
  /** Called before the sink of a cut or stalled body is aborted. */
  onBroken?: (end: BodyEnd) => void;
}

export type ReadResult = ReadableStreamReadResult<Uint8Array>;

/** A BYOB reader, or a default one, which ignores the buffer that it is given. */
export interface ChunkReader {
  read(view: Uint8Array): Promise<ReadResult>;
  cancel(cause?: unknown): Promise<void>;
}

/**
 * Copies until the end and says how it came. Never rejects. Any end but a whole one aborts the sink, so that the receiver
 * sees a broken body and never a clean end, and cancels the source.
 */
export async function pump(options: PumpOptions): Promise<BodyReport> {
  const { source, sink, tap } = options;
  const mayBeLarge = (options.length || Infinity) > FIRST_CHUNK_BYTES;
  const report: BodyReport = { end: 'complete', bytes: 0, firstByteAtMs: null, endedAtMs: 0 };
  let stalled: BodyEnd | null = null;
  let reading = true;
  const onIdle = () => {
    stalled = reading ? 'stalled' : 'refused';
    const cause = new Error('the body stalled');
    options.onBroken?.(stalled);
    sink.abort(cause).catch(ignore);
    source.cancel(cause).catch(ignore);
  };
  const watch = new IdleWatch(options.idleMs, onIdle, () => options.upload?.endedAtMs ?? 0);
  try {
    let chunk = options.head;
    let pending = options.pending;
    let buffer = new ArrayBuffer(FIRST_CHUNK_BYTES);
    for (;;) {
      if (chunk !== undefined && chunk.byteLength > 0) {
        report.firstByteAtMs ??= Date.now();
        report.bytes += chunk.byteLength;
        tap?.(chunk);
        reading = false;
        await sink.write(chunk);
        reading = true;
        watch.touch();
      }
      const { done, value } = await (pending ?? source.read(new Uint8Array(buffer)));
      if (stalled !== null) throw new Error('the body stalled');
      if (done && report.bytes < (options.length ?? 0)) throw new Error('the body ended early');
      if (done) break;
      watch.touch();
      chunk = value;
      buffer = nextBuffer(value, pending !== undefined, mayBeLarge);
      pending = undefined;
    }
    reading = false;
    await sink.close();
  } catch (cause) {
    const isClientsFault = options.receiver?.signal.aborted || options.upload?.isBroken;
    report.end = reading && !isClientsFault ? 'cut' : 'refused';
    if (report.end === 'cut' && stalled === null) {
      await sleep(LAST_BYTES_MS);
      options.onBroken?.(report.end);
    }
    sink.abort(cause).catch(ignore);
    source.cancel(cause).catch(ignore);
  }
  watch.stop();
  report.end = stalled ?? report.end;
  report.endedAtMs = Date.now();
  return report;
}

/** The buffer for the next read: that of the last read, unless it was filled (then a larger one) or was not ours. */
function nextBuffer(value: Uint8Array, wasForeign: boolean, mayBeLarge: boolean): ArrayBuffer {
  const buffer = value.buffer as ArrayBuffer;
  if (wasForeign) return new ArrayBuffer(FIRST_CHUNK_BYTES);
  if (mayBeLarge && value.byteLength === buffer.byteLength && buffer.byteLength < LARGE_CHUNK_BYTES) {
    return new ArrayBuffer(LARGE_CHUNK_BYTES);
  }
  return buffer;
}

function ignore(): void {}
