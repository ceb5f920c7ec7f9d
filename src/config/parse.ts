/**
 * Owns the way from the text under the key `config` to a Config: size, JSON, schema, names, cross-checks, defaults.
 * A bad document is refused whole, with every fault; it is never repaired. It reads no KV and knows no clock.
 */

import { type Fault, ok, type Result } from '../result.ts';
import { type DocumentSurroundings, documentFaults } from './check/document.ts';
import { effectWarnings } from './check/effects.ts';
import { normaliseConfig } from './normalise/config.ts';
import { readAs } from './read-as.ts';
import { configSchema } from './schema/config.ts';
import type { Config } from './types.ts';

export { sizeFault } from './read-as.ts';

export interface ParseOptions extends DocumentSurroundings {
  /** `fault` for people who write a document; `warn` for an isolate, which a newer document must not stop. */
  unknownKeys: 'fault' | 'warn';
}

/** A good document. `warnings`: what it says that has not the effect one may expect. */
export interface Parsed {
  config: Config;
  warnings: Fault[];
}

/** Parses and checks a config document. The error holds every fault, in the order in which they were found. */
export function parseConfig(text: string, options: ParseOptions): Result<Parsed, Fault[]> {
  const read = readAs(configSchema, text, (document, unknownKeys) => [
    ...(options.unknownKeys === 'fault' ? unknownKeys : []),
    ...documentFaults(document, options),
  ]);
  if (!read.ok) return read;
  const config = normaliseConfig(read.value.output);
  return ok({ config, warnings: [...read.value.unknownKeys, ...effectWarnings(config, options)] });
}
