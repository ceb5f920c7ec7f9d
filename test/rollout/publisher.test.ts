import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Split } from '../../src/config/split.ts';
import type { Env } from '../../src/env.ts';
import { Publisher } from '../../src/rollout/publisher.ts';
import { T0 } from './world.ts';

const split = (revision: number) => ({ revision }) as Split;

function world() {
  const puts: { atMs: number; revision: number; end(how: 'written' | 'refused'): void }[] = [];
  const put = (_: string, text: string) =>
    new Promise<void>((resolve, reject) => {
      const end = (how: 'written' | 'refused') => (how === 'written' ? resolve() : reject(new Error('429')));
      puts.push({ atMs: Date.now(), revision: JSON.parse(text).revision, end });
    });
  const onLate = vi.fn();
  const publisher = new Publisher({ CONFIG: { put } } as unknown as Env, 'detect', onLate);
  return { puts, publisher, onLate };
}

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('publishing a split', () => {
  it('writes a key once a second at most, and then only the newest', async () => {
    const { puts, publisher } = world();
    let newest = split(1);
    const first = publisher.publish(() => newest);
    await vi.advanceTimersByTimeAsync(0);
    newest = split(2);
    const second = publisher.publish(() => newest);
    newest = split(3);
    const third = publisher.publish(() => newest);
    puts[0]!.end('written');
    await vi.advanceTimersByTimeAsync(1_000);
    puts[1]!.end('written');
    await vi.advanceTimersByTimeAsync(1_000);
    // The first is not all that there was to write by then.
    expect(await Promise.all([first, second, third])).toEqual([false, true, true]);
    expect(puts.map(({ atMs, revision }) => [atMs - T0, revision])).toEqual([
      [0, 1],
      [1_000, 3],
    ]);
  });

  it('says that KV refused it, and writes it when it is asked again', async () => {
    const { puts, publisher } = world();
    const refused = publisher.publish(() => split(1));
    await vi.advanceTimersByTimeAsync(0);
    puts[0]!.end('refused');
    expect(await refused).toBe(false);
    const again = publisher.publish(() => split(1));
    await vi.advanceTimersByTimeAsync(1_000);
    puts[1]!.end('written');
    expect(await again).toBe(true);
    const known = publisher.publish(() => split(1));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await known).toBe(true);
    expect(puts).toHaveLength(2);
  });

  it('writes the newest again when a write that was given up lands after it', async () => {
    const { puts, publisher, onLate } = world();
    const hanging = publisher.publish(() => split(1));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await hanging).toBe(false);
    const newer = publisher.publish(() => split(2));
    await vi.advanceTimersByTimeAsync(0);
    puts[1]!.end('written');
    expect(await newer).toBe(true);
    expect(onLate).not.toHaveBeenCalled();
    puts[0]!.end('written');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(onLate).toHaveBeenCalledOnce();
    const mended = publisher.publish(() => split(2));
    await vi.advanceTimersByTimeAsync(0);
    puts[2]!.end('written');
    expect(await mended).toBe(true);
    expect(puts.map(({ revision }) => revision)).toEqual([1, 2, 2]);
  });

  it('is done again where KV shows an older one for longer than it may lag', async () => {
    const { puts, publisher } = world();
    const own = { revision: 3, at: new Date(T0).toISOString() } as Split;
    const written = publisher.publish(() => own);
    await vi.advanceTimersByTimeAsync(0);
    puts[0]!.end('written');
    await written;
    expect(publisher.isOverwritten(split(2), own, T0 + 119_000)).toBe(false);
    expect(publisher.isOverwritten(split(3), own, T0 + 500_000)).toBe(false);
    await vi.advanceTimersByTimeAsync(121_000);
    expect(publisher.isOverwritten(split(2), own, Date.now())).toBe(true);
    void publisher.publish(() => own);
    await vi.advanceTimersByTimeAsync(0);
    expect(puts.map(({ revision }) => revision)).toEqual([3, 3]);
    // Written just now, it may lag again.
    expect(publisher.isOverwritten(split(2), own, Date.now())).toBe(false);
  });
});
