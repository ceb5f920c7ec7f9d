/** Owns the making of observations for tests: what a capture would have handed over. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Observation } from '../../../src/shadow/observation.ts';

const encoder = new TextEncoder();

/** A complete reply with status 200; `over` changes any of it. */
export function observed(
  body: string | Uint8Array,
  contentType: string | null,
  over: Partial<Observation> = {},
): Observation {
  const bytes = typeof body === 'string' ? encoder.encode(body) : body;
  return {
    status: 200,
    contentType,
    body: bytes,
    bytes: bytes.length,
    end: 'complete',
    headersMs: 10,
    firstByteMs: 12,
    totalMs: 20,
    ...over,
  };
}

export function json(value: unknown, over: Partial<Observation> = {}): Observation {
  return observed(JSON.stringify(value), 'application/json', over);
}

export function stream(text: string, over: Partial<Observation> = {}): Observation {
  return observed(text, 'text/event-stream', over);
}

/** A transcript under `transcripts/`, written by us from the APIs' documentation. */
export function transcript(name: string): string {
  return readFileSync(join(import.meta.dirname, 'transcripts', name), 'utf8');
}

/** A seeded source of numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
