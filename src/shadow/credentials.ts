/** Owns which request headers are the visitor's credentials, and what that means for copies, which the visitor did not ask for. */

import { credentials } from '../config/header-rules.ts';
import type { Variant } from '../config/types.ts';

/** The headers of a copy: without the visitor's credentials, unless the shadow may have them. The variant's own are added later. */
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

/** Whether a request carries credentials of the visitor's that would reach the variant: it neither removes nor replaces them. */
export function bearsCredentials(headers: Headers, variant: Variant): boolean {
  const unseen = [...variant.removeHeaders, ...ownOf(variant)];
  return [...credentials].some((name) => headers.has(name) && !unseen.includes(name));
}

/** Whether a variant sets a key that another does not set. A key that both set decides nothing about a visitor's request. */
export function bringsKey(variant: Variant, other: Variant): boolean {
  const others = ownOf(other);
  const keys = variant.secretHeaders.map(({ name }) => name);
  for (const [name] of variant.headers) if (credentials.has(name)) keys.push(name);
  return keys.some((name) => !others.includes(name));
}
