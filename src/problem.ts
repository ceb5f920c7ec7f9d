/**
 * Owns the shape of every answer that is Headgate's own and not an origin's: problem details, RFC 9457.
 * It refuses to decide which status or code fits; callers do, and each `code` is a promise to clients that never changes.
 */

/** What one answer says. */
export interface ProblemDetails {
  status: number;
  /** Stable machine-readable name, `snake_case`. Repeated in the `x-headgate-error` header. */
  code: string;
  /** One sentence for people: what happened and why. Never holds a secret or an internal address. */
  detail: string;
  /** How to mend it, where the reader can. */
  mend?: string;
  /** Further members of the document, such as `faults`. */
  more?: Record<string, unknown>;
  /** Headers beyond those every problem carries, such as `allow`. */
  headers?: Record<string, string>;
}

/** A bug of ours. */
export const internal = {
  status: 500,
  code: 'internal',
  detail: 'Headgate failed at this request; its log says why.',
} as const;

/** RFC 9457 §4.2.1: with `about:blank` the title is the status phrase, so clients switch on `code` and people read `detail`. */
const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  508: 'Loop Detected',
};

/** Builds the answer. It is never cacheable: a problem that has passed must not outlive its cause. */
export function problem({ status, code, detail, mend, more, headers }: ProblemDetails): Response {
  const body = { type: 'about:blank', title: titles[status], status, code, detail, mend, ...more };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-headgate-error': code,
      // All that is limited is limited by the minute; who knows better says so in `headers`.
      ...(status === 429 && { 'retry-after': '60' }),
      ...headers,
    },
  });
}
