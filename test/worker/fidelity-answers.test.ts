import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, oneRoute, startHeadgate } from './harness.ts';
import { answerTo, type RawOrigin, type RawRequest, startRawOrigin, values } from './raw-http.ts';

const answers = new Map<string, (request: RawRequest) => unknown>();
let origin: RawOrigin;
let headgate: Headgate;

beforeAll(async () => {
  origin = await startRawOrigin(async (request) => {
    await request.whole();
    await answers.get(request.path.split('?')[0]!)!(request);
  });
  // The service hands on what the origin sent, so that both kinds of variant must deliver the same bytes. Another changes bodies and
  // keeps their headers, as Workers do: the runtime frames by what is there.
  const service = `export default {
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const target = ${JSON.stringify(origin.url)} + pathname;
      const answer = await fetch(new Request(target, request), { encodeResponseBody: 'manual', redirect: 'manual' });
      const [change, times] = [searchParams.get('change'), Number(searchParams.get('times'))];
      if (change === 'repeat') return new Response((await answer.text()).repeat(times), answer);
      if (change === 'append')
        return new HTMLRewriter().onDocument({ end: (end) => void end.append('!'.repeat(times)) }).transform(answer);
      if (change === 'drop') return new Response((await answer.text()).slice(times), answer);
      return answer;
    },
  };`;
  const byHeader = (origin: string) => ({ path: '/*', header: { 'x-origin': origin } });
  headgate = await startHeadgate({
    services: { MODEL: service },
    config: {
      version: 1,
      routes: [
        { name: 'service', match: byHeader('service'), variants: { blue: { service: 'MODEL' } } },
        { name: 'url', match: { path: '/*' }, variants: { blue: { url: origin.url } } },
      ],
    },
  });
});
afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

const ORIGINS = ['url', 'service'];
const through = (kind: string, path: string, method = 'GET') =>
  answerTo(headgate.url, { path, method, headers: [['x-origin', kind]] });

/** The same. A service's short answer has a length where it comes at once, which on a busy machine the first may not. */
async function atOnce(kind: string, path: string) {
  for (let tries = 1; ; tries++) {
    const answer = await through(kind, path);
    if (answer.framing.kind === 'length' || kind !== 'service' || tries === 5) return answer;
  }
}

const text = Buffer.from('{"language":"deu","confidence":0.97}\n');
// Half of it compresses, so that every encoding has long matches and long literals, and none is short enough to be held.
const large = Buffer.concat([randomBytes(200_000), Buffer.alloc(200_000, 'a rose is a rose is ')]);
const ENCODINGS: [string, (body: Buffer) => Buffer][] = [
  ['identity', (body) => body],
  ['gzip', gzipSync],
  ['br', brotliCompressSync],
  ['deflate', deflateSync],
  ['zstd', zstdCompressSync],
  // Nothing on the way may look inside: bytes that only claim to be gzip arrive as well.
  ['gzip', () => Buffer.from('this is no gzip')],
];

/** A body in chunks of uneven sizes, as a program writes them. */
function chunked(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, size = 7; at < body.length; at += size, size = (size * 5) % 60_001) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

describe.each(ORIGINS)('a body of a %s origin', (kind) => {
  for (const [index, [encoding, encode]] of ENCODINGS.entries()) {
    for (const [size, plain] of Object.entries({ short: text, large })) {
      const sent = encode(plain);
      const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: ${encoding}\r\n`;

      it(`arrives byte for byte with its Content-Length: ${encoding}, ${size} (${index})`, async () => {
        answers.set('/length', ({ say }) =>
          say(Buffer.concat([Buffer.from(`${head}Content-Length: ${sent.length}\r\n\r\n`), sent])),
        );
        const isShort = sent.length <= 65_536;
        const answer = await (isShort ? atOnce : through)(kind, '/length');
        expect(answer).toMatchObject({
          status: 200,
          end: 'complete',
          // A service's own Content-Length may be wrong, so that only what was read whole has one.
          framing: kind === 'service' && !isShort ? { kind: 'chunked' } : { kind: 'length', length: sent.length },
        });
        expect(answer.body.equals(sent)).toBe(true);
        expect(values(answer.headers, 'content-encoding')).toEqual([encoding]);
      });

      it(`arrives byte for byte in chunks: ${encoding}, ${size} (${index})`, async () => {
        answers.set('/chunked', ({ say }) =>
          say(Buffer.concat([Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`), chunked(sent)])),
        );
        const answer = await through(kind, '/chunked');
        expect(answer).toMatchObject({ status: 200, end: 'complete', framing: { kind: 'chunked' } });
        expect(answer.body.equals(sent)).toBe(true);
        expect(values(answer.headers, 'content-encoding')).toEqual([encoding]);
      });
    }
  }

  it('keeps a Content-Length of 0', async () => {
    answers.set('/empty', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
    expect(await atOnce(kind, '/empty')).toMatchObject({ status: 200, framing: { kind: 'length', length: 0 } });
  });

  it('says its length to a HEAD request and sends nothing', async () => {
    answers.set('/head', ({ say }) => say('HTTP/1.1 200 OK\r\nContent-Length: 123456\r\nETag: "v1"\r\n\r\n'));
    const answer = await through(kind, '/head', 'HEAD');
    expect(values(answer.headers, 'content-length')).toEqual(['123456']);
    expect(values(answer.headers, 'etag')).toEqual(['"v1"']);
  });

  it.each([
    [204, 'No Content'],
    [304, 'Not Modified'],
  ])('is absent from a %i, whose ETag stays', async (status, statusText) => {
    answers.set('/none', ({ say }) => say(`HTTP/1.1 ${status} ${statusText}\r\nETag: W/"v2"\r\n\r\n`));
    const answer = await through(kind, '/none');
    expect(answer).toMatchObject({ status, statusText });
    expect(values(answer.headers, 'etag')).toEqual(['W/"v2"']);
    expect(values(answer.headers, 'content-length')).toEqual([]);
    expect(values(answer.headers, 'transfer-encoding')).toEqual([]);
  });
});

describe('a body that a service changes under a length that is no longer its own', () => {
  const page = 'hello world, '.repeat(20);
  it.each([
    ['shorter', 'drop', 6, page.slice(6)],
    ['empty', 'drop', page.length, ''],
    ['longer by one byte', 'append', 1, `${page}!`],
    ['longer than what is held', 'append', 70_000, page + '!'.repeat(70_000)],
    ['as text, longer', 'repeat', 3, page.repeat(3)],
  ])('arrives whole: %s', async (_, change, times, expected) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n`;
    answers.set('/changed', ({ say }) => say(head + page));
    const answer = await through('service', `/changed?change=${change}&times=${times}`);
    expect(answer).toMatchObject({ status: 200, end: 'complete' });
    expect(answer.body.toString()).toBe(expected);
    const [row] = await headgate.records('dataset=requests&route=service&limit=1');
    expect(row).toMatchObject({ failed: 0, bytes: expected.length, errorCode: '' });
  });

  it('has no type that nobody gave it where it is empty', async () => {
    answers.set('/bare', ({ say }) => say('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    for (const kind of ORIGINS) {
      const answer = await atOnce(kind, '/bare');
      expect([answer.status, answer.framing, values(answer.headers, 'content-type')]).toEqual([
        404,
        { kind: 'length', length: 0 },
        [],
      ]);
    }
  });

  it('arrives whole where it is long', async () => {
    answers.set('/long', ({ say }) => say(`HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n${'x'.repeat(70_000)}`));
    const answer = await through('service', '/long?change=repeat&times=3');
    expect([answer.end, answer.body.length]).toEqual(['complete', 210_000]);
  });
});

describe('an answer', () => {
  it.each([0, 2, 100, 100_000])(
    'is framed by its chunks where the origin declares %i bytes beside them',
    async (length) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      answers.set('/both', ({ say }) => say(`${head}9\r\nninebytes\r\n0\r\n\r\n`));
      expect(await through('url', '/both')).toMatchObject({ end: 'complete', body: Buffer.from('ninebytes') });
    },
  );

  it('ends cleanly where the origin ends it by closing the connection', async () => {
    answers.set('/close', async ({ say, socket }) => {
      await say('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello');
      socket.end();
    });
    expect(await through('url', '/close')).toMatchObject({ end: 'complete', body: Buffer.from('hello') });
  });

  it.each([
    [200, 'Fine'],
    [206, 'Partial Content'],
    [299, 'Almost'],
    [402, 'Payment Required'],
    [418, "I'm a teapot"],
    [451, 'Unavailable For Legal Reasons'],
    [500, 'Internal Server Error'],
    [511, 'Network Authentication Required'],
    [599, 'Network Connect Timeout Error'],
    // Outside what a Response can be made with.
    [600, 'Beyond'],
    [999, 'Far Beyond'],
  ])('keeps its status %i and its words', async (status, statusText) => {
    answers.set('/status', ({ say }) => say(`HTTP/1.1 ${status} ${statusText}\r\nContent-Length: 2\r\n\r\nok`));
    expect(await through('url', '/status')).toMatchObject({ status, statusText, body: Buffer.from('ok') });
  });

  it.each([
    ['keeps its body and encoding', 'Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok', Buffer.from('ok')],
    ['streams', 'Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', Buffer.from('ok')],
  ])('%s where a tab stands in its words, which becomes a space', async (_, rest, body) => {
    answers.set('/tab', ({ say }) => say(`HTTP/1.1 201 Made\tnow\r\n${rest}`));
    expect(await through('url', '/tab')).toMatchObject({ status: 201, statusText: 'Made now', body });
  });

  it('has no answer to a HEAD for a status that no Response can be made with', async () => {
    answers.set('/odd', ({ say }) => say('HTTP/1.1 999 Far Beyond\r\nContent-Length: 2\r\n\r\n'));
    const answer = await through('url', '/odd', 'HEAD');
    expect(answer).toMatchObject({ status: 502 });
    expect(values(answer.headers, 'x-headgate-error')).toEqual(['origin_unreachable']);
  });

  it('follows early hints, which are not passed on', async () => {
    answers.set('/hints', ({ say }) =>
      say('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    );
    const answer = await through('url', '/hints');
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('ok') });
    expect(values(answer.headers, 'link')).toEqual([]);
  });

  it('never takes what an origin sends beyond its declared length for the answer to another', async () => {
    answers.set('/surplus', ({ say }) =>
      say(
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Smuggled: 1\r\nContent-Length: 4\r\n\r\nevil',
      ),
    );
    for (let count = 0; count < 5; count++) {
      const answer = await through('url', '/surplus');
      expect(answer).toMatchObject({ status: 200, body: Buffer.from('ok') });
      expect(values(answer.headers, 'x-smuggled')).toEqual([]);
    }
  });

  it('keeps ranges: the request for one, 206 with its place, 416 with the length', async () => {
    answers.set('/range', ({ headers, say }) => {
      const [range] = values(headers, 'range');
      const [precondition] = values(headers, 'if-range');
      const said =
        range === 'bytes=2-4' && precondition === '"v1"'
          ? 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2-4/10\r\nContent-Length: 3\r\n\r\n234'
          : 'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\nContent-Length: 0\r\n\r\n';
      return say(said);
    });
    const ranged = async (range: string) =>
      answerTo(headgate.url, {
        path: '/range',
        headers: [
          ['Range', range],
          ['If-Range', '"v1"'],
        ],
      });
    const part = await ranged('bytes=2-4');
    expect(part).toMatchObject({ status: 206, body: Buffer.from('234') });
    expect(values(part.headers, 'content-range')).toEqual(['bytes 2-4/10']);
    const beyond = await ranged('bytes=99-');
    expect(beyond.status).toBe(416);
    expect(values(beyond.headers, 'content-range')).toEqual(['bytes */10']);
  });
});

describe('a redirect', () => {
  const table: [name: string, location: (origin: string) => string, seen: (front: string) => string][] = [
    ['within the service stays relative', () => '/login?next=%2F#top', () => '/login?next=%2F#top'],
    ['relative to the path stays so', () => '../up', () => '../up'],
    ['to another host goes there', () => 'https://elsewhere.test/a', () => 'https://elsewhere.test/a'],
    ["to the origin's own host comes back to ours", (own) => `${own}/v2/a?b=c#d`, (front) => `${front}/v2/a?b=c#d`],
    [
      "to the origin's host without a scheme comes back too",
      (own) => `${own.replace('http:', '')}/a`,
      (front) => `${front}/a`,
    ],
    ['that is no URL is left as it is', () => 'http://[', () => 'http://['],
  ];
  for (const status of [301, 302, 303, 307, 308]) {
    it.each(table)(`${status} %s`, async (_, location, seen) => {
      answers.set('/old', ({ say }) =>
        say(`HTTP/1.1 ${status} Moved\r\nLocation: ${location(origin.url)}\r\nContent-Length: 5\r\n\r\nmoved`),
      );
      const answer = await answerTo(headgate.url, { method: 'POST', path: '/old', body: 'x' });
      expect(answer).toMatchObject({ status, body: Buffer.from('moved') });
      expect(values(answer.headers, 'location')).toEqual([seen('http://front.test')]);
    });
  }

  it('from http to https at the place that was asked for keeps https, or it would lead there for ever', async () => {
    answers.set('/a', ({ say }) => {
      const { host } = new URL(origin.url);
      return say(`HTTP/1.1 301 Moved\r\nLocation: https://${host}/a?b#c\r\nContent-Length: 0\r\n\r\n`);
    });
    const answer = await answerTo(headgate.url, { path: '/a?b' });
    expect(values(answer.headers, 'location')).toEqual(['https://front.test/a?b#c']);
  });

  it('loses the base path that the variant adds', async () => {
    answers.set('/base/v1/a', ({ say }) =>
      say(`HTTP/1.1 302 Found\r\nLocation: ${origin.url}/base/v1/b?c\r\nContent-Length: 0\r\n\r\n`),
    );
    const based = await startHeadgate({ config: oneRoute({ variants: { blue: { url: `${origin.url}/base` } } }) });
    try {
      const answer = await answerTo(based.url, { path: '/v1/a' });
      expect(values(answer.headers, 'location')).toEqual(['http://front.test/v1/b?c']);
    } finally {
      await based.dispose();
    }
  });
});
