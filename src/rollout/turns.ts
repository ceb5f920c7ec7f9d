/** Owns the order of a Durable Object's longer actions: one after another, although each waits for KV in between. */

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when everything before it has ended, however it ended. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}

/**
 * Runs at most so many works at once, each in the line that its place gives it. The platform lets six calls of an invocation or object
 * wait for an answer, and a seventh stands unsent while its own time runs: whoever asks many at once would call the well ones dead.
 */
export function lanes(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const lines = Array.from({ length: count }, () => new Turns());
  let next = 0;
  return (work) => lines[next++ % count]!.take(work);
}
