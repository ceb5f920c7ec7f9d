/**
 * Owns checking a document against the keywords that headgate.schema.json uses. An unknown keyword throws, so that nothing is
 * accepted by oversight.
 */

type Node = Record<string, unknown>;

const annotations = ['$schema', 'title', 'description', 'default'];

/** `pointer: keyword` for each keyword that the value does not fulfil. */
export function jsonSchemaFaults(schema: Node, value: unknown, at = ''): string[] {
  return Object.entries(schema).flatMap(([keyword, wanted]) => check(schema, keyword, wanted, value, at));
}

function check(schema: Node, keyword: string, wanted: unknown, value: unknown, at: string): string[] {
  const unless = (good: boolean) => (good ? [] : [`${at}: ${keyword}`]);
  const members = isObject(value) ? Object.entries(value) : [];
  const number = typeof value === 'number' ? value : null;
  const text = typeof value === 'string' ? value : null;
  const size = wanted as number;
  switch (keyword) {
    case 'type':
      return unless(isOfType(wanted as string, value));
    case 'const':
      return unless(value === wanted);
    case 'enum':
      return unless((wanted as unknown[]).includes(value));
    case 'pattern':
      return unless(text === null || new RegExp(wanted as string, 'u').test(text));
    case 'minLength':
      return unless(text === null || text.length >= size);
    case 'maxLength':
      return unless(text === null || text.length <= size);
    case 'minimum':
      return unless(number === null || number >= size);
    case 'maximum':
      return unless(number === null || number <= size);
    case 'minItems':
      return unless(!Array.isArray(value) || value.length >= size);
    case 'maxItems':
      return unless(!Array.isArray(value) || value.length <= size);
    case 'minProperties':
      return unless(!isObject(value) || members.length >= size);
    case 'maxProperties':
      return unless(!isObject(value) || members.length <= size);
    case 'required':
      return unless(!isObject(value) || (wanted as string[]).every((key) => Object.hasOwn(value, key)));
    case 'properties':
      return members.flatMap(([key, member]) => {
        const property = (wanted as Record<string, Node>)[key];
        return property ? jsonSchemaFaults(property, member, `${at}/${key}`) : [];
      });
    case 'additionalProperties': {
      const strangers = members.filter(([key]) => !Object.hasOwn((schema.properties ?? {}) as object, key));
      if (wanted === false) return strangers.map(([key]) => `${at}/${key}: ${keyword}`);
      return strangers.flatMap(([key, member]) => jsonSchemaFaults(wanted as Node, member, `${at}/${key}`));
    }
    case 'propertyNames':
      return members.flatMap(([key]) => jsonSchemaFaults(wanted as Node, key, `${at}/${key}`));
    case 'items':
      if (!Array.isArray(value)) return [];
      return value.flatMap((item, index) => jsonSchemaFaults(wanted as Node, item, `${at}/${index}`));
    case 'anyOf':
      return unless((wanted as Node[]).some((option) => jsonSchemaFaults(option, value, at).length === 0));
    default:
      if (annotations.includes(keyword)) return [];
      throw new Error(`the schema uses "${keyword}", which this check does not know`);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}
