import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RECEIPT_MS } from '../../src/split/limits.ts';
import { createReceipt, hashUnit, readReceipt, receiptTag } from '../../src/split/receipt.ts';
import { sign } from '../../src/split/sign.ts';
import { keptBytes, longFrom } from '../kept-bytes.ts';

const NOW = Date.parse('2026-11-23T10:00:00Z');
const receipt = { route: 'chat', variant: 'green-2', unitHash: '00ff00ff00ff00ff', atMs: NOW };

describe('a receipt', () => {
  it('says route, variant, unit and time again for seven days', async () => {
    const token = await createReceipt(receipt, 's');
    expect(await readReceipt(token, NOW, 's')).toEqual({ ok: true, value: receipt });
    expect(await readReceipt(token, NOW + RECEIPT_MS, 's')).toMatchObject({ ok: true });
    expect(await readReceipt(token, NOW + RECEIPT_MS + 1, 's')).toEqual({ ok: false, error: { reason: 'expired' } });
  });

  it('fits a header and a URL as it is', async () => {
    const token = await createReceipt(receipt, 's');
    expect(encodeURIComponent(token)).toBe(token);
    expect(new Headers({ 'x-headgate-receipt': token }).get('x-headgate-receipt')).toBe(token);
  });

  it('is refused when any character was changed', async () => {
    const token = await createReceipt(receipt, 's');
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice(0, at) + (token[at] === 'a' ? 'b' : 'a') + token.slice(at + 1);
      const read = await readReceipt(changed, NOW, 's');
      expect(read.ok || ['forged', 'malformed'].includes(read.error.reason)).toBe(true);
      expect(read.ok).toBe(false);
    }
  });

  it('is refused under another secret, and from a clock far ahead', async () => {
    const token = await createReceipt(receipt, 's');
    expect(await readReceipt(token, NOW, 't')).toEqual({ ok: false, error: { reason: 'forged' } });
    expect(await readReceipt(token, NOW - 120_000, 's')).toEqual({ ok: false, error: { reason: 'expired' } });
  });

  it('is not made of a signature for another purpose', async () => {
    const text = 'chat~green-2~00ff00ff00ff00ff~abc';
    const token = `${text}~${await sign('preview', text, 's')}`;
    expect(await readReceipt(token, NOW, 's')).toEqual({ ok: false, error: { reason: 'forged' } });
  });

  it('is malformed, not an error, for anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (token) => {
        expect(await readReceipt(token, NOW, 's')).toEqual({ ok: false, error: { reason: 'malformed' } });
      }),
    );
  });

  it('is told from another of the same millisecond by its nonce, and was valid before it had one', async () => {
    const [first, second] = [
      await createReceipt({ ...receipt, nonce: '01' }, 's'),
      await createReceipt({ ...receipt, nonce: '02' }, 's'),
    ];
    expect(receiptTag(first!)).not.toBe(receiptTag(second!));
    expect(await readReceipt(first!, NOW, 's')).toEqual({ ok: true, value: receipt });
    const text = `chat~green-2~00ff00ff00ff00ff~${NOW.toString(36)}`;
    const before = `${text}~${await sign('receipt', text, 's')}`;
    expect(await readReceipt(before, NOW, 's')).toEqual({ ok: true, value: receipt });
  });

  it('is told from others by its tag', async () => {
    const first = await createReceipt(receipt, 's');
    const second = await createReceipt({ ...receipt, atMs: NOW + 1 }, 's');
    expect(receiptTag(first)).toHaveLength(43);
    expect(receiptTag(first)).not.toBe(receiptTag(second));
  });
});

describe('the hash of a unit', () => {
  it('is the first 64 bits of its HMAC, also when it is asked again', async () => {
    const expected = createHmac('sha256', 'é').update('unit|u-1').digest('hex').slice(0, 16);
    expect(await hashUnit('u-1', 'é')).toBe(expected);
    expect(await hashUnit('u-1', 'é')).toBe(expected);
    const long = 'u'.repeat(5_000);
    const ofLong = createHmac('sha256', 'é').update(`unit|${long}`).digest('hex').slice(0, 16);
    expect(await hashUnit(long, 'é')).toBe(ofLong);
  });

  it('remembers of a unit no more than the unit, however long the header that bore it', async () => {
    const kept = await keptBytes(async () => {
      for (let n = 100_000; n < 100_500; n++) await hashUnit(longFrom(`a-visitor-id-${n}`).slice(0, 19), 's');
    });
    expect(kept).toBeLessThan(5_000_000); // the headers have 30 MB
  });

  it('stays right when more units come than are remembered', async () => {
    const before = await hashUnit('kept', 's');
    for (let n = 0; n < 12_000; n++) await hashUnit(`u-${n}`, 's');
    expect(await hashUnit('kept', 's')).toBe(before);
    expect(await hashUnit('kept', 't')).not.toBe(before);
  });
});
