/**
 * Owns the short form in which the API's description lies in the Worker, and what it is short for: a JSON Schema in full would weigh
 * more than the calls it describes. It knows no call; a test holds every schema to come back as it was.
 *
 * `s` is a string, `n` a number, `i` a whole one, `b` a boolean, `*` anything, `a|b` one of two words, `/x` a string that fits x,
 * `@Route` a shared schema; `[x]` a list of x, `[x, y]` the two in this order, `{ "~": x }` x or null, `{ "|": [x, y] }` x or y,
 * `{ "$": x, … }` x with what else is said of it. Any other object is one by its members: `name? what it is`, with a question
 * mark where it may be left out, and `...` for what has any other name.
 */

export type JsonObject = { [key: string]: unknown };

/** A schema in short. */
export type Short = string | [Short, ...Short[]] | { [key: string]: unknown };

const types: Record<string, string> = { s: 'string', n: 'number', i: 'integer', b: 'boolean' };
/** The schema that a short form stands for. */
export function schemaOf(short: Short): JsonObject {
  if (short === '*') return {};
  if (typeof short === 'string') {
    const rest = short.slice(1);
    if (short.startsWith('@')) return { $ref: `#/components/schemas/${rest}` };
    if (short.startsWith('/')) return { type: 'string', pattern: rest };
    return short.includes('|') ? { enum: short.split('|'), type: 'string' } : { type: types[short] };
  }
  if (Array.isArray(short)) {
    const items = short.map(schemaOf);
    return items.length > 1
      ? { type: 'array', prefixItems: items, minItems: items.length }
      : { type: 'array', items: items[0] };
  }
  if ('~' in short) return { anyOf: [schemaOf(short['~'] as Short), { type: 'null' }] };
  if ('|' in short) return { anyOf: (short['|'] as Short[]).map(schemaOf) };
  if ('$' in short) {
    const { $, ...bounds } = short;
    return { ...schemaOf($ as Short), ...bounds };
  }
  return objectOf(short);
}

function objectOf({ '...': others, ...members }: JsonObject): JsonObject {
  const properties: JsonObject = {};
  const required: string[] = [];
  for (const [written, short] of Object.entries(members)) {
    const [, name, optional, description] = /^([^ ?]+)(\??) ?(.*)$/.exec(written)!;
    properties[name!] = { ...schemaOf(short as Short), ...(description && { description }) };
    if (!optional) required.push(name!);
  }
  return {
    type: 'object',
    ...(Object.keys(members).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
    ...(others !== undefined && { additionalProperties: schemaOf(others as Short) }),
  };
}
