/** Owns what is measured: the requests, the splitter's configs, and the rates of the open loop. */

/** One request that is repeated, by many visitors or clients. */
export interface Traffic {
  method: 'GET' | 'POST';
  path: string;
  /** Who asks: a returning visitor (cookie), a new one (nothing), or an API client (header). */
  by: 'returning' | 'new' | 'client';
  bodyBytes: number;
}

export interface Scenario {
  name: string;
  /** What the request and answer are. */
  group: string;
  traffic: Traffic;
  /** The splitter's KV documents, by the origin's address. */
  config: (origin: string) => unknown;
  /** The most CPU time a request, as a multiple of the bare Worker's, that the project allows itself. */
  target?: number;
  /** Requests a second of the open loop. */
  perSecond: number;
}

const TWO = { blue: 90, green: 10 };

function document(origin: string, route: object, before: object[] = []): unknown {
  const variants = { blue: { url: origin }, green: { url: `${origin}/green` } };
  const main = { name: 'main', match: { path: '/*' }, variants, baseline: 'blue', recordPercent: 0, ...route };
  return { version: 1, routes: [...before, main] };
}

/** Ninety-nine routes of the same host that the request does not meet, before the one it does. */
function others(origin: string): object[] {
  return Array.from({ length: 99 }, (_, index) => ({
    name: `other-${index}`,
    match: { path: `/service-${index}/*` },
    variants: { blue: { url: origin } },
    baseline: 'blue',
  }));
}

const json: Traffic = { method: 'GET', path: '/json', by: 'returning', bodyBytes: 0 };
const small = { group: 'JSON of 150 bytes', perSecond: 400 };
const cookie = (origin: string) => document(origin, { weights: TWO });

/** The scenario against which 100 routes are held. */
export const TWO_VARIANTS = 'two variants, cookie';
export const HUNDRED_ROUTES = 'the last of 100 routes';

export const scenarios: Scenario[] = [
  { ...small, name: 'one variant', traffic: json, config: (origin) => document(origin, {}) },
  { ...small, name: TWO_VARIANTS, traffic: json, config: cookie, target: 1.3 },
  { ...small, name: 'two variants, new visitors', traffic: { ...json, by: 'new' }, config: cookie },
  {
    ...small,
    name: 'two variants, API header',
    traffic: { ...json, by: 'client' },
    config: (origin) => document(origin, { weights: TWO, identity: [{ header: 'x-api-client' }] }),
  },
  {
    ...small,
    name: 'two variants, cookie, records on',
    traffic: json,
    config: (origin) => document(origin, { weights: TWO, recordPercent: 100 }),
    target: 1.4,
  },
  {
    ...small,
    name: HUNDRED_ROUTES,
    traffic: json,
    config: (origin) => document(origin, { weights: TWO }, others(origin)),
  },
  { name: '10 KB', group: '10 KB', traffic: { ...json, path: '/10k' }, config: cookie, perSecond: 400 },
  { name: '1 MB', group: '1 MB', traffic: { ...json, path: '/1m' }, config: cookie, perSecond: 30 },
  { name: 'SSE, 20 events', group: 'SSE', traffic: { ...json, path: '/sse' }, config: cookie, perSecond: 50 },
  {
    name: 'POST of 1 KB JSON',
    group: 'POST',
    traffic: { ...json, method: 'POST', bodyBytes: 1_024 },
    config: cookie,
    perSecond: 400,
  },
];

const VISITORS = 256;

/** The traffic as it goes over the wire, one request for each of many visitors. */
export function wire({ method, path, by, bodyBytes }: Traffic): string[] {
  const body = bodyBytes === 0 ? '' : JSON.stringify({ text: 'x'.repeat(bodyBytes - 11) });
  return Array.from({ length: VISITORS }, (_, index) => {
    const head = [
      `${method} ${path} HTTP/1.1`,
      'host: bench.example.com',
      'user-agent: Mozilla/5.0 (X11; Linux x86_64) bench',
      'accept: application/json',
      'accept-encoding: gzip, br',
      'accept-language: en',
    ];
    if (by === 'returning') head.push(`cookie: theme=dark; headgate=${visitor(index)}`);
    if (by === 'client') head.push(`x-api-client: client-${index}`);
    if (body !== '') head.push('content-type: application/json', `content-length: ${body.length}`);
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  });
}

/** A visitor's id in the form the splitter mints: 16 bytes in base64url. */
function visitor(index: number): string {
  return Buffer.alloc(16, `visitor ${index}`).toString('base64url');
}
