/**
 * Owns the ejection of candidates that keep failing in this isolate (design section 6): plain counts, no coordination. It decides
 * nothing about weights, and fails open: a candidate that it has forgotten is sent requests again. It also knows which baselines are
 * failing at the moment, since a failure that both versions share is no reason to eject one of them.
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
/** After this long without an ejection the count of ejections starts again, so that the next one is short. */
const FORGIVEN_AFTER_MS = 600_000;
/** A probe that has not answered this long after it should have was lost together with its request: another may be sent. */
const PROBE_LOST_AFTER_MS = 60_000;
/** How long a baseline counts as failing after a failure, unless it answers well before. */
const SICK_MS = 10_000;
const NEVER = -Infinity;

/** One isolate's ejections. Keyed by the config's variant object, so that a variant of a new config starts with a clean slate. */
export class Ejections {
  #health = new WeakMap<Variant, Health>();
  /** When a baseline last failed; no entry once it has answered well again. */
  #sickAtMs = new WeakMap<Variant, number>();

  /**
   * Whether a request may go to the candidate. When an ejection is over, exactly one may: the probe, for whose answer's headers its route
   * waits `timeoutMs`.
   */
  admits(variant: Variant, nowMs: number, timeoutMs: number): boolean {
    const health = this.#health.get(variant);
    if (health === undefined || !health.ejected) return true;
    if (nowMs < health.untilMs) return false;
    if (nowMs - health.probeAtMs < timeoutMs + PROBE_LOST_AFTER_MS) return false;
    health.probeAtMs = nowMs;
    return true;
  }

  /** Counts a failed try. One that was sent before an ejection ended says nothing about the time after it. */
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

  /** Notes how the baseline last answered. */
  noteBaseline(variant: Variant, { isWell, nowMs }: { isWell: boolean; nowMs: number }): void {
    if (isWell) this.#sickAtMs.delete(variant);
    else this.#sickAtMs.set(variant, nowMs);
  }

  /** Whether the baseline is failing at the moment, as far as this isolate has seen. */
  isSick(variant: Variant, nowMs: number): boolean {
    return nowMs - (this.#sickAtMs.get(variant) ?? NEVER) < SICK_MS;
  }

  /** Takes back one failure, because the baseline failed at the same request. An ejection that is left with too few failures ends. */
  takeBack(variant: Variant): void {
    const health = this.#health.get(variant);
    if (health === undefined) return;
    health.consecutive = Math.max(0, health.consecutive - 1);
    if (health.consecutive < FAILURES_TO_EJECT) Object.assign(health, { ejected: false, untilMs: 0 });
  }

  /** A try that proves nothing: its client left, or the baseline is failing as well. If it was the probe, another may be sent. */
  inconclusive(variant: Variant, askedAtMs: number): void {
    const health = this.#health.get(variant);
    if (health !== undefined && askedAtMs >= health.untilMs) health.probeAtMs = NEVER;
  }

  /** Counts a good answer. One that was asked for before an ejection ended does not end it. */
  succeeded(variant: Variant, askedAtMs: number): void {
    const health = this.#health.get(variant);
    if (health === undefined) return;
    health.consecutive = 0;
    if (askedAtMs >= health.untilMs) health.ejected = false;
  }
}
