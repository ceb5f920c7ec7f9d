/** Owns writing schemas in short (`openapi-short.ts`), for `emit-openapi.ts` alone. What the short form has no words for stays beside it, as it is. */

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
  return found ?? bounded(schema, inner);
}

/** What a short form stands for, with what it refers to in its place. */
export function inFull(short: Short, shared: Shared): JsonObject {
  const text = JSON.stringify(schemaOf(short), (_, value) => {
    if (typeof value?.$ref !== 'string') return value;
    const { $ref, ...described } = value;
    return { ...shared[$ref.split('/').at(-1)], ...described };
  });
  return JSON.parse(text) as JsonObject;
}

/** All that the plain forms have no words for, beside the plain form of the rest. */
function bounded(schema: JsonObject, inner: (one: unknown) => Short): Short {
  const plain = ['type', 'items', 'anyOf', 'properties', 'required', 'additionalProperties', 'pattern', 'enum'];
  const isPlain = ([key]: [string, unknown]) => plain.includes(key);
  const [rest, bounds] = [true, false].map((is) =>
    Object.fromEntries(Object.entries(schema).filter((entry) => isPlain(entry) === is)),
  );
  if (Object.keys(bounds!).length === 0 || (rest!.type === 'array' && rest!.items === undefined))
    return { $: '*', ...schema };
  return { $: inner(rest), ...bounds };
}

function candidates(schema: JsonObject, inner: (one: unknown) => Short): Short[] {
  const { type, items, prefixItems, anyOf, properties = {}, required = [], additionalProperties, pattern } = schema;
  const words: Record<string, string> = { string: 's', number: 'n', integer: 'i', boolean: 'b' };
  const shorts: Short[] = ['*'];
  if (Array.isArray(schema.enum)) shorts.push(schema.enum.join('|'));
  if (typeof pattern === 'string') shorts.push(`/${pattern}`);
  if (typeof type === 'string' && words[type] !== undefined) shorts.push(words[type]);
  if (items) shorts.push([inner(items)]);
  if (Array.isArray(prefixItems)) shorts.push(prefixItems.map(inner) as [Short, ...Short[]]);
  if (Array.isArray(anyOf)) shorts.push({ '~': inner(anyOf[0]) }, { '|': anyOf.map(inner) });
  if (type === 'object') {
    const members = Object.entries(properties as Record<string, JsonObject>).map(([name, property]) => {
      const { description, ...rest } = property;
      const optional = (required as string[]).includes(name) ? '' : '?';
      return [`${name}${optional}${description === undefined ? '' : ` ${description}`}`, inner(rest)];
    });
    if (additionalProperties) members.push(['...', inner(additionalProperties)]);
    shorts.push(Object.fromEntries(members));
  }
  return shorts;
}
