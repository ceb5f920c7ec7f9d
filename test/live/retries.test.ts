import { describe, expect, it } from 'vitest';
import type { Served } from '../../src/forward/served.ts';
import { askOf, RetryMemory } from '../../src/live/retries.ts';
import { served, T0 } from './served.ts';

const MINUTE = 60_000;

describe('asking the same again', () => {
  it('is a retry within a minute, whichever of the two is heard of first', () => {
    const retries = new RetryMemory();
    expect(retries.isRetry('a', T0)).toBe(false);
    expect(retries.isRetry('b', T0 + 1)).toBe(false);
    expect(retries.isRetry('a', T0 + MINUTE)).toBe(true);
    expect(retries.isRetry('a', T0 + MINUTE - 20)).toBe(true);
    expect(retries.isRetry('a', T0 + 2 * MINUTE + 1)).toBe(false);
  });

  it('is remembered in bounded memory, the newest longest', () => {
    const retries = new RetryMemory();
    for (let n = 0; n < 50_000; n++) retries.isRetry(`ask-${n}`, T0);
    expect(retries.isRetry('ask-49999', T0)).toBe(true);
    expect(retries.isRetry('ask-0', T0)).toBe(false);
  });
});

function asking(url: string, more: { method?: string; body?: string | null; unit?: string } = {}): Served {
  const { method = 'POST', body = 'hello', unit = 'u-1' } = more;
  const bytes = body === null ? null : new TextEncoder().encode(body);
  const upload = { isPresent: true, bytes } as unknown as Served['upload'];
  const request = new Request(url, { method, headers: { 'content-length': String(bytes?.byteLength ?? 0) } });
  return served({ request, url: new URL(url), upload, unit });
}

describe('what was asked', () => {
  const url = 'https://shop.example/x?q=1';

  it('is told by unit, method, path, query and body', () => {
    const same = askOf(asking(url));
    expect(askOf(asking(url))).toBe(same);
    const others = [
      asking(url, { unit: 'u-2' }),
      asking(url, { method: 'PUT' }),
      asking('https://shop.example/y?q=1'),
      asking('https://shop.example/x?q=2'),
      asking(url, { body: 'hellp' }),
      asking(url, { body: '' }),
    ];
    expect(new Set([same, ...others.map(askOf)]).size).toBe(7);
  });

  it('is unknown where the body was not kept', () => {
    expect(askOf(asking(url, { body: null }))).toBeNull();
  });
});
