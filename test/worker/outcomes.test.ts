import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReceipt, hashUnit } from '../../src/split/receipt.ts';
import { ADMIN_TOKEN, COOKIE_SECRET, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

const OUTCOME_TOKEN = 'test-outcome-token-00000000';
const HOUR_MS = 3_600_000;

let headgate: Headgate;
let origin: Origin;

let config: { routes: Record<string, unknown>[] } & Record<string, unknown>;

beforeAll(async () => {
  origin = await startOrigin();
  const variants = { blue: { url: origin.url }, green: { url: origin.url } };
  const outcomes = [
    { name: 'helpful', kind: 'conversion' },
    { name: 'spend', kind: 'mean', cap: 100 },
  ];
  config = {
    version: 1,
    outcomeOrigins: ['https://shop.example'],
    routes: [
      { name: 'chat', match: { path: '/chat/*' }, variants, outcomes, weights: { blue: 50, green: 50 } },
      {
        name: 'api',
        match: { path: '/api/*' },
        variants,
        outcomes,
        identity: [{ header: 'x-user-id' }],
        weights: { blue: 50, green: 50 },
      },
      {
        ...{ name: 'walled', match: { path: '/walled/*' }, variants, outcomes, weights: { blue: 50, green: 50 } },
        ...{ receipts: true, audience: { exclude: [{ header: 'x-staff', in: ['1'] }] } },
      },
      {
        ...{
          name: 'spliced',
          match: { path: '/spliced/*' },
          outcomes,
          weights: { blue: 50, green: 50 },
          receipts: true,
        },
        variants: { ...variants, green: { url: origin.url, json: { model: 'new' } } },
      },
      {
        ...{ name: 'waiting', match: { path: '/waiting/*' }, outcomes, receipts: true },
        variants: { ...variants, green: { url: origin.url, json: { model: 'new' } } },
      },
      {
        ...{ name: 'gone', match: { path: '/gone/*' }, outcomes, receipts: true },
        variants: { blue: { url: 'http://127.0.0.1:9' } },
      },
      {
        ...{ name: 'rested', match: { path: '/rested/*' }, variants, outcomes, receipts: true },
        ...{ identity: [{ header: 'x-user-id' }], weights: { blue: 100 } },
        experiment: { id: 'rested-1', primary: ['helpful'], plannedUnits: 2000 },
      },
      {
        name: 'trial',
        receipts: true,
        variants,
        outcomes,
        identity: [{ header: 'x-user-id' }, { cookie: true }],
        weights: { blue: 50, green: 50 },
        experiment: { id: 'trial-1', primary: ['helpful'], secondary: ['spend'], plannedUnits: 2000 },
      },
    ],
  };
  headgate = await startHeadgate({ vars: { OUTCOME_TOKEN }, config });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

async function post(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${headgate.url}/_headgate/outcomes`, {
    method: 'POST',
    headers: { 'content-type': 'text/plain', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by path
  return { status: response.status, headers: response.headers, body: (text === '' ? null : JSON.parse(text)) as any };
}

let served = 0;
async function receipt(route: string, variant: string, more: { agoMs?: number; secret?: string; unit?: string } = {}) {
  const { agoMs = 0, secret = COOKIE_SECRET, unit = `unit-${served++}` } = more;
  const unitHash = await hashUnit(unit, secret);
  return createReceipt({ route, variant, unitHash, atMs: Date.now() - agoMs }, secret);
}

async function recorded(): Promise<number> {
  return (await headgate.records('dataset=outcomes&limit=1000')).length;
}

const bearer = { authorization: `Bearer ${OUTCOME_TOKEN}` };

describe('an outcome with a receipt', () => {
  it('credits the variant that the receipt names, without cookie or key, and is recorded', async () => {
    const token = await receipt('chat', 'green');
    const answer = await post({ route: 'chat', metric: 'helpful', receipt: token });
    expect(answer).toMatchObject({ status: 200, body: { route: 'chat', metric: 'helpful', variant: 'green' } });
    const [row] = await headgate.records('dataset=outcomes&limit=1');
    expect(row).toMatchObject({ route: 'chat', variant: 'green', metric: 'helpful', value: 1 });
  });

  it('may come with a bearer token of something else, as clients of models send', async () => {
    const token = await receipt('chat', 'green');
    const answer = await post(
      { route: 'chat', metric: 'helpful', receipt: token },
      { authorization: 'Bearer sk-model' },
    );
    expect(answer.status).toBe(200);
  });

  it('counts once a metric', async () => {
    const token = await receipt('chat', 'blue');
    expect(await post({ route: 'chat', metric: 'helpful', receipt: token })).toMatchObject({ status: 200 });
    expect(await post({ route: 'chat', metric: 'spend', value: 3, receipt: token })).toMatchObject({ status: 200 });
    const before = await recorded();
    const again = await post({ route: 'chat', metric: 'helpful', value: false, receipt: token });
    expect(again).toMatchObject({ status: 409, body: { code: 'receipt_used' } });
    expect(await recorded()).toBe(before);
  });

  it('counts a conversion once a unit where no experiment runs', async () => {
    const event = { route: 'api', metric: 'helpful', unit: 'u-once' };
    const counted = async (changes = {}) => (await post({ ...event, ...changes }, bearer)).body.counted;
    expect(await counted({ value: false })).toBe(true);
    expect([await counted(), await counted(), await counted({ value: false })]).toEqual([true, false, false]);
    expect(await counted({ unit: 'u-other' })).toBe(true);
  });

  it('counts nowhere when the answer was on no trial', async () => {
    const visit = (headers: Record<string, string>) => fetch(`${headgate.url}/walled/x`, { headers });
    const before = await recorded();
    const receiptOf = async (headers: Record<string, string>) =>
      (await visit(headers)).headers.get('x-headgate-receipt')!;
    const outside = await receiptOf({ 'x-staff': '1' });
    expect(outside).toMatch(/^walled~blue~0{16}~/);
    const refused = await post({ route: 'walled', metric: 'helpful', receipt: outside });
    expect(refused).toMatchObject({ status: 404, body: { code: 'unknown_unit' } });
    expect(await recorded()).toBe(before);
    const inside = await post({ route: 'walled', metric: 'helpful', receipt: await receiptOf({}) });
    expect(inside).toMatchObject({ status: 200, body: { counted: true } });
  });

  it('credits the variant too in whose place we answered', async () => {
    const response = await fetch(`${headgate.url}/gone/x`);
    expect(response.status).toBe(502);
    const told = {
      route: 'gone',
      metric: 'helpful',
      value: false,
      receipt: response.headers.get('x-headgate-receipt'),
    };
    expect(await post(told)).toMatchObject({ status: 200, body: { variant: 'blue', counted: true } });
  });

  it('counts nowhere, in either arm, when the candidate could not have been shown the body', async () => {
    const receiptOf = async (body: string) => {
      const response = await fetch(`${headgate.url}/spliced/x`, { method: 'POST', body });
      return response.headers.get('x-headgate-receipt')!;
    };
    for (let n = 0; n < 12; n++) expect(await receiptOf('[]')).toMatch(/^spliced~blue~0{16}~/);
    const unfit = await post({ route: 'spliced', metric: 'helpful', receipt: await receiptOf('[]') });
    expect(unfit).toMatchObject({ status: 404, body: { code: 'unknown_unit' } });
    // Where nothing is compared it is the answer of the one variant that there is.
    const alone = await fetch(`${headgate.url}/waiting/x`, { method: 'POST', body: '[]' });
    const told = { route: 'waiting', metric: 'helpful', receipt: alone.headers.get('x-headgate-receipt') };
    expect(await post(told)).toMatchObject({ status: 200, body: { variant: 'blue', counted: true } });
    const fit = await post({ route: 'spliced', metric: 'helpful', receipt: await receiptOf('{}') });
    expect(fit).toMatchObject({ status: 200, body: { counted: true } });
  });

  it('is recorded once a unit: a conversion that is told again is not, and one that waits when its unit is known', async () => {
    const headers = { 'x-user-id': 'u-recorded' };
    const served = await fetch(`${headgate.url}/x`, { headers });
    const early = { route: 'trial', metric: 'helpful', receipt: served.headers.get('x-headgate-receipt') };
    const before = await recorded();
    expect(await post(early)).toMatchObject({ status: 200, body: { counted: false } });
    expect(await recorded()).toBe(before);
    await expect.poll(recorded, { timeout: 10_000 }).toBe(before + 1);
    const [row] = await headgate.records('dataset=outcomes&limit=1');
    const variant = served.headers.get('x-headgate-variant');
    expect(row).toMatchObject({ route: 'trial', experiment: 'trial-1', variant, metric: 'helpful', value: 1 });
    expect(await post({ route: 'trial', metric: 'helpful' }, { ...headers, ...bearer })).toMatchObject({
      status: 200,
      body: { counted: false },
    });
    expect(await recorded()).toBe(before + 1);
  });

  it('counts once a metric in an experiment too', async () => {
    const token = await receipt('trial', 'blue');
    expect(await post({ route: 'trial', metric: 'helpful', receipt: token })).toMatchObject({ status: 200 });
    const again = await post({ route: 'trial', metric: 'helpful', receipt: token });
    expect(again).toMatchObject({ status: 409, body: { code: 'receipt_used' } });
  });

  it('from before an experiment is credited to its variant, and is none of the experiment', async () => {
    await fetch(`${headgate.url}/x`, { headers: { 'x-user-id': 'u-first' } });
    const told = { route: 'trial', metric: 'spend', value: 7, receipt: '' };
    // The experiment begins with the first unit that its ledger is told of.
    await expect
      .poll(async () => {
        told.receipt = await receipt('trial', 'green', { agoMs: 120_000 });
        const answer = await post(told);
        return answer.body.counted;
      })
      .toBe(true);
    const [row] = await headgate.records('dataset=outcomes&limit=1');
    expect(row).toMatchObject({ route: 'trial', experiment: '', variant: 'green', metric: 'spend', value: 7 });
    expect(await post(told)).toMatchObject({ status: 409, body: { code: 'receipt_used' } });
  });
});

describe('a refused outcome', () => {
  it.each([
    ['of an undeclared metric', { metric: 'other' }, 422, 'undeclared_metric'],
    ['of a route that is not there', { route: 'nowhere' }, 404, 'no_such_route'],
    ['of another route than the receipt is of', { route: 'api' }, 422, 'receipt_of_other_route'],
    ['of a conversion with a number', { value: 0.5 }, 422, 'bad_value'],
    ['of a mean without a value', { metric: 'spend' }, 422, 'bad_value'],
    ['of a mean with a text', { metric: 'spend', value: 'NaN' }, 422, 'bad_value'],
    ['with a receipt that is none', { receipt: 'x' }, 422, 'receipt_malformed'],
    ['with a receipt that is no text', { receipt: 7 }, 422, 'receipt_malformed'],
  ])('%s says why, and nothing is counted', async (_, changes, status, code) => {
    const token = await receipt('chat', 'green');
    const before = await recorded();
    const answer = await post({ route: 'chat', metric: 'helpful', receipt: token, ...changes });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await recorded()).toBe(before);
    expect(await post({ route: 'chat', metric: 'helpful', receipt: token })).toMatchObject({ status: 200 });
  });

  it('with a value beyond every number is no number', async () => {
    const token = await receipt('chat', 'green');
    const body = `{"route":"chat","metric":"spend","value":1e999,"receipt":"${token}"}`;
    expect(await post(body)).toMatchObject({ status: 422, body: { code: 'bad_value' } });
    expect(await post('{"value":NaN}')).toMatchObject({ status: 400, body: { code: 'bad_json' } });
  });

  it('with a value that sums cannot bear is refused alone', async () => {
    const outcome = { route: 'trial', metric: 'spend' };
    const items = await Promise.all(
      [1e200, 5].map(async (value) => ({ ...outcome, value, receipt: await receipt('trial', 'blue') })),
    );
    const { body } = await post(items);
    expect(body.results).toMatchObject([
      { code: 'bad_value', mend: expect.stringContaining('1e12') },
      { counted: false },
    ]);
  });

  it('with a forged or an expired receipt says which', async () => {
    const forged = await receipt('chat', 'green', { secret: 'another-secret' });
    const expired = await receipt('chat', 'green', { agoMs: 8 * 24 * HOUR_MS });
    const outcome = { route: 'chat', metric: 'helpful' };
    expect(await post({ ...outcome, receipt: forged })).toMatchObject({
      status: 403,
      body: { code: 'receipt_forged' },
    });
    expect(await post({ ...outcome, receipt: expired })).toMatchObject({
      status: 403,
      body: { code: 'receipt_expired' },
    });
  });

  it('over 64 KiB is not read', async () => {
    // By one byte: of a body that is much longer a client may still be sending when the answer comes, and miss it in the reset.
    const bare = JSON.stringify({ route: 'chat', pad: '' });
    const answer = await post(bare.replace('""', `"${'x'.repeat(65_537 - bare.length)}"`));
    expect(answer).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
  });

  it('of nobody says so', async () => {
    const answer = await post({ route: 'chat', metric: 'helpful' });
    expect(answer).toMatchObject({ status: 422, body: { code: 'no_unit' } });
  });
});

describe('an outcome of a unit that a server names', () => {
  it('needs the outcome token, in the header as in the body', async () => {
    const outcome = { route: 'api', metric: 'helpful' };
    const byHeader = await post(outcome, { 'x-user-id': 'u-1' });
    expect(byHeader).toMatchObject({ status: 401, body: { code: 'outcome_token_needed' } });
    const byBody = await post({ ...outcome, unit: 'u-1' });
    expect(byBody).toMatchObject({ status: 401, body: { code: 'outcome_token_needed' } });
    const wrong = await post({ ...outcome, unit: 'u-1' }, { authorization: 'Bearer wrong' });
    expect(wrong).toMatchObject({ status: 401, body: { code: 'outcome_token_needed' } });
  });

  it('credits the variant that serves the unit', async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 12; n++) {
      const headers = { 'x-user-id': `u-${n}` };
      const variant = (await fetch(`${headgate.url}/api/x`, { headers })).headers.get('x-headgate-variant')!;
      const byHeader = await post({ route: 'api', metric: 'helpful' }, { ...headers, ...bearer });
      const byBody = await post({ route: 'api', metric: 'helpful', unit: `u-${n}` }, bearer);
      expect([byHeader.body.variant, byBody.body.variant]).toEqual([variant, variant]);
      seen.add(variant);
    }
    expect(seen.size).toBe(2);
  });

  it('is refused in an experiment that has not served the unit', async () => {
    const answer = await post({ route: 'trial', metric: 'helpful', unit: 'never-seen' }, bearer);
    expect(answer).toMatchObject({ status: 404, body: { code: 'unknown_unit' } });
  });

  it('is credited to the variant that everybody has, before an experiment begins and after its end', async () => {
    const before = await recorded();
    const headers = { 'x-user-id': 'r-1', ...bearer };
    const credited = { status: 200, body: { variant: 'blue', counted: true } };
    expect(await post({ route: 'rested', metric: 'helpful' }, headers)).toMatchObject(credited);
    const told = { route: 'rested', metric: 'helpful', receipt: await receipt('rested', 'blue') };
    expect(await post(told)).toMatchObject(credited);
    expect(await post(told)).toMatchObject({ status: 409, body: { code: 'receipt_used' } });
    const rows = await headgate.records('dataset=outcomes&limit=1000');
    expect(rows).toHaveLength(before + 2);
    expect(rows.slice(0, 2)).toMatchObject([{ experiment: '' }, { experiment: '' }]);
  });

  it('is answered one by one in a list', async () => {
    const items = [
      { route: 'api', metric: 'helpful', unit: 'u-1' },
      { route: 'api', metric: 'other', unit: 'u-1' },
      { route: 'chat', metric: 'spend', value: 2, receipt: await receipt('chat', 'blue') },
    ];
    const { status, body } = await post(items, bearer);
    expect(status).toBe(200);
    expect(body.counted).toBe(2);
    expect(body.results).toEqual([
      expect.objectContaining({ metric: 'helpful' }),
      expect.objectContaining({ code: 'undeclared_metric' }),
      { route: 'chat', metric: 'spend', variant: 'blue', counted: true },
    ]);
    const tooMany = Array.from({ length: 101 }, () => items[0]);
    expect(await post(tooMany, bearer)).toMatchObject({ status: 422, body: { code: 'too_many_items' } });
  });
});

describe('an outcome from a page', () => {
  async function visitor() {
    const response = await fetch(`${headgate.url}/chat/x`);
    return {
      cookie: response.headers.get('set-cookie')!.split(';')[0]!,
      variant: response.headers.get('x-headgate-variant'),
    };
  }

  it('credits the visitor of the cookie, from the own and from listed origins', async () => {
    const { cookie, variant } = await visitor();
    for (const origin of [headgate.url, 'https://shop.example']) {
      const answer = await post({ route: 'chat', metric: 'helpful' }, { cookie, origin });
      expect(answer).toMatchObject({ status: 200, body: { variant } });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('access-control-allow-credentials')).toBe('true');
    }
  });

  it.each(['https://evil.example', 'null', 'https://shop.example.evil.example'])('of %s is refused', async (origin) => {
    const { cookie } = await visitor();
    const answer = await post({ route: 'chat', metric: 'helpful' }, { cookie, origin });
    expect(answer).toMatchObject({ status: 403, body: { code: 'origin_not_listed' } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may be asked for beforehand', async () => {
    const preflight = (origin: string) =>
      fetch(`${headgate.url}/_headgate/outcomes`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    const listed = await preflight('https://shop.example');
    expect(listed.status).toBe(204);
    expect(listed.headers.get('access-control-allow-headers')).toContain('content-type');
    expect((await preflight('https://evil.example')).status).toBe(403);
  });

  it('is limited by unit', async () => {
    const { cookie } = await visitor();
    const statuses = [];
    for (let n = 0; n < 62; n++) statuses.push((await post({ route: 'chat', metric: 'helpful' }, { cookie })).status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(60);
    expect(statuses.at(-1)).toBe(429);
    const limited = await post({ route: 'chat', metric: 'helpful' }, { cookie });
    expect(limited.headers.get('retry-after')).toBe('60');
  });

  it('of a visitor who wants no part in experiments counts nowhere, also with a pin', async () => {
    const response = await fetch(`${headgate.url}/x`);
    const cookie = response.headers.get('set-cookie')!.split(';')[0]!;
    expect(cookie).toContain('.trial:');
    const outcome = { route: 'trial', metric: 'helpful' };
    const said: Record<string, string>[] = [
      { cookie: `${cookie}; headgate-opt-out=1` },
      { cookie, 'x-headgate-opt-out': 'yes' },
      { cookie, 'x-headgate-opt-out': '1', ...bearer },
    ];
    const receipt = response.headers.get('x-headgate-receipt')!;
    for (const headers of said) {
      for (const more of [{}, { receipt }, { unit: 'somebody' }]) {
        const refused = { status: 404, body: { code: 'unknown_unit' } };
        expect(await post({ ...outcome, ...more }, headers)).toMatchObject(refused);
      }
    }
    expect(await post(outcome, { cookie })).toMatchObject({ status: 200, body: { counted: true } });
  });
});

it('is refused, and may be sent again, while what counts is down or not bound', async () => {
  const down =
    "{ idFromName: (name) => name, get: () => new Proxy({}, { get: () => async () => { throw new Error('down'); } }) }";
  const entry = `import worker from './src/index.ts'; export * from './src/index.ts';
    export default { fetch: (request, env, ctx) => worker.fetch(request, {
      ...env, LEDGER: undefined, CONTROLLER: ${down} }, ctx) };`;
  const variants = { blue: { url: origin.url } };
  const outcomes = [{ name: 'helpful', kind: 'conversion' }];
  const routes = [
    { name: 'chat', match: { path: '/chat/*' }, variants, outcomes },
    { name: 'trial', variants, outcomes, experiment: { id: 'e', primary: ['helpful'] } },
  ];
  const other = await startHeadgate({ entry, config: { version: 1, routes } });
  try {
    const list = await Promise.all(
      routes.map(async ({ name }) => ({ route: name, metric: 'helpful', receipt: await receipt(name, 'blue') })),
    );
    const answer = await fetch(`${other.url}/_headgate/outcomes`, { method: 'POST', body: JSON.stringify(list) });
    expect(await answer.json()).toMatchObject({
      counted: 0,
      results: [{ code: 'unavailable' }, { code: 'no_ledger' }],
    });
  } finally {
    await other.dispose();
  }
});

it('pages find a script of less than 1 KB that reports for them', async () => {
  const response = await fetch(`${headgate.url}/_headgate/outcomes.js`);
  const source = await response.text();
  expect(source.length).toBeLessThan(1_000);
  expect(response.headers.get('content-type')).toContain('text/javascript');
  const bound = source.replace('import.meta.url', JSON.stringify(response.url));
  const { report } = await import(`data:text/javascript,${encodeURIComponent(bound)}`);
  const token = await receipt('chat', 'green');
  expect(await report('chat', 'spend', 12, token)).toBe(true);
  expect(await report('chat', 'spend', 12, token)).toBe(false);
});

it('the admin token opens no outcomes', async () => {
  const answer = await post({ route: 'api', metric: 'helpful', unit: 'u' }, { authorization: `Bearer ${ADMIN_TOKEN}` });
  expect(answer.status).toBe(401);
});

it('wrong outcome tokens lock their address out for a minute, and it is told so', async () => {
  const guess = () => post({ route: 'api', metric: 'helpful', unit: 'u' }, { authorization: 'Bearer wrong' });
  let last = await guess();
  for (let n = 0; n < 110 && last.status === 401; n++) last = await guess();
  expect(last).toMatchObject({ status: 429, body: { code: 'too_many_outcomes' } });
  expect(last.headers.get('retry-after')).toBe('60');
  // Others' guesses must not lock out who bears it.
  const right = await post(
    { route: 'api', metric: 'helpful', unit: 'u' },
    { authorization: `Bearer ${OUTCOME_TOKEN}` },
  );
  expect([401, 429]).not.toContain(right.status);
});

it('a receipt that an experiment has counted is used up when the experiment is over', async () => {
  const served = await fetch(`${headgate.url}/x`, { headers: { 'x-user-id': 'u-over' } });
  const told = { route: 'trial', metric: 'spend', value: 5, receipt: served.headers.get('x-headgate-receipt') };
  await expect.poll(async () => (await post(told)).status, { timeout: 10_000 }).toBe(409);
  const routes = config.routes.map(({ experiment: _, ...route }) => route);
  await headgate.put('config', { ...config, routes });
  const isOver = async () => {
    await fetch(`${headgate.url}/x`);
    await post({ ...told, receipt: await receipt('trial', 'blue') });
    const [row] = await headgate.records('dataset=outcomes&limit=1');
    return row!.experiment;
  };
  await expect.poll(isOver, { timeout: 20_000, interval: 500 }).toBe('');
  expect(await post(told)).toMatchObject({ status: 409, body: { code: 'receipt_used' } });
});
