/**
 * Owns the demo's crowd: visitors who come one after another at a steady rate, each once, each with a text of their own. On a slow
 * machine they come later, and nobody is left out, since an experiment needs them all.
 */

import { setTimeout as sleep } from 'node:timers/promises';

const MAX_AT_ONCE = 24;
const TICK_MS = 10;

interface Crowd {
  count: number;
  perSecond: number;
  /** Ends it early: then `comeOneByOne` rejects. */
  signal: AbortSignal;
  /** What the visitor with this number does, from 0 on. Must not reject. */
  visit(index: number): Promise<void>;
}

/** Settles when everybody has come and gone. */
export async function comeOneByOne({ count, perSecond, signal, visit }: Crowd): Promise<void> {
  const inside = new Set<Promise<void>>();
  const startedMs = performance.now();
  let come = 0;
  while (come < count) {
    const due = Math.min(count, 1 + Math.floor(((performance.now() - startedMs) / 1000) * perSecond));
    while (come < due && inside.size < MAX_AT_ONCE) {
      const visiting = visit(come++);
      inside.add(visiting);
      void visiting.then(() => inside.delete(visiting));
    }
    await sleep(TICK_MS, undefined, { signal });
  }
  await Promise.all(inside);
}
