import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOf, type NamedOrigin, refusingUrl, startNamedOrigin } from './faulty-origin.ts';
import { type Headgate, startHeadgate } from './harness.ts';
import { answerTo, type HeaderLines, type RawAsk, RawClient, values, type WholeAnswer } from './raw-http.ts';

let blue: NamedOrigin;
let green: NamedOrigin;
let headgate: Headgate;

const bearer = (secret: string) => `Bearer \${${secret}}`;
const MEMBERS = { model: 'green-1', temperature: 0 };
const ID = 'AbCdEfGhIjKlMnOpQrStUv';

beforeAll(async () => {
  [blue, green] = await Promise.all([
    startNamedOrigin('blue', { isFaulty: false }),
    startNamedOrigin('green', { isFaulty: true }),
  ]);
  headgate = await startHeadgate({ vars: { KEY_GREEN: 'green-key', KEY_EMPTY: '', FALLBACK_ORIGIN: 'passthrough' } });
  const refusing = await refusingUrl();
  const route = (name: string, candidate: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
    name,
    match: { path: `/${name}/*` },
    variants: { blue: { url: blue.url }, green: { url: green.url, ...candidate } },
    weights: { green: 100 },
    ejection: false,
    ...more,
  });
  await headgate.put('config', {
    version: 1,
    routes: [
      route('split', {}, { weights: { blue: 50, green: 50 } }),
      route('sticky', {}, { weights: { blue: 50, green: 50 }, sticky: { idle: '30m' } }),
      route('json', { json: MEMBERS }),
      route(
        'outsider',
        {},
        {
          variants: { blue: { url: blue.url, json: MEMBERS }, green: { url: green.url } },
          audience: { exclude: [{ header: 'x-tenant', in: ['acme'] }] },
        },
      ),
      route('json-fails', { json: MEMBERS, url: refusing }, { repeatable: ['POST'] }),
      route('unbound', { url: undefined, service: 'NOPE' }),
      route('not-a-service', { url: undefined, service: 'KEY_GREEN' }),
      route('unkeyed', { secretHeaders: { authorization: bearer('KEY_MISSING') } }),
      route(
        'unkeyed-twice',
        { secretHeaders: { authorization: bearer('KEY_MISSING') } },
        { repeatable: ['GET', 'POST'] },
      ),
      route('empty-key', { secretHeaders: { authorization: bearer('KEY_EMPTY') } }),
      route('set', {
        headers: { 'x-set': 'ours', 'user-agent': 'headgate' },
        removeHeaders: ['x-removed', 'referer'],
        secretHeaders: { authorization: bearer('KEY_GREEN') },
      }),
      route('quiet', {}, { expose: false }),
      route('loop', { url: headgate.url }),
      route('loop-edge', { url: headgate.edgeUrl }),
    ],
  });
});

afterAll(async () => {
  await headgate?.dispose();
  await Promise.all([blue?.close(), green?.close()]);
});

interface Told extends WholeAnswer {
  /** Who answered. */
  from: string;
  code: string;
  /** What the origins were sent for it. */
  sent: NamedOrigin['seen'];
}

async function ask(path: string, what: RawAsk = {}): Promise<Told> {
  const requestId = randomUUID();
  const headers: HeaderLines = [['x-request-id', requestId], ...(what.headers ?? [])];
  const answer = await answerTo(headgate.url, { ...what, path, headers });
  const json = answer.body.length === 0 ? {} : JSON.parse(answer.body.toString());
  const sent = [...blue.sawOf(requestId), ...green.sawOf(requestId)];
  return { ...answer, from: json.from, code: json.code, sent };
}

const header = (answer: WholeAnswer, name: string) => values(answer.headers, name)[0];
const ours = (answer: WholeAnswer) =>
  values(answer.headers, 'set-cookie').filter((line) => line.startsWith('headgate='));
const cookies = (...lines: string[]): RawAsk => ({ headers: lines.map((line) => ['cookie', line]) });

describe('cookies that nobody sent in good faith', () => {
  it.each([
    ['empty', 'headgate='],
    ['too short', `headgate=${ID.slice(1)}`],
    ['too long', `headgate=${ID}x`],
    ['other letters', 'headgate=AbCdEfGhIjKlMnOpQrSt!!'],
    ['pins without a tag', `headgate=${ID}.split:green:r-1`],
    ['the https name on http', `__Host-headgate=${ID}`],
    ['16 KB of it', `headgate=${'A'.repeat(16_384)}`],
    ['no name', `=${ID}`],
    ['bytes outside ASCII', 'headgate=\u00e9\u00ff\u0080'],
    ['quotes', `headgate="${ID}`],
    ['an attempt at the prototype', 'headgate=__proto__'],
  ])('%s: are ignored and replaced', async (_, cookie) => {
    const answer = await ask('/split/a', cookies(cookie));
    expect(answer.status).toBe(200);
    expect(ours(answer)).toHaveLength(1);
    expect(ours(answer)[0]).toMatch(/^headgate=[\w-]{22}; Path=\/; Max-Age=15552000; HttpOnly; SameSite=Lax$/);
    expect(values(answer.sent[0]!.headers, 'cookie').join()).not.toContain('headgate=');
  });

  it('forged pins change nothing, but for the cookie', async () => {
    for (const id of Array.from({ length: 8 }, () => randomBytes(16).toString('base64url'))) {
      const { from } = await ask('/sticky/a', cookies(`headgate=${id}`));
      const other = from === 'blue' ? 'green' : 'blue';
      for (const pin of [
        `sticky:${other}:.${'A'.repeat(43)}`,
        `sticky:${other}:`,
        `sticky:${other}:r-1.${'A'.repeat(43)}`,
      ]) {
        const forged = await ask('/sticky/a', cookies(`headgate=${id}.${pin}`));
        expect([forged.status, forged.from]).toEqual([200, from]);
      }
    }
  });

  it('of duplicates the first valid one counts', async () => {
    const variantOf = async (...lines: string[]) => {
      const answer = await ask('/split/a', cookies(...lines));
      expect(ours(answer)).toEqual([]);
      return answer.from;
    };
    const ids = Array.from({ length: 12 }, () => randomBytes(16).toString('base64url'));
    const alone = await Promise.all(ids.map((id) => variantOf(`headgate=${id}`)));
    expect(new Set(alone).size).toBe(2);
    for (const [index, id] of ids.entries()) {
      const other = ids[(index + 1) % ids.length];
      expect(await variantOf(`headgate=${id}; headgate=${other}`)).toBe(alone[index]);
      expect(await variantOf(`headgate=bad; headgate=${id}; headgate=${other}`)).toBe(alone[index]);
      expect(await variantOf(`a=1; headgate=${id}`, `headgate=${other}; b=2`)).toBe(alone[index]);
    }
  });

  it('ours is found among 1,000, and those of others pass in their order', async () => {
    const others = Array.from({ length: 1_000 }, (_, n) => `c${n}=v${n}`);
    const sent = [...others.slice(0, 900), `headgate=${ID}`, ...others.slice(900)].join('; ');
    const answer = await ask('/split/a', cookies(sent));
    expect([answer.status, ours(answer)]).toEqual([200, []]);
    expect(values(answer.sent[0]!.headers, 'cookie')).toEqual([others.join('; ')]);
  });

  it('1,000 of ours do not matter', async () => {
    const answer = await ask('/split/a', cookies(Array.from({ length: 1_000 }, (_, n) => `headgate=${n}`).join('; ')));
    expect([answer.status, ours(answer).length]).toEqual([200, 1]);
    expect(values(answer.sent[0]!.headers, 'cookie')).toEqual([]);
  });
});

describe('headers', () => {
  it('of 60 KB pass whole', async () => {
    const many: HeaderLines = Array.from({ length: 60 }, (_, n) => [`x-many-${n}`, randomBytes(500).toString('hex')]);
    const { status, sent } = await ask('/split/a', { headers: many });
    expect(status).toBe(200);
    for (const [name, value] of many) expect(values(sent[0]!.headers, name)).toEqual([value]);
    const one = 'x'.repeat(61_440);
    expect(values((await ask('/split/a', { headers: [['x-one', one]] })).sent[0]!.headers, 'x-one')).toEqual([one]);
  });

  it('that claim whence a request came, or to be ours, are taken away and made anew', async () => {
    const forged = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port', 'x-forwarded-user'];
    const claims = [
      ...forged,
      'forwarded',
      'x-real-ip',
      'x-headgate-role',
      'x-headgate-variant',
      'x-headgate-route',
      'x-headgate-preview',
      'x-headgate-any',
    ];
    const { sent } = await ask('/split/a', { headers: claims.map((name) => [name, 'forged']) });
    const { headers } = sent[0]!;
    expect(headers.filter(([, value]) => value.includes('forged'))).toEqual([]);
    expect(values(headers, 'x-forwarded-host')).toEqual(['front.test']);
    expect(values(headers, 'x-forwarded-proto')).toEqual(['http']);
    expect(values(headers, 'x-headgate-role')).toEqual(['live']);
    expect(values(headers, 'x-headgate-route')).toEqual(['split']);
    expect(values(headers, 'x-headgate-variant')).toEqual([blue.seen.includes(sent[0]!) ? 'blue' : 'green']);
    expect(values(headers, 'cdn-loop').join()).toMatch(/^headgate;config=[0-9a-f]{16}$/);
  });

  it('of the connection stay on it, with those that Connection names', async () => {
    const { status, sent } = await ask('/split/a', {
      method: 'POST',
      body: 'x',
      headers: [
        ['connection', 'X-Hop, keep-alive , x-hop-too,,;'],
        ['x-hop', '1'],
        ['x-hop-too', '1'],
        ['keep-alive', 'timeout=9'],
        ['te', 'trailers'],
        ['trailer', 'x-sum'],
        ['proxy-authorization', 'Basic eDp5'],
        ['proxy-connection', 'keep-alive'],
        ['upgrade', 'h2c'],
        ['x-kept', '1'],
      ],
    });
    expect(status).toBe(200);
    const names = sent[0]!.headers.map(([name]) => name.toLowerCase());
    for (const name of [
      'x-hop',
      'x-hop-too',
      'keep-alive',
      'te',
      'trailer',
      'proxy-authorization',
      'proxy-connection',
      'upgrade',
    ]) {
      expect(names).not.toContain(name);
    }
    expect(names).toContain('x-kept');
  });

  it('lose Expect, which the runtime has answered', async () => {
    const requestId = randomUUID();
    const client = await RawClient.to(headgate.url);
    const headers: HeaderLines = [
      ['x-request-id', requestId],
      ['expect', '100-continue'],
      ['content-length', '4'],
    ];
    client.ask({ method: 'POST', path: '/split/a', headers });
    const first = await client.answer();
    client.socket.write('body');
    const last = await client.whole();
    client.close();
    expect([first?.status, last?.status]).toEqual([100, 200]);
    const [sent] = [...blue.sawOf(requestId), ...green.sawOf(requestId)];
    expect(sent).toMatchObject({ bodyHash: hashOf('body') });
    expect(values(sent!.headers, 'expect')).toEqual([]);
  });

  it('are set, removed and filled from secrets as the variant says', async () => {
    const { from, sent } = await ask('/set/a', {
      headers: [
        ['x-set', 'theirs'],
        ['x-removed', '1'],
        ['referer', 'https://a.example/'],
        ['authorization', 'Bearer theirs'],
        ['x-kept', '1'],
      ],
    });
    expect(from).toBe('green');
    const { headers } = sent[0]!;
    expect(values(headers, 'x-set')).toEqual(['ours']);
    expect(values(headers, 'user-agent')).toEqual(['headgate']);
    expect(values(headers, 'authorization')).toEqual(['Bearer green-key']);
    expect(values(headers, 'x-kept')).toEqual(['1']);
    expect(headers.some(([name]) => /^(x-removed|referer)$/i.test(name))).toBe(false);
  });

  it('name route and variant to the client unless "expose" is false', async () => {
    const exposed = await ask('/json/a');
    expect([header(exposed, 'x-headgate-route'), header(exposed, 'x-headgate-variant')]).toEqual(['json', 'green']);
    const quiet = await ask('/quiet/a');
    const failedOver = await ask('/quiet/a?fault=status:503');
    expect([quiet.from, failedOver.from]).toEqual(['green', 'blue']);
    for (const { headers } of [quiet, failedOver]) {
      expect(headers.filter(([name]) => name.toLowerCase().startsWith('x-headgate'))).toEqual([]);
    }
  });
});

describe('a variant that cannot be asked', () => {
  it.each(['unbound', 'not-a-service', 'unkeyed', 'empty-key'])(
    '(%s) is answered for by the baseline, or by a problem',
    async (name) => {
      const answer = await ask(`/${name}/a`);
      expect([answer.status, answer.from, header(answer, 'x-headgate-failover')]).toEqual([200, 'blue', 'green']);
      const post = await ask(`/${name}/a`, { method: 'POST', body: 'x' });
      expect([post.status, post.code, post.sent]).toEqual([502, 'origin_unreachable', []]);
      expect(post.body.toString()).not.toMatch(/KEY_|NOPE|green-key/);
    },
  );
});

it('a variant that cannot be asked leaves a streamed upload to the baseline, for nothing was sent yet', async () => {
  for (const size of [10, 300_000]) {
    const requestId = randomUUID();
    const client = await RawClient.to(headgate.url);
    const headers: HeaderLines = [
      ['x-request-id', requestId],
      ['transfer-encoding', 'chunked'],
    ];
    client.ask({ method: 'POST', path: '/unkeyed-twice/a', headers });
    client.socket.write(`${size.toString(16)}\r\n${'a'.repeat(size)}\r\n0\r\n\r\n`);
    const answer = await client.whole();
    client.close();
    expect(answer?.status).toBe(200);
    expect(blue.sawOf(requestId)).toMatchObject([{ bodyBytes: size }]);
  }
});

describe('an upload that breaks off', () => {
  it.each([
    ['in a chunk that is none', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n', false],
    ['before its last chunk', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', true],
    ['before its length', 'Content-Length: 5\r\n\r\nabc', true],
    ['before its length, which is long', 'Content-Length: 300000\r\n\r\nabc', true],
  ])('%s is told of to who still reads', async (_, rest, isEnd) => {
    const client = await RawClient.to(headgate.url);
    client.socket.on('error', () => {});
    client.socket.write(`POST /split/a HTTP/1.1\r\nHost: shop.example\r\n${rest}`);
    if (isEnd) client.socket.end();
    const answer = await client.whole();
    client.close();
    expect([answer?.status, values(answer!.headers, 'x-headgate-error')]).toEqual([400, ['client_left']]);
    expect(JSON.parse(answer!.body.toString())).toMatchObject({ code: 'client_left' });
  });
});

describe('a loop', () => {
  it.each(['loop', 'loop-edge'])(
    'through a variant that points back at us (%s) ends with 508, and we live on',
    async (name) => {
      for (let n = 0; n < 3; n++) {
        const answer = await ask(`/${name}/a`);
        expect([answer.status, answer.code, header(answer, 'x-headgate-error')]).toEqual([508, 'loop', 'loop']);
        expect((await ask('/split/a')).status).toBe(200);
      }
    },
  );

  it('through "passthrough" to our own address ends with 508', async () => {
    const answer = await ask('/nowhere', { headers: [['host', new URL(headgate.url).host]] });
    expect([answer.status, answer.code]).toEqual([508, 'loop']);
  });

  it('is seen in CDN-Loop, and other networks in it are not one', async () => {
    expect((await ask('/split/a', { headers: [['cdn-loop', 'cloudflare; loops=1, headgate']] })).status).toBe(508);
    const { status, sent } = await ask('/split/a', {
      headers: [['cdn-loop', 'cloudflare; loops=1, headgate;config=0000']],
    });
    expect(status).toBe(200);
    const token = values(sent[0]!.headers, 'cdn-loop').join(', ');
    expect(token).toMatch(/^cloudflare; loops=1, headgate;config=0000, headgate;config=[0-9a-f]{16}$/);
    expect((await ask('/split/a', { headers: [['cdn-loop', token]] })).code).toBe('loop');
  });
});

describe('JSON members', () => {
  const post = (body: string | Buffer, headers: HeaderLines = []): RawAsk => ({ method: 'POST', body, headers });
  const padded = (bytes: number) => `{"model":"a","pad":"${'x'.repeat(bytes - 22)}"}`;

  it.each([
    ['{"model":"a","temperature":1}', '{"model":"green-1","temperature":0}'],
    [
      '{ "id": 9007199254740993, "x": {"model": "a"}, "model" : "a", "model":["b"] }',
      '{ "temperature":0,"id": 9007199254740993, "x": {"model": "a"}, "model" : "green-1", "model":"green-1" }',
    ],
    ['{}', '{"model":"green-1","temperature":0}'],
  ])('are set in %s, and every other byte is kept', async (body, expected) => {
    const { from, sent } = await ask('/json/a', post(body));
    expect(from).toBe('green');
    expect(sent).toMatchObject([{ bodyHash: hashOf(expected), bodyBytes: expected.length }]);
  });

  it('are set in a body that is said to be in no coding', async () => {
    const { from } = await ask('/json/a', post('{"model":"a"}', [['content-encoding', 'identity']]));
    expect(from).toBe('green');
  });

  it('are set in a body of 256 KiB', async () => {
    const body = padded(262_144);
    const { from, sent } = await ask('/json/a', post(body));
    const expected = `{"temperature":0,${body.slice(1)}`.replace('"model":"a"', '"model":"green-1"');
    expect([from, sent[0]?.bodyHash]).toEqual(['green', hashOf(expected)]);
  });

  it.each<[string, RawAsk]>([
    ['is larger than 256 KiB', post(padded(262_145))],
    ['is larger than 1 MB', post(padded(1_000_000))],
    ['is encoded', post('{"model":"a"}', [['content-encoding', 'gzip']])],
    ['is an array', post('[{"model":"a"}]')],
    ['is malformed', post('{"model":"a",}')],
    ['is not UTF-8', post(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))],
    ['is text', post('model=a')],
  ])('that cannot be set since the body %s leave it to the baseline, untouched', async (_, what) => {
    const answer = await ask('/json/a', what);
    expect([answer.status, answer.from, header(answer, 'x-headgate-variant')]).toEqual([200, 'blue', 'blue']);
    expect(answer.sent).toMatchObject([{ bodyHash: hashOf(what.body!) }]);
    const rows = await headgate.records('dataset=requests&route=json&limit=1');
    expect(rows).toMatchObject([{ variant: 'blue', reason: 'json_unfit', failed: 0 }]);
  });

  it('are no matter for a request without a body, however it says so', async () => {
    const lengths: [string, string][][] = [[['content-length', '0']], []];
    for (const headers of lengths) {
      const { from, sent } = await ask('/json/a', { method: 'POST', headers });
      expect([from, sent[0]?.bodyBytes]).toEqual(['green', 0]);
    }
  });

  it('are no matter for a request outside the trial, which stays there by name', async () => {
    await ask('/outsider/a', post('model=a', [['x-tenant', 'acme']]));
    const rows = await headgate.records('dataset=requests&route=outsider&limit=1');
    expect(rows).toMatchObject([{ variant: 'blue', reason: 'only', failed: 0 }]);
  });

  it('leave a request without a body to the candidate', async () => {
    expect((await ask('/json/a')).from).toBe('green');
  });

  it('are not in the body that the baseline is sent when the candidate fails', async () => {
    const body = '{ "model":"a", "n":1.0 }';
    const answer = await ask('/json-fails/a', post(body));
    expect([answer.from, header(answer, 'x-headgate-failover')]).toEqual(['blue', 'green']);
    expect(answer.sent).toMatchObject([{ bodyHash: hashOf(body) }]);
  });
});
