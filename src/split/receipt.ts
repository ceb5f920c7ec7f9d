/**
 * Owns receipts (design section 10): signed tokens that say which variant served which unit of a route, and when, with which a backend
 * or a client can credit an outcome minutes later without cookie or key. And the keyed hash by which units are known in them and in
 * experiments. It fails closed. Which receipts were used is for the ledger and the controller to know.
 */

import { hex } from '../digest.ts';
import { ownText } from '../own-text.ts';
import { err, ok, type Result } from '../result.ts';
import { MAX_CLOCK_AHEAD_MS, MAX_REMEMBERED_HASHES, MAX_REMEMBERED_UNIT, RECEIPT_MS } from './limits.ts';
import { digest, isSigned, sign } from './sign.ts';

/** What a receipt says. `unitHash` is `hashUnit`'s. */
export interface Receipt {
  route: string;
  variant: string;
  unitHash: string;
  /** When it was served, unix milliseconds. */
  atMs: number;
  /** Up to 8 hex digits that tell it from all others of that millisecond. */
  nonce?: string;
}

/** Why a receipt is not honoured. */
export interface ReceiptFault {
  reason: 'malformed' | 'forged' | 'expired';
}

/** The unit hash in receipts of requests that are on no trial (outside the audience, no consent, opted out): their outcomes count nowhere. */
export const NOBODY = '0000000000000000';

/** The response header that carries a receipt. */
export const RECEIPT_HEADER = 'x-headgate-receipt';

// `~` is in no name, hash, number or tag, and safe in headers and URLs alike.
const TOKEN =
  /^([a-z0-9][a-z0-9-]{0,31})~([a-z0-9][a-z0-9-]{0,31})~([0-9a-f]{16})~([0-9a-z]{1,9})(?:\.[0-9a-f]{0,8})?~([A-Za-z0-9_-]{43})$/;

/** The token of a receipt. Names must be those of a config, and `secret` not empty. */
export async function createReceipt(
  { route, variant, unitHash, atMs, nonce = '' }: Receipt,
  secret: string,
): Promise<string> {
  const text = `${route}~${variant}~${unitHash}~${atMs.toString(36)}.${nonce}`;
  return `${text}~${await sign('receipt', text, secret)}`;
}

/** What a token says, when it is true and not over 7 days old. Never throws on what a client sent. */
export async function readReceipt(
  token: string,
  nowMs: number,
  secret: string,
): Promise<Result<Receipt, ReceiptFault>> {
  const parts = TOKEN.exec(token);
  if (parts === null) return err({ reason: 'malformed' });
  const [, route = '', variant = '', unitHash = '', time = '', tag = ''] = parts;
  const text = token.slice(0, -tag.length - 1);
  if (!(await isSigned('receipt', text, tag, secret))) return err({ reason: 'forged' });
  const atMs = Number.parseInt(time, 36);
  if (nowMs - atMs > RECEIPT_MS || atMs - nowMs > MAX_CLOCK_AHEAD_MS) return err({ reason: 'expired' });
  return ok({ route, variant, unitHash, atMs });
}

/** The part of a true token that tells it from every other: its tag. */
export function receiptTag(token: string): string {
  return token.slice(token.lastIndexOf('~') + 1);
}

// Values, not promises. Two generations: when the young one is full the old one is dropped, so nothing is searched for.
let young = new Map<string, string>();
let old = new Map<string, string>();

/** The first 64 bits of the unit's HMAC-SHA-256 as 16 hex digits: all that is ever kept of a unit. */
export async function hashUnit(unit: string, secret: string): Promise<string> {
  if (unit.length > MAX_REMEMBERED_UNIT) return hex(await first64(unit, secret));
  const key = `${secret}|${unit}`;
  const known = young.get(key) ?? old.get(key);
  const hash = known ?? hex(await first64(unit, secret));
  if (!young.has(key)) {
    if (young.size >= MAX_REMEMBERED_HASHES) [old, young] = [young, new Map()];
    young.set(ownText(key), hash);
  }
  return hash;
}

async function first64(unit: string, secret: string): Promise<Uint8Array> {
  return (await digest('unit', unit, secret)).subarray(0, 8);
}
