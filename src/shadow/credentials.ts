/** Owns which request headers are keys of the visitor's, and so not for a copy that the visitor did not ask for. */

import { credentials } from '../config/header-rules.ts';
import type { Variant } from '../config/types.ts';

/** The headers of a copy: without credentials unless the shadow may have them. The variant's own secrets come later. */
export function headersOfCopy(headers: Headers, forwardCredentials: boolean): Headers {
  const copy = new Headers(headers);
  if (!forwardCredentials) for (const name of credentials) copy.delete(name);
  return copy;
}

/** Whether a request bears a key of the visitor's that the variant would be shown. */
export function isKeyed(headers: Headers, { removeHeaders }: Variant): boolean {
  return [...credentials].some((name) => headers.has(name) && !removeHeaders.includes(name));
}

/** Whether a variant brings a key of its own. A secret header that the baseline has as well is no key to what visitors ask for. */
export function bringsKey({ headers, secretHeaders }: Variant, baseline: Variant | null): boolean {
  const shared = new Set(baseline?.secretHeaders.map(({ name }) => name));
  return (
    headers.some(([name]) => credentials.has(name)) ||
    secretHeaders.some(({ name }) => credentials.has(name) || !shared.has(name))
  );
}
