/** Owns the first question about any parsed JSON: is it an object? It parses nothing. */

/** Whether a value is an object, and neither a list nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as an object; an empty one where it is none. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
