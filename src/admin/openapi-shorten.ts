/** Owns writing schemas in short (`openapi-short.ts`), for `emit-openapi.ts` alone. What the short form has no words for stays as it is. */

import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, type Short, schemaOf } from './openapi-short.ts';

/** Schemas that many calls share and that stand once, by their names. */
export type Shared = Readonly<Record<string, JsonObject>>;

/** The shortest form that stands for the very same schema. */
export function shorten(schema: JsonObject, shared: Shared): Short {
  const name = Object.keys(shared).find((one) => isDeepStrictEqual(shared[one], schema));
  if (name !== undefined) return `@${name}`;
  const inner = (one: unknown) => shorten(one as JsonObject, shared);
  const found = candidates(schema, inner).find((short) => isDeepStrictEqual(inFull(short, shared), schema));
  return found ?? { $: schema };
}

/** What a short form stands for, with what it refers to in its place. */
export function inFull(short: Short, shared: Shared): JsonObject {
  const text = JSON.stringify(schemaOf(short), (_, value) => shared[value?.$ref?.split('/').at(-1)] ?? value);
  return JSON.parse(text) as JsonObject;
}

function candidates(schema: JsonObject, inner: (one: unknown) => Short): Short[] {
  const { type, items, anyOf, properties, required = [], additionalProperties, pattern } = schema;
  const words: Record<string, string> = { string: 's', number: 'n', boolean: 'b' };
  const shorts: Short[] = ['*'];
  if (Array.isArray(schema.enum)) shorts.push(schema.enum.join('|'));
  if (typeof pattern === 'string') shorts.push(`/${pattern}`);
  if (typeof type === 'string' && words[type] !== undefined) shorts.push(words[type]);
  if (items) shorts.push([inner(items)]);
  if (Array.isArray(anyOf)) shorts.push({ '~': inner(anyOf[0]) });
  if (additionalProperties && !properties) shorts.push({ '...': inner(additionalProperties) });
  if (properties) {
    const members = Object.entries(properties as Record<string, JsonObject>).map(([name, property]) => {
      const { description, ...rest } = property;
      const optional = (required as string[]).includes(name) ? '' : '?';
      return [`${name}${optional}${description === undefined ? '' : ` ${description}`}`, inner(rest)];
    });
    shorts.push(Object.fromEntries(members));
  }
  return shorts;
}
