/**
 * Owns our cookie: its name by scheme, its value `<id>` or `<id>.<pin>[.<pin>…].<tag>`, and whether the tag is true.
 * It fails open for the id and closed for pins: an id is anybody's to choose, a pin only ours to give. It decides nothing
 * about variants (`pins.ts` does) and takes its randomness from the caller.
 */

import type { CookieSettings } from '../config/types.ts';
import { ownText } from '../own-text.ts';
import { isBase64url, toBase64url } from './base64url.ts';
import { readCookie } from './cookies.ts';
import { ID_LENGTH, MAX_COOKIE_LENGTH, MAX_TAG_CHECKS } from './limits.ts';
import { formatPin, MAX_PINS, type Pin, parsePin } from './pins.ts';
import { setCookieLine } from './set-cookie.ts';
import { isSigned, sign } from './sign.ts';
import { recall, remember, type Verified } from './verified.ts';

/** What a request's cookie says of its visitor. */
export interface Visitor extends Verified {
  /** The value sent was not one that we would have written (false or missing tag): set the cookie anew, with this id. */
  replace: boolean;
}

/** The circumstances under which our cookie is read. Without `secret` no pin is honoured. */
export interface VisitorContext {
  https: boolean;
  secret: string | undefined;
}

const NO_PINS: readonly Pin[] = [];

/** The only name under which our cookie is read and set on this scheme. */
export function visitorCookieName(https: boolean): string {
  return https ? '__Host-headgate' : 'headgate';
}

/** A new visitor's id from 16 random bytes: 22 base64url characters. */
export function visitorId(random16: Uint8Array): string {
  return toBase64url(random16);
}

/**
 * The visitor of a Cookie header: the first cookie of our name that is valid, else the id of the first whose pins are not,
 * else null (mint one). Answers at once, but for a value with pins that this isolate has not seen: then a promise.
 */
export function readVisitor(header: string | null, context: VisitorContext): Visitor | null | Promise<Visitor | null> {
  const values = readCookie(header, visitorCookieName(context.https));
  let fallback: Visitor | null = null;
  for (let index = 0; index < values.length; index++) {
    const visitor = peekVerified(values[index]!, context.secret);
    if (visitor === undefined) return verifyFirst(values.slice(index), fallback, context.secret!);
    if (visitor !== null && !visitor.replace) return visitor;
    fallback ??= visitor;
  }
  return fallback;
}

/** What a value says, without cryptography: null when it has no id, undefined when only `verify` can tell. */
export function peekVerified(value: string, secret: string | undefined): Visitor | null | undefined {
  if (value.length < ID_LENGTH || !isBase64url(value.slice(0, ID_LENGTH))) return null;
  if (value.length === ID_LENGTH) return { id: value, pins: NO_PINS, replace: false };
  if (value.charAt(ID_LENGTH) !== '.') return null;
  // Without a secret nothing can be judged: the id serves, and the cookie is left for the day when the secret is back.
  if (!secret) return { id: value.slice(0, ID_LENGTH), pins: NO_PINS, replace: false };
  const verified = recall(value, secret);
  if (verified !== undefined) return { id: verified.id, pins: verified.pins, replace: false };
  return value.length > MAX_COOKIE_LENGTH ? withoutPins(value) : undefined;
}

/**
 * Checks the tag of a value and remembers it when true. A false or missing tag keeps the id and loses the pins: an id carries
 * no proof anyway, and to drop it would move every visitor when COOKIE_SECRET is changed.
 */
export async function verify(value: string, secret: string): Promise<Visitor | null> {
  const known = peekVerified(value, secret);
  if (known !== undefined) return known;
  const own = ownText(value);
  const end = own.lastIndexOf('.');
  const pins = end > ID_LENGTH ? parsePins(own.slice(ID_LENGTH + 1, end)) : null;
  if (pins === null || !(await isSigned('pin', own.slice(0, end), own.slice(end + 1), secret))) return withoutPins(own);
  const verified = { id: own.slice(0, ID_LENGTH), pins };
  remember(own, verified, secret);
  return { ...verified, replace: false };
}

/** The cookie's value for an id and its pins (the newest `MAX_PINS`). Without a secret no pins are given. */
export async function visitorValue(id: string, pins: readonly Pin[], secret: string | undefined): Promise<string> {
  if (pins.length === 0 || !secret) return id;
  const kept = pins.slice(-MAX_PINS);
  const text = `${id}.${kept.map(formatPin).join('.')}`;
  const value = `${text}.${await sign('pin', text, secret)}`;
  remember(value, { id: value.slice(0, ID_LENGTH), pins: kept }, secret);
  return value;
}

/** The Set-Cookie line for our cookie. */
export function serializeCookie(cookie: { value: string; https: boolean; settings: CookieSettings }): string {
  const { value, https, settings } = cookie;
  const { sameSite, partitioned } = settings;
  const maxAgeSeconds = Math.round(settings.maxAgeDays * 86_400);
  return setCookieLine({ name: visitorCookieName(https), value, https, maxAgeSeconds, sameSite, partitioned });
}

async function verifyFirst(values: string[], earlier: Visitor | null, secret: string): Promise<Visitor | null> {
  let fallback = earlier;
  let checksLeft = MAX_TAG_CHECKS;
  for (const value of values) {
    let visitor = peekVerified(value, secret);
    if (visitor === undefined) visitor = checksLeft-- > 0 ? await verify(value, secret) : withoutPins(value);
    if (visitor !== null && !visitor.replace) return visitor;
    fallback ??= visitor;
  }
  return fallback;
}

function withoutPins(value: string): Visitor {
  return { id: value.slice(0, ID_LENGTH), pins: NO_PINS, replace: true };
}

function parsePins(text: string): Pin[] | null {
  const pins: Pin[] = [];
  for (const part of text.split('.', MAX_PINS + 1)) {
    const pin = parsePin(part);
    if (pin === null) return null;
    pins.push(pin);
  }
  return pins.length > MAX_PINS ? null : pins;
}
