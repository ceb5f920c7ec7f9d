/**
 * Owns reading a document that may be wrong anywhere: what is not of the asked type reads as nothing, since the schema has
 * said so already. With it every check runs on every document, so that all faults come at once.
 */

export { asObject as object } from '../../json.ts';

export type Loose = Record<string, unknown>;

/** The value as a list; anything else as an empty one. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a text. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The texts in a list. */
export function texts(value: unknown): string[] {
  return list(value).filter((item) => typeof item === 'string');
}
