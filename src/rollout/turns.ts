/** Owns the order of a Durable Object's longer actions: one after another, although each waits for KV in between. */

/** A line of actions. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` once everything before it has ended, whether it succeeded or failed. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/**
 * A function that runs at most `count` works at once, in that many lines. The platform lets six calls of an invocation or object wait for
 * an answer; a seventh is not sent while its own time limit runs already, so of many checks at once healthy variants would seem dead.
 */
export function lanes(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const lines = Array.from({ length: count }, () => new Turns());
  let next = 0;
  return (work) => lines[next++ % count]!.take(work);
}
