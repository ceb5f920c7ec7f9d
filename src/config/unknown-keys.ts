/**
 * Owns the walk that finds keys the schema does not know, and names that no map may hold.
 * It judges no values. It follows the schema, not the document, so nothing nested deeper than the schema can exhaust it.
 */

import type { GenericSchema } from 'valibot';
import { isObject } from '../json.ts';
import type { Fault } from '../result.ts';
import { meantOr } from './nearest.ts';
import { faultAt, type Key, shown } from './path.ts';

interface Node {
  type: string;
  entries?: Record<string, Node>;
  item?: Node;
  value?: Node;
  wrapped?: Node;
  options?: Node[];
}

/** What the walk found. Unknown keys may come from a newer schema; reserved names are wrong in every version. */
export interface KeyFindings {
  unknown: Fault[];
  reserved: Fault[];
}

/** These mean something else on a JavaScript object, and a map with such a key is read differently by different code. */
const reservedNames = new Set(['__proto__', 'constructor', 'prototype']);

/** Finds unknown keys and reserved names in a parsed JSON document. */
export function findKeys(schema: GenericSchema, document: unknown): KeyFindings {
  const findings: KeyFindings = { unknown: [], reserved: [] };
  walk(schema as unknown as Node, document, [], findings);
  return findings;
}

function walk(node: Node, value: unknown, keys: Key[], findings: KeyFindings): void {
  if (node.type === 'optional') {
    walk(node.wrapped!, value, keys, findings);
    return;
  }
  if (node.type === 'union') {
    const option = node.options!.find((candidate) => takes(candidate, value));
    if (option !== undefined) walk(option, value, keys, findings);
    return;
  }
  if (!takes(node, value)) return;
  if (node.type === 'array') {
    (value as unknown[]).forEach((item, index) => {
      walk(node.item!, item, [...keys, index], findings);
    });
    return;
  }
  for (const [key, member] of Object.entries(value as object)) {
    const path = [...keys, key];
    if (node.type === 'record') {
      if (reservedNames.has(key)) findings.reserved.push(reservedFault(key, path));
      else walk(node.value!, member, path, findings);
    } else if (Object.hasOwn(node.entries!, key)) walk(node.entries![key]!, member, path, findings);
    else findings.unknown.push(unknownFault(key, path, Object.keys(node.entries!)));
  }
}

function takes(node: Node, value: unknown): boolean {
  if (node.type === 'array') return Array.isArray(value);
  return isObject(value) && (node.type === 'object' || node.type === 'record');
}

function reservedFault(key: string, path: Key[]): Fault {
  return faultAt(path, `"${key}" is a reserved name`, 'choose another name');
}

function unknownFault(key: string, path: Key[], known: string[]): Fault {
  const mend = meantOr(`remove it; known here: ${known.join(', ')}`, key, known);
  return faultAt(path, `${shown(key)} is not a key that Headgate knows here`, mend);
}
