/** Owns the way from the text under any of the three keys to what its schema makes of it: size, JSON, keys, values. */

import { type GenericSchema, type InferOutput, safeParse } from 'valibot';
import { err, type Fault, ok, type Result } from '../result.ts';
import { MAX_CONFIG_BYTES } from './limits.ts';
import { faultAt } from './path.ts';
import { schemaFaults } from './schema-faults.ts';
import { parseJson } from './syntax.ts';
import { findKeys } from './unknown-keys.ts';

/** Reads a document. `more` finds, beside whatever the schema finds, the faults that take more than one key to see. */
export function readAs<T extends GenericSchema>(
  schema: T,
  text: string,
  more: (document: unknown, unknownKeys: Fault[]) => Fault[] = () => [],
): Result<{ output: InferOutput<T>; unknownKeys: Fault[] }, Fault[]> {
  const tooLarge = sizeFault(text);
  if (tooLarge !== null) return err([tooLarge]);
  const json = parseJson(text);
  if (!json.ok) return err([json.error]);
  const checked = safeParse(schema, json.value);
  const { reserved, unknown } = findKeys(schema, json.value);
  const faults = [...schemaFaults(checked.issues ?? [], json.value), ...reserved, ...more(json.value, unknown)];
  return checked.success && faults.length === 0 ? ok({ output: checked.output, unknownKeys: unknown }) : err(faults);
}

/** The fault of a document that is too large; null where it is not. */
export function sizeFault(text: string): Fault | null {
  // A UTF-16 unit is at most three bytes of UTF-8, so most documents need no encoding to be known small enough.
  if (text.length * 3 <= MAX_CONFIG_BYTES) return null;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= MAX_CONFIG_BYTES) return null;
  const reason = `the document has ${bytes} bytes, more than the ${MAX_CONFIG_BYTES} that are read`;
  return faultAt([], reason, 'shorten it, or deploy a second Worker');
}
