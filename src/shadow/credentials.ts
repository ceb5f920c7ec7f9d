/** Owns which request headers are keys of the visitor's, and so not for a copy that the visitor did not ask for. */

import { credentials } from '../config/header-rules.ts';
import type { Variant } from '../config/types.ts';

/** The headers of a copy: without credentials unless the shadow may have them. The variant's own secrets come later. */
export function headersOfCopy(headers: Headers, forwardCredentials: boolean): Headers {
  const copy = new Headers(headers);
  if (!forwardCredentials) for (const name of credentials) copy.delete(name);
  return copy;
}

/** The names of the headers that a variant sets itself. */
const ownOf = ({ headers, secretHeaders }: Variant): string[] => [
  ...headers.map(([name]) => name),
  ...secretHeaders.map(({ name }) => name),
];

/** Whether a request bears a key of the visitor's that the variant would be shown: not one that it removes, or sets in its place. */
export function isKeyed(headers: Headers, variant: Variant): boolean {
  const unseen = [...variant.removeHeaders, ...ownOf(variant)];
  return [...credentials].some((name) => headers.has(name) && !unseen.includes(name));
}

/** Whether a variant brings a key that another does not: what both bear is no key to what visitors ask for. */
export function bringsKey(variant: Variant, other: Variant): boolean {
  const others = ownOf(other);
  const keys = variant.secretHeaders.map(({ name }) => name);
  for (const [name] of variant.headers) if (credentials.has(name)) keys.push(name);
  return keys.some((name) => !others.includes(name));
}
