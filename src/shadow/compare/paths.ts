/**
 * Owns the path rules of a comparison: JSON Pointers in which `*` is one segment and `**` any number (also none). It turns
 * all of them into one automaton, built as it is walked, so that a document is checked against every rule in one step a
 * member. It refuses to look at documents.
 */

import type { ArrayRule } from '../../config/types.ts';
import { getOrMake } from '../../get-or-make.ts';
import { MAX_KEPT_NODES } from './limits.ts';
import { clip } from './text.ts';

/** How far numbers at a path may lie apart and still be equal: by `abs` or by `rel`. */
export interface Tolerance {
  path: string;
  /** Largest absolute difference that still counts as equal. */
  abs?: number;
  /** Largest difference relative to the larger number's size. */
  rel?: number;
}

/** The rules of a comparison, by path. */
export interface PathRules {
  /** Neither compared nor kept in any excerpt. */
  ignore?: readonly string[];
  /** Compared, but never kept in any excerpt. */
  redact?: readonly string[];
  tolerance?: readonly Tolerance[];
  arrays?: readonly ArrayRule[];
}

type ArrayMode = { mode: 'ordered' } | { mode: 'unordered' } | { mode: 'keyed'; keyBy: string };

type Effect = { ignored: true } | { redacted: true } | { tolerance: Tolerance } | { array: ArrayMode };

const ordered: ArrayMode = { mode: 'ordered' };

/** Segments of a JSON Pointer, unescaped; the empty pointer is the whole document. */
export function pointerSegments(pointer: string): string[] {
  const [, ...segments] = pointer.split('/');
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One segment as it stands in a pointer, cut to a length that a record can hold. */
export function pointerSegment(segment: string): string {
  return clip(segment, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}

class Automaton {
  /** Of all patterns, one behind the other; each ends with its effect. */
  readonly segments: (string | Effect)[] = [];
  readonly kept = new Map<string, RuleNode>();

  node(positions: readonly number[]): RuleNode {
    const closed = new Set(positions);
    // What is added while it is walked is walked too.
    for (const position of closed) if (this.segments[position] === '**') closed.add(position + 1);
    const sorted = [...closed].sort((a, b) => a - b);
    const key = sorted.join();
    const node = this.kept.get(key) ?? new RuleNode(this, sorted);
    if (this.kept.size < MAX_KEPT_NODES) this.kept.set(key, node);
    return node;
  }
}

/** What the rules say of one place in a document, and how to go on to the places below it. */
export class RuleNode {
  readonly ignored: boolean = false;
  readonly redacted: boolean = false;
  /** The first tolerance listed that reaches this place. */
  readonly tolerance: Tolerance | null = null;
  readonly array: ArrayMode = ordered;
  /** No rule reaches this place or anything below it. */
  readonly dead: boolean;
  readonly #automaton: Automaton;
  readonly #positions: readonly number[];
  /** The segments that rules name below this place; all others are one to them. */
  readonly #named = new Set<string>();
  readonly #below = new Map<string | null, RuleNode>();

  constructor(automaton: Automaton, positions: readonly number[]) {
    this.#automaton = automaton;
    this.#positions = positions;
    this.dead = positions.length === 0;
    let array: ArrayMode | null = null;
    for (const position of positions) {
      const effect = automaton.segments[position]!;
      if (typeof effect === 'string') this.#named.add(effect);
      else if ('ignored' in effect) this.ignored = true;
      else if ('redacted' in effect) this.redacted = true;
      else if ('tolerance' in effect) this.tolerance ??= effect.tolerance;
      else array ??= effect.array;
    }
    this.array = array ?? ordered;
  }

  /** The place one member or item further down. */
  next(segment: string | number): RuleNode {
    if (this.dead) return this;
    const name = this.#named.has(String(segment)) ? String(segment) : null;
    return getOrMake(this.#below, name, () => this.#step(name));
  }

  #step(name: string | null): RuleNode {
    const reached: number[] = [];
    for (const position of this.#positions) {
      const segment = this.#automaton.segments[position];
      if (segment === '**') reached.push(position);
      else if (segment === '*' || segment === name) reached.push(position + 1);
    }
    return this.#automaton.node(reached);
  }
}

/** Rules made ready for documents. */
export interface CompiledRules {
  root: RuleNode;
  /** Some place is ignored or redacted, so text that cannot be read by path must not be kept. */
  hides: boolean;
  /** Whether this one place is ignored, itself or through a parent. */
  ignores(pointer: string): boolean;
}

/**
 * Compiles the rules once; the result may be used for any number of documents. Later lists never undo earlier ones. Each path
 * holds at the top, and below `inside` where documents lie in a list.
 */
export function compileRules(rules: PathRules, inside: readonly string[] | null = null): CompiledRules {
  const automaton = new Automaton();
  const starts: number[] = [];
  const add = (path: string, effect: Effect, ...below: string[]) => {
    for (const above of inside === null ? [[]] : [[], inside]) {
      starts.push(automaton.segments.length);
      automaton.segments.push(...above, ...pointerSegments(path), ...below, effect);
    }
  };
  for (const path of rules.ignore ?? []) add(path, { ignored: true });
  // Everything below a redacted place is as secret as the place itself.
  for (const path of rules.redact ?? []) add(path, { redacted: true }, '**');
  for (const rule of rules.tolerance ?? []) add(rule.path, { tolerance: rule });
  for (const rule of rules.arrays ?? []) {
    const { keyBy, mode = 'ordered' } = rule;
    add(rule.path, { array: keyBy === undefined ? { mode } : { mode: 'keyed', keyBy } });
  }
  const root = automaton.node(starts);
  return {
    root,
    hides: (rules.ignore ?? []).length + (rules.redact ?? []).length > 0,
    ignores(pointer) {
      let node = root;
      for (const segment of pointerSegments(pointer)) {
        if (node.ignored) return true;
        node = node.next(segment);
      }
      return node.ignored;
    },
  };
}
