/**
 * Owns the memory of cookie values whose tag was verified, so that a returning visitor costs no cryptography. It holds values only, is
 * bounded in entries and in characters, and never remembers a forgery: forgeries would push the true ones out.
 */
import type { Pin } from './pins.ts';

/** What a true value says. */
export interface Verified {
  id: string;
  pins: readonly Pin[];
}

// Two generations: reads look in both, writes go to the young one, and a full young one becomes the old one. A hit in the old one is
// not copied over (the key at hand is a slice of the request's header, see `remember`): once the old one goes it costs one HMAC.
const MAX_ENTRIES = 4_096;
const MAX_CHARS = 1_000_000;

let heldSecret = '';
let young = new Map<string, Verified>();
let old = new Map<string, Verified>();
let youngChars = 0;

/** What was remembered of the value under this secret. */
export function recall(value: string, secret: string): Verified | undefined {
  if (secret !== heldSecret) return undefined;
  return young.get(value) ?? old.get(value);
}

/**
 * Remembers a value. It must own its characters (not be a slice of a request's Cookie header, whose 60 KB would stay in memory
 * with it). A new secret forgets everything that was true under the last one.
 */
export function remember(value: string, verified: Verified, secret: string): void {
  if (secret !== heldSecret) {
    heldSecret = secret;
    young = new Map();
    old = new Map();
    youngChars = 0;
  }
  if (young.size >= MAX_ENTRIES || youngChars >= MAX_CHARS) {
    old = young;
    young = new Map();
    youngChars = 0;
  }
  if (!young.has(value)) youngChars += value.length;
  young.set(value, verified);
}
