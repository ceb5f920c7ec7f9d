import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';
import { comparisonsOf, exchange, steady } from './shadow-world.ts';

/** Every planted secret begins so. */
const SECRET = 'sEcReT';

let headgate: Headgate;
let blue: Origin;
let green: Origin;
let scorer: Origin;
const scored: { path: string; body: string }[] = [];
let scorerTaken = 0;

function model(name: string): Promise<Origin> {
  return startOrigin((request, response) => {
    request.resume();
    request.on('end', () => {
      const [, , kind] = request.url!.split(/[/?]/);
      response.setHeader('set-cookie', `session=${SECRET}-answer-cookie-${name}`);
      response.setHeader('x-internal', `${SECRET}-answer-header-${name}`);
      if (kind === 'elsewhere') {
        response.writeHead(302, { location: `/there/${name}?token=${SECRET}-location-${name}` });
        response.end();
      } else if (kind === 'garbled') {
        response.setHeader('content-type', 'application/json');
        response.end(`{"user":{"token":"${SECRET}-garbled-${name}"}, not json ${name}`);
      } else if (kind === 'reset' && name === 'green') {
        request.socket.destroy();
      } else {
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            id: `${SECRET}-ignored-${name}`,
            user: { token: `${SECRET}-redacted-${name}`, plan: 'free' },
            label: name,
          }),
        );
      }
    });
  });
}

beforeAll(async () => {
  blue = await model('blue');
  green = await model('green');
  scorer = await startOrigin((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', async () => {
      scored.push({ path: request.url!, body });
      if (request.url === '/good') response.end('{"live":0.5,"candidate":0.75}');
      else if (request.url === '/echo') response.end(`${SECRET} I was asked: ${body}`);
      else if (request.url === '/broken') response.writeHead(500).end(`{"live":1,"candidate":1,"was":"${SECRET}"}`);
      else if (request.url === '/reset') request.socket.destroy();
      else if (request.url === '/nonsense') response.end('{"live":"1e9","candidate":null}');
      else if (request.url === '/beyond') response.end('{"live":1,"candidate":-1e300}');
      else if (request.url === '/huge') {
        response.writeHead(200, { 'content-type': 'application/json' });
        const chunk = Buffer.alloc(1 << 20, ' ');
        for (let i = 0; i < 256 && !response.destroyed; i++) {
          if (!response.write(chunk)) {
            await new Promise<void>((resolve) => {
              response.once('drain', resolve).once('close', resolve);
            });
          }
          scorerTaken += chunk.length;
        }
        response.end('{"live":1,"candidate":1}');
      }
    });
  });
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  const shadow = {
    variant: 'green',
    percent: 100,
    repeat: 100,
    samples: true,
    compare: { ignore: ['/id', '/messages'], redact: ['/user/token', '/password'] },
  };
  const scoredBy = (origin: Record<string, unknown>) =>
    steady(
      `by-${String(origin.url ?? origin.service)
        .replace(/^.*[/]/, '')
        .toLowerCase()}`,
      {
        variants,
        shadows: [{ variant: 'green', repeat: 0, scorer: origin }],
      },
    );
  headgate = await startHeadgate({
    services: {
      JUDGE: `export default { async fetch(request) {
        const { request: asked, answers, route } = await request.json();
        const right = JSON.parse(answers.live.body).label === 'blue' && answers.candidate.status === 200;
        return Response.json({ live: right && asked.method === 'POST' ? 1 : 0, candidate: asked.body === 'ask' ? 0.5 : 0, route });
      } }`,
    },
    config: {
      version: 1,
      routes: [
        steady('planted', { variants, shadows: [shadow] }),
        scoredBy({ service: 'JUDGE' }),
        ...['good', 'echo', 'broken', 'reset', 'nonsense', 'beyond', 'huge', 'hang'].map((path) =>
          scoredBy({ url: `${scorer.url}/${path}` }),
        ),
        steady('by-half', {
          variants,
          shadows: [{ variant: 'green', scorer: { url: `${scorer.url}/good`, percent: 0 } }],
        }),
      ],
    },
  });
});

afterAll(async () => {
  await headgate.dispose();
  for (const origin of [blue, green, scorer]) await origin.close();
});

const ask = (path: string, how?: Parameters<typeof exchange>[1]) => exchange(headgate.url + path, how);

describe('secrets', () => {
  it('planted anywhere in requests and answers are in no record, sample, report or log', async () => {
    const headers = {
      authorization: `Bearer ${SECRET}-authorization`,
      cookie: `session=${SECRET}-cookie`,
      'x-api-key': `${SECRET}-key`,
      'x-private': `${SECRET}-header`,
    };
    const body = JSON.stringify({
      password: `${SECRET}-password`,
      messages: [`${SECRET}-message`],
      user: { token: `${SECRET}-token` },
      text: 'kept',
    });
    const query = `?key=${SECRET}-query`;
    await ask(`/planted/json${query}`, { headers, sends: body });
    await ask(`/planted/json${query}`, { headers });
    await ask(`/planted/garbled${query}`, { headers, sends: `password=${SECRET}-form` });
    await ask(`/planted/elsewhere${query}`, { headers });
    await ask(`/planted/reset${query}`, { headers, sends: body });
    const answer = await comparisonsOf(headgate, 'planted', 5);
    expect(answer).toMatchObject({ eligible: 5, compared: 5 });
    expect(answer.samples.length).toBeGreaterThan(2);
    // What may be kept is kept.
    expect(answer.samples.some(({ request }) => request.includes('kept'))).toBe(true);
    expect(answer.samples.some(({ live }) => live.includes('blue'))).toBe(true);
    const comparisons = await headgate.records('dataset=comparisons&limit=500');
    const requests = await headgate.records('dataset=requests&limit=500');
    expect(comparisons.length).toBeGreaterThan(5);
    for (const kept of [answer, comparisons, requests, headgate.logs]) {
      expect(JSON.stringify(kept)).not.toContain(SECRET);
    }
  });
});

describe.concurrent('a scorer', () => {
  it('that is a service gets request and both answers, and its scores are in the report', async () => {
    for (let i = 0; i < 4; i++) await ask('/by-judge/a', { sends: 'ask' });
    const { scores } = await until(
      () => comparisonsOf(headgate, 'by-judge', 4),
      ({ scores }) => scores?.live.n === 4,
    );
    expect(scores).toMatchObject({ live: { n: 4, mean: 1 }, candidate: { mean: 0.5 }, difference: { mean: -0.5 } });
  });

  it('that is a URL does as well', async () => {
    await ask('/by-good/a', { sends: 'ask' });
    const { scores } = await until(
      () => comparisonsOf(headgate, 'by-good', 1),
      ({ scores }) => scores?.live.n === 1,
    );
    expect(scores).toMatchObject({ live: { mean: 0.5 }, candidate: { mean: 0.75 }, difference: { n: 1, mean: 0.25 } });
    expect(JSON.parse(scored.find(({ path }) => path === '/good')!.body)).toMatchObject({
      route: 'by-good',
      baseline: 'blue',
      candidate: 'green',
      request: { method: 'POST', path: '/by-good/a', body: 'ask' },
      answers: { live: { status: 200 }, candidate: { status: 200 } },
    });
  });

  it('is asked for its percent of the pairs', async () => {
    await ask('/by-half/a');
    expect(await comparisonsOf(headgate, 'by-half', 1)).toMatchObject({ compared: 1, scores: null });
    expect(scored.filter(({ body }) => body.includes('by-half'))).toEqual([]);
  });

  it.each(['echo', 'broken', 'reset', 'nonsense', 'beyond', 'huge', 'hang'])(
    'that fails (%s) costs no pair, counts no score, and its words are in no log',
    async (fault) => {
      const answer = await ask(`/by-${fault}/a`, { sends: `${SECRET}-ask` });
      expect(answer.status).toBe(200);
      await until(
        async () => scored.filter(({ path }) => path === `/${fault}`).length,
        (count) => count > 0,
      );
      expect(await comparisonsOf(headgate, `by-${fault}`, 1)).toMatchObject({
        eligible: 1,
        classes: { 'body-mismatch': 1 },
        skipped: {},
        scores: null,
      });
      if (fault !== 'hang') {
        await until(
          async () => headgate.logs.join(''),
          (log) => log.includes(`scorer of by-${fault}`),
        );
      }
      expect(headgate.logs.join('')).not.toContain(SECRET);
    },
  );
});

it('a scorer that sends without end is not read without end', () => {
  expect(scorerTaken).toBeLessThan(16 * (1 << 20));
});
