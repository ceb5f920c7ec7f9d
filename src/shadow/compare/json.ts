/**
 * Owns the comparison of two parsed JSON values under path rules: what differs, where, how often. `null` is a value and not
 * the same as a missing member; the order of members never matters. It refuses to say what a difference means, and to call
 * equal what it did not look at: a cap that was hit is a difference.
 */

import { getOrMake } from '../../get-or-make.ts';
import { pairKeyed, pairOrdered, pairUnordered } from './json-arrays.ts';
import { ExactNumber, sameExact, sameValue } from './json-text.ts';
import { MAX_DEPTH, MAX_FIELD_CHARS, MAX_FIELDS, MAX_KEPT_DIFFERENCES, MAX_NODES, OTHER_FIELDS } from './limits.ts';
import { type CompiledRules, pointerSegment, type RuleNode } from './paths.ts';
import { clip } from './text.ts';

/** `missing` is in the live reply only, `added` in the candidate's only, `capped` was not looked at. */
type DifferenceKind = 'changed' | 'type' | 'missing' | 'added' | 'capped';

/** One place in which two documents differ. */
export interface Difference {
  /** JSON Pointer into the live document (into the candidate's for `added`). */
  path: string;
  /** The path with `*` for every array index, so that counts by field add up. */
  field: string;
  kind: DifferenceKind;
}

/** What two documents say about each other. */
export interface JsonComparison {
  equal: boolean;
  /** The first ones found, at most 20, sorted by path. */
  differences: Difference[];
  /** How many there truly are, also past the cap on stored ones. */
  diffCount: number;
  /** Ignored members in which the two did differ. */
  ignoredCount: number;
  /** Distinct fields that differ, sorted; `**` stands for those past the cap. */
  fields: string[];
  /** Which cap ended the comparison early, or null. */
  capped: 'depth' | 'nodes' | null;
}

interface JsonOptions {
  rules: CompiledRules;
  /** The documents are beginnings of longer ones: what is absent on one side is unknown, not different. */
  partial?: boolean;
}

/** Compares two values from `parseJson`. Never throws on what JSON can hold; fails closed at every cap. */
export function compareJson(live: unknown, candidate: unknown, options: JsonOptions): JsonComparison {
  const walk = new Walk(options);
  walk.values(live, candidate, options.rules.root, walk.rootField, 0);
  return walk.result();
}

/** A node of the tree of fields met so far; array items share the node `*`. */
interface FieldNode {
  text: string;
  children: Map<string, FieldNode>;
  counted: boolean;
}

class Walk {
  readonly rootField = fieldNode('');
  readonly #path: (string | number)[] = [];
  readonly #differences: Difference[] = [];
  readonly #fields = new Set<string>();
  /** What is being walked may go on past the cut; what was closed before it was seen whole. */
  #open: boolean;
  #fieldsLeftOut = false;
  #diffCount = 0;
  #ignoredCount = 0;
  #visited = 0;
  #capped: JsonComparison['capped'] = null;
  /** Below a redacted place everything is reported as that place: names of members may be secret, too. */
  #mask: { length: number; field: FieldNode; stored: boolean } | null = null;

  constructor({ partial = false }: JsonOptions) {
    this.#open = partial;
  }

  result(): JsonComparison {
    const fields = [...this.#fields].sort();
    if (this.#fieldsLeftOut) fields.push(OTHER_FIELDS);
    this.#differences.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
    return {
      equal: this.#diffCount === 0,
      differences: this.#differences,
      diffCount: this.#diffCount,
      ignoredCount: this.#ignoredCount,
      fields,
      capped: this.#capped,
    };
  }

  values(live: unknown, candidate: unknown, rule: RuleNode, field: FieldNode, depth: number): void {
    if (live === candidate || this.#capped === 'nodes') return;
    if (rule.ignored) {
      if (!sameValue(live, candidate)) this.#ignoredCount++;
      return;
    }
    if (this.#visited++ > MAX_NODES) this.#cap('nodes', field);
    else if (depth > MAX_DEPTH) this.#cap('depth', field);
    else if (rule.redacted && this.#mask === null) {
      this.#mask = { length: this.#path.length, field, stored: false };
      this.#compare(live, candidate, rule, field, depth);
      this.#mask = null;
    } else this.#compare(live, candidate, rule, field, depth);
  }

  #compare(live: unknown, candidate: unknown, rule: RuleNode, field: FieldNode, depth: number): void {
    const type = typeName(live);
    if (type !== typeName(candidate)) this.#report('type', field);
    else if (type === 'array') this.#arrays(live as unknown[], candidate as unknown[], rule, field, depth);
    else if (type === 'object') this.#objects(live as Members, candidate as Members, rule, field, depth);
    else if (type !== 'number' || !sameNumber(live as AnyNumber, candidate as AnyNumber, rule)) {
      this.#report('changed', field);
    }
  }

  #objects(live: Members, candidate: Members, rule: RuleNode, field: FieldNode, depth: number): void {
    for (const key of Object.keys(live)) {
      if (!Object.hasOwn(candidate, key)) this.#oneSided('missing', key, rule, child(field, key));
      else if (live[key] !== candidate[key]) {
        this.#path.push(key);
        this.values(live[key], candidate[key], rule.next(key), child(field, key), depth + 1);
        this.#path.pop();
      }
    }
    for (const key of Object.keys(candidate)) {
      if (!Object.hasOwn(live, key)) this.#oneSided('added', key, rule, child(field, key));
    }
  }

  #arrays(live: unknown[], candidate: unknown[], rule: RuleNode, field: FieldNode, depth: number): void {
    const { array } = rule;
    const open = this.#open;
    if (array.mode !== 'ordered' && open) return;
    const pairing =
      array.mode === 'keyed'
        ? pairKeyed(live, candidate, array.keyBy)
        : array.mode === 'unordered'
          ? pairUnordered(live, candidate, rule)
          : pairOrdered(live, candidate);
    const item = child(field, '*');
    if (pairing.tooDeep) this.#cap('depth', field);
    for (const [i, j] of pairing.pairs) {
      this.#path.push(i);
      this.#open = open && (i === live.length - 1 || j === candidate.length - 1);
      this.values(live[i], candidate[j], rule.next(i), item, depth + 1);
      this.#open = open;
      this.#path.pop();
    }
    for (const i of pairing.missing) this.#oneSided('missing', i, rule, item);
    for (const i of pairing.added) this.#oneSided('added', i, rule, item);
  }

  #oneSided(kind: 'missing' | 'added', at: string | number, above: RuleNode, field: FieldNode): void {
    if (this.#open) return;
    this.#path.push(at);
    if (above.next(at).ignored) this.#ignoredCount++;
    else this.#report(kind, field);
    this.#path.pop();
  }

  #cap(which: 'depth' | 'nodes', field: FieldNode): void {
    this.#capped = which;
    this.#report('capped', field);
  }

  #report(kind: DifferenceKind, field: FieldNode): void {
    this.#diffCount++;
    const at = this.#mask?.field ?? field;
    if (!at.counted) {
      at.counted = true;
      // Members whose long names begin alike are one field.
      if (this.#fields.size < MAX_FIELDS) this.#fields.add(at.text);
      else this.#fieldsLeftOut ||= !this.#fields.has(at.text);
    }
    if (this.#differences.length >= MAX_KEPT_DIFFERENCES || this.#mask?.stored === true) return;
    if (this.#mask !== null) this.#mask.stored = true;
    const segments = this.#path.slice(0, this.#mask?.length ?? this.#path.length);
    const path = segments.map((segment) => `/${pointerSegment(String(segment))}`).join('');
    this.#differences.push({ path, field: at.text, kind });
  }
}

type Members = Record<string, unknown>;
type AnyNumber = number | ExactNumber;

function fieldNode(text: string): FieldNode {
  return { text, children: new Map(), counted: false };
}

function child(field: FieldNode, key: string): FieldNode {
  const make = () => fieldNode(clip(`${field.text}/${pointerSegment(key)}`, MAX_FIELD_CHARS));
  return getOrMake(field.children, key, make);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return value instanceof ExactNumber ? 'number' : typeof value;
}

function sameNumber(live: AnyNumber, candidate: AnyNumber, rule: RuleNode): boolean {
  // Doubles that are not identical are not equal; a large one may be an exact number that was spelt otherwise.
  if (sameExact(live, candidate)) return true;
  if (rule.tolerance === null) return false;
  const [a, b] = [Number(live), Number(candidate)];
  const gap = Math.abs(a - b);
  // 0.1 + 0.01 is a hair more than 0.11 in doubles; a declared tolerance includes its own edge.
  const larger = Math.max(Math.abs(a), Math.abs(b));
  const slack = 4 * Number.EPSILON * larger;
  const { abs = 0, rel = 0 } = rule.tolerance;
  return Number.isFinite(gap) && gap <= Math.max(abs, rel * larger) + slack;
}
