/**
 * Owns every excerpt of a reply that may be kept: bounded in length, without ignored members, with redacted ones masked.
 * It refuses to keep text that cannot be read by path when some path is to be hidden: it fails closed.
 */

import { ExactNumber, parseJson } from './json-text.ts';
import { MAX_DEPTH } from './limits.ts';
import type { CompiledRules, RuleNode } from './paths.ts';
import { clip, commonLength } from './text.ts';

/** Stands in an excerpt for what the rules redact. */
export const redacted = '[redacted]';

/**
 * A value as JSON text of at most `maxChars`, scrubbed by the rules that hold at its place. Writing ends with the room, so that an
 * excerpt of a large document costs what the excerpt is long.
 */
function excerptJson(value: unknown, { root, hides }: CompiledRules, maxChars: number): string {
  let out = '';
  const write = (value: unknown, rule: RuleNode, depth: number): void => {
    if (rule.redacted) out += `"${redacted}"`;
    else if (typeof value === 'string') {
      const within = hides ? withinText(value) : value;
      if (within === value) out += JSON.stringify(clip(value, maxChars));
      else write(within, rule, depth + 1);
    } else if (typeof value !== 'object' || value === null || value instanceof ExactNumber) out += String(value);
    else if (depth > MAX_DEPTH) out += '"…"';
    else {
      const isArray = Array.isArray(value);
      out += isArray ? '[' : '{';
      let comma = '';
      for (const name of isArray ? value.keys() : Object.keys(value)) {
        if (out.length > maxChars) return;
        const below = rule.next(name);
        if (below.ignored) continue;
        out += comma + (typeof name === 'number' ? '' : `${JSON.stringify(clip(name, maxChars))}:`);
        comma = ',';
        write((value as Record<string | number, unknown>)[name], below, depth + 1);
      }
      out += isArray ? ']' : '}';
    }
  };
  if (!root.ignored) write(value, root, 0);
  return clip(out, maxChars);
}

/**
 * The JSON within a text (mostly a tool call's arguments), so that it is redacted by path too. JSON that breaks off is redacted whole, unless
 * it can have no members or items; other text stays as it is.
 */
function withinText(text: string): unknown {
  const json = text.trimStart();
  if (!/^[[{"]/.test(json)) return text;
  return parseJson(json) ?? (/^\[(?!\d{1,3}\])\s*(?:[-"\d[]|true|false|null)|\{/.test(json) ? redacted : text);
}

/** Two texts around the place where they first part, so that a late difference is still seen in a short excerpt. */
export function excerptTexts(live: string, candidate: string, maxChars: number): [string, string] {
  const from = Math.max(0, commonLength(live, candidate) - Math.floor(maxChars / 4));
  const cut = (text: string): string => clip((from > 0 ? `…${text.slice(from)}` : text).toWellFormed(), maxChars);
  return [cut(live), cut(candidate)];
}

/** The excerpt of a document; of its text where that is no document, or only the text's length where the rules hide anything by path. */
export function excerptOf(document: unknown, text: string, rules: CompiledRules, maxChars: number): string {
  if (document !== undefined) return excerptJson(document, rules, maxChars);
  if (rules.hides && text !== '') return `[${text.length} characters withheld: not readable by path]`;
  return clip(text, maxChars);
}
