/** Owns which request headers are keys of the visitor's, and so not for a copy that the visitor did not ask for. */

const CREDENTIALS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key', 'x-goog-api-key'];

/** The headers of a copy: without credentials unless the shadow may have them. The variant's own secrets come later. */
export function headersOfCopy(headers: Headers, forwardCredentials: boolean): Headers {
  const copy = new Headers(headers);
  if (!forwardCredentials) for (const name of CREDENTIALS) copy.delete(name);
  return copy;
}
