import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64url, isBase64url, toBase64url } from '../../src/split/base64url.ts';
import { isSigned, sign } from '../../src/split/sign.ts';

describe('a signature', () => {
  it('is HMAC-SHA-256 over the domain, a bar and the text', async () => {
    const expected = createHmac('sha256', 'é').update('pin|text').digest('base64url');
    expect(await sign('pin', 'text', 'é')).toBe(expected);
  });

  it('is true for its domain, text and secret alone', async () => {
    const tag = await sign('pin', 'text', 's');
    expect(await isSigned('pin', 'text', tag, 's')).toBe(true);
    expect(await isSigned('preview', 'text', tag, 's')).toBe(false);
    expect(await isSigned('pin', 'texts', tag, 's')).toBe(false);
    expect(await isSigned('pin', 'text', tag, 't')).toBe(false);
  });

  it('stays true while many secrets are in use', async () => {
    const tags = await Promise.all(Array.from({ length: 20 }, (_, index) => sign('pin', 'text', `s${index}`)));
    for (const [index, tag] of tags.entries()) expect(await isSigned('pin', 'text', tag, `s${index}`)).toBe(true);
  });

  it('is false, not an error, for anything that is no tag', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), async (tag) => {
        expect(await isSigned('pin', 'text', tag, 's')).toBe(false);
      }),
    );
  });
});

describe('base64url', () => {
  it('writes what Node writes, and reads it back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = toBase64url(bytes);
        expect(text).toBe(Buffer.from(bytes).toString('base64url'));
        expect([...fromBase64url(text)!]).toEqual([...bytes]);
        expect(isBase64url(text)).toBe(true);
      }),
    );
  });

  it.each(['A', 'AB', 'AAB', 'A+AA', 'A/AA', 'AA==', 'AAé', 'AA A'])('refuses %j', (text) => {
    expect(fromBase64url(text)).toBeNull();
  });
});
