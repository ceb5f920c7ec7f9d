import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configJsonSchema, jsonSchemaText } from '../../src/config/json-schema.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { descriptions } from '../../src/config/schema/descriptions.ts';
import { jsonSchemaFaults } from './mini-json-schema.ts';

const read = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url).href), 'utf8');
const schema = JSON.parse(read('../../src/config/headgate.schema.json')) as Record<string, unknown>;

/** Every property in the schema, by path; a path stands once, whatever union it is in. */
function properties(node: Record<string, unknown>, path: string[] = []): Map<string, Record<string, unknown>> {
  const found = new Map<string, Record<string, unknown>>();
  const add = (inner: unknown, at: string[]) => {
    if (typeof inner !== 'object' || inner === null) return;
    for (const entry of properties(inner as Record<string, unknown>, at)) found.set(...entry);
  };
  for (const [key, property] of Object.entries((node.properties ?? {}) as Record<string, Record<string, unknown>>)) {
    found.set([...path, key].join('.'), property);
    add(property, [...path, key]);
  }
  if (!node.properties) add(node.additionalProperties, [...path, '*']);
  for (const inner of [node.items, ...((node.anyOf ?? []) as unknown[])]) add(inner, path);
  return found;
}

describe('headgate.schema.json', () => {
  it('is what the schema yields (else run: node src/config/emit-schema.ts)', () => {
    expect(read('../../src/config/headgate.schema.json')).toBe(jsonSchemaText());
  });

  it('describes every key in a sentence', () => {
    const found = properties(schema);
    expect(found.size).toBeGreaterThan(100);
    for (const [path, property] of found) expect(property.description, path).toMatch(/^.{15,200}$/s);
  });

  it('describes nothing that is gone', () => {
    expect(Object.keys(descriptions).filter((path) => !properties(schema).has(path))).toEqual([]);
  });

  it('accepts the example', () => {
    expect(jsonSchemaFaults(schema, JSON.parse(read('./example-config.json')))).toEqual([]);
  });

  it('refuses unknown keys, wrong types and wrong values where an editor can see them', () => {
    const route = { name: 'Detect', variants: { blue: { service: 'B', headers: [] } }, sticky: 1, weigths: {} };
    expect(jsonSchemaFaults(schema, { routes: [route] }).toSorted()).toEqual([
      '/routes/0/name: pattern',
      '/routes/0/sticky: anyOf',
      '/routes/0/variants/blue/headers: type',
      '/routes/0/weigths: additionalProperties',
    ]);
  });

  it('takes the salts that the parser takes, though editors read patterns by code points', () => {
    const withSalt = (salt: string) => ({ routes: [{ name: 'a', variants: { b: { service: 'B' } }, salt }] });
    for (const salt of ['', 'r-1', 'é', '😀', '\u2028', 'a\nb', '\u007f', '\u009f', 'x'.repeat(65)]) {
      const { ok } = parseConfig(JSON.stringify(withSalt(salt)), { unknownKeys: 'fault' });
      expect(jsonSchemaFaults(schema, withSalt(salt)).length === 0, JSON.stringify(salt)).toBe(ok);
    }
  });

  it('shows the defaults', () => {
    const found = properties(configJsonSchema() as Record<string, unknown>);
    expect(found.get('routes.timeoutMs')?.default).toBe(120_000);
    expect(found.get('routes.shadows.repeat')?.default).toBe(10);
  });
});
