/**
 * Owns every excerpt of a reply that may be kept: bounded in length, without ignored members, with redacted ones masked.
 * It refuses to keep text that cannot be read by path when some path is to be hidden: it fails closed.
 */

import { ExactNumber } from './json-text.ts';
import type { CompiledRules, RuleNode } from './paths.ts';
import { commonLength } from './text.ts';

export const redacted = '[redacted]';
const maxDepth = 64;

/** Cuts at a character boundary and shows that it did. */
export function clip(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}…`;
}

/** Writes JSON until the budget is spent, so that an excerpt of a large document costs what the excerpt is long. */
class ExcerptWriter {
  out = '';
  readonly #maxChars: number;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  get full(): boolean {
    return this.out.length > this.#maxChars;
  }

  value(value: unknown, rule: RuleNode, depth: number): void {
    if (this.full) return;
    if (rule.redacted) this.out += `"${redacted}"`;
    else if (typeof value === 'string') this.out += JSON.stringify(clip(value, this.#maxChars));
    else if (typeof value !== 'object' || value === null || value instanceof ExactNumber) this.out += String(value);
    else if (depth > maxDepth) this.out += '"…"';
    else {
      const isArray = Array.isArray(value);
      this.out += isArray ? '[' : '{';
      this.#items(isArray ? value.keys() : Object.keys(value), value, rule, depth);
      this.out += isArray ? ']' : '}';
    }
  }

  #items(names: Iterable<string | number>, of: object, rule: RuleNode, depth: number): void {
    let comma = '';
    for (const name of names) {
      if (this.full) return;
      const itemRule = rule.next(name);
      if (itemRule.ignored) continue;
      const key = typeof name === 'number' ? '' : `${JSON.stringify(clip(name, this.#maxChars))}:`;
      this.out += comma + key;
      comma = ',';
      this.value((of as Record<string | number, unknown>)[name], itemRule, depth + 1);
    }
  }
}

/** A value as JSON text of at most `maxChars`, scrubbed by the rules that hold at its place. */
export function excerptJson(value: unknown, rule: RuleNode, maxChars: number): string {
  if (rule.ignored) return '';
  const writer = new ExcerptWriter(maxChars);
  writer.value(value, rule, 0);
  return clip(writer.out, maxChars);
}

/** Two texts around the place where they first part, so that a late difference is still seen in a short excerpt. */
export function excerptTexts(live: string, candidate: string, maxChars: number): [string, string] {
  const from = Math.max(0, commonLength(live, candidate) - Math.floor(maxChars / 4));
  const cut = (text: string): string => clip((from > 0 ? `…${text.slice(from)}` : text).toWellFormed(), maxChars);
  return [cut(live), cut(candidate)];
}

/** What is kept of text that has no paths: the text, or only its length where the rules hide anything by path. */
export function excerptLoose(text: string, rules: CompiledRules, maxChars: number): string {
  return rules.hides ? `[${text.length} characters withheld: not readable by path]` : clip(text, maxChars);
}
