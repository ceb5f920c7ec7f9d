/** Owns which request headers are keys of the visitor's, and so not for a copy that the visitor did not ask for. */

import { credentials } from '../config/header-rules.ts';
import type { Variant } from '../config/types.ts';

/** The headers of a copy: without credentials unless the shadow may have them. The variant's own secrets come later. */
export function headersOfCopy(headers: Headers, forwardCredentials: boolean): Headers {
  const copy = new Headers(headers);
  if (!forwardCredentials) for (const name of credentials) copy.delete(name);
  return copy;
}

/** Whether a copy to a variant lacks a key of the visitor's that the variant would be shown, and brings none of its own. */
export function lacksKey(headers: Headers, forwardCredentials: boolean, variant: Variant): boolean {
  if (forwardCredentials || variant.secretHeaders.length > 0) return false;
  if (variant.headers.some(([name]) => credentials.has(name))) return false;
  return [...credentials].some((name) => headers.has(name) && !variant.removeHeaders.includes(name));
}
