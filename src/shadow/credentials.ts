/** Owns which request headers are keys of the visitor's, and so not for a copy that the visitor did not ask for. */

import { credentials } from '../config/header-rules.ts';

/** The headers of a copy: without credentials unless the shadow may have them. The variant's own secrets come later. */
export function headersOfCopy(headers: Headers, forwardCredentials: boolean): Headers {
  const copy = new Headers(headers);
  if (!forwardCredentials) for (const name of credentials) copy.delete(name);
  return copy;
}
