/**
 * Owns the README's table of every config key: read from the JSON Schema, so that it says what editors say. Pure. It refuses
 * to explain: a description that is not enough is mended in `src/config/schema/descriptions.ts`.
 */

export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  additionalProperties?: Schema | boolean;
}

interface Row {
  /** Keys from the top; `*` is a name that people choose. Lists add nothing. */
  path: string[];
  schema: Schema;
  isRequired: boolean;
}

/** Where rows are gathered; the first that takes a row has it. */
const groups: readonly { title: string; takes(path: readonly string[]): boolean }[] = [
  { title: 'The document', takes: ({ length, 0: top }) => length === 1 || top !== 'routes' },
  { title: 'A route: `routes[]`', takes: (path) => path.length <= 2 },
  { title: 'A variant: `routes[].variants.NAME`', takes: ([, key]) => key === 'variants' },
  { title: 'A shadow: `routes[].shadows[]`', takes: ([, key]) => key === 'shadows' },
  { title: 'A guardrail: `routes[].guardrails[]`', takes: ([, key]) => key === 'guardrails' },
  { title: 'A step of a plan: `routes[].plans.NAME[]`', takes: ([, key]) => key === 'plans' },
  { title: 'Outcomes and experiments', takes: ([, key]) => key === 'outcomes' || key === 'experiment' },
  { title: 'Other parts of a route', takes: () => true },
];

/** The tables as Markdown, each under its own heading. */
export function configTables(schema: Schema): string {
  const left = rowsOf(schema, []);
  const tables: string[] = [];
  for (const { title, takes } of groups) {
    const rows = left.filter(({ path }) => takes(path));
    for (const row of rows) left.splice(left.indexOf(row), 1);
    if (rows.length === 0) continue;
    tables.push(
      [`#### ${title}`, '', '| key | meaning | takes | default |', '|---|---|---|---|', ...rows.map(lineOf)].join('\n'),
    );
  }
  return tables.join('\n\n');
}

/** Every key, in document order, the deeper ones after their parent. */
export function rowsOf(schema: Schema, above: readonly string[]): Row[] {
  const rows: Row[] = [];
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const path = [...above, key];
    const isRequired = schema.required?.includes(key) === true;
    rows.push({ path, schema: inner, isRequired }, ...rowsOf(inner, path));
  }
  if (typeof schema.additionalProperties === 'object')
    rows.push(...rowsOf(schema.additionalProperties, [...above, '*']));
  if (schema.items !== undefined) rows.push(...rowsOf(schema.items, above));
  for (const one of schema.anyOf ?? []) rows.push(...rowsOf(one, above));
  const seen = new Set<string>();
  return rows.filter(({ path }) => {
    const name = path.join('.');
    return seen.has(name) ? false : seen.add(name);
  });
}

function lineOf({ path, schema, isRequired }: Row): string {
  const shown = path[0] === 'routes' && path.length > 1 ? path.slice(1) : path;
  const name = shown.map((key) => (key === '*' ? 'NAME' : key)).join('.');
  const cells = [`\`${name}\``, schema.description ?? '', typeOf(schema), isRequired ? 'required' : defaultOf(schema)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |`;
}

function typeOf(schema: Schema): string {
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  switch (schema.type) {
    case 'array':
      return `list of ${plural(typeOf(schema.items ?? {}))}${schema.maxItems === undefined ? '' : `, at most ${schema.maxItems}`}`;
    case 'integer':
    case 'number':
      return rangeOf(schema);
    case 'object':
      return typeof schema.additionalProperties === 'object' ? 'object by name' : 'object';
    case 'string':
      return 'text';
    case 'boolean':
      return '`true`, `false`';
    default:
      return 'anything';
  }
}

const plurals: Record<string, string> = { text: 'texts', object: 'objects', 'object by name': 'objects' };
const plural = (words: string): string =>
  words
    .split(' or ')
    .map((word) => plurals[word] ?? word.replace(/^whole number/, 'whole numbers'))
    .join(' or ');

/** Bounds that only keep a number sane are left out. */
function rangeOf({ type, minimum, maximum }: Schema): string {
  const kind = type === 'integer' ? 'whole number' : 'number';
  const most = maximum !== undefined && maximum <= 86_400_000 ? maximum : undefined;
  if (minimum === undefined) return kind;
  return most === undefined ? `${kind} from ${minimum}` : `${kind}, ${minimum} to ${most}`;
}

function defaultOf({ default: value }: Schema): string {
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}
