import { describe, expect, it } from 'vitest';
import { isLoop, loopToken } from '../../src/forward/loop.ts';

describe('loop guard', () => {
  it.each([
    ['the token of this config', 'headgate;config=0123456789abcdef', true],
    ['it among those of other networks', 'cloudflare, headgate;config=0123456789abcdef, fastly', true],
    ['it with spaces and capitals', 'cloudflare , headgate; config=0123456789ABCDEF', true],
    ['a token that names no config', 'cloudflare, headgate', true],
    ['another Headgate before this one', 'headgate;config=fedcba9876543210', false],
    ['other networks alone', 'cloudflare; subreqs=1, fastly', false],
    ['a name that only begins alike', 'headgate-two, notheadgate', false],
    ['an empty header', '', false],
  ])('%s', (_, header, loops) => {
    expect(isLoop(header, '0123456789abcdef')).toBe(loops);
  });

  it('passes a request without the header', () => {
    expect(isLoop(null, '0123456789abcdef')).toBe(false);
  });

  it('knows its own token, with a config and without', () => {
    for (const hash of ['', '0123456789abcdef']) expect(isLoop(`cloudflare, ${loopToken(hash)}`, hash)).toBe(true);
  });
});
