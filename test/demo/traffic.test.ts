import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, Scoreboard } from '../../src/demo/scoreboard.ts';
import { trafficTable } from '../../src/demo/show.ts';
import { seededRandom } from '../../src/demo/texts.ts';
import { sendTraffic } from '../../src/demo/traffic.ts';
import { identityHeaders, keepCookie, pickIdle, population } from '../../src/demo/visitors.ts';

describe('the visitors of the demo', () => {
  it('come back with the cookie they were given, or with the name they have', () => {
    const [browser, client] = population({ browsers: 1, clients: 1 });
    expect(identityHeaders(browser!)).toEqual({});
    const setCookie = ['session=1; Path=/', 'headgate=AAAAAAAAAAAAAAAAAAAAAA; Path=/; HttpOnly'];
    keepCookie(browser!, setCookie);
    keepCookie(client!, setCookie);
    expect(identityHeaders(browser!)).toEqual({ cookie: 'headgate=AAAAAAAAAAAAAAAAAAAAAA' });
    expect(identityHeaders(client!)).toEqual({ 'x-user-id': 'user-1' });
  });

  it('do not ask again while they wait', () => {
    const visitors = population({ browsers: 2, clients: 0 });
    visitors[0]!.busy = true;
    for (const random of [0, 0.49, 0.5, 0.99]) expect(pickIdle(visitors, () => random)).toBe(visitors[1]);
    visitors[1]!.busy = true;
    expect(pickIdle(visitors, () => 0)).toBeNull();
  });
});

describe('the scoreboard', () => {
  const answer = (variant: string | null, right: boolean | null, ms = 1, language = 'eng'): Answer => ({
    variant,
    right,
    ms,
    language,
  });

  it('shows the share of the last ten seconds only', () => {
    const board = new Scoreboard();
    for (let i = 0; i < 90; i++) board.add(answer('blue', true), 1_000);
    for (let i = 0; i < 30; i++) board.add(answer('green', true), 5_000);
    expect(board.rows(5_000).map((row) => row.shareNow)).toEqual([0.75, 0.25]);
    expect(board.rows(12_000).map((row) => row.shareNow)).toEqual([0, 1]);
    expect(board.rows(60_000).map((row) => row.shareNow)).toEqual([0, 0]);
  });

  it('counts accuracy over answers and leaves failures out of it', () => {
    const board = new Scoreboard();
    for (const right of [true, true, true, false, null]) board.add(answer('blue', right), 0);
    board.add(answer(null, null), 0);
    expect(board.rows(0)).toMatchObject([
      { variant: 'blue', answers: 5, failed: 1, accuracy: 0.75 },
      { variant: null, answers: 1, failed: 1, accuracy: 0 },
    ]);
  });

  it('takes p50 and p95 from the newest thousand answers', () => {
    const board = new Scoreboard();
    for (let i = 0; i < 1_000; i++) board.add(answer('blue', true, 9_999), 0);
    for (let ms = 1; ms <= 1_000; ms++) board.add(answer('blue', true, ms), 0);
    expect(board.rows(0)[0]).toMatchObject({ p50Ms: 500, p95Ms: 950 });
  });

  it('names the languages that a variant is mostly wrong in, once it has seen ten lines', () => {
    const board = new Scoreboard();
    for (let i = 0; i < 9; i++) board.add(answer('blue', false, 1, 'cat'), 0);
    expect(board.rows(0)[0]!.weakLanguages).toEqual([]);
    board.add(answer('blue', false, 1, 'cat'), 0);
    for (let i = 0; i < 20; i++) board.add(answer('blue', i % 2 === 0, 1, 'deu'), 0);
    expect(board.rows(0)[0]!.weakLanguages).toEqual(['cat']);
  });

  it('becomes a table that a person can read', () => {
    const board = new Scoreboard();
    for (let i = 0; i < 9; i++) board.add(answer('blue', i > 0, 2), 0);
    board.add(answer('green', true, 3), 0);
    const [head, blue, green] = trafficTable(board.rows(0));
    expect(head).toMatch(/variant +share of the last 10 s +answers +right +p50 +p95 +failed/);
    expect(blue).toMatch(/blue +█{18}░{2} +90\.0 % +9 +88\.9 % +2\.0 ms +2\.0 ms +0/);
    expect(green).toMatch(/green +█{2}░{18} +10\.0 % +1 +100\.0 % +3\.0 ms +3\.0 ms +0/);
  });
});

describe('the traffic', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** A splitter and model in one: gives each new browser a cookie, and finds English everywhere. */
  async function listen(
    onRequest: (headers: IncomingHttpHeaders) => number,
  ): Promise<{ url: string; sockets: Set<unknown> }> {
    const sockets = new Set<unknown>();
    let visitors = 0;
    server = createServer((request, response) => {
      request.resume().on('end', () => {
        const status = onRequest(request.headers);
        if (status === 0) return request.socket.destroy();
        const isNew = !request.headers.cookie && !request.headers['x-user-id'];
        response.writeHead(status, {
          'x-headgate-variant': 'blue',
          ...(isNew ? { 'set-cookie': `headgate=${++visitors}; Path=/` } : {}),
        });
        response.end('{"language":"eng"}');
      });
    });
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((done) => server!.listen(0, '127.0.0.1', done));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
  }

  async function send(url: string, ms: number) {
    const answers: Answer[] = [];
    const result = await sendTraffic({
      url,
      perSecond: 200,
      visitors: population({ browsers: 10, clients: 10 }),
      texts: [
        { text: 'All human beings', language: 'eng' },
        { text: 'Alle Menschen', language: 'deu' },
      ],
      random: seededRandom(1),
      signal: AbortSignal.timeout(ms),
      onAnswer: (answer) => answers.push(answer),
    });
    return { answers, ...result };
  }

  it('comes at the rate asked for, over kept-alive connections, from visitors with cookies and with names', async () => {
    const seen = { cookies: new Set<unknown>(), users: new Set<unknown>(), strangers: 0 };
    const { url, sockets } = await listen((headers) => {
      if (headers['x-user-id']) seen.users.add(headers['x-user-id']);
      else if (headers.cookie) seen.cookies.add(headers.cookie);
      else seen.strangers++;
      return 200;
    });
    const { answers, sent } = await send(url, 1_000);
    expect(answers).toHaveLength(sent);
    // The machine may be busy, so less than 200 can be due when the signal comes; never more.
    expect(sent).toBeGreaterThan(50);
    expect(sent).toBeLessThanOrEqual(220);
    expect(sockets.size).toBeLessThanOrEqual(32);
    expect(seen.strangers).toBeLessThanOrEqual(10);
    expect(seen.cookies.size).toBeGreaterThan(5);
    expect(seen.users.size).toBeGreaterThan(5);
    const right = answers.filter((answer) => answer.right === true);
    expect(right.every((answer) => answer.language === 'eng')).toBe(true);
    expect(Math.abs(right.length - sent / 2)).toBeLessThanOrEqual(1);
  });

  it('names each request where it is asked to', async () => {
    const ids: unknown[] = [];
    const { url } = await listen((headers) => {
      ids.push(headers['x-request-id']);
      return 200;
    });
    let count = 0;
    await sendTraffic({
      url,
      perSecond: 100,
      visitors: population({ browsers: 5, clients: 5 }),
      texts: [{ text: 'Alle Menschen', language: 'deu' }],
      random: seededRandom(1),
      signal: AbortSignal.timeout(200),
      onAnswer: () => {},
      requestId: ({ language }) => `${language}-${++count}`,
    });
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids)).toEqual(new Set(Array.from({ length: count }, (_, i) => `deu-${i + 1}`)));
  });

  it('counts error answers and broken connections as failed, and goes on', async () => {
    let count = 0;
    const { url } = await listen(() => [200, 500, 0][count++ % 3]!);
    const { answers } = await send(url, 400);
    const variants = new Set(
      answers.map(({ variant, right }) => `${variant} ${right === null ? 'failed' : 'answered'}`),
    );
    expect(variants).toEqual(new Set(['blue answered', 'blue failed', 'null failed']));
  });
});
