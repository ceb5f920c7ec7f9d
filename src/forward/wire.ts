/** Owns what HTTP/1.1 says of a message in its headers, the same for requests and answers. */

/** RFC 9110 §7.6.1: what `Connection` names describes one connection, as it does itself. All go but what is `kept`. */
export function removeNamedByConnection(headers: Headers, named: string | null, kept: ReadonlySet<string>): void {
  // Nearly everybody says this, which names what goes anyway.
  if (named === 'keep-alive') return;
  for (const token of named?.split(',') ?? []) {
    const name = token.trim().toLowerCase();
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !kept.has(name)) headers.delete(name);
  }
}

/** The body's length where one was declared that is a number, else null. */
export function declaredLength(headers: Headers): number | null {
  // RFC 9110 §8.6: said twice alike it is said once.
  const said = /^(\d{1,15})(?:, *\1)*$/.exec(headers.get('content-length') ?? '');
  return said && Number(said[1]);
}

/** Whether a body is in a coding (RFC 9110 §8.4); `identity` is none. */
export function isCoded(headers: Headers): boolean {
  return !/^(?:identity)?$/i.test(headers.get('content-encoding') ?? '');
}
