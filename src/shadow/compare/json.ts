/**
 * Owns the comparison of two parsed JSON values under path rules: what differs, where, how often. `null` is a value and not
 * the same as a missing member; the order of members never matters. It refuses to say what a difference means, and to call
 * equal what it did not look at: a cap that was hit is a difference.
 */

import { type Pairing, pairKeyed, pairUnordered } from './json-arrays.ts';
import { ExactNumber, sameExact, sameValue } from './json-text.ts';
import { type CompiledRules, pointerSegment, type RuleNode } from './paths.ts';

/** `missing` is in the live reply only, `added` in the candidate's only, `capped` was not looked at. */
export type DifferenceKind = 'changed' | 'type' | 'missing' | 'added' | 'capped';

export interface Difference {
  /** JSON Pointer into the live document (into the candidate's for `added`). */
  path: string;
  /** The path with `*` for every array index, so that counts by field add up. */
  field: string;
  kind: DifferenceKind;
}

export interface JsonCaps {
  /** Levels of nesting, values visited, differences kept, distinct fields kept. */
  depth: number;
  nodes: number;
  stored: number;
  fields: number;
}

export const defaultCaps: JsonCaps = { depth: 64, nodes: 1_000_000, stored: 20, fields: 64 };
/** Stands for all fields past the cap. */
export const otherFields = '**';

export interface JsonComparison {
  equal: boolean;
  /** The first ones found, at most `caps.stored`, sorted by path. */
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

export interface JsonOptions {
  rules: CompiledRules;
  caps?: Partial<JsonCaps>;
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
  children: Map<string, FieldNode> | null;
  counted: boolean;
}

class Walk {
  readonly rootField: FieldNode = { text: '', children: null, counted: false };
  readonly #options: JsonOptions;
  readonly #caps: JsonCaps;
  readonly #path: (string | number)[] = [];
  readonly #differences: Difference[] = [];
  readonly #fields: string[] = [];
  #fieldsLeftOut = false;
  #diffCount = 0;
  #ignoredCount = 0;
  #visited = 0;
  #capped: JsonComparison['capped'] = null;
  /** Below a redacted place everything is reported as that place: names of members may be secret, too. */
  #mask: { length: number; field: FieldNode; stored: boolean } | null = null;

  constructor(options: JsonOptions) {
    this.#options = options;
    this.#caps = { ...defaultCaps, ...options.caps };
  }

  result(): JsonComparison {
    const fields = this.#fields.sort();
    if (this.#fieldsLeftOut) fields.push(otherFields);
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
    if (this.#visited++ > this.#caps.nodes) this.#cap('nodes', field);
    else if (depth > this.#caps.depth) this.#cap('depth', field);
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
    else if (type === 'number') {
      if (!sameNumber(live as AnyNumber, candidate as AnyNumber, rule)) {
        this.#report('changed', field);
      }
    } else this.#report('changed', field);
  }

  #objects(live: Members, candidate: Members, rule: RuleNode, field: FieldNode, depth: number): void {
    let shared = 0;
    for (const key of Object.keys(live)) {
      const has = Object.hasOwn(candidate, key);
      if (has) shared++;
      if (has && live[key] === candidate[key]) continue;
      this.#path.push(key);
      if (has) this.values(live[key], candidate[key], rule.next(key), child(field, key), depth + 1);
      else this.#oneSided('missing', rule.next(key), child(field, key));
      this.#path.pop();
    }
    const names = Object.keys(candidate);
    if (names.length === shared) return;
    for (const key of names) {
      if (Object.hasOwn(live, key)) continue;
      this.#path.push(key);
      this.#oneSided('added', rule.next(key), child(field, key));
      this.#path.pop();
    }
  }

  #arrays(live: unknown[], candidate: unknown[], rule: RuleNode, field: FieldNode, depth: number): void {
    const { mode } = rule.array;
    if (mode !== 'ordered' && this.#options.partial === true) return;
    if (mode === 'unordered') {
      this.#pairing(live, candidate, rule, field, depth, pairUnordered(live, candidate, rule));
      return;
    }
    if (rule.array.mode === 'keyed') {
      this.#pairing(live, candidate, rule, field, depth, pairKeyed(live, candidate, rule.array.keyBy));
      return;
    }
    const both = Math.min(live.length, candidate.length);
    const item = child(field, null);
    for (let i = 0; i < both; i++) {
      if (live[i] === candidate[i]) continue;
      this.#path.push(i);
      this.values(live[i], candidate[i], rule.next(i), item, depth + 1);
      this.#path.pop();
    }
    for (let i = both; i < live.length; i++) this.#item('missing', i, rule, item);
    for (let i = both; i < candidate.length; i++) this.#item('added', i, rule, item);
  }

  #pairing(
    live: unknown[],
    candidate: unknown[],
    rule: RuleNode,
    field: FieldNode,
    depth: number,
    pairing: Pairing,
  ): void {
    const item = child(field, null);
    if (pairing.tooDeep) this.#cap('depth', field);
    for (const [i, j] of pairing.pairs) {
      this.#path.push(i);
      this.values(live[i], candidate[j], rule.next(i), item, depth + 1);
      this.#path.pop();
    }
    for (const i of pairing.missing) this.#item('missing', i, rule, item);
    for (const i of pairing.added) this.#item('added', i, rule, item);
  }

  #item(kind: 'missing' | 'added', i: number, rule: RuleNode, field: FieldNode): void {
    this.#path.push(i);
    this.#oneSided(kind, rule.next(i), field);
    this.#path.pop();
  }

  #oneSided(kind: 'missing' | 'added', rule: RuleNode, field: FieldNode): void {
    if (this.#options.partial === true) return;
    if (rule.ignored) this.#ignoredCount++;
    else this.#report(kind, field);
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
      if (this.#fields.length < this.#caps.fields) this.#fields.push(at.text);
      else this.#fieldsLeftOut = true;
    }
    if (this.#differences.length >= this.#caps.stored || this.#mask?.stored === true) return;
    if (this.#mask !== null) this.#mask.stored = true;
    const segments = this.#path.slice(0, this.#mask?.length ?? this.#path.length);
    const path = segments
      .map((segment) => `/${typeof segment === 'number' ? segment : pointerSegment(segment)}`)
      .join('');
    this.#differences.push({ path, field: at.text, kind });
  }
}

type Members = Record<string, unknown>;
type AnyNumber = number | ExactNumber;

function child(field: FieldNode, key: string | null): FieldNode {
  const name = key ?? '*';
  field.children ??= new Map();
  let node = field.children.get(name);
  if (node === undefined) {
    node = { text: `${field.text}/${key === null ? '*' : pointerSegment(key)}`, children: null, counted: false };
    field.children.set(name, node);
  }
  return node;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return value instanceof ExactNumber ? 'number' : typeof value;
}

function sameNumber(live: AnyNumber, candidate: AnyNumber, rule: RuleNode): boolean {
  if (live instanceof ExactNumber || candidate instanceof ExactNumber) {
    if (sameExact(live, candidate)) return true;
  }
  if (rule.tolerance === null) return false;
  const a = typeof live === 'number' ? live : live.value;
  const b = typeof candidate === 'number' ? candidate : candidate.value;
  const gap = Math.abs(a - b);
  // 0.1 + 0.01 is a hair more than 0.11 in doubles; a declared tolerance includes its own edge.
  const larger = Math.max(Math.abs(a), Math.abs(b));
  const slack = 4 * Number.EPSILON * larger;
  const { abs = 0, rel = 0 } = rule.tolerance;
  return Number.isFinite(gap) && gap <= Math.max(abs, rel * larger) + slack;
}
