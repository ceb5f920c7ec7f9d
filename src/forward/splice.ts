/**
 * Owns the setting of top-level members in a JSON request body by splicing the source text, so that every other member keeps
 * its bytes (numbers beyond 2^53, spacing, order, escapes). What it cannot do surely, it refuses.
 */

import { isObject } from '../json.ts';
import { err, ok, type Result } from '../result.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * The body with `members` set; unfit where it is no JSON object in UTF-8. A member that stands several times is set each time (parsers
 * differ in which one they take).
 */
export function spliceJson(body: Uint8Array, members: Record<string, unknown>): Result<Uint8Array, 'unfit'> {
  let text: string;
  try {
    text = decoder.decode(body);
    if (!isObject(JSON.parse(text))) return err('unfit');
  } catch {
    return err('unfit');
  }
  return ok(encoder.encode(spliced(text, members)));
}

/** `text` is a valid JSON object, so the scan may trust its grammar. */
function spliced(text: string, members: Record<string, unknown>): string {
  const missing = new Set(Object.keys(members));
  let out = '';
  let copied = 0;
  let at = skipSpace(text, text.indexOf('{') + 1);
  const empty = text[at] === '}';
  const insertAt = at;
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const from = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const to = valueEnd(text, from);
    if (Object.hasOwn(members, key)) {
      out += text.slice(copied, from) + JSON.stringify(members[key]);
      copied = to;
      missing.delete(key);
    }
    at = skipSpace(text, to);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  out += text.slice(copied);
  if (missing.size === 0) return out;
  // New members go first: that place is the same in `text` and `out`, since only what follows was changed.
  const added = [...missing].map((key) => `${JSON.stringify(key)}:${JSON.stringify(members[key])}`).join(',');
  return `${out.slice(0, insertAt)}${added}${empty ? '' : ','}${out.slice(insertAt)}`;
}

const SPACE = /\s*/y;

function skipSpace(text: string, from: number): number {
  SPACE.lastIndex = from;
  SPACE.test(text);
  return SPACE.lastIndex;
}

/** The place after the string that begins at `from`. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The place after the member's value that begins at `from`: it goes up to a comma or the object's end, less the space before. */
function valueEnd(text: string, from: number): number {
  let depth = 0;
  let at = from;
  for (;;) {
    const char = text[at];
    if (depth === 0 && (char === ',' || char === '}')) break;
    if (char === '{' || char === '[') depth++;
    else if (char === '}' || char === ']') depth--;
    at = char === '"' ? stringEnd(text, at) : at + 1;
  }
  return from + text.slice(from, at).trimEnd().length;
}
