/**
 * Owns the way from the text under the key `config` to a Config: size, JSON, schema, names, cross-checks, defaults.
 * A bad document is refused whole, with every fault; it is never repaired. It reads no KV and knows no clock.
 */

import { safeParse } from 'valibot';
import { err, type Fault, ok, type Result } from '../result.ts';
import { type DocumentSurroundings, documentFaults } from './check/document.ts';
import { effectWarnings } from './check/effects.ts';
import { normaliseConfig } from './normalise/config.ts';
import { faultAt } from './path.ts';
import { configSchema } from './schema/config.ts';
import { schemaFaults } from './schema-faults.ts';
import { parseJson } from './syntax.ts';
import type { Config } from './types.ts';
import { findKeys } from './unknown-keys.ts';

/** A document of more UTF-8 bytes than this is refused unread. */
export const maxConfigBytes = 65_536;

export interface ParseOptions extends DocumentSurroundings {
  /** `fault` for people who write a document; `warn` for an isolate, which a newer document must not stop. */
  unknownKeys: 'fault' | 'warn';
}

export interface Parsed {
  config: Config;
  warnings: Fault[];
}

/** Parses and checks a config document. The error holds every fault, in the order in which they were found. */
export function parseConfig(text: string, options: ParseOptions): Result<Parsed, Fault[]> {
  const tooLarge = sizeFault(text);
  if (tooLarge !== null) return err([tooLarge]);
  const json = parseJson(text);
  if (!json.ok) return err([json.error]);
  const document = json.value;

  const keys = findKeys(configSchema, document);
  const checked = safeParse(configSchema, document);
  const faults = [
    ...(checked.issues ? schemaFaults(checked.issues, document) : []),
    ...keys.reserved,
    ...(options.unknownKeys === 'fault' ? keys.unknown : []),
    ...documentFaults(document, options),
  ];
  if (!checked.success || faults.length > 0) return err(faults);
  const config = normaliseConfig(checked.output);
  return ok({ config, warnings: [...keys.unknown, ...effectWarnings(config, options)] });
}

function sizeFault(text: string): Fault | null {
  // A UTF-16 unit is at most three bytes of UTF-8, so most documents need no encoding to be known small enough.
  if (text.length * 3 <= maxConfigBytes) return null;
  const bytes = text.length > maxConfigBytes ? text.length : new TextEncoder().encode(text).length;
  if (bytes <= maxConfigBytes) return null;
  const size = `${bytes === text.length ? 'at least ' : ''}${bytes} bytes`;
  const reason = `the document has ${size}, more than the ${maxConfigBytes} that are read`;
  return faultAt([], reason, 'remove routes, or deploy a second Worker');
}
