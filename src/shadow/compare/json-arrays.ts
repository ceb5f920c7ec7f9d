/**
 * Owns which item of one array belongs to which item of the other, where order does not matter (unordered and keyed
 * arrays). Everything is hashed or sorted, never each against each, but for a small rest. It refuses to judge the pairs.
 */

import { isObject } from '../../json.ts';
import { ExactNumber, sameValue } from './json-text.ts';
import { MAX_DEPTH, MAX_MATCHED } from './limits.ts';
import type { RuleNode, Tolerance } from './paths.ts';

interface Pairing {
  /** Indexes of items that belong together and must still be compared. Items found equal are not listed. */
  pairs: [live: number, candidate: number][];
  missing: number[];
  added: number[];
  /** Some item is nested too deeply to have been compared; the pairing must not be taken for equality. */
  tooDeep: boolean;
}

/** A number, and how far from it another may be. */
interface Tolerant extends Pick<Tolerance, 'abs' | 'rel'> {
  n: number;
}

/** An item's text, equal for items that the rules call equal but for tolerant numbers, and these numbers. */
interface Canon {
  at: number;
  text: string;
  tolerant: Tolerant[];
}

/**
 * Multiset pairing: items equal in place, then equal ones wherever they stand, then those equal but for numbers that have a
 * tolerance, then the likeliest.
 */
export function pairUnordered(live: readonly unknown[], candidate: readonly unknown[], rule: RuleNode): Pairing {
  const pairing = nothingPaired();
  // Most items stand where they stood, and need no text.
  const inPlace = new Set([...live.keys()].filter((at) => sameValue(live[at], candidate[at])));
  let left = canons(live, rule, inPlace, pairing);
  let right = canons(candidate, rule, inPlace, pairing);
  [left, right] = withoutEqual(left, right);
  [left, right] = withoutLoose(left, right, pairing);
  pairRest(live, candidate, left, right, pairing);
  return pairing;
}

const nothingPaired = (): Pairing => ({ pairs: [], missing: [], added: [], tooDeep: false });

function canons(items: readonly unknown[], rule: RuleNode, inPlace: Set<number>, pairing: Pairing): Canon[] {
  const open = [...items.keys()].filter((at) => !inPlace.has(at) && !rule.next(at).ignored);
  return open.map((at) => {
    const tolerant: Tolerant[] = [];
    return { at, text: canonical(items[at], rule.next(at), tolerant, pairing, 0), tolerant };
  });
}

/** Members sorted, ignored ones left out, unordered arrays sorted, tolerant numbers written as `~` and put aside. */
function canonical(value: unknown, rule: RuleNode, tolerant: Tolerant[], pairing: Pairing, depth: number): string {
  // A length in front makes any text unmistakable, and is cheaper than escaping it.
  if (typeof value === 'string') return `"${value.length}:${value}`;
  if (typeof value === 'number' || value instanceof ExactNumber) {
    if (rule.tolerance === null) return String(value);
    tolerant.push({ ...rule.tolerance, n: Number(value) });
    return '~';
  }
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > MAX_DEPTH) {
    pairing.tooDeep = true;
    return '…';
  }
  const isList = Array.isArray(value);
  const parts: string[] = [];
  const from = tolerant.length;
  for (const key of isList ? value.keys() : Object.keys(value).sort()) {
    const below = rule.next(key);
    if (below.ignored) continue;
    const part = canonical((value as Record<string | number, unknown>)[key], below, tolerant, pairing, depth + 1);
    parts.push(typeof key === 'number' ? part : `${key.length}:${key}=${part}`);
  }
  if (isList && rule.array.mode !== 'ordered') {
    parts.sort();
    tolerant.push(...tolerant.splice(from).sort((a, b) => a.n - b.n));
  }
  return isList ? `[${parts}]` : `{${parts}}`;
}

function withoutEqual(left: Canon[], right: Canon[]): [Canon[], Canon[]] {
  const exact = ({ text, tolerant }: Canon): string =>
    tolerant.length === 0 ? text : `${text}|${tolerant.map(({ n }) => n)}`;
  const waiting = Map.groupBy(left, exact);
  const matched = new Set<Canon>();
  const rest: Canon[] = [];
  for (const canon of right) {
    const equal = waiting.get(exact(canon))?.pop();
    if (equal === undefined) rest.push(canon);
    else matched.add(equal);
  }
  return [left.filter((canon) => !matched.has(canon)), rest];
}

/** Items alike but for tolerant numbers are sorted by these and paired in that order, which is best for one such number. */
function withoutLoose(left: Canon[], right: Canon[], pairing: Pairing): [Canon[], Canon[]] {
  const waiting = Map.groupBy(left, ({ text }) => text);
  const arriving = Map.groupBy(
    right.filter(({ tolerant }) => tolerant.length > 0),
    ({ text }) => text,
  );
  const matched = new Set<Canon>();
  for (const [text, group] of arriving) {
    const partners = waiting.get(text)?.sort(byNumbers) ?? [];
    group.sort(byNumbers);
    // Order says little of several numbers.
    const few = Math.max(group.length, partners.length) <= MAX_MATCHED && group[0]!.tolerant.length > 1;
    for (const [i, canon] of group.entries()) {
      if (few) partners.sort((a, b) => gap(a, canon) - gap(b, canon));
      const partner = few ? partners.shift() : partners[i];
      if (partner === undefined) break;
      pairing.pairs.push([partner.at, canon.at]);
      matched.add(partner).add(canon);
    }
  }
  const unmatched = (canon: Canon): boolean => !matched.has(canon);
  return [left.filter(unmatched), right.filter(unmatched)];
}

/** The largest distance of two numbers, in what is tolerated of it. */
function gap({ tolerant: a }: Canon, { tolerant: b }: Canon): number {
  const far = ({ n, abs = 0, rel = 0 }: Tolerant, m: number) =>
    Math.abs(n - m) / (Math.max(abs, rel * Math.abs(n), rel * Math.abs(m)) || Number.MIN_VALUE);
  return Math.max(...a.map((one, i) => far(one, b[i]!.n)));
}

function byNumbers({ tolerant: a }: Canon, { tolerant: b }: Canon): number {
  for (let i = 0; i < a.length; i++) if (a[i]!.n !== b[i]!.n) return a[i]!.n - b[i]!.n;
  return 0;
}

/** Leftover objects are paired so that a changed member is shown as such; other leftovers are missing and added. */
function pairRest(
  live: readonly unknown[],
  candidate: readonly unknown[],
  left: Canon[],
  right: Canon[],
  pairing: Pairing,
): void {
  const free = right.filter(({ at }) => isItem(candidate[at])).map(({ at }) => at);
  const few = left.length <= MAX_MATCHED && free.length <= MAX_MATCHED;
  const taken = new Set<number>();
  let next = 0;
  for (const { at } of left) {
    if (!isItem(live[at]) || taken.size === free.length) {
      pairing.missing.push(at);
      continue;
    }
    const chosen = few ? likeliest(live[at], candidate, free, taken) : free[next++]!;
    taken.add(chosen);
    pairing.pairs.push([at, chosen]);
  }
  for (const { at } of right) if (!taken.has(at)) pairing.added.push(at);
}

/** The untaken item with most members in common; the caller sees to it that one is left. */
function likeliest(item: object, candidate: readonly unknown[], free: number[], taken: Set<number>): number {
  let best = -1;
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
  for (const key of Object.keys(a)) if (Object.hasOwn(b, key) && sameValue(a[key], b[key])) alike++;
  return alike;
}

/** Pairs items by their places; those that are one value are not listed. */
export function pairOrdered(live: readonly unknown[], candidate: readonly unknown[]): Pairing {
  const pairing = nothingPaired();
  for (let i = 0; i < Math.max(live.length, candidate.length); i++) {
    if (i >= candidate.length) pairing.missing.push(i);
    else if (i >= live.length) pairing.added.push(i);
    else if (live[i] !== candidate[i]) pairing.pairs.push([i, i]);
  }
  return pairing;
}

/** Pairs items whose `keyBy` member is equal; a key that comes several times, or none, is paired in order of appearance. */
export function pairKeyed(live: readonly unknown[], candidate: readonly unknown[], keyBy: string): Pairing {
  const waiting = Map.groupBy([...live.keys()].reverse(), (i) => keyOf(live[i], keyBy));
  const pairing = nothingPaired();
  for (let i = 0; i < candidate.length; i++) {
    const found = waiting.get(keyOf(candidate[i], keyBy))?.pop();
    if (found === undefined) pairing.added.push(i);
    else pairing.pairs.push([found, i]);
  }
  pairing.missing = [...waiting.values()].flat().sort((a, b) => a - b);
  return pairing;
}

function keyOf(item: unknown, keyBy: string): string {
  if (!isItem(item) || !Object.hasOwn(item, keyBy)) return '';
  const key = item[keyBy];
  const isNested = typeof key === 'object' && key !== null && !(key instanceof ExactNumber);
  return isNested ? '' : `${typeof key}${String(key)}`;
}

function isItem(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !(value instanceof ExactNumber);
}
