/**
 * Owns the memory of candidates that fail again and again in this isolate (design section 6): plain counts, no coordination.
 * It decides nothing about weights; it fails open, since what it forgets is only sent to again. Of baselines it knows which fail just
 * now: what both versions fail at is no reason to eject one.
 */

import type { Variant } from '../config/types.ts';

interface Health {
  consecutive: number;
  ejections: number;
  ejected: boolean;
  /** The end of the last ejection. */
  untilMs: number;
  /** When the one probe after an ejection went out. */
  probeAtMs: number;
}

/** Failures in a row that eject. */
export const FAILURES_TO_EJECT = 5;
/** The first ejection's length; the n-th lasts n times as long. */
export const EJECTION_MS = 30_000;
/** A candidate that was well for so long begins anew: its next ejection is short again. */
const FORGIVEN_AFTER_MS = 600_000;
/** A probe that has not answered by then was lost with its request; another may go. */
const PROBE_LOST_AFTER_MS = 60_000;
/** A baseline that failed, and was not asked since, is taken for failing so long. */
const SICK_MS = 10_000;
const NEVER = -Infinity;

/** One isolate's ejections, by variant as a config has it: one that is mended in a new config begins anew. */
export class Ejections {
  #health = new WeakMap<Variant, Health>();
  /** When a baseline's newest answer came, where that was a failure. */
  #sickAtMs = new WeakMap<Variant, number>();

  /** Whether a request may go to the candidate. After an ejection exactly one may, to look. */
  admits(variant: Variant, nowMs: number): boolean {
    const health = this.#health.get(variant);
    if (health === undefined || !health.ejected) return true;
    if (nowMs < health.untilMs) return false;
    if (nowMs - health.probeAtMs < PROBE_LOST_AFTER_MS) return false;
    health.probeAtMs = nowMs;
    return true;
  }

  /** A try that failed. One that was asked before an ejection's end says nothing of what came after. */
  failed(variant: Variant, nowMs: number, askedAtMs: number): void {
    const health = this.#health.get(variant) ?? {
      consecutive: 0,
      ejections: 0,
      ejected: false,
      untilMs: 0,
      probeAtMs: NEVER,
    };
    this.#health.set(variant, health);
    health.consecutive++;
    if (askedAtMs < health.untilMs) return;
    if (!health.ejected && health.consecutive < FAILURES_TO_EJECT) return;
    if (nowMs - health.untilMs > FORGIVEN_AFTER_MS) health.ejections = 0;
    health.ejections++;
    health.ejected = true;
    health.untilMs = nowMs + EJECTION_MS * health.ejections;
    health.probeAtMs = NEVER;
  }

  /** What the baseline's newest answer was. */
  baselineIs(isWell: boolean, variant: Variant, nowMs: number): void {
    if (isWell) this.#sickAtMs.delete(variant);
    else this.#sickAtMs.set(variant, nowMs);
  }

  isSick(variant: Variant, nowMs: number): boolean {
    return nowMs - (this.#sickAtMs.get(variant) ?? NEVER) < SICK_MS;
  }

  /** Takes one failure back, which the baseline shared: an ejection that it takes to too few has no ground. */
  takeBack(variant: Variant): void {
    const health = this.#health.get(variant);
    if (health === undefined) return;
    health.consecutive = Math.max(0, health.consecutive - 1);
    if (health.consecutive < FAILURES_TO_EJECT) Object.assign(health, { ejected: false, untilMs: 0 });
  }

  /** A try of which nothing can be said, since its client left or the baseline fails too: where it was the probe, another may go. */
  lost(variant: Variant, askedAtMs: number): void {
    const health = this.#health.get(variant);
    if (health !== undefined && askedAtMs >= health.untilMs) health.probeAtMs = NEVER;
  }

  /** A try that came through. One that was asked before an ejection's end does not end it. */
  succeeded(variant: Variant, askedAtMs: number): void {
    const health = this.#health.get(variant);
    if (health === undefined) return;
    health.consecutive = 0;
    if (askedAtMs >= health.untilMs) health.ejected = false;
  }
}
