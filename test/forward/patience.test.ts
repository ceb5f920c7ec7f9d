import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Patience } from '../../src/forward/patience.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function waiting(options: { timeoutMs?: number; sent?: Promise<unknown> } = {}) {
  const client = new AbortController();
  const cut = vi.fn();
  const patience = new Patience({ client, timeoutMs: 1_000, sent: undefined, cut, ...options });
  return { client, cut, patience };
}

describe('an attempt', () => {
  it('is cut when its time is over, and says that this was why', () => {
    const { cut, patience } = waiting();
    vi.advanceTimersByTime(999);
    expect(cut).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(cut).toHaveBeenCalledTimes(1);
    expect(patience.hasTimedOut).toBe(true);
  });

  it.each([0, 5, 19, 20, 21])('keeps a limit of %i ms', (timeoutMs) => {
    const { cut } = waiting({ timeoutMs });
    vi.advanceTimersByTime(Math.max(0, timeoutMs - 1));
    if (timeoutMs > 0) expect(cut).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(cut).toHaveBeenCalledTimes(1);
  });

  it('has all the time it wants once headers came', () => {
    const { cut, patience } = waiting();
    vi.advanceTimersByTime(500);
    patience.headersCame();
    vi.advanceTimersByTime(100_000);
    expect(cut).not.toHaveBeenCalled();
  });

  it('counts its time from the request’s last byte', async () => {
    let isSent = () => {};
    const { cut } = waiting({ sent: new Promise<void>((resolve) => (isSent = resolve)) });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(cut).not.toHaveBeenCalled();
    isSent();
    await vi.advanceTimersByTimeAsync(999);
    expect(cut).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(cut).toHaveBeenCalledTimes(1);
  });

  it('is cut when the client leaves, at the latest at the first look', () => {
    const early = waiting();
    early.client.abort();
    vi.advanceTimersByTime(20);
    expect(early.cut).toHaveBeenCalledTimes(1);
    expect(early.patience.hasTimedOut).toBe(false);
    const late = waiting();
    vi.advanceTimersByTime(300);
    late.client.abort();
    expect(late.cut).toHaveBeenCalledTimes(1);
  });

  it('hears the client at once while a body streams', () => {
    const { client, cut, patience } = waiting();
    patience.headersCame();
    patience.done();
    patience.streams();
    client.abort();
    expect(cut).toHaveBeenCalledTimes(1);
  });

  it('leaves no timer behind when it is done', () => {
    const { patience } = waiting();
    patience.headersCame();
    const onLate = vi.fn();
    patience.whenLate(onLate);
    patience.done();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([0, 500])('calls a short body late in time when headers came after %i ms', async (afterMs) => {
    const { patience } = waiting();
    await vi.advanceTimersByTimeAsync(afterMs);
    patience.headersCame();
    let isLate = false;
    patience.whenLate(() => {
      isLate = true;
    });
    await vi.advanceTimersByTimeAsync(5);
    expect(isLate).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    expect(isLate).toBe(true);
  });
});
