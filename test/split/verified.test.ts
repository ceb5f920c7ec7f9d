import { describe, expect, it } from 'vitest';
import { recall, remember } from '../../src/split/verified.ts';

const verified = { id: 'a'.repeat(22), pins: [] };
const longAs = (n: number, chars: number) => String(n).padStart(chars, 'x');

describe('the memory of verified cookies', () => {
  it.each([
    { bound: 'a million characters', chars: 4_000, many: 260 },
    { bound: '4,096 of them', chars: 70, many: 4_100 },
  ])('holds $bound and as many from before, and forgets what is older', ({ chars, many }) => {
    for (let n = 0; n < many; n++) remember(longAs(n, chars), verified, 'secret');
    expect(recall(longAs(0, chars), 'secret')).toEqual(verified);
    for (let n = many; n < 2 * many; n++) remember(longAs(n, chars), verified, 'secret');
    expect(recall(longAs(0, chars), 'secret')).toBeUndefined();
    expect(recall(longAs(2 * many - 1, chars), 'secret')).toEqual(verified);
  });

  it('knows nothing under another secret', () => {
    remember('value', verified, 'one');
    expect(recall('value', 'two')).toBeUndefined();
    remember('other', verified, 'two');
    expect(recall('value', 'two')).toBeUndefined();
    expect(recall('value', 'one')).toBeUndefined();
  });
});
