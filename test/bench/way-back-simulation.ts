/**
 * Owns the way back on paper: many isolates with Poisson traffic, of which each flushes, confirms and hears as `src/live` does,
 * and one abort. It says how long requests went on by the old split. Pure: seeded, and by the constants of the product.
 */

import { BUSY_INTERVAL_MS, CONFIRM_AFTER_MS } from '../../src/live/limits.ts';

export interface Scene {
  isolates: number;
  requestsPerSecond: number;
  seed: number;
  /** What a call to the controller takes, there and back. */
  roundTripMs: number;
  /** The interval that the controller asks of so many active isolates. */
  intervalMs(activeIsolates: number): number;
}

export interface Outcome {
  /** When the last request went by the old split, after the abort. */
  lastMs: number;
  /** Requests by the old split after the abort, and those of them that came more than 3 s after it. */
  requests: number;
  after3s: number;
  /** The interval that the controller asked for. */
  intervalMs: number;
}

const ACTIVE_MS = 60_000;
const RUN_UP_MS = 120_000;
const WATCHED_MS = 120_000;

/** One abort, after two minutes of steady traffic. */
export function simulate(scene: Scene): Outcome {
  const random = seeded(scene.seed);
  const meanGapMs = (1000 * scene.isolates) / scene.requestsPerSecond;
  const gap = () => -Math.log(1 - random()) * meanGapMs;
  const active = scene.isolates * (1 - Math.exp(-ACTIVE_MS / meanGapMs));
  const intervalMs = Math.max(BUSY_INTERVAL_MS, scene.intervalMs(active));
  const late: number[] = [];
  for (let isolate = 0; isolate < scene.isolates; isolate++) {
    late.push(...lateRequests({ gap, intervalMs, roundTripMs: scene.roundTripMs }));
  }
  return {
    lastMs: late.reduce((most, atMs) => Math.max(most, atMs), 0),
    requests: late.length,
    after3s: late.filter((atMs) => atMs > 3_000).length,
    intervalMs,
  };
}

/** When one isolate's requests went by the old split after the abort (milliseconds after it). */
function lateRequests(given: { gap(): number; intervalMs: number; roundTripMs: number }): number[] {
  const { gap, intervalMs, roundTripMs } = given;
  const late: number[] = [];
  let confirmedMs = Number.NEGATIVE_INFINITY;
  let flushAtMs: number | null = null;
  for (let nowMs = -RUN_UP_MS + gap(); nowMs < WATCHED_MS; nowMs += gap()) {
    if (flushAtMs !== null && flushAtMs + roundTripMs <= nowMs) {
      // The controller answers by what it knew when the flush came to it.
      if (flushAtMs + roundTripMs / 2 >= 0) return late;
      confirmedMs = flushAtMs + roundTripMs;
      flushAtMs = null;
    }
    if (nowMs - confirmedMs >= CONFIRM_AFTER_MS) {
      if (nowMs + roundTripMs / 2 >= 0) return late;
      confirmedMs = nowMs + roundTripMs;
    }
    if (nowMs >= 0) late.push(nowMs);
    flushAtMs ??= nowMs + intervalMs;
  }
  return late;
}

/** mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
