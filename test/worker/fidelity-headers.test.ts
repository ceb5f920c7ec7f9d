import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Headgate, oneRoute, startHeadgate } from './harness.ts';
import { answerTo, type HeaderLines, type RawOrigin, startRawOrigin, values } from './raw-http.ts';

let origin: RawOrigin;
let headgate: Headgate;
let seen: HeaderLines = [];
let reply = '';

beforeAll(async () => {
  origin = await startRawOrigin(async (request) => {
    seen = request.headers;
    await request.whole();
    await request.say(`HTTP/1.1 200 OK\r\n${reply}Content-Length: 0\r\n\r\n`);
  });
  headgate = await startHeadgate({
    config: oneRoute({
      variants: { blue: { url: origin.url }, green: { url: `${origin.url}/green` } },
      weights: { blue: 50, green: 50 },
    }),
  });
});
afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

async function send(headers: HeaderLines, url = headgate.url): Promise<HeaderLines> {
  reply = '';
  await answerTo(url, { headers });
  return seen;
}

async function receive(lines: string): Promise<HeaderLines> {
  reply = lines;
  return (await answerTo(headgate.url)).headers;
}

// Latin-1 and UTF-8 are both seen in the wild; neither may be decoded and encoded as the other.
const BYTES: [string, string][] = [
  ['UTF-8', 'caf\xc3\xa9 \xe2\x9c\x93'],
  ['latin-1', 'caf\xe9 \xfc'],
  ['empty', ''],
  ['quotes and commas', '"a, b", c;d="e\\"f"'],
  ['inner spaces and tabs', 'a  b\tc'],
];

it.each(BYTES)('keeps the bytes of a header value both ways: %s', async (_, value) => {
  expect(values(await send([['X-Odd', value]]), 'x-odd')).toEqual([value]);
  expect(values(await receive(`X-Odd: ${value}\r\n`), 'x-odd')).toEqual([value]);
});

it('takes away a cookie line that Connection names, also where our cookie stands in it', async () => {
  for (const cookie of ['session=s', 'session=s; headgate=AbCdEfGhIjKlMnOpQrStUv']) {
    const sent = await send([
      ['Connection', 'cookie'],
      ['Cookie', cookie],
    ]);
    expect(values(sent, 'cookie')).toEqual([]);
  }
});

it('keeps several lines of one name apart and in their order', async () => {
  const lines: HeaderLines = [
    ['X-List', '1'],
    ['X-Other', 'a'],
    ['x-list', '2'],
    ['X-List', '3'],
  ];
  expect(values(await send(lines), 'x-list')).toEqual(['1', '2', '3']);
  expect(values(await receive('X-List: 1\r\nX-Other: a\r\nx-list: 2\r\nX-List: 3\r\n'), 'x-list')).toEqual([
    '1',
    '2',
    '3',
  ]);
});

it('keeps what lists that the runtime knows say, though it joins their lines', async () => {
  const headers = await receive(
    'WWW-Authenticate: Basic realm="a"\r\nWWW-Authenticate: Bearer\r\nVary: A\r\nVary: B\r\n',
  );
  expect(values(headers, 'www-authenticate').join(', ')).toBe('Basic realm="a", Bearer');
  expect(values(headers, 'vary').join(', ')).toBe('A, B');
});

it("keeps every Set-Cookie line, in the origin's order, and puts its own last", async () => {
  const cookies = ['a=1; Path=/; Expires=Wed, 25 Nov 2026 10:00:00 GMT', 'b=2; HttpOnly', 'a=3; Path=/other'];
  const lines = cookies.map((line) => `Set-Cookie: ${line}\r\n`).join('');
  const got = values(await receive(lines), 'set-cookie');
  expect(got.slice(0, 3)).toEqual(cookies);
  expect(got.slice(3)).toEqual([expect.stringMatching(/^headgate=[\w-]{22};/)]);
});

it('joins Cookie lines as one line of cookies', async () => {
  const headers = await send([
    ['Cookie', 'a=1; b=2'],
    ['Cookie', 'c=3'],
  ]);
  expect(values(headers, 'cookie')).toEqual(['a=1; b=2; c=3']);
});

it('carries 60 KB of headers both ways', async () => {
  const many = Array.from({ length: 600 }, (_, index): [string, string] => [`X-Many-${index}`, 'v'.repeat(85)]);
  const sent = await send(many);
  const received = await receive(many.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
  for (const [name, value] of many) {
    expect(values(sent, name.toLowerCase())).toEqual([value]);
    expect(values(received, name.toLowerCase())).toEqual([value]);
  }
  const one = 'w'.repeat(60_000);
  expect(values(await send([['X-One', one]]), 'x-one')).toEqual([one]);
  expect(values(await receive(`X-One: ${one}\r\n`), 'x-one')).toEqual([one]);
});

it('adds nothing of its own to what a browser or client sent', async () => {
  const sent: HeaderLines = [
    ['User-Agent', 'curl/8'],
    ['Accept', '*/*'],
    ['Authorization', 'Bearer x'],
    ['Traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['Date', 'yesterday'],
    ['Pragma', 'no-cache'],
  ];
  const headers = await send(sent);
  const names = headers.map(([name]) => name.toLowerCase()).filter((name) => !/^(x-headgate|x-forwarded)-/.test(name));
  const expected = [...sent.map(([name]) => name.toLowerCase()), 'host', 'cdn-loop', 'x-request-id'];
  // The runtime names the Worker's zone to whoever a Worker calls.
  expect(names.sort()).toEqual([...expected, 'cf-worker'].sort());
  for (const [name, value] of sent) expect(values(headers, name.toLowerCase())).toEqual([value]);
});

it('adds to an answer only what says who answered, and the rules of its cookie', async () => {
  const headers = await receive('Server: nginx\r\nDate: yesterday\r\nX-Powered-By: PHP\r\n');
  const names = headers.map(([name]) => name.toLowerCase()).sort();
  const ours = ['cache-control', 'set-cookie', 'x-headgate-route', 'x-headgate-variant'];
  expect(names).toEqual(['content-length', 'date', 'server', 'x-powered-by', ...ours].sort());
});

// Behind the simulator's front, as at the edge, the platform has put its own in the header's place.
it.each(['url', 'edgeUrl'] as const)("sends the origin the client's own Accept-Encoding (%s)", async (way) => {
  for (const encoding of ['gzip', 'br;q=0.5, zstd', 'identity']) {
    expect(values(await send([['Accept-Encoding', encoding]], headgate[way]), 'accept-encoding')).toEqual([encoding]);
  }
});

it('lets no origin compress for a client that did not say it can read that', async () => {
  expect(values(await send([], headgate.url), 'accept-encoding')).toEqual([]);
  expect(values(await send([], headgate.edgeUrl), 'accept-encoding')).toEqual(['identity']);
});
