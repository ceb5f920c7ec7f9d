/**
 * Owns the JSON Schema of the config document, for editors (`$schema`) and docs. It is made from the one schema that also
 * parses; the Worker never loads this file.
 */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import { configSchema } from './schema/config.ts';
import { descriptions } from './schema/descriptions.ts';

/** The JSON Schema of the config, every key described. Throws when a key has no description: that is a bug here. */
export function configJsonSchema(): JsonSchema {
  // Checks by code have no JSON Schema; they are left out, so an editor accepts a little more than the parser does.
  const schema = toJsonSchema(configSchema, { errorMode: 'ignore', typeMode: 'input' });
  describe(schema, []);
  const { $schema, ...rest } = schema;
  return {
    $schema,
    title: 'Headgate config',
    description: 'Routes and variants between which Headgate moves traffic.',
    ...rest,
  };
}

/** The text of `headgate.schema.json`. */
export function jsonSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}

/** Sets descriptions, and refuses unknown keys as `validate` and `apply` do. */
function describe(schema: JsonSchema, path: readonly string[]): void {
  if (schema.properties) {
    schema.additionalProperties = false;
    for (const [key, property] of Object.entries(schema.properties)) {
      const at = [...path, key];
      const description = descriptions[at.join('.')];
      if (description === undefined) throw new Error(`no description for ${at.join('.')}`);
      if (typeof property === 'boolean') throw new Error(`no schema for ${at.join('.')}`);
      property.description = description;
      describe(property, at);
    }
  } else if (typeof schema.additionalProperties === 'object') {
    describe(schema.additionalProperties, [...path, '*']);
  }
  const sameLevel = [schema.items, ...(schema.anyOf ?? [])].flat();
  for (const inner of sameLevel) if (typeof inner === 'object') describe(inner, path);
}
