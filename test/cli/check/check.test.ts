import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCases } from '../../../src/cli/check/cases.ts';
import { differencesOf } from '../../../src/cli/check/differences.ts';
import { fakeApi, refusal, statusWith } from '../api.ts';
import { Session, serve } from '../session.ts';

const byGreen = { 'x-headgate-route': 'detect', 'x-headgate-variant': 'green' };
const session = new Session();
let api: Awaited<ReturnType<typeof fakeApi>>;
/** The Worker in front of api and variants: what visitors call. */
let worker: Awaited<ReturnType<typeof serve>>;
let visits: Request[] = [];
let answer: (request: Request) => Response;
let host: string;

beforeAll(async () => {
  api = await fakeApi();
  worker = await serve(async (request) => {
    if (new URL(request.url).pathname.startsWith('/_headgate')) {
      return fetch(new URL(new URL(request.url).pathname, api.url), {
        method: request.method,
        body: request.method === 'GET' ? null : await request.text(),
      });
    }
    visits.push(request.clone());
    return answer(request);
  });
});
afterAll(async () => {
  session.end();
  await Promise.all([api.close(), worker.close()]);
});
beforeEach(() => {
  visits = [];
  host = new URL(worker.url).host;
  answer = () => Response.json({ lang: 'de', score: 0.9, tags: ['a', 'b'] }, { headers: byGreen });
  session.env = { HEADGATE_URL: worker.url, HEADGATE_TOKEN: 'token' };
  api.answer({
    'GET /api/routes/detect': statusWith(),
    'POST /api/routes/detect/preview': () => ({
      token: 't',
      url: `http://${host}/_headgate/preview?token=t`,
      header: { name: 'x-headgate-preview', value: 'signed' },
      expiresAt: 'later',
    }),
  });
});

const cases = (...lines: unknown[]) =>
  session.write('cases.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
const check = (...options: string[]) => session.run('check', 'detect', 'green', '--file', 'cases.jsonl', ...options);

describe('headgate check', () => {
  it('sends real requests with the preview token, and passes what is as expected', async () => {
    cases(
      { name: 'german', path: '/v1?x=1', body: { text: 'hallo' }, expect: { status: 200, json: { lang: 'de' } } },
      { path: '/plain', method: 'put', body: 'as it is', headers: { 'x-a': 'b' } },
    );
    expect(await check()).toBe(0);
    expect(session.out).toMatch(/✔ german {2}200 in .* ms\n✔ PUT \/plain[\s\S]*✓ detect\/green: all 2 as expected/);
    const [first, second] = visits;
    expect(first!.headers.get('x-headgate-preview')).toBe('signed');
    expect(first!.headers.get('content-type')).toBe('application/json');
    expect([first!.method, new URL(first!.url).search, await first!.text()]).toEqual([
      'POST',
      '?x=1',
      '{"text":"hallo"}',
    ]);
    expect([second!.method, second!.headers.get('x-a'), await second!.text()]).toEqual(['PUT', 'b', 'as it is']);
  });

  it('holds a stream to what it says, and finds one that failed with status 200', async () => {
    const chunk = (content: string) => `data: {"choices":[{"index":0,"delta":{"content":"${content}"}}]}\n\n`;
    const streams: Record<string, string> = {
      '/fine': `${chunk('The quick ')}${chunk('brown fox')}data: [DONE]\n\n`,
      '/early': chunk('The quick '),
      '/failed': `${chunk('The ')}data: {"error":{"type":"overloaded"}}\n\ndata: [DONE]\n\n`,
      '/error': 'data: {"error":{"message":"no"}}\n\n',
      '/words': 'data: {"error":"boom","error_type":"generation"}\n\n',
      '/typed': `data: {"type":"text"}\n\ndata: {"type":"error","errorText":"no"}\n\ndata: [DONE]\n\n`,
      '/other': 'event: price\ndata: {"ask":12}\n\n',
      '/plain': '{"lang":"de"}',
    };
    answer = ({ url }) =>
      new Response(streams[new URL(url).pathname], { headers: { ...byGreen, 'content-type': 'text/event-stream' } });
    cases(
      {
        path: '/fine',
        expect: { text: 'quick brown', json: { choices: [{ message: { content: 'The quick brown fox' } }] } },
      },
      { path: '/other', expect: { json: [{ event: 'price', data: { ask: 12 } }] } },
      { path: '/plain', expect: { json: { lang: 'de' } } },
    );
    expect(await check()).toBe(0);
    const failing = ['/early', '/failed', '/error', '/words', '/typed'].map((path) => ({ path }));
    cases(...failing, { path: '/fine', expect: { text: 'slow' } });
    expect(await check()).toBe(1);
    const said = session.out.split('\n').filter((line) => line.startsWith('    '));
    expect(said).toEqual([
      '    stream: expected to end well, got unterminated',
      '    stream: expected to end well, got error-event:overloaded',
      ...Array.from({ length: 3 }, () => '    stream: expected to end well, got error-event'),
      '    text: expected … slow …, got The quick brown fox',
    ]);
  });

  it('reads a coded answer under whatever host', async () => {
    answer = () =>
      new Response(gzipSync('{"lang":"de"}'), {
        headers: { ...byGreen, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      });
    cases({ path: '/', expect: { json: { lang: 'de' } } });
    expect(await check()).toBe(0);
    host = 'ai.example.com';
    expect(await check()).toBe(0);
  });

  it('lists each difference and exits 1', async () => {
    cases({ name: 'german', path: '/', expect: { json: { lang: 'fr', tags: ['a'], more: 1 } } }, { path: '/ok' });
    expect(await check()).toBe(1);
    expect(session.out).toContain('    /lang: expected "fr", got "de"');
    expect(session.out).toContain('    /tags: expected ["a"], got ["a","b"]');
    expect(session.out).toContain('    /more: expected 1, got none');
    expect(session.out).toContain('1 of 2 not as expected');
  });

  it('gives the same as JSON', async () => {
    cases({ name: 'german', path: '/', expect: { status: [201, 204] } });
    expect(await check('--json')).toBe(1);
    expect(JSON.parse(session.out)).toMatchObject({
      passed: 0,
      failed: 1,
      cases: [{ name: 'german', ok: false, status: 200, differences: [{ at: 'status', expected: '201 or 204' }] }],
    });
  });

  it('does not take another variant’s answer for the one to look at', async () => {
    answer = () => Response.json({}, { headers: { 'x-headgate-route': 'detect', 'x-headgate-variant': 'blue' } });
    cases({ path: '/' });
    expect(await check()).toBe(1);
    expect(session.out).toContain('variant: expected detect/green, got detect/blue');
  });

  it.each([
    [404, { 'x-headgate-error': 'no_route' }],
    [200, {}],
  ])(
    'takes no answer with the status %i that the variant did not give, whatever is expected',
    async (status, headers) => {
      answer = () => Response.json({ lang: 'de' }, { status, headers });
      cases({ path: '/', expect: { status, json: { lang: 'de' } } });
      expect(await check()).toBe(1);
      expect(session.out).toMatch(/variant: expected detect\/green, got (?:nobody|Headgate itself: no_route)/);
    },
  );

  it('does not take Headgate’s own answer for the variant’s', async () => {
    cases({ path: '/hang', expect: { status: [200, 504] } });
    answer = () => new Response('', { status: 504, headers: { ...byGreen, 'x-headgate-error': 'origin_timeout' } });
    expect(await check()).toBe(1);
    expect(session.out).toContain('variant: expected detect/green, got Headgate itself: origin_timeout');
  });

  it('asks the Worker, whatever a path begins with', async () => {
    cases({ path: '//elsewhere.example/a' });
    expect(await check()).toBe(0);
    expect(new URL(visits[0]!.url).pathname).toBe('//elsewhere.example/a');
  });

  it('takes no answer, and one that is late, for a difference', async () => {
    cases({ name: 'late', path: '/' });
    session.fetch = (input, init) =>
      String(input).includes('_headgate')
        ? fetch(input, init)
        : Promise.reject(new DOMException('late', 'TimeoutError'));
    expect(await check('--timeout', '250ms')).toBe(1);
    expect(session.out).toContain('answer: expected one, got nothing in 250 ms');
    session.fetch = (...call) => fetch(...call);
  });

  it.each(['0s', '25h', '999999999h'])('refuses to wait %s, which no timer can', async (timeout) => {
    cases({ path: '/' });
    expect(await check('--timeout', timeout)).toBe(2);
    expect(session.notes).toContain(`${timeout} is no duration up to 24h`);
    expect(visits).toEqual([]);
  });

  it('calls a local Worker under the host that the route answers on', async () => {
    host = 'api.example.com';
    cases({ path: '/v1', expect: { json: { lang: 'de' } } });
    expect(await check()).toBe(0);
    expect(visits[0]!.headers.get('host')).toBe('api.example.com');
    expect(visits[0]!.headers.get('x-headgate-preview')).toBe('signed');
  });

  it.each([
    ['', /there is no case/],
    ['{"path":"v1"}', /line 1: path: "v1" must begin with \//],
    ['{}', /line 1: path: is missing/],
    ['{"path":"/","expect":[{"json":{"lang":"de"}}]}', /line 1: expect: a list is not an object/],
    ['{"path":"/","headers":[]}', /line 1: headers: a list is not an object/],
    ['{"path":"/"}\n{', /line 2: is not JSON/],
    ['{"path":"/","expect":{"sattus":200}}', /line 1: "expect\.sattus" is no key of a case/],
  ])('refuses the file %j as usage', async (text, words) => {
    session.write('cases.jsonl', text);
    expect(await check()).toBe(2);
    expect(session.notes).toMatch(words);
    expect(visits).toEqual([]);
  });

  it('passes on why there is no preview, and names the nearest variant', async () => {
    cases({ path: '/' });
    expect(await session.run('check', 'detect', 'gren', '--file', 'cases.jsonl')).toBe(1);
    expect(session.notes).toContain('did you mean green');
    api.answer({
      'GET /api/routes/detect': statusWith(),
      'POST /api/routes/detect/preview': () => refusal(503, 'preview_disabled', 'no secret', { mend: 'set it' }),
    });
    expect(await check()).toBe(1);
    expect(session.notes).toMatch(/no secret[\s\S]*→ set it/);
  });
});

describe('what a case expects', () => {
  const answered = (text: string, more = {}) => ({ status: 200, headers: new Headers(), text, totalMs: 5, ...more });

  it.each([
    ['any 2xx when no status is named', {}, answered('', { status: 204 }), []],
    ['else the status, with what was said', {}, answered('boom', { status: 500 }), ['status: 2xx, 500: boom']],
    ['a part of the text', { text: 'ell' }, answered('hello'), []],
    ['a part that is missing', { text: 'x' }, answered('hello'), ['text: … x …, hello']],
    ['a header', { headers: { 'x-a': '1' } }, answered('', { headers: new Headers({ 'x-a': '1' }) }), []],
    ['a header that is missing', { headers: { 'x-a': '1' } }, answered(''), ['header x-a: 1, none']],
    ['a time', { maxMs: 4 }, answered(''), ['time: at most 4 ms, 5 ms']],
    ['members and no more', { json: { a: { b: 1 } } }, answered('{"a":{"b":1,"c":2},"d":3}'), []],
    ['items of a list, in order', { json: [{ a: 1 }, 2] }, answered('[{"a":1,"b":2},2]'), []],
    ['a list of the same length', { json: { a: [] } }, answered('{"a":[1]}'), ['/a: [], [1]']],
    ['null and not absence', { json: { a: null } }, answered('{}'), ['/a: null, none']],
    ['names with a slash', { json: { 'a/b': 1 } }, answered('{"a/b":2}'), ['/a~1b: 1, 2']],
    ['a whole value', { json: 'x' }, answered('"y"'), ['body: "x", "y"']],
    ['JSON at all', { json: {} }, answered('<p>'), ['body: JSON, <p>']],
  ])('%s', (_, expected, got, differences) => {
    expect(differencesOf(expected, got).map(({ at, expected: e, got: g }) => `${at}: ${e}, ${g}`)).toEqual(differences);
  });

  it('needs a path and nothing else, and is named after it', () => {
    const parsed = parseCases('\n{"path":"/x"}\n\n');
    expect(parsed).toMatchObject({ ok: true, value: [{ name: 'GET /x', method: 'GET', body: undefined }] });
  });
});
