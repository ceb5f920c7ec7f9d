/**
 * Owns the way from JSON text to values that can be compared honestly: integers past 2^53 keep their source text, and the
 * seen part of a truncated document is closed so that it parses. It refuses to mend anything else: a document that was
 * complete and is no JSON stays no JSON.
 */

import { MAX_DEPTH } from './limits.ts';

/** A number that a JavaScript number would change: an integer past 2^53, or one past the range of doubles. */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  /** So `String` gives the source, and `Number` the nearest double. */
  toString(): string {
    return this.source;
  }
}

/** A digit run that could pass 2^53, or an exponent that could pass the range of doubles; elsewhere the plain parser is exact. */
const maybeInexact = /\d{16}|[eE][+]?\d{3}/;

/** How JSON may begin. */
const BEGINS = /^\s*(?:[[{"\d-]|(?:true|false|null)\s*$)/;

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** The parsed value, or undefined when the text is not JSON. Decimals are compared as doubles: `0.1` and `0.10` are one number. */
export function parseJson(text: string): unknown {
  // A text that fails to parse costs 30 µs, and of a stream of words each does.
  if (!BEGINS.test(text)) return undefined;
  try {
    if (!maybeInexact.test(text)) return JSON.parse(text);
    return parseWithSource(text, (_key, value, context) => {
      if (typeof value !== 'number' || context?.source === undefined) return value;
      const isExact = Math.abs(value) <= Number.MAX_SAFE_INTEGER || /[.e]/i.test(context.source);
      return isExact && Number.isFinite(value) ? value : new ExactNumber(context.source);
    });
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** Equality of two numbers; spellings of one integer are equal, other forms must be spelt alike. */
export function sameExact(a: ExactNumber | number, b: ExactNumber | number): boolean {
  const [left, right] = [String(a), String(b)];
  if (left === right) return true;
  const whole = /^-?\d{1,4096}$/;
  return whole.test(left) && whole.test(right) && BigInt(left) === BigInt(right);
}

/** Plain structural equality, blind to rules and to the order of members. Past 64 levels it says "differs". */
export function sameValue(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth > MAX_DEPTH) return false;
  if (a instanceof ExactNumber || b instanceof ExactNumber) {
    return a instanceof ExactNumber && b instanceof ExactNumber && sameExact(a, b);
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameValue(item, b[i], depth + 1));
  }
  if (Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => Object.hasOwn(right, name) && sameValue(left[name], right[name], depth + 1));
}

/** Lines of JSON (`application/x-ndjson`) as one array, or undefined when a line is not JSON. */
export function parseJsonLines(text: string): unknown[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const values = lines.map((line) => parseJson(line));
  return values.includes(undefined) ? undefined : values;
}

/**
 * Parses the beginning of a document that we stopped reading: everything up to the last complete member or item, with the
 * open brackets closed. Undefined when nothing complete was seen. The caller must treat what is absent as unknown.
 */
export function parseJsonPrefix(text: string): unknown {
  const safeEnd = scan(text).lastComma;
  if (safeEnd < 0) return undefined;
  const open = scan(text.slice(0, safeEnd)).closers;
  return parseJson(text.slice(0, safeEnd) + open.reverse().join(''));
}

/** The closing brackets still owed at the text's end, and the last comma that stands outside a string. */
function scan(text: string): { closers: string[]; lastComma: number } {
  const closers: string[] = [];
  let lastComma = -1;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === '\\') i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') closers.push('}');
    else if (char === '[') closers.push(']');
    else if (char === '}' || char === ']') closers.pop();
    else if (char === ',') lastComma = i;
  }
  return { closers, lastComma };
}
