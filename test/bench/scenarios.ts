/** Owns what is measured: the requests, the splitter's configs, and the rates of the open loop. */

import { visitorValue } from '../../src/split/visitor.ts';

/** One request that is repeated, by many visitors or clients. */
export interface Traffic {
  method: 'GET' | 'POST';
  path: string;
  /** Who asks: a returning visitor (cookie), one with a pin in the experiment, a new one (nothing), or an API client (header). */
  by: 'returning' | 'pinned' | 'new' | 'client';
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
  /** Whether controller and ledger are bound, so that there is somebody to flush to. They run in the measured process. */
  objects?: true;
}

/** What one more thing costs: the splitter with it beside the splitter without it, in CPU time a request. */
export interface Addition {
  name: string;
  subject: Scenario;
  reference: Scenario;
  target: number;
}

export const COOKIE_SECRET = 'bench-secret-0000000000000000000';
const EXPERIMENT = 'bench-1';
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

/** The scenario beside which the other proxies are measured. */
export const TWO_VARIANTS = 'two variants, cookie';
const HUNDRED_ROUTES = 'the last of 100 routes';

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

const plain: Scenario = { ...small, name: 'a plain split', traffic: json, config: cookie };
const counting: Scenario = { ...plain, name: 'a split with tally and flush', objects: true };
// A share of hundredths of a percent: configured, and all but never taken.
const unsampled = (origin: string) =>
  document(origin, { weights: TWO, shadows: [{ variant: 'green', percent: 0.01 }] });
const experiment = (origin: string) =>
  document(origin, {
    weights: { blue: 50, green: 50 },
    outcomes: [{ name: 'helpful', kind: 'conversion', goal: 'increase' }],
    experiment: { id: EXPERIMENT, primary: ['helpful'], plannedUnits: 1_000_000 },
  });

/** Measured side by side, after the scenarios. */
export const additions: Addition[] = [
  {
    name: '100 routes over one',
    subject: scenarios.find(({ name }) => name === HUNDRED_ROUTES)!,
    reference: plain,
    target: 1.05,
  },
  {
    name: 'shadows that do not sample',
    subject: { ...plain, name: 'a split with unsampled shadows', config: unsampled },
    reference: plain,
    target: 1.03,
  },
  { name: 'tally and flush', subject: counting, reference: plain, target: 1.08 },
  {
    name: "an experiment's exposures",
    subject: { ...counting, name: 'an experiment', traffic: { ...json, by: 'pinned' }, config: experiment },
    reference: {
      ...counting,
      name: 'a split of the same weights',
      config: (origin) => document(origin, { weights: { blue: 50, green: 50 } }),
    },
    target: 1.05,
  },
];

const VISITORS = 256;

/** The traffic as it goes over the wire, one request for each of many visitors. */
export async function wire({ method, path, by, bodyBytes }: Traffic): Promise<string[]> {
  const body = bodyBytes === 0 ? '' : JSON.stringify({ text: 'x'.repeat(bodyBytes - 11) });
  const visitors = await Promise.all(Array.from({ length: VISITORS }, (_, index) => cookieOf(index, by === 'pinned')));
  return visitors.map((visitor, index) => {
    const head = [
      `${method} ${path} HTTP/1.1`,
      'host: bench.example.com',
      'user-agent: Mozilla/5.0 (X11; Linux x86_64) bench',
      'accept: application/json',
      'accept-encoding: gzip, br',
      'accept-language: en',
    ];
    if (by === 'returning' || by === 'pinned') head.push(`cookie: theme=dark; headgate=${visitor}`);
    if (by === 'client') head.push(`x-api-client: client-${index}`);
    if (body !== '') head.push('content-type: application/json', `content-length: ${body.length}`);
    return `${head.join('\r\n')}\r\n\r\n${body}`;
  });
}

/** A visitor's cookie in the form the splitter mints: 16 bytes in base64url, and where asked a pin in the experiment. */
function cookieOf(index: number, isPinned: boolean): Promise<string> {
  const id = Buffer.alloc(16, `visitor ${index}`).toString('base64url');
  const pin = { route: 'main', variant: index % 2 === 0 ? 'blue' : 'green', epoch: EXPERIMENT };
  return visitorValue(id, isPinned ? [pin] : [], COOKIE_SECRET);
}
