import { describe, expect, it } from 'vitest';
import { comeOneByOne } from '../../../src/demo/ab/crowd.ts';

const signal = new AbortController().signal;

describe('the crowd of the demo’s experiments', () => {
  it('has everybody come once, in order, and waits until the last has gone', async () => {
    const came: number[] = [];
    const gone: number[] = [];
    await comeOneByOne({
      ...{ count: 50, perSecond: 5_000, signal },
      visit: async (index) => {
        came.push(index);
        await new Promise((resolve) => setTimeout(resolve, index % 5));
        gone.push(index);
      },
    });
    expect(came).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(gone.toSorted((a, b) => a - b)).toEqual(came);
  });

  it('keeps to its rate', async () => {
    const startedMs = performance.now();
    await comeOneByOne({ count: 20, perSecond: 100, signal, visit: async () => undefined });
    expect(performance.now() - startedMs).toBeGreaterThan(150);
  });

  it('leaves nobody out when visits are slow, and never has more than 24 inside', async () => {
    let [inside, most, all] = [0, 0, 0];
    await comeOneByOne({
      ...{ count: 80, perSecond: 100_000, signal },
      visit: async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside--;
        all++;
      },
    });
    expect({ most, all }).toEqual({ most: 24, all: 80 });
  });

  it('ends early when it is stopped', async () => {
    const stop = new AbortController();
    const coming = comeOneByOne({
      ...{ count: 1_000, perSecond: 100, signal: stop.signal },
      visit: async (index) => {
        if (index === 3) stop.abort();
      },
    });
    await expect(coming).rejects.toThrow(/abort/i);
  });
});
