/**
 * Owns what `"preset"` means: which members of a model API's answer say nothing of its quality (ids, timestamps,
 * fingerprints, service tier, usage, and the model's name, which is what is under trial), joined to a shadow's own rules.
 */

import type { Dialect, DialectName } from './dialects/dialect.ts';
import { type CompiledRules, compileRules, type PathRules } from './paths.ts';
import { dialectNamed } from './sse.ts';

export type PresetName = Exclude<DialectName, 'generic'>;

export const presetNames: readonly PresetName[] = [
  'openai-chat',
  'openai-responses',
  'anthropic-messages',
  'workers-ai',
];

/** A shadow's `compare` member. All of it is optional; without a preset JSON is compared member for member. */
export interface CompareOptions extends PathRules {
  preset?: PresetName;
}

/** Compiled rules are values that any request may use; they live as long as the options they were made from. */
const compiled = new WeakMap<CompareOptions, Map<string, CompiledRules>>();

/**
 * The rules for one pair. A re-assembled stream always gets its own dialect's preset, since its ids stand in every chunk;
 * a plain document only the preset that was asked for.
 */
export function rulesFor(options: CompareOptions, stream: DialectName | null): CompiledRules {
  const names = new Set<DialectName>();
  if (options.preset !== undefined) names.add(options.preset);
  if (stream !== null) names.add(stream);
  const key = [...names].join(' ');
  let byDialect = compiled.get(options);
  if (byDialect === undefined) {
    byDialect = new Map();
    compiled.set(options, byDialect);
  }
  let rules = byDialect.get(key);
  if (rules === undefined) {
    const known = [...names].map(dialectNamed).filter((dialect): dialect is Dialect => dialect !== undefined);
    rules = compileRules({ ...options, ignore: [...(options.ignore ?? []), ...known.flatMap(({ ignore }) => ignore)] });
    byDialect.set(key, rules);
  }
  return rules;
}
