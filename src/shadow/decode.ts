/**
 * Owns the decoding of captured bodies, also of the first part of one that was not captured whole. It never makes more bytes
 * than the cap: a small body that unpacks to gigabytes is read as far as the cap and no further.
 */

import zlib from 'node:zlib';
import { concatenated } from '../forward/bytes.ts';

export interface Decoded {
  bytes: Uint8Array;
  /** Whether there was more than the cap. */
  isTruncated: boolean;
  /** Whether the bytes are what their encoding says, as far as they go. */
  isSound: boolean;
}

/** Decodes a body by its `content-encoding`. An encoding that is unknown, or listed twice, is not sound. */
export async function decode(encoding: string | null, bytes: Uint8Array, maxBytes: number): Promise<Decoded> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return { bytes, isTruncated: false, isSound: true };
  const stream = decoderOf(name);
  if (stream === null) return { bytes: new Uint8Array(0), isTruncated: false, isSound: false };
  const chunks: Uint8Array[] = [];
  let kept = 0;
  let isTruncated = false;
  return new Promise((resolve) => {
    const end = (isSound: boolean) => {
      resolve({ bytes: concatenated(chunks, kept), isTruncated, isSound });
    };
    stream.on('data', (chunk: Uint8Array) => {
      const part = chunk.subarray(0, maxBytes - kept);
      chunks.push(part);
      kept += part.byteLength;
      if (part.byteLength < chunk.byteLength) {
        isTruncated = true;
        stream.destroy();
        end(true);
      }
    });
    stream.on('end', () => end(true));
    stream.on('error', () => end(false));
    stream.end(bytes);
  });
}

/** Decoders that give what there is when the input ends early. */
function decoderOf(name: string) {
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    case 'deflate':
      return zlib.createInflate({ finishFlush: zlib.constants.Z_SYNC_FLUSH });
    case 'br':
      return zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return zlib.createZstdDecompress({ finishFlush: zlib.constants.ZSTD_e_flush });
    default:
      return null;
  }
}
