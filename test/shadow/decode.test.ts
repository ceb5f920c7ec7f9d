import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/shadow/decode.ts';
import { seeded } from './compare/observed.ts';

const TEXT = Buffer.from('{"words":"again and again"}'.repeat(100));
const ENCODERS = {
  gzip: gzipSync,
  'x-gzip': gzipSync,
  deflate: deflateSync,
  // Without its header, as some servers send it.
  Deflate: deflateRawSync,
  br: brotliCompressSync,
  zstd: zstdCompressSync,
};

describe.each(Object.entries(ENCODERS))('a body in %s', (encoding, encode) => {
  it('is decoded', async () => {
    const { bytes, ...said } = (await decode(encoding.toUpperCase(), encode(TEXT), 10_000))!;
    expect(Buffer.from(bytes).equals(TEXT)).toBe(true);
    expect(said).toEqual({ isTruncated: false, isSound: true });
  });

  it('is decoded as far as it goes when it ends early', async () => {
    const random = seeded(1);
    const noise = Buffer.from(Array.from({ length: 60_000 }, () => random() * 256));
    const { bytes, isSound } = (await decode(encoding, encode(noise).subarray(0, 40_000), 100_000))!;
    expect(isSound).toBe(true);
    expect(bytes.byteLength).toBeLessThan(noise.length);
    expect(Buffer.from(bytes).equals(noise.subarray(0, bytes.byteLength))).toBe(true);
  });

  it('that unpacks to more than the cap is kept as far as the cap', async () => {
    const bomb = encode(Buffer.alloc(50_000_000));
    const { bytes, ...said } = (await decode(encoding, bomb, 262_144))!;
    expect(bytes.byteLength).toBe(262_144);
    expect(said).toEqual({ isTruncated: true, isSound: true });
  });

  it('that is none is not sound', async () => {
    const { isSound } = (await decode(encoding, Buffer.from('this was never compressed at all'), 1_000))!;
    expect(isSound).toBe(false);
  });
});

describe('an encoding', () => {
  it.each([null, '', 'identity', ' Identity ', 'UTF-8', 'aws-chunked'])(
    '%j leaves the bytes as they are',
    async (encoding) => {
      const { bytes, isSound } = (await decode(encoding, TEXT, 10))!;
      expect(bytes).toBe(TEXT);
      expect(isSound).toBe(true);
    },
  );

  it.each(['compress', 'gzip, br', 'aes128gcm'])('%s that cannot be read is unknown', async (encoding) => {
    expect(await decode(encoding, TEXT, 10)).toBeNull();
  });
});
