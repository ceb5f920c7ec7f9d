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

/** What may stand at a place, in the words of a person. */
type Expecting =
  | 'a value'
  | 'a value or ]'
  | 'a key in double quotes'
  | 'a key in double quotes or }'
  | ': after the key'
  | ', or ]'
  | ', or }'
  | 'the end';

/** Walks the tokens until one does not fit. Containers are kept on a stack, so depth costs no calls. */
function syntaxFault(source: string): Fault {
  const open: ('{' | '[')[] = [];
  let expecting: Expecting = 'a value';
  let at = after(space, source, 0);
  for (; at < source.length; at = after(space, source, at)) {
    const next = step(source, at, expecting, open);
    if (next === null) break;
    [at, expecting] = next;
  }
  return describe(source, at, expecting);
}

function step(source: string, at: number, expecting: Expecting, open: ('{' | '[')[]): [number, Expecting] | null {
  const char = source[at]!;
  const closes = () => (open.length === 0 ? 'the end' : open.at(-1) === '{' ? ', or }' : ', or ]');
  if (expecting === ': after the key') return char === ':' ? [at + 1, 'a value'] : null;
  if (expecting.startsWith(',') && char === ',') {
    return [at + 1, open.at(-1) === '{' ? 'a key in double quotes' : 'a value'];
  }
  if (expecting.endsWith(`or ${char}`)) {
    open.pop();
    return [at + 1, closes()];
  }
  if (expecting.startsWith('a key')) {
    const end = char === '"' ? after(scalar, source, at) : at;
    return end > at ? [end, ': after the key'] : null;
  }
  if (!expecting.startsWith('a value')) return null;
  if (char === '{' || char === '[') {
    open.push(char);
    return [at + 1, char === '{' ? 'a key in double quotes or }' : 'a value or ]'];
  }
  const end = after(scalar, source, at);
  return end > at ? [end, closes()] : null;
}

function describe(source: string, at: number, expecting: Expecting): Fault {
  const before = source.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const char = source[at];
  const found = char === undefined ? 'the text ends' : `found ${JSON.stringify(char)}`;
  const reason = `not JSON at line ${line}, column ${column}: expected ${expecting}, ${found}`;
  return faultAt([], reason, mendFor(char, expecting, before));
}

function mendFor(char: string | undefined, expecting: Expecting, before: string): string {
  if (before === '' && char === undefined) return 'write a document, such as { "version": 1, "routes": [] }';
  if (char === undefined) return 'close what is still open';
  if (char === "'") return 'use double quotes';
  if (char === '/' || char === '#') return 'remove the comment: JSON has none';
  if ((char === '}' || char === ']') && before.trimEnd().endsWith(',')) return 'remove the comma before it';
  if (char === '"' && expecting.startsWith(',')) return 'put a comma before it';
  if (char === '"') return 'end the text with " on the same line, and write \\ as \\\\';
  return `put ${expecting} here`;
}
