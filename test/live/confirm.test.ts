import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RouteState } from '../../src/config/route-state.ts';
import type { ConfigStore } from '../../src/config/store.ts';
import type { Env } from '../../src/env.ts';
import { Confirmations } from '../../src/live/confirm.ts';
import { inForce, T0 } from './served.ts';

const state = (changes: Parameters<typeof inForce>[0] = {}) =>
  ({ route: { name: 'main' }, inForce: inForce(changes) }) as unknown as RouteState;
const newer = state({ revision: 9, rollout: null });

let asked: number[];
let answer: () => Promise<string | null>;
let offered: string[];
let confirmations: Confirmations;
const stub = {
  newerSplit: (_: string, revision: number) => {
    asked.push(revision);
    return answer();
  },
};
const env = { CONTROLLER: { idFromName: (name: string) => name, get: () => stub } } as unknown as Env;

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  asked = [];
  offered = [];
  answer = async () => null;
  const store = {
    offer: (_: string, text: string) => void offered.push(text),
    peek: () => (offered.length > 0 ? newer : null),
  };
  confirmations = new Confirmations(store as unknown as ConfigStore);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('an isolate that wakes up during a rollout', () => {
  it('asks before it serves, takes what it is told, and asks nobody again for 15 s', async () => {
    answer = async () => 'the newest split';
    expect(await confirmations.check(state(), env, T0)).toBe(newer);
    expect([asked, offered]).toEqual([[3], ['the newest split']]);
    const one = state();
    expect(confirmations.check(one, env, T0 + 14_999)).toBe(one);
    expect(confirmations.check(one, env, T0 + 15_000)).toBeInstanceOf(Promise);
  });

  it('does not ask while flushes are answered', () => {
    confirmations.confirmed('main', T0);
    const one = state();
    expect(confirmations.check(one, env, T0 + 2_000)).toBe(one);
    expect(asked).toEqual([]);
  });

  it.each([
    ['no rollout runs', state({ rollout: null }), env],
    ['weights set by hand decide', state({ source: 'weights' }), env],
    ['there is no controller', state(), {} as Env],
  ])('does not ask where %s', (_, known, bindings) => {
    expect(confirmations.check(known, bindings, T0)).toBe(known);
    expect(asked).toEqual([]);
  });

  it('waits 100 ms at most, goes on with what it knows, and takes a late answer for the next request', async () => {
    let tell: (split: string) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        tell = resolve;
      });
    const one = state();
    const checking = Promise.resolve(confirmations.check(one, env, T0));
    await vi.advanceTimersByTimeAsync(99);
    expect(await Promise.race([checking, Promise.resolve('waiting')])).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1);
    expect(await checking).toBe(one);
    tell('a late split');
    await vi.advanceTimersByTimeAsync(0);
    expect(offered).toEqual(['a late split']);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('the object was reset'))],
    [
      'throws',
      () => {
        throw new Error('no such object');
      },
    ],
  ])('goes on with what it knows when the controller %s, and lets no second visitor wait', async (_, fails) => {
    answer = fails;
    const one = state();
    expect(await confirmations.check(one, env, T0)).toBe(one);
    expect(confirmations.check(one, env, T0 + 1_000)).toBe(one);
  });
});
