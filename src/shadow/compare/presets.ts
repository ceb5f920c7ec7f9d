/**
 * Owns what `"preset"` means: which members of a model API's answer say nothing of its quality (ids, timestamps,
 * fingerprints, service tier, usage, and the model's name, which is what is under trial), joined to a shadow's own rules.
 */

import { getOrMake } from '../../get-or-make.ts';
import type { Dialect, DialectName } from './dialects/dialect.ts';
import { type CompiledRules, compileRules, type PathRules } from './paths.ts';
import type { Reading } from './read.ts';
import { dialectNamed } from './sse.ts';

type PresetName = Exclude<DialectName, 'generic'>;

/** A shadow's `compare` member. All of it is optional; without a preset JSON is compared member for member. */
export interface CompareOptions extends PathRules {
  preset?: PresetName;
}

/** Compiled rules are values that any request may use; they live as long as the options they were made from. */
const compiled = new WeakMap<CompareOptions, Map<string, CompiledRules>>();

/**
 * The rules for one pair. A re-assembled stream always gets its own dialect's preset, since its ids stand in every chunk;
 * a plain document only the preset that was asked for. In lines of JSON and in streams of no known dialect a path holds in
 * each line, and in each event's data, as well.
 */
export function rulesFor(
  options: CompareOptions,
  body: Pick<Reading, 'kind' | 'dialect' | 'lines'> | null,
): CompiledRules {
  const names = new Set<DialectName>();
  if (options.preset !== undefined) names.add(options.preset);
  if (body?.kind === 'sse' && body.dialect !== null) names.add(body.dialect);
  const inside = body?.dialect === 'generic' ? ['*', 'data'] : body?.lines ? ['*'] : null;
  const key = `${[...names].join(' ')} ${inside}`;
  const byDialect = getOrMake(compiled, options, () => new Map());
  return getOrMake(byDialect, key, () => {
    const known = [...names].map(dialectNamed).filter((dialect): dialect is Dialect => dialect !== undefined);
    const ignore = [...(options.ignore ?? []), ...known.flatMap((dialect) => dialect.ignore)];
    return compileRules({ ...options, ignore }, inside);
  });
}
