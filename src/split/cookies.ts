/**
 * Owns the reading of a Cookie header and the removal of our own cookies from it. It decodes nothing and throws on nothing:
 * a cookie's value is the bytes that were sent, and garbage is somebody else's cookie.
 *
 * The runtime hands several Cookie lines over as one, joined with `, ` (RFC 9110 §5.3), although cookies are joined with `; `
 * (RFC 9113 §8.2.3). Values may contain commas, so a comma counts as a join only where a cookie's name and `=` follow it.
 */

const TAB = 0x09;
const SPACE = 0x20;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/** Every name under which Headgate sets a cookie, on https and on http. */
export const OUR_COOKIES: readonly string[] = [
  '__Host-headgate',
  'headgate',
  '__Host-headgate-preview',
  'headgate-preview',
];

const NOTHING: readonly string[] = [];
/** A cookie's name, which is a token (RFC 9110 §5.6.2), and what follows it. */
const NAME = /[\w!#$%&'*+.^`|~-]+=/y;

/** All values of the cookies called `name`, in the order sent, without decoding; none gives an empty list. */
export function readCookie(header: string | null, name: string): readonly string[] {
  if (header === null) return NOTHING;
  let found = header.indexOf(name);
  if (found === -1) return NOTHING;
  const values: string[] = [];
  while (found !== -1) {
    const after = found + name.length;
    if (header.charCodeAt(after) === EQUALS && beginsPair(header, found)) {
      const end = pairEnd(header, after + 1, 1);
      values.push(trimmed(header, after + 1, end));
      found = header.indexOf(name, end);
    } else found = header.indexOf(name, after);
  }
  return values;
}

/**
 * The header without our own cookies, every other byte as it was; null when no cookie is left. The same string
 * comes back when nothing had to go, so that `===` tells whether the header must be set at all.
 */
export function stripCookies(header: string): string | null {
  if (!OUR_COOKIES.some((name) => header.includes(name))) return header;
  let kept = '';
  let keptAny = false;
  let droppedAny = false;
  let cookieLeft = false;
  // Of the separators around a removed cookie the semicolon stays: a comma is only the runtime's join of two lines.
  let separator = '';
  for (let at = 0; at <= header.length; ) {
    // No space is asked after a comma here: letting ours through is worse than parting a stranger's odd value.
    const end = pairEnd(header, at, 0);
    if (isOurs(header, at, end)) droppedAny = true;
    else {
      const start = skipBlanks(header, at);
      kept = keptAny ? kept + separator + header.slice(at, end) : header.slice(droppedAny ? start : at, end);
      if (start < end) cookieLeft = true;
      keptAny = true;
      separator = '';
    }
    if (separator !== ';') separator = header.charAt(end);
    at = end + 1;
  }
  if (!droppedAny) return header;
  return cookieLeft ? kept : null;
}

/** The header as RFC 9113 §8.2.3 wants several Cookie lines joined: with `; ` in place of the runtime's `, `. */
export function joinCookieLines(header: string): string {
  if (!header.includes(', ')) return header;
  let joined = '';
  let from = 0;
  for (let at = header.indexOf(', '); at !== -1; at = header.indexOf(', ', at + 2)) {
    if (!isJoin(header, at, 1)) continue;
    joined += `${header.slice(from, at)}; `;
    from = at + 2;
  }
  return from === 0 ? header : joined + header.slice(from);
}

/**
 * Whether an origin's Set-Cookie would set one of our names: also as a nameless cookie `=headgate=…` that reads like it, or within a
 * value that reads like two lines.
 */
export function isOurSetCookie(value: string): boolean {
  let start = skipBlanks(value, 0);
  if (value.charCodeAt(start) === EQUALS) start++;
  const [pair = ''] = value.slice(start).split(';', 1);
  return stripCookies(pair) !== pair;
}

/** Whether a pair begins at `at`: at the header's start, after a semicolon, or after a line join. */
function beginsPair(header: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && isBlank(header.charCodeAt(before))) before--;
  if (before < 0) return true;
  const code = header.charCodeAt(before);
  return code === SEMICOLON || (code === COMMA && before < at - 1);
}

/** Where the pair around `from` ends: at a semicolon, at a line join, or at the header's end. */
function pairEnd(header: string, from: number, blanksAtLeast: number): number {
  for (let at = from; at < header.length; at++) {
    const code = header.charCodeAt(at);
    if (code === SEMICOLON || (code === COMMA && isJoin(header, at, blanksAtLeast))) return at;
  }
  return header.length;
}

/** Whether the comma at `at` joins two lines: blanks, then a cookie's name, then `=`. */
function isJoin(header: string, at: number, blanksAtLeast: number): boolean {
  NAME.lastIndex = skipBlanks(header, at + 1);
  return NAME.lastIndex - at > blanksAtLeast && NAME.test(header);
}

/** Whether the pair between `from` and `end` has one of our names. */
function isOurs(header: string, from: number, end: number): boolean {
  const start = skipBlanks(header, from);
  return OUR_COOKIES.some((name) => {
    if (!header.startsWith(name, start)) return false;
    const equals = skipBlanks(header, start + name.length);
    return equals < end && header.charCodeAt(equals) === EQUALS;
  });
}

function trimmed(text: string, from: number, to: number): string {
  const start = Math.min(skipBlanks(text, from), to);
  let end = to;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
