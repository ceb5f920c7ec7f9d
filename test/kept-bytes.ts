/** Owns the measuring of what stays in memory when work is done: a short text that is cut out of a long one keeps all of it. */

import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** The bytes that `work` leaves behind, besides what nobody can reach. */
export async function keptBytes(work: () => unknown): Promise<number> {
  collect();
  const before = getHeapStatistics().used_heap_size;
  await work();
  collect();
  return getHeapStatistics().used_heap_size - before;
}

/** A text of 60 KB that begins with `text`, as a header that a client may send. */
export const longFrom = (text: string) => new Headers({ x: text + 'x'.repeat(60_000) }).get('x')!;
