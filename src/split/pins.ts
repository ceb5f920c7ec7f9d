/**
 * Owns what a pin is and when it counts: the earlier assignment of a visitor, honoured in its epoch (rollout or experiment)
 * while its variant has weight. It reads no cookie and checks no signature: pins that come here were verified by `visitor.ts`.
 */
import type { Sticky } from '../config/types.ts';
import type { Arm } from './assign.ts';

/** One earlier assignment. */
export interface Pin {
  route: string;
  variant: string;
  /** The rollout's or experiment's id in the split; empty where there is neither. */
  epoch: string;
  /** When the visitor was last seen, unix milliseconds; only under `sticky: { idleMs }`. */
  seenAtMs?: number;
}

/** What a route says about pins at this moment. */
export interface PinRules {
  route: string;
  epoch: string;
  arms: readonly Arm[];
  baseline: string;
  sticky: Sticky;
  /** An experiment runs: every arm is pinned and no idle time ends it (first exposure decides), whatever `sticky` says. */
  experiment: boolean;
  /** The epoch of the route's experiment while a rollout lets it rest. Its pins are kept beside the others', or its units would change arms. */
  resting?: string | undefined;
  nowMs: number;
}

/** Pins that one cookie carries at most; beyond, the oldest go. 20 pins stay under the 4,096 bytes that browsers keep. */
export const MAX_PINS = 20;

// A visitor's time is rewritten when it moved by a tenth of the idle time, so a cookie is not set on every answer. Pins
// therefore last up to a tenth longer than asked: a session held too long harms less than one that is cut in the middle.
const REFRESH_SHARE = 0.1;

const PIN = /^([a-z0-9][a-z0-9-]{0,31}):([a-z0-9][a-z0-9-]{0,31}):([A-Za-z0-9_-]{0,64})(?::([0-9a-z]{1,9}))?$/;

/** The variant that a pin holds the visitor to, or undefined when the hash decides. */
export function honouredPin(pins: readonly Pin[], rules: PinRules): string | undefined {
  const pin = pins.length === 0 ? undefined : pinOf(pins, rules);
  return pin !== undefined && counts(pin, rules) ? pin.variant : undefined;
}

/**
 * The pins to keep after `variant` was assigned; the same array when nothing changed, so that `===` tells whether the cookie
 * must be set. The route's own pin moves to the end (newest), and the oldest beyond `MAX_PINS` fall off the front.
 */
export function nextPins(pins: readonly Pin[], rules: PinRules, variant: string): readonly Pin[] {
  const current = pinOf(pins, rules);
  // The first exposure decides: a unit whose arm has no weight for now will come back to it.
  if (rules.experiment && current !== undefined) return pins;
  const held = current !== undefined && current.variant === variant && counts(current, rules);
  if (held ? !isStale(current, rules) : !isPinned(variant, rules)) return pins;
  const next: Pin = { route: rules.route, variant, epoch: rules.epoch };
  if (idleMsOf(rules) !== undefined) next.seenAtMs = rules.nowMs;
  if (!PIN.test(formatPin(next))) return pins; // an epoch that could not be read back, from a split written by hand
  const others = pins.filter((pin) => pin.route !== rules.route || pin.epoch === rules.resting);
  return [...others, next].slice(-MAX_PINS);
}

/** The pin's text in the cookie: `route:variant:epoch`, and `:` with the last-seen time in base 36 where there is one. */
export function formatPin(pin: Pin): string {
  const text = `${pin.route}:${pin.variant}:${pin.epoch}`;
  return pin.seenAtMs === undefined ? text : `${text}:${pin.seenAtMs.toString(36)}`;
}

/** The pin of a text, or null when it is none. */
export function parsePin(text: string): Pin | null {
  const parts = PIN.exec(text);
  if (parts === null) return null;
  const pin: Pin = { route: parts[1]!, variant: parts[2]!, epoch: parts[3]! };
  if (parts[4] !== undefined) pin.seenAtMs = Number.parseInt(parts[4], 36);
  return pin;
}

function pinOf(pins: readonly Pin[], rules: PinRules): Pin | undefined {
  return pins.find((pin) => pin.route === rules.route && pin.epoch === rules.epoch);
}

function counts(pin: Pin, rules: PinRules): boolean {
  if (!rules.arms.some((arm) => arm.variant === pin.variant)) return false;
  if (rules.experiment) return true;
  const idleMs = idleMsOf(rules);
  if (idleMs === undefined) return rules.sticky === true && pin.variant !== rules.baseline;
  // A pin from before the route's pins had times counts, and is given one.
  return rules.nowMs - (pin.seenAtMs ?? rules.nowMs) < idleMs * (1 + REFRESH_SHARE);
}

/** Whether a new assignment to `variant` is one that this route pins. */
function isPinned(variant: string, rules: PinRules): boolean {
  if (!rules.arms.some((arm) => arm.variant === variant)) return false;
  if (rules.experiment) return true;
  // With one variant there is nothing to choose, so nothing to remember.
  if (rules.sticky === false || rules.arms.length < 2) return false;
  return rules.sticky !== true || variant !== rules.baseline;
}

/** Whether the pin's last-seen time, or its lack of one, should be rewritten. */
function isStale(pin: Pin, rules: PinRules): boolean {
  const idleMs = idleMsOf(rules);
  if (idleMs === undefined) return false;
  return pin.seenAtMs === undefined || rules.nowMs - pin.seenAtMs >= idleMs * REFRESH_SHARE;
}

function idleMsOf(rules: PinRules): number | undefined {
  return !rules.experiment && typeof rules.sticky === 'object' ? rules.sticky.idleMs : undefined;
}
