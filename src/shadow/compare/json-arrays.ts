/**
 * Owns which item of one array belongs to which item of the other, where order does not matter (unordered and keyed
 * arrays). Everything is hashed or sorted, never each against each, but for a small rest. It refuses to judge the pairs.
 */

import { ExactNumber, sameExact } from './json-text.ts';
import type { RuleNode } from './paths.ts';

export interface Pairing {
  /** Indexes of items that belong together and must still be compared. Items found equal are not listed. */
  pairs: [live: number, candidate: number][];
  missing: number[];
  added: number[];
  /** Some item is nested too deeply to have been compared; the pairing must not be taken for equality. */
  tooDeep: boolean;
}

/** Past this many on both sides, leftover items are paired in order instead of by likeness, which is quadratic. */
const maxMatched = 32;
const maxDepth = 64;

/**
 * Text that is equal for items that the rules call equal: members sorted, ignored ones left out, unordered arrays sorted.
 * With `loose`, numbers that have a tolerance are written as `~` and put into it.
 */
function canonical(value: unknown, rule: RuleNode, loose: number[] | null, pairing: Pairing, depth = 0): string {
  if (typeof value === 'number' || value instanceof ExactNumber) {
    if (loose !== null && rule.tolerance !== null) {
      loose.push(typeof value === 'number' ? value : value.value);
      return '~';
    }
    return typeof value === 'number' ? String(value) : value.source;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > maxDepth) {
    pairing.tooDeep = true;
    return '…';
  }
  let out = '';
  if (Array.isArray(value)) {
    const items: string[] = [];
    for (let i = 0; i < value.length; i++) {
      const itemRule = rule.next(i);
      if (!itemRule.ignored) items.push(canonical(value[i], itemRule, loose, pairing, depth + 1));
    }
    if (rule.array.mode !== 'ordered') items.sort();
    return `[${items.join(',')}]`;
  }
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members).sort()) {
    const memberRule = rule.next(key);
    if (!memberRule.ignored) {
      out += `${JSON.stringify(key)}:${canonical(members[key], memberRule, loose, pairing, depth + 1)},`;
    }
  }
  return `{${out}}`;
}

/** Multiset pairing: equal items first, then items equal but for numbers within a tolerance's reach, then the likeliest. */
export function pairUnordered(
  live: readonly unknown[],
  candidate: readonly unknown[],
  rule: RuleNode,
  hasTolerance: boolean,
): Pairing {
  const pairing: Pairing = { pairs: [], missing: [], added: [], tooDeep: false };
  const seen = (items: readonly unknown[]): number[] => [...items.keys()].filter((i) => !rule.next(i).ignored);
  let rest = takeEqual(live, candidate, seen(live), seen(candidate), rule, pairing);
  if (hasTolerance && rest.live.length > 0 && rest.candidate.length > 0) {
    rest = takeLoose(live, candidate, rest, rule, pairing);
  }
  pairRest(live, candidate, rest, pairing);
  return pairing;
}

interface Rest {
  live: number[];
  candidate: number[];
}

function takeEqual(
  live: readonly unknown[],
  candidate: readonly unknown[],
  liveAt: number[],
  candidateAt: number[],
  rule: RuleNode,
  pairing: Pairing,
): Rest {
  const waiting = new Map<string, number[]>();
  for (const i of liveAt) {
    const text = canonical(live[i], rule.next(i), null, pairing);
    const list = waiting.get(text);
    if (list === undefined) waiting.set(text, [i]);
    else list.push(i);
  }
  const rest: Rest = { live: [], candidate: [] };
  const matched = new Set<number>();
  for (const i of candidateAt) {
    const equal = waiting.get(canonical(candidate[i], rule.next(i), null, pairing))?.pop();
    if (equal === undefined) rest.candidate.push(i);
    else matched.add(equal);
  }
  rest.live = liveAt.filter((i) => !matched.has(i));
  return rest;
}

/** Items alike but for tolerant numbers are sorted by these and paired in that order, which is best for one such number. */
function takeLoose(
  live: readonly unknown[],
  candidate: readonly unknown[],
  rest: Rest,
  rule: RuleNode,
  pairing: Pairing,
): Rest {
  type Group = { live: [number, number[]][]; candidate: [number, number[]][] };
  const groups = new Map<string, Group>();
  const put = (side: keyof Group, items: readonly unknown[], at: number[]): void => {
    for (const i of at) {
      const numbers: number[] = [];
      const text = canonical(items[i], rule.next(i), numbers, pairing);
      const group = groups.get(text) ?? { live: [], candidate: [] };
      groups.set(text, group);
      group[side].push([i, numbers]);
    }
  };
  put('live', live, rest.live);
  put('candidate', candidate, rest.candidate);
  const left: Rest = { live: [], candidate: [] };
  for (const group of groups.values()) {
    group.live.sort(byNumbers);
    group.candidate.sort(byNumbers);
    const both = Math.min(group.live.length, group.candidate.length);
    for (let i = 0; i < both; i++) pairing.pairs.push([group.live[i]![0], group.candidate[i]![0]]);
    left.live.push(...group.live.slice(both).map(([i]) => i));
    left.candidate.push(...group.candidate.slice(both).map(([i]) => i));
  }
  left.live.sort((a, b) => a - b);
  left.candidate.sort((a, b) => a - b);
  return left;
}

function byNumbers([, a]: [number, number[]], [, b]: [number, number[]]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Leftover objects are paired so that a changed member is shown as such; leftover plain values are missing and added. */
function pairRest(live: readonly unknown[], candidate: readonly unknown[], rest: Rest, pairing: Pairing): void {
  const free = rest.candidate.filter((i) => isObject(candidate[i]));
  const few = rest.live.length <= maxMatched && free.length <= maxMatched;
  const taken = new Set<number>();
  let next = 0;
  for (const i of rest.live) {
    if (!isObject(live[i]) || taken.size === free.length) {
      pairing.missing.push(i);
      continue;
    }
    let chosen = few ? likeliest(live[i], candidate, free, taken) : free[next++]!;
    chosen ??= free.find((at) => !taken.has(at))!;
    taken.add(chosen);
    pairing.pairs.push([i, chosen]);
  }
  for (const i of rest.candidate) if (!taken.has(i)) pairing.added.push(i);
}

function likeliest(
  item: object,
  candidate: readonly unknown[],
  free: number[],
  taken: Set<number>,
): number | undefined {
  let best: number | undefined;
  let bestAlike = -1;
  for (const at of free) {
    if (taken.has(at)) continue;
    const alike = membersAlike(item as Record<string, unknown>, candidate[at] as Record<string, unknown>);
    if (alike > bestAlike) {
      best = at;
      bestAlike = alike;
    }
  }
  return best;
}

function membersAlike(a: Record<string, unknown>, b: Record<string, unknown>): number {
  let alike = 0;
  for (const key of Object.keys(a)) if (Object.hasOwn(b, key) && same(a[key], b[key])) alike++;
  return alike;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (a instanceof ExactNumber && b instanceof ExactNumber && sameExact(a, b));
}

/** Pairs items whose `keyBy` member is equal; a key that comes several times, or none, is paired in order of appearance. */
export function pairKeyed(live: readonly unknown[], candidate: readonly unknown[], keyBy: string): Pairing {
  const waiting = new Map<string, number[]>();
  for (let i = live.length - 1; i >= 0; i--) {
    const key = keyOf(live[i], keyBy);
    const list = waiting.get(key);
    if (list === undefined) waiting.set(key, [i]);
    else list.push(i);
  }
  const pairing: Pairing = { pairs: [], missing: [], added: [], tooDeep: false };
  for (let i = 0; i < candidate.length; i++) {
    const found = waiting.get(keyOf(candidate[i], keyBy))?.pop();
    if (found === undefined) pairing.added.push(i);
    else pairing.pairs.push([found, i]);
  }
  for (const list of waiting.values()) pairing.missing.push(...list);
  pairing.missing.sort((a, b) => a - b);
  return pairing;
}

function keyOf(item: unknown, keyBy: string): string {
  if (!isObject(item) || !Object.hasOwn(item, keyBy)) return '';
  const key = (item as Record<string, unknown>)[keyBy];
  if (key instanceof ExactNumber) return `n${key.source}`;
  return typeof key === 'object' && key !== null ? '' : `${typeof key}${String(key)}`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}
