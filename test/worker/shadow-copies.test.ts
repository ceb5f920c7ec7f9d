import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';
import { answerTo, values } from './raw-http.ts';
import { comparisonsOf, exchange, steady, UNIT } from './shadow-world.ts';

const SHADOW = { variant: 'green', percent: 100, repeat: 0 };
const ENCODERS = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync, zstd: zstdCompressSync };
type Encoding = keyof typeof ENCODERS;
const ENCODINGS = Object.keys(ENCODERS) as Encoding[];
const DOCUMENT = JSON.stringify({ text: 'ä long text, '.repeat(2000), list: [1, 2, 3] });

const END =
  'data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"yes"},"finish_reason":"stop"}]}\n\n';
const USAGE =
  'data: {"id":"1","object":"chat.completion.chunk","model":"m","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":2000,"total_tokens":3000}}\n\n';
const DONE = 'data: [DONE]\n\n';

interface Copied {
  variant: string;
  url: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

let headgate: Headgate;
let models: Record<'blue' | 'green' | 'teal', Origin>;
const came: Copied[] = [];

function model(name: 'blue' | 'green' | 'teal'): Promise<Origin> {
  return startOrigin((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      came.push({ variant: name, url: request.url!, headers: request.headers, body });
      const [, , kind, live = '', copy = ''] = request.url!.split('/');
      response.setHeader('content-type', 'application/json');
      response.setHeader('set-cookie', `from=${name}`);
      if (kind === 'encoded') {
        const encoding = name === 'blue' ? live : copy;
        const bytes = encoding in ENCODERS ? ENCODERS[encoding as Encoding](DOCUMENT) : Buffer.from(DOCUMENT);
        if (encoding in ENCODERS) response.setHeader('content-encoding', encoding);
        response.setHeader('content-length', bytes.length);
        response.end(bytes);
      } else if (kind === 'status') {
        response.writeHead(Number(live));
        response.end();
      } else if (kind === 'measured') {
        response.setHeader('server-timing', `cache;desc="x", model;dur=${name === 'blue' ? 40 : 60}`);
        response.setHeader('x-memory-mb', name === 'blue' ? '100' : '300');
        response.end('{}');
      } else if (kind === 'stream') {
        response.setHeader('content-type', 'text/event-stream');
        const isGood = name === 'blue' || live === 'whole';
        response.write(END + USAGE);
        if (isGood) response.end(DONE);
        else if (live === 'unterminated') response.end();
        else setTimeout(() => response.destroy(), 20);
      } else if (kind === 'model') {
        const asked = JSON.parse(body) as { model?: string };
        response.end(JSON.stringify({ language: asked.model === 'm-2' ? 'de' : 'nl' }));
      } else if (kind === 'denied') {
        response.writeHead(name === 'blue' ? 200 : 401);
        response.end('{}');
      } else response.end('{"same":true}');
    });
  });
}

beforeAll(async () => {
  models = { blue: await model('blue'), green: await model('green'), teal: await model('teal') };
  const variants = { blue: { url: models.blue.url }, green: { url: models.green.url } };
  const keyed = { ...variants.green, secretHeaders: { authorization: `Bearer \${KEY_GREEN}` } };
  headgate = await startHeadgate({
    vars: { KEY_GREEN: 'key-of-green' },
    config: {
      version: 1,
      prices: { m: { inputPerMillion: 10, outputPerMillion: 20 } },
      routes: [
        steady('marks', { variants: { ...variants, green: keyed }, shadows: [{ ...SHADOW, repeat: 100 }] }),
        steady('trusted', { variants, shadows: [{ ...SHADOW, forwardCredentials: true }] }),
        steady('encodings', { variants, shadows: [SHADOW] }),
        steady('codes', { variants, shadows: [SHADOW] }),
        steady('numbers', {
          variants,
          measures: [
            { name: 'model', header: 'Server-Timing', entry: 'model' },
            { name: 'memory', header: 'x-memory-mb' },
          ],
          shadows: [SHADOW],
        }),
        steady('streams', { variants, shadows: [SHADOW] }),
        steady('one-url', {
          variants: {
            blue: { url: models.blue.url, json: { model: 'm-1' } },
            green: { url: models.blue.url, json: { model: 'm-2' } },
          },
          shadows: [SHADOW],
        }),
        steady('two', {
          variants: { ...variants, teal: { url: models.teal.url } },
          shadows: [
            { ...SHADOW, repeat: 100 },
            { ...SHADOW, variant: 'teal', repeat: 100 },
          ],
        }),
        steady('denied', { variants, shadows: [SHADOW] }),
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  for (const origin of Object.values(models)) await origin.close();
});

const ask = (path: string, how?: Parameters<typeof exchange>[1]) => exchange(headgate.url + path, how);

/** What came to a path, once it is `count` requests. */
function cameTo(path: string, count: number): Promise<Copied[]> {
  return until(
    async () => came.filter(({ url }) => url === path),
    ({ length }) => length >= count,
  );
}

describe.concurrent('a copy', () => {
  it('is marked, bears no key of the visitor, and has the variant’s own', async () => {
    const secrets = {
      authorization: 'Bearer of-visitor',
      cookie: 'session=of-visitor; headgate=AAAAAAAAAAAAAAAAAAAAAA',
      'x-api-key': 'of-visitor',
      'api-key': 'of-visitor',
      'x-goog-api-key': 'of-visitor',
      'proxy-authorization': 'Basic of-visitor',
      'cf-access-jwt-assertion': 'of-visitor',
      'x-kept': 'yes',
    };
    const answer = await ask('/marks/a', { sends: '{"text":"x"}', headers: secrets });
    const copies = await cameTo('/marks/a', 3);
    expect(copies.map(({ variant, headers }) => [variant, headers['x-headgate-role']]).sort()).toEqual([
      ['blue', 'live'],
      ['blue', 'repeat'],
      ['green', 'shadow'],
    ]);
    for (const { headers, variant, body } of copies) {
      expect(body).toBe('{"text":"x"}');
      expect(headers['x-kept']).toBe('yes');
      expect(headers['x-headgate-variant']).toBe(variant);
      if (headers['x-headgate-role'] === 'live') {
        expect(headers).toMatchObject({ authorization: 'Bearer of-visitor', cookie: 'session=of-visitor' });
      } else {
        expect(JSON.stringify(headers)).not.toContain('of-visitor');
        expect(headers.cookie).toBeUndefined();
        expect(headers.authorization).toBe(variant === 'green' ? 'Bearer key-of-green' : undefined);
      }
    }
    expect(answer.headers['set-cookie']).toEqual(['from=blue']);
  });

  it('bears the visitor’s keys where the config says so, and never our cookie', async () => {
    await ask('/trusted/a', {
      headers: { authorization: 'Bearer of-visitor', cookie: 'session=1; headgate=AAAAAAAAAAAAAAAAAAAAAA' },
    });
    const copy = (await cameTo('/trusted/a', 2)).find(({ variant }) => variant === 'green');
    expect(copy!.headers).toMatchObject({ authorization: 'Bearer of-visitor', cookie: 'session=1' });
  });

  it('is compared decoded, whatever either side’s encoding is, and the visitor’s bytes stay as they were sent', async () => {
    const sides = [...ENCODINGS, 'identity'];
    let sent = 0;
    for (const live of sides) {
      for (const copy of sides) {
        const path = `/encodings/encoded/${live}/${copy}`;
        const headers: [string, string][] = [
          ['x-unit', UNIT],
          ['accept-encoding', 'gzip, br, deflate, zstd'],
        ];
        const answer = await answerTo(headgate.url, { path, headers });
        const bytes = live in ENCODERS ? ENCODERS[live as Encoding](DOCUMENT) : Buffer.from(DOCUMENT);
        expect(answer.body.equals(bytes)).toBe(true);
        expect(values(answer.headers, 'content-length')).toEqual([String(bytes.length)]);
        expect(values(answer.headers, 'content-encoding')).toEqual(live in ENCODERS ? [live] : []);
        sent++;
      }
    }
    const { classes, fields } = await comparisonsOf(headgate, 'encodings', sent);
    expect({ classes, fields }).toMatchObject({ classes: { match: sent }, fields: [] });
    const rows = await headgate.records('dataset=comparisons&route=encodings&limit=500');
    for (const row of rows) expect(row).toMatchObject({ bodyKind: 'json', liveBytes: Buffer.byteLength(DOCUMENT) });
  });

  it('is compared where there is no body: HEAD, 204, 304', async () => {
    await ask('/codes/encoded/identity/identity', { method: 'HEAD' });
    await ask('/codes/status/204');
    await ask('/codes/status/304', { headers: { 'if-none-match': '"a"' } });
    await ask('/codes/status/404');
    expect(await comparisonsOf(headgate, 'codes', 4)).toMatchObject({ classes: { match: 4 }, skipped: {} });
    const rows = await headgate.records('dataset=comparisons&route=codes');
    expect(rows.map(({ liveStatus, candidateStatus }) => [liveStatus, candidateStatus]).sort()).toEqual([
      [200, 200],
      [204, 204],
      [304, 304],
      [404, 404],
    ]);
  });

  it('gives the declared measures of both sides', async () => {
    await ask('/numbers/measured');
    const { numbers } = await comparisonsOf(headgate, 'numbers', 1);
    expect(numbers).toMatchObject({
      'measure:model': { live: { n: 1, mean: 40 }, candidate: { n: 1, mean: 60 } },
      'measure:memory': { live: { n: 1, mean: 100 }, candidate: { n: 1, mean: 300 } },
    });
  });

  it('of a stream is an error where it breaks off or lacks its terminator, and has tokens, cost and finish', async () => {
    await ask('/streams/stream/whole', { sends: '{"messages":[]}' });
    await ask('/streams/stream/unterminated', { sends: '{"messages":[]}' });
    await ask('/streams/stream/cut', { sends: '{"messages":[]}' });
    const answer = await comparisonsOf(headgate, 'streams', 3);
    expect(answer.classes).toMatchObject({ match: 1, error: 2 });
    expect(answer.failures).toEqual({ unterminated: 1, cut: 1 });
    // Of what broke off nobody knows what it would have used.
    expect(answer.numbers.tokensOut).toMatchObject({ live: { n: 1, mean: 2000 }, candidate: { mean: 2000 } });
    expect(answer.numbers.cost!.live.mean).toBeCloseTo(0.05, 9);
    const rows = await headgate.records('dataset=comparisons&route=streams');
    const whole = rows.find(({ path }) => path === '/streams/stream/whole');
    expect(whole).toMatchObject({
      role: 'candidate',
      class: 'match',
      baseline: 'blue',
      candidate: 'green',
      bodyKind: 'sse',
      dialect: 'openai-chat',
      liveStatus: 200,
      candidateStatus: 200,
      liveFinish: 'stop',
      candidateFinish: 'stop',
      liveTokensIn: 1000,
      candidateTokensOut: 2000,
      similarity: 1,
    });
    for (const name of ['HeadersMs', 'FirstByteMs', 'TotalMs', 'Cost']) {
      expect(whole![`live${name}`], name).toBeTypeOf('number');
      expect(whole![`candidate${name}`], name).toBeTypeOf('number');
    }
  });

  it('goes to the same URL with another model in its body, where that is what tells the variants apart', async () => {
    await ask('/one-url/model', { sends: '{"text":"Guten Tag"}' });
    const asked = await cameTo('/one-url/model', 2);
    expect(asked.map(({ body, headers }) => [headers['x-headgate-role'], JSON.parse(body)])).toEqual([
      ['live', { text: 'Guten Tag', model: 'm-1' }],
      ['shadow', { text: 'Guten Tag', model: 'm-2' }],
    ]);
    const { classes, fields } = await comparisonsOf(headgate, 'one-url', 1);
    expect(classes['body-mismatch']).toBe(1);
    expect(fields.map(({ path }) => path)).toEqual(['/language']);
  });

  it('is one a request, also where there are two candidates', async () => {
    for (let i = 0; i < 30; i++) await ask('/two/a');
    const [green, teal] = await until(
      async () => [await comparisonsOf(headgate, 'two', 1, 'green'), await comparisonsOf(headgate, 'two', 1, 'teal')],
      ([one, other]) => one!.eligible + other!.eligible === 30,
    );
    expect(green!.classes.match + teal!.classes.match).toBe(30);
    // Each gets its half: six standard deviations of 30 tosses would leave nobody out, so one is enough to ask.
    expect(Math.min(green!.eligible, teal!.eligible)).toBeGreaterThan(0);
    const copies = came.filter(({ url }) => url === '/two/a');
    expect(copies.filter(({ headers }) => headers['x-headgate-role'] === 'shadow')).toHaveLength(30);
    expect(copies.filter(({ headers }) => headers['x-headgate-role'] === 'repeat')).toHaveLength(30);
  });

  it('that is refused every time makes the report say why', async () => {
    await ask('/denied/denied');
    const { notes, classes } = await comparisonsOf(headgate, 'denied', 1);
    expect(classes['status-mismatch']).toBe(1);
    expect(notes.join('\n')).toContain('secretHeaders');
  });
});
