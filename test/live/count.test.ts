import { describe, expect, it } from 'vitest';
import { EventEnds } from '../../src/forward/event-ends.ts';
import { countServed, flushingOf } from '../../src/live/count.ts';
import type { Flusher } from '../../src/live/flush.ts';
import { body, served } from './served.ts';

interface Added {
  revision: number;
  endedProperly: boolean | null;
}

function counting() {
  const armed: number[] = [];
  const added: Added[] = [];
  const flusher = {
    live: ({ revision }: { revision: number }) => {
      armed.push(revision);
      return {
        add: (_: unknown, __: unknown, endedProperly: boolean | null) => void added.push({ revision, endedProperly }),
      };
    },
  } as unknown as Flusher;
  const background: Promise<unknown>[] = [];
  const ctx = { waitUntil: (work: Promise<unknown>) => void background.push(work) } as unknown as ExecutionContext;
  const observe = countServed(flusher, () => null);
  return {
    armed,
    added,
    background,
    observe: (one: ReturnType<typeof served>, env: object) => observe(one, env as never, ctx),
  };
}

const env = { CONTROLLER: {} };

describe('a served request', () => {
  it('arms the flush at once, and is counted when its body has ended', async () => {
    const { armed, added, background, observe } = counting();
    let end: (report: typeof body) => void = () => {};
    const streaming = new Promise<typeof body>((resolve) => {
      end = resolve;
    });
    observe(served({ body: streaming }), env);
    expect([armed.length, added.length]).toEqual([1, 0]);
    end(body);
    await Promise.all(background);
    expect(added).toEqual([{ revision: 3, endedProperly: null }]);
  });

  it('is not counted without a controller', () => {
    const { armed, observe } = counting();
    observe(served(), {});
    expect(armed).toEqual([]);
  });

  it('is counted with how its stream ended', async () => {
    const { added, background, observe } = counting();
    const events = new EventEnds();
    events.add(new TextEncoder().encode('data: [DONE]\n\n'));
    observe(served({ events, responseHeaders: new Headers() }), env);
    await Promise.all(background);
    expect(added).toMatchObject([{ endedProperly: true }]);
  });

  it('wants its evidence soon while a rollout runs or two variants have weight', () => {
    const busy = (changes: Parameters<typeof served>[0]) => flushingOf(served(changes)).isBusy;
    expect(busy({ armCount: 1 })).toBe(true);
    expect(busy({ inForce: { rollout: null } })).toBe(true);
    expect(busy({ inForce: { rollout: null }, armCount: 1 })).toBe(false);
    expect(flushingOf(served({ inForce: { source: 'weights' } })).isByHand).toBe(true);
  });
});
