/**
 * Owns the path rules of a comparison: JSON Pointers in which `*` is one segment and `**` any number (also none). It turns
 * all of them into one automaton, built as it is walked, so that a document is checked against every rule in one step a
 * member. It refuses to look at documents.
 */

export interface Tolerance {
  path: string;
  /** Largest absolute difference that still counts as equal. */
  abs?: number;
  /** Largest difference relative to the larger number's size. */
  rel?: number;
}

export type ArrayRule = { path: string; mode: 'ordered' | 'unordered' } | { path: string; keyBy: string };

export interface PathRules {
  /** Neither compared nor kept in any excerpt. */
  ignore?: readonly string[];
  /** Compared, but never kept in any excerpt. */
  redact?: readonly string[];
  tolerance?: readonly Tolerance[];
  arrays?: readonly ArrayRule[];
}

export type ArrayMode = { mode: 'ordered' } | { mode: 'unordered' } | { mode: 'keyed'; keyBy: string };

interface Pattern {
  /** Where in `Automaton.segments` the pattern begins. */
  start: number;
  effect: { ignored: true } | { redacted: true } | { tolerance: Tolerance } | { array: ArrayMode };
}

const end = Symbol('end');
const ordered: ArrayMode = { mode: 'ordered' };
/** `**` patterns can make many states; past this many they are worked out anew instead of being kept. */
const maxKeptNodes = 4096;

/** Segments of a JSON Pointer, unescaped. A leading `/` may be left out; the empty pointer is the whole document. */
export function pointerSegments(pointer: string): string[] {
  if (pointer === '') return [];
  const body = pointer.startsWith('/') ? pointer.slice(1) : pointer;
  return body.split('/').map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** One segment as it stands in a pointer, cut to a length that a record can hold. */
export function pointerSegment(segment: string): string {
  const short = segment.length > 64 ? `${segment.slice(0, 64).toWellFormed()}…` : segment;
  return short.replaceAll('~', '~0').replaceAll('/', '~1');
}

class Automaton {
  readonly segments: (string | typeof end)[] = [];
  readonly owner: Pattern['effect'][] = [];
  readonly kept = new Map<string, RuleNode>();

  add(path: readonly string[], effect: Pattern['effect']): Pattern {
    const start = this.segments.length;
    this.segments.push(...path, end);
    for (let i = start; i < this.segments.length; i++) this.owner[i] = effect;
    return { start, effect };
  }

  node(positions: Iterable<number>): RuleNode {
    const closed = new Set<number>();
    const grow = (position: number): void => {
      if (closed.has(position)) return;
      closed.add(position);
      if (this.segments[position] === '**') grow(position + 1);
    };
    for (const position of positions) grow(position);
    const sorted = [...closed].sort((a, b) => a - b);
    const key = sorted.join(',');
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const node = new RuleNode(this, sorted);
    if (this.kept.size < maxKeptNodes) this.kept.set(key, node);
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
  readonly #literal = new Map<string, RuleNode | null>();
  /** Some rule names an index here; else all items of a list are one to the rules. */
  #namesIndex = false;
  #other: RuleNode | null = null;

  constructor(automaton: Automaton, positions: readonly number[]) {
    this.#automaton = automaton;
    this.#positions = positions;
    this.dead = positions.length === 0;
    let array: ArrayMode | null = null;
    for (const position of positions) {
      const segment = automaton.segments[position]!;
      if (segment !== end) {
        if (segment === '*' || segment === '**') continue;
        this.#literal.set(segment, null);
        this.#namesIndex ||= /^\d+$/.test(segment);
        continue;
      }
      const effect = automaton.owner[position]!;
      if ('ignored' in effect) this.ignored = true;
      else if ('redacted' in effect) this.redacted = true;
      else if ('tolerance' in effect) this.tolerance ??= effect.tolerance;
      else array ??= effect.array;
    }
    this.array = array ?? ordered;
  }

  /** The place one member or item further down. */
  next(segment: string | number): RuleNode {
    if (this.dead) return this;
    if (typeof segment === 'number' ? this.#namesIndex : this.#literal.size > 0) {
      const name = typeof segment === 'number' ? String(segment) : segment;
      const known = this.#literal.get(name);
      if (known !== undefined) {
        if (known !== null) return known;
        const made = this.#step(name);
        this.#literal.set(name, made);
        return made;
      }
    }
    this.#other ??= this.#step(null);
    return this.#other;
  }

  #step(name: string | null): RuleNode {
    const reached: number[] = [];
    for (const position of this.#positions) {
      const segment = this.#automaton.segments[position];
      if (segment === '**') reached.push(position);
      else if (segment === '*' || (name !== null && segment === name)) reached.push(position + 1);
    }
    return this.#automaton.node(reached);
  }
}

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
  const patterns: Pattern[] = [];
  const add = (path: string, effect: Pattern['effect'], ...below: string[]) => {
    const segments = [...pointerSegments(path), ...below];
    patterns.push(automaton.add(segments, effect));
    if (inside !== null) patterns.push(automaton.add([...inside, ...segments], effect));
  };
  for (const path of rules.ignore ?? []) add(path, { ignored: true });
  // Everything below a redacted place is as secret as the place itself.
  for (const path of rules.redact ?? []) add(path, { redacted: true }, '**');
  for (const rule of rules.tolerance ?? []) add(rule.path, { tolerance: rule });
  for (const rule of rules.arrays ?? []) {
    add(rule.path, { array: 'keyBy' in rule ? { mode: 'keyed', keyBy: rule.keyBy } : { mode: rule.mode } });
  }
  const root = automaton.node(patterns.map((pattern) => pattern.start));
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
