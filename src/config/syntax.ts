/** Owns reading JSON text: the value, or where by line and column the text stops being JSON, and what would mend it. */

import { err, type Fault, ok, type Result } from '../result.ts';
import { faultAt } from './path.ts';

/** Parses JSON text. A byte order mark in front is passed over (RFC 8259 §8.1). */
export function parseJson(text: string): Result<unknown, Fault> {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return ok(JSON.parse(source));
  } catch {
    // The engine's own message has no position in some cases and differs by version, so we find the place ourselves.
    return err(syntaxFault(source));
  }
}

const space = /[ \t\n\r]*/y;
const scalar =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

function after(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(source) ? pattern.lastIndex : at;
}

const aKey = 'a key in double quotes';

/** Walks the tokens until one does not fit. What closes the containers is kept on a stack, so depth costs no calls. */
function syntaxFault(source: string): Fault {
  const closers: string[] = [];
  const behindValue = () => (closers.length === 0 ? 'the end' : `, or ${closers.at(-1)}`);
  // What may stand at the place, in the words of a person.
  let expecting = 'a value';
  let at = after(space, source, 0);
  for (; at < source.length; at = after(space, source, at)) {
    const char = source[at]!;
    const takesKey = expecting.startsWith(aKey);
    const takesValue = expecting.startsWith('a value');
    if (/^[:,]/.test(char) && expecting.startsWith(char)) {
      expecting = char === ',' && closers.at(-1) === '}' ? aKey : 'a value';
      at++;
    } else if (expecting.endsWith(`or ${char}`)) {
      closers.pop();
      expecting = behindValue();
      at++;
    } else if (takesValue && (char === '{' || char === '[')) {
      closers.push(char === '{' ? '}' : ']');
      expecting = char === '{' ? `${aKey} or }` : 'a value or ]';
      at++;
    } else {
      const end = takesValue || (takesKey && char === '"') ? after(scalar, source, at) : at;
      if (end === at) break;
      expecting = takesKey ? ': after the key' : behindValue();
      at = end;
    }
  }
  return describe(source, at, expecting);
}

function describe(source: string, at: number, expecting: string): Fault {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const char = source[at];
  const found = char === undefined ? 'the text ends' : `found ${JSON.stringify(char)}`;
  const reason = `not JSON at line ${line}, column ${column}: expected ${expecting}, ${found}`;
  return faultAt([], reason, mendFor(char, expecting, before));
}

function mendFor(char: string | undefined, expecting: string, before: string): string {
  if (before === '' && char === undefined) return 'write a JSON object, such as {}';
  if (char === undefined) return 'close what is still open';
  if (char === "'") return 'use double quotes';
  if (char === '/' || char === '#') return 'remove the comment: JSON has none';
  if ((char === '}' || char === ']') && before.trimEnd().endsWith(',')) return 'remove the comma before it';
  if (char === '"' && expecting.startsWith(',')) return 'put a comma before it';
  if (char === '"') return 'end the text with " on the same line, and write \\ as \\\\';
  return `put ${expecting} here`;
}
