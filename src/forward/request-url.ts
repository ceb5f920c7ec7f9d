/**
 * Owns the reading of a request's URL. Nearly all are in the form already that the URL parser would give them, and are cut up
 * where they stand: a URL object and the reading of its parts cost as much as the choice of a variant. Whatever might be
 * written differently by the parser is left to it, so that both ways say the same.
 */

/** The parts of a URL, as the URL parser writes them. */
export type RequestUrl = Readonly<
  Pick<URL, 'href' | 'origin' | 'protocol' | 'host' | 'hostname' | 'pathname' | 'search'>
>;

// The loopback host, and hosts of small letters whose last label begins with a letter (so it is no number in disguise), with a port
// that is nobody's default; paths and queries without characters that the parser escapes. A dot after a slash may be a segment to resolve.
const PLAIN =
  /^(https?:)\/\/(127\.0\.0\.1|(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*)(:(?!80\b|443\b)(?:[1-5]\d{4}|[1-9]\d{0,3}))?(\/[\w\-.~!$&'()*+,;=:@/]*)(\?[\w\-.~!$&()*+,;=:@/?%]+)?$/;

const NO_PATH = /^[^:]+:\/\/[^/?#\\]*$/;

/** The URL's parts, or null where it is none: a Host header that names no host, or a request for no path (`OPTIONS *`). */
export function parseRequestUrl(text: string): RequestUrl | null {
  const parts = PLAIN.exec(text);
  if (parts === null || text.includes('/.') || text.includes('xn--')) {
    // The parser would take what stands for no path as the end of the host.
    return NO_PATH.test(text) ? null : URL.parse(text);
  }
  const [href, protocol, hostname, port, pathname, search = ''] = parts as unknown as string[];
  const host = port === undefined ? hostname! : hostname! + port;
  return {
    href: href!,
    origin: `${protocol}//${host}`,
    protocol: protocol!,
    host,
    hostname: hostname!,
    pathname: pathname!,
    search,
  };
}
