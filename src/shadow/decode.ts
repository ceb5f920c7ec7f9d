/**
 * Owns the decoding of captured bodies, also of the first part of one that was not captured whole. It never makes more bytes
 * than the cap: a small body that unpacks to gigabytes is read as far as the cap and no further.
 */

import zlib from 'node:zlib';
import { concatenated } from '../forward/bytes.ts';

interface Decoded {
  bytes: Uint8Array;
  /** Whether there was more than the cap. */
  isTruncated: boolean;
  /** Whether the bytes are what their encoding says, as far as they go. */
  isSound: boolean;
}

/** What servers name here that changes no byte: nothing, RFC 9110's own word, a character set, and what S3 keeps of an upload. */
const NO_CODING = /^(identity|utf-?8|aws-chunked)?$/;

/** Decodes a body by its `content-encoding`; null where that is unknown, or more than one. */
export async function decode(encoding: string | null, bytes: Uint8Array, maxBytes: number): Promise<Decoded | null> {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (NO_CODING.test(name)) return { bytes, isTruncated: false, isSound: true };
  const stream = decoderOf(name, bytes);
  if (stream === null) return null;
  const chunks: Uint8Array[] = [];
  let kept = 0;
  let isTruncated = false;
  return new Promise((resolve) => {
    const end = (isSound: boolean) => {
      resolve({ bytes: concatenated(chunks), isTruncated, isSound });
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
function decoderOf(name: string, [first = 0, second = 0]: Uint8Array) {
  const zlibFlush = { finishFlush: zlib.constants.Z_SYNC_FLUSH };
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip(zlibFlush);
    case 'deflate':
      // RFC 9110 §8.4.1.2: some send it without the zlib header (RFC 1950 §2.2), and browsers take it.
      return (first % 16 === 8 && (first * 256 + second) % 31 === 0 ? zlib.createInflate : zlib.createInflateRaw)(
        zlibFlush,
      );
    case 'br':
      return zlib.createBrotliDecompress({ finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return zlib.createZstdDecompress({ finishFlush: zlib.constants.ZSTD_e_flush });
    default:
      return null;
  }
}
