/** Owns how places in a document are written: `routes[0].variants.blue.url`, and `$` for the whole of it. */

import type { Fault } from '../result.ts';

/** One step into a document: a member's name, or an index. */
export type Key = string | number;

/** The place that a list of keys leads to. Keys that would read ambiguously are quoted: `prices["gpt-4.1"]`. Long ones are cut. */
export function pathOf(keys: readonly Key[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else if (/^[A-Za-z_$][\w$-]{0,63}$/.test(key)) path += path === '' ? key : `.${key}`;
    else path += `[${JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}…` : key)}]`;
  }
  return path === '' ? '$' : path;
}

/** What stands there; undefined where there is no such place. */
export function valueAt(document: unknown, keys: readonly Key[]): unknown {
  let value = document;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<Key, unknown>)[key];
  }
  return value;
}

/** What is wrong at the place that a list of keys leads to. */
export function faultAt(keys: readonly Key[], reason: string, mend: string): Fault {
  return { path: pathOf(keys), reason, mend };
}

/** The first fault in one line, for a log. */
export function firstFault([fault]: readonly Fault[]): string {
  return `${fault?.path}: ${fault?.reason}; ${fault?.mend}`;
}

/** A list to gather faults in, and the way to add one at a place below `keys`. */
export function faultsBelow(keys: readonly Key[]) {
  const faults: Fault[] = [];
  const fault = (at: readonly Key[], reason: string, mend: string) => {
    faults.push(faultAt([...keys, ...at], reason, mend));
  };
  return { faults, fault };
}

/** A value as a fault names it: short, and never the inside of an object or list. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (value === Infinity || value === -Infinity) return 'a number beyond all bounds';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}
