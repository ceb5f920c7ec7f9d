/**
 * Owns the copy of bytes from one stream to another where their passing must be seen: for stalls, for a body's end, for a
 * bounded copy. It buffers one chunk and no more. Where nothing needs to be seen, streams are passed on whole instead.
 */

import { sleep } from '../limit.ts';
import { IdleWatch } from './idle.ts';
import { FIRST_CHUNK_BYTES, LARGE_CHUNK_BYTES, LAST_BYTES_MS } from './limits.ts';
import type { Leaver } from './patience.ts';

/**
 * How a body ended: whole, cut off by its sender, cut by us because its sender stalled, or not wanted by its receiver, who left
 * or took nothing for as long.
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
  /** The client broke it off, or stalled. */
  isBroken: boolean;
}

export interface PumpOptions {
  source: ChunkReader;
  sink: WritableStreamDefaultWriter<Uint8Array>;
  idleMs: number;
  /** Bytes that the whole body has, where that is known: fewer are a cut body even when the source ends politely. */
  length?: number;
  /** Bytes that were read before the pump began. */
  head?: Uint8Array;
  /** A read that is under way already. */
  pending?: Promise<ReadResult>;
  /** Sees each chunk before it is passed on; must copy what it keeps and must not throw. */
  tap?: (chunk: Uint8Array) => void;
  /** The receiver: once it has left, its leaving (which ends the sender's call too) is why the body broke off. */
  receiver?: Leaver;
  /** The request that the body answers: an origin may wait for its end, and is not to blame for one that never comes. */
  upload?: UploadProgress;
  /** Called before the sink of a cut or stalled body is aborted. */
  onBroken?: (end: BodyEnd) => void;
}

export type ReadResult = ReadableStreamReadResult<Uint8Array>;

/** A reader of either kind; one with its own buffers does not look at ours. */
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
    const isClients = options.receiver?.signal.aborted || options.upload?.isBroken;
    report.end = reading && !isClients ? 'cut' : 'refused';
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

/** The buffer of the last read comes back with it, so it serves again; full ones are traded for a large one. */
function nextBuffer(value: Uint8Array, wasForeign: boolean, mayBeLarge: boolean): ArrayBuffer {
  const buffer = value.buffer as ArrayBuffer;
  if (wasForeign) return new ArrayBuffer(FIRST_CHUNK_BYTES);
  if (mayBeLarge && value.byteLength === buffer.byteLength && buffer.byteLength < LARGE_CHUNK_BYTES) {
    return new ArrayBuffer(LARGE_CHUNK_BYTES);
  }
  return buffer;
}

function ignore(): void {}
