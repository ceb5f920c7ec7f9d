import { describe, expect, it } from 'vitest';
import { faultsOf, type Json, routeWith, textOf, variantWith } from './sample.ts';

const green = { url: 'https://green.example.com' };
const nine = Object.fromEntries('abcdefghi'.split('').map((name) => [name, green]));
const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

/** [what is wrong, the route, path of the one fault within the route, its reason] */
const routeFaults: [string, Json, string, RegExp][] = [
  ['a name with capitals', { name: 'Detect' }, '.name', /"Detect" is not a name/],
  ['a name of 33 letters', { name: 'a'.repeat(33) }, '.name', /not a name/],
  ['a name that begins with a dash', { name: '-a' }, '.name', /not a name/],
  ['no variants', { variants: {} }, '.variants', /empty/],
  ['nine variants', { variants: nine }, '.variants', /more than 8/],
  ['a variant with a capital', { variants: { Blue: green } }, '.variants.Blue', /not a name/],
  ['a variant that is no object', { variants: { blue: 'https://x.example' } }, '.variants.blue', /not an object/],
  ['an unknown baseline', { baseline: 'gren' }, '.baseline', /"gren" is not a variant/],
  ['weights that miss some', { weights: { blue: 50, green: 47.5 } }, '.weights', /sum to 97.5, not 100/],
  ['weights that are too many', { weights: { blue: 99.99, green: 0.02 } }, '.weights', /sum to 100.01, not 100/],
  ['weights of nobody', { weights: {} }, '.weights', /sum to 0, not 100/],
  ['weights in a list', { weights: [100] }, '.weights', /a list is not an object/],
  ['a weight below 0', { weights: { blue: -1, green: 50 } }, '.weights.blue', /-1 is not between 0 and 100/],
  ['a weight with three decimals', { weights: { blue: 99.999, green: 0 } }, '.weights.blue', /two decimals/],
  ['a weight in a text', { weights: { blue: '100' } }, '.weights.blue', /"100" is not a number/],
  ['a weight of a stranger', { weights: { blue: 90, gren: 10 } }, '.weights.gren', /not a variant/],
  ['an empty list of rules', { match: [] }, '.match', /empty/],
  ['a rule that is no rule', { match: [[]] }, '.match[0]', /a list is not an object/],
  [
    'more guardrails than can be told apart',
    {
      outcomes: Array.from({ length: 17 }, (_, n) => ({ name: `o${n}`, kind: 'conversion' })),
      guardrails: Array.from({ length: 17 }, (_, n) => ({ metric: `outcome:o${n}`, critical: true })),
    },
    '.guardrails',
    /more than 16/,
  ],
  ['a path without /', { match: { path: 'v1' } }, '.match.path', /does not begin with \//],
  ['a path with * inside', { match: [{ path: '/a/*/b' }] }, '.match[0].path', /\* before its end/],
  ['a path with a query', { match: { path: '/a?b=1' } }, '.match.path', /could match no request/],
  ['a path with ..', { match: { path: '/a/../b' } }, '.match.path', /could match no request/],
  ['a path that is not encoded', { match: { path: '/grüße' } }, '.match.path', /could match no request/],
  ['a path of two slashes', { match: { path: '//evil' } }, '.match.path', /could match no request/],
  ['a host with a port', { match: { host: 'a.example.com:80' } }, '.match.host', /port/],
  ['a host with a scheme', { match: { host: 'https://a.example' } }, '.match.host', /not a host/],
  ['a host with * inside', { match: { host: 'a.*.com' } }, '.match.host', /\* inside/],
  ['a host that is *', { match: { host: '*' } }, '.match.host', /not a host/],
  ['a header that is no token', { match: { header: { 'a b': 'c' } } }, '.match.header["a b"]', /token/],
  ['a header value of 513', { match: { header: { a: 'x'.repeat(513) } } }, '.match.header.a', /longer than 512/],
  ['a header without values', { match: { header: { a: [] } } }, '.match.header.a', /empty/],
  ['an audience entry of nobody', { audience: { exclude: [{}] } }, '.audience.exclude[0]', /names nobody/],
  ['a header without in', { audience: { exclude: [{ header: 'a' }] } }, '.audience.exclude[0]', /"header" and "in"/],
  ['an include of nobody', { audience: { include: [] } }, '.audience.include', /let nobody in/],
  [
    'a country by name',
    { audience: { include: [{ country: ['Germany'] }] } },
    '.audience.include[0].country[0]',
    /country/,
  ],
  ['no identity', { identity: [] }, '.identity', /empty/],
  ['two sources in one', { identity: [{ header: 'a', query: 'b' }] }, '.identity[0]', /exactly one/],
  ['a cookie that is false', { identity: [{ cookie: false }] }, '.identity[0].cookie', /not true or a text/],
  ['sticky without a time', { sticky: {} }, '.sticky.idle', /is missing/],
  ['sticky for no time', { sticky: { idle: '0s' } }, '.sticky.idle', /no time/],
  ['an idle time in words', { sticky: { idle: '30 min' } }, '.sticky.idle', /not a duration/],
  ['consent without a value', { requireConsent: { cookie: 'c' } }, '.requireConsent.value', /is missing/],
  ['a method that Workers cannot send', { repeatable: ['trace'] }, '.repeatable[0]', /cannot be sent/],
  ['a timeout of 0', { timeoutMs: 0 }, '.timeoutMs', /whole number from 1/],
  ['a timeout with decimals', { timeoutMs: 1.5 }, '.timeoutMs', /whole number/],
  ['a timeout beyond all bounds', { idleTimeoutMs: 1e12 }, '.idleTimeoutMs', /whole number/],
  ['a status class of six', { failStatuses: ['6xx'] }, '.failStatuses[0]', /not a status/],
  ['a status of 600', { failStatuses: [600] }, '.failStatuses[0]', /whole number from 100 to 599/],
  ['failover on success', { failover: { statuses: [200] } }, '.failover.statuses[0]', /from 400 to 599/],
  ['failover in a list', { failover: [502] }, '.failover', /a list is not true or false or an object/],
  ['a cache that is public', { cache: 'public' }, '.cache', /"private" or "preserve"/],
  ['more than all recorded', { recordPercent: 101 }, '.recordPercent', /between 0 and 100/],
  ['a salt with a line break', { salt: 'a\nb' }, '.salt', /not a salt/],
];

/** [what is wrong, the variant, path of the one fault within the variant, its reason] */
const variantFaults: [string, Json, string, RegExp][] = [
  ['no origin', {}, '', /neither "url" nor "service"/],
  ['two origins', { ...green, service: 'GREEN' }, '', /both "url" and "service"/],
  ['a service that is no binding', { service: 'my-service' }, '.service', /not the name of a binding/],
  [
    'a header of one connection',
    { ...green, headers: { Connection: 'close' } },
    '.headers.Connection',
    /one connection/,
  ],
  [
    'transfer-encoding',
    { ...green, headers: { 'transfer-encoding': 'gzip' } },
    '.headers.transfer-encoding',
    /one connection/,
  ],
  ['host', { ...green, headers: { Host: 'a' } }, '.headers.Host', /cannot be set/],
  ['content-length', { ...green, headers: { 'content-length': '0' } }, '.headers.content-length', /cannot be set/],
  [
    'our own header',
    { ...green, headers: { 'X-Headgate-Role': 'live' } },
    '.headers.X-Headgate-Role',
    /Headgate's own/,
  ],
  [
    'our own header by secret',
    { ...green, secretHeaders: { 'x-headgate-a': `\${KEY_A}` } },
    '.secretHeaders.x-headgate-a',
    /Headgate's own/,
  ],
  ['our own header removed', { ...green, removeHeaders: ['x-headgate-route'] }, '.removeHeaders[0]', /Headgate's own/],
  ['a header with a space', { ...green, headers: { 'a b': 'c' } }, '.headers["a b"]', /token/],
  ['a value with a line break', { ...green, headers: { a: 'b\r\nc: d' } }, '.headers.a', /cannot be sent in a header/],
  ['a value beyond Latin-1', { ...green, headers: { a: '€' } }, '.headers.a', /cannot be sent in a header/],
  ['a number as value', { ...green, headers: { a: 1 } }, '.headers.a', /1 is not a text/],
  ['one header in two spellings', { ...green, headers: { a: '1', A: '2' } }, '.headers.A', /too$/],
  [
    'a header both set and removed',
    { ...green, headers: { a: '1' }, removeHeaders: ['A'] },
    '.removeHeaders[0]',
    /too$/,
  ],
  ['a placeholder among headers', { ...green, headers: { a: `\${KEY_A}` } }, '.headers.a', /not filled in "headers"/],
  ['a secret header without secret', { ...green, secretHeaders: { a: 'Bearer x' } }, '.secretHeaders.a', /has no/],
  [
    'another secret',
    { ...green, secretHeaders: { a: `\${ADMIN_TOKEN}` } },
    '.secretHeaders.a',
    /"ADMIN_TOKEN" is not a secret that/,
  ],
  ['an open placeholder', { ...green, secretHeaders: { a: `\${KEY_A} \${KEY_B` } }, '.secretHeaders.a', /has no/],
  ['json of nothing', { ...green, json: {} }, '.json', /empty/],
  ['json in a list', { ...green, json: [] }, '.json', /a list is not an object/],
  ['json without a floor', { ...green, json: { a: deep(40) } }, '.json.a', /more than 32 deep/],
  ['a probe without path', { ...green, health: {} }, '.health.path', /is missing/],
  ['a probe elsewhere', { ...green, health: { path: 'https://x.example/' } }, '.health.path', /not a path/],
  ['a probe that expects 99', { ...green, health: { path: '/', expect: 99 } }, '.health.expect', /from 200 to 599/],
];

/** [what is wrong, the route, path of the one fault within the route, its reason] */
const trialFaults: [string, Json, string, RegExp][] = [
  ['a shadow of a stranger', { shadows: [{ variant: 'gren' }] }, '.shadows[0].variant', /"gren" is not a variant/],
  ['a shadow of the baseline', { shadows: [{ variant: 'blue' }] }, '.shadows[0].variant', /is the baseline/],
  ['two shadows of one', { shadows: [{ variant: 'green' }, { variant: 'green' }] }, '.shadows[1].variant', /already/],
  ['a shadow of more than all', { shadows: [{ variant: 'green', percent: 101 }] }, '.shadows[0].percent', /between/],
  [
    'a copy of 1 MiB',
    { shadows: [{ variant: 'green', maxBodyBytes: 1_048_576 }] },
    '.shadows[0].maxBodyBytes',
    /262144/,
  ],
  [
    'an unknown preset',
    { shadows: [{ variant: 'green', compare: { preset: 'gpt' } }] },
    '.shadows[0].compare.preset',
    /"openai-chat"/,
  ],
  [
    'no JSON Pointer',
    { shadows: [{ variant: 'green', compare: { ignore: ['id'] } }] },
    '.shadows[0].compare.ignore[0]',
    /Pointer/,
  ],
  [
    'a tolerance of nothing',
    { shadows: [{ variant: 'green', compare: { tolerance: [{ path: '/a' }] } }] },
    '.shadows[0].compare.tolerance[0]',
    /no difference/,
  ],
  [
    'an array rule of nothing',
    { shadows: [{ variant: 'green', compare: { arrays: [{ path: '/a' }] } }] },
    '.shadows[0].compare.arrays[0]',
    /exactly one/,
  ],
  ['a scorer without address', { shadows: [{ variant: 'green', scorer: {} }] }, '.shadows[0].scorer', /exactly one/],
  [
    'a private scorer',
    { shadows: [{ variant: 'green', scorer: { url: 'https://10.0.0.1' } }] },
    '.shadows[0].scorer.url',
    /private/,
  ],
  ['no guardrail at all', { guardrails: [] }, '.guardrails', /no guardrail is critical/],
  [
    'guardrails without a critical one',
    { guardrails: [{ metric: 'errors', required: true }] },
    '.guardrails',
    /no guardrail is critical/,
  ],
  [
    'an unknown metric',
    { guardrails: [{ metric: 'latency', critical: true }] },
    '.guardrails[0].metric',
    /not a metric/,
  ],
  ['slow without a bound', { guardrails: [{ metric: 'slow', critical: true }] }, '.guardrails[0].sloMs', /is missing/],
  [
    'a bound that is not for slow',
    { guardrails: [{ metric: 'errors', critical: true, sloMs: 5 }] },
    '.guardrails[0].sloMs',
    /"slow" alone/,
  ],
  [
    'one metric twice',
    { guardrails: [{ metric: 'errors', critical: true }, { metric: 'errors' }] },
    '.guardrails[1].metric',
    /twice/,
  ],
  [
    'a time that is an object which cannot be a text',
    { guardrails: [{ metric: 'slow', critical: true, sloMs: 5, of: { toString: 1 } }] },
    '.guardrails[0].of',
    /an object is not "headers"/,
  ],
  [
    'an outcome nobody declared',
    { guardrails: [{ metric: 'outcome:helpful', critical: true }] },
    '.guardrails[0].metric',
    /no outcome "helpful"/,
  ],
  [
    'a guardrail on numbers, none of which is known to be bad',
    { outcomes: [{ name: 'spend', kind: 'mean' }], guardrails: [{ metric: 'outcome:spend', critical: true }] },
    '.guardrails[0].metric',
    /"spend" is a mean/,
  ],
  [
    'an increase of 5 as a rate',
    { guardrails: [{ metric: 'errors', critical: true, maxIncrease: 5 }] },
    '.guardrails[0].maxIncrease',
    /between 0 and 1/,
  ],
  ['a plan without steps', { plans: { slow: [] } }, '.plans.slow', /no steps/],
  ['a step that changes nothing', { plans: { slow: [{ for: '1m' }] } }, '.plans.slow[0]', /changes nothing/],
  ['a step without end', { plans: { slow: [{ weight: 100 }] } }, '.plans.slow[0]', /nothing decides/],
  ['a step in no unit', { plans: { slow: [{ weight: 100, for: '10' }] } }, '.plans.slow[0].for', /not a duration/],
  [
    'a longest below the shortest',
    { plans: { slow: [{ weight: 100, for: '1h', maxFor: '59m' }] } },
    '.plans.slow[0].maxFor',
    /shorter/,
  ],
  ['a step above all', { plans: { slow: [{ weight: 101, for: '1h' }] } }, '.plans.slow[0].weight', /between/],
  [
    'a step with an experiment that the route lacks',
    { plans: { slow: [{ weight: 50, experiment: true }] } },
    '.plans.slow[0].experiment',
    /no experiment/,
  ],
  ...[[{ weight: 100, experiment: true }], [{ weight: 0, experiment: true }], [{ shadow: 100, experiment: true }]].map(
    (slow): (typeof routeFaults)[number] => [
      'an experiment in a step of one arm',
      { experiment: { id: 'e', primary: ['error'] }, plans: { slow } },
      '.plans.slow[0].experiment',
      /two arms/,
    ],
  ),
  [
    'a grace in no unit',
    { experiment: { id: 'e', primary: ['error'], grace: 'a day' } },
    '.experiment.grace',
    /duration/,
  ],
  ['an outcome of no kind', { outcomes: [{ name: 'a', kind: 'rate' }] }, '.outcomes[0].kind', /"conversion" or "mean"/],
  [
    'an outcome twice',
    {
      outcomes: [
        { name: 'a', kind: 'mean' },
        { name: 'a', kind: 'mean' },
      ],
    },
    '.outcomes[1].name',
    /twice/,
  ],
  ['an outcome that is measured', { outcomes: [{ name: 'latency', kind: 'mean' }] }, '.outcomes[0].name', /measured/],
  ['a cap on a conversion', { outcomes: [{ name: 'a', kind: 'conversion', cap: 1 }] }, '.outcomes[0].cap', /no value/],
  [
    'a timing without entry',
    { measures: [{ name: 'a', header: 'Server-Timing' }] },
    '.measures[0].entry',
    /is missing/,
  ],
  [
    'an entry without timing',
    { measures: [{ name: 'a', header: 'x-a', entry: 'b' }] },
    '.measures[0].entry',
    /Server-Timing/,
  ],
  ['an experiment of nothing', { experiment: { id: 'e', primary: [] } }, '.experiment.primary', /empty/],
  [
    'an experiment on a stranger',
    { experiment: { id: 'e', primary: ['a'] } },
    '.experiment.primary[0]',
    /no outcome "a"/,
  ],
  ['an id with spaces', { experiment: { id: 'e 1', primary: ['error'] } }, '.experiment.id', /not an id/],
  [
    'a metric in both roles',
    { experiment: { id: 'e', primary: ['error'], secondary: ['error'] } },
    '.experiment.secondary[0]',
    /primary already/,
  ],
  [
    'eleven values',
    {
      experiment: {
        id: 'e',
        primary: ['error'],
        segments: [{ name: 's', header: 'h', values: 'abcdefghijk'.split('') }],
      },
    },
    '.experiment.segments[0].values',
    /10 values/,
  ],
];

describe('a route is refused for', () => {
  it.each([...routeFaults, ...trialFaults])('%s', (_, changes, path, reason) => {
    const faults = faultsOf(textOf(routeWith(changes)));
    expect(faults.map((fault) => fault.path)).toEqual([`routes[0]${path}`]);
    expect(faults[0]?.reason).toMatch(reason);
    expect(faults[0]?.mend).not.toBe('');
  });
});

describe('a variant is refused for', () => {
  it.each(variantFaults)('%s', (_, variant, path, reason) => {
    const faults = faultsOf(textOf(variantWith(variant)));
    expect(faults.map((fault) => fault.path)).toEqual([`routes[0].variants.blue${path}`]);
    expect(faults[0]?.reason).toMatch(reason);
    expect(faults[0]?.mend).not.toBe('');
  });
});

describe('the document is refused for', () => {
  it.each([
    ['a cookie for 500 days', { cookie: { maxAgeDays: 500 } }, 'cookie.maxAgeDays', /from 1 to 400/],
    ['an origin with a path', { outcomeOrigins: ['https://a.example/'] }, 'outcomeOrigins[0]', /not an origin/],
    ['a webhook over http', { webhooks: [{ url: 'http://a.example' }] }, 'webhooks[0].url', /loopback/],
    [
      'a webhook signed by another secret',
      { webhooks: [{ url: 'https://a.example', secret: 'COOKIE_SECRET' }] },
      'webhooks[0].secret',
      /may use/,
    ],
    [
      'a price below 0',
      { prices: { 'm.1': { inputPerMillion: -1, outputPerMillion: 0 } } },
      'prices["m.1"].inputPerMillion',
      /between/,
    ],
    ['a version to come', { version: 2 }, 'version', /2 is not a version/],
  ])('%s', (_, changes, path, reason) => {
    const faults = faultsOf(JSON.stringify({ version: 1, routes: [], ...changes }));
    expect(faults.map((fault) => fault.path)).toEqual([path]);
    expect(faults[0]?.reason).toMatch(reason);
  });

  it('two routes of one name', () => {
    const [fault, ...more] = faultsOf(textOf(routeWith(), routeWith({ match: { path: '/a' } })));
    expect(more).toEqual([]);
    expect(fault).toMatchObject({ path: 'routes[1].name', reason: '"detect" is the name of routes[0] too' });
  });
});

describe('what the Worker has', () => {
  const secret = (name: string) =>
    textOf(variantWith({ ...green, secretHeaders: { authorization: `Bearer \${${name}}` } }));

  it('decides whether a named secret is a fault', () => {
    const secrets = (name: string) => name === 'KEY_GREEN';
    expect(faultsOf(secret('KEY_GREEN'), { secrets })).toEqual([]);
    expect(faultsOf(secret('KEY_GREEN'))).toEqual([]);
    expect(faultsOf(secret('KEY_BLUE'), { secrets })).toEqual([
      {
        path: 'routes[0].variants.blue.secretHeaders.authorization',
        reason: 'the Worker has no secret KEY_BLUE',
        mend: 'run: wrangler secret put KEY_BLUE',
      },
    ]);
  });

  it('decides whether a named service is a fault', () => {
    const text = textOf(variantWith({ service: 'BLUE' }));
    expect(faultsOf(text, { services: (name) => name === 'BLUE' })).toEqual([]);
    expect(faultsOf(text, { services: () => false }).map((fault) => fault.path)).toEqual([
      'routes[0].variants.blue.service',
    ]);
  });

  it('lets no route take the host of the controls', () => {
    const hosts = (...names: string[]) => textOf(routeWith({ match: names.map((host) => ({ host })) }));
    const options = { adminHost: 'admin.example.com' };
    expect(faultsOf(hosts('a.example.com', 'ADMIN.example.com'), options).map((fault) => fault.path)).toEqual([
      'routes[0].match[1].host',
    ]);
    expect(faultsOf(hosts('admin.example.com'))).toEqual([]);
    expect(faultsOf(hosts('*.example.com'), options)).toEqual([]);
  });
});
