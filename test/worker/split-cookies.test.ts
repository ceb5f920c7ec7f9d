import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { armsOf, assign } from '../../src/split/assign.ts';
import { ask, cookieValue, sendBytes, until } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let blue: Origin;
let green: Origin;
let headgate: Headgate;
let config: { version: number; cookie?: unknown; routes: unknown[] };

const HALVES = { blue: 50, green: 50 };
const variantOf = (id: string) => assign('', 'two', id, armsOf(HALVES));

beforeAll(async () => {
  [blue, green] = await Promise.all([
    startOrigin((_, response) => response.end('blue')),
    startOrigin((_, response) => response.end('green')),
  ]);
  const variants = { blue: { url: blue.url }, green: { url: green.url } };
  config = {
    version: 1,
    routes: [
      { name: 'one', match: { path: '/one' }, variants: { blue: { url: blue.url } } },
      { name: 'zero', match: { path: '/zero' }, variants, weights: { blue: 100 } },
      { name: 'all', match: { path: '/all' }, variants, weights: { green: 100 } },
      { name: 'two', match: { path: '/two' }, variants, weights: HALVES },
    ],
  };
  headgate = await startHeadgate({ config, recorder: false });
});

afterAll(async () => {
  await headgate.dispose();
  await Promise.all([blue.close(), green.close()]);
});

/** An id that the route `two` gives to the variant. */
function idOf(variant: string): string {
  for (let index = 0; ; index++) {
    const id = `visitor-${index}`.padEnd(22, 'x');
    if (variantOf(id) === variant) return id;
  }
}

/** A request on https, which only the simulator's front can pretend. */
async function askHttps(path: string, cookie?: string) {
  const init = cookie === undefined ? {} : { headers: { cookie } };
  const response = await headgate.mf.dispatchFetch(`https://shop.test${path}`, init);
  await response.text();
  return { setCookies: response.headers.getSetCookie(), variant: response.headers.get('x-headgate-variant') };
}

describe('our cookie', () => {
  it('is given only where two variants have weight', async () => {
    for (const path of ['/one', '/zero', '/all']) expect((await ask(headgate.url, path)).setCookies).toEqual([]);
    expect((await ask(headgate.url, '/two')).setCookies).toHaveLength(1);
  });

  it('is not replaced when another site sends a visitor back by a form, with which browsers send no cookie of ours', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    for (let times = 0; times < 20; times++) {
      const back = await ask(headgate.url, '/two', { method: 'POST', headers, body: 'paid=yes' });
      expect(back).toMatchObject({ variant: 'blue', setCookies: [] });
    }
  });

  it('has on http a name and attributes that browsers keep on http', async () => {
    const { setCookies } = await ask(headgate.url, '/two');
    expect(setCookies[0]).toMatch(/^headgate=[\w-]{22}; Path=\/; Max-Age=15552000; HttpOnly; SameSite=Lax$/);
  });

  it('has on https the __Host- name and Secure', async () => {
    const { setCookies } = await askHttps('/two');
    expect(setCookies).toHaveLength(1);
    expect(setCookies[0]).toMatch(
      /^__Host-headgate=[\w-]{22}; Path=\/; Max-Age=15552000; HttpOnly; SameSite=Lax; Secure$/,
    );
    expect(setCookies[0]).not.toMatch(/domain/i);
  });

  it('is read on each scheme under the name for that scheme alone', async () => {
    const id = idOf('green');
    expect((await ask(headgate.url, '/two', { headers: { cookie: `headgate=${id}` } })).setCookies).toEqual([]);
    expect((await askHttps('/two', `__Host-headgate=${id}`)).setCookies).toEqual([]);
    const crossed = await ask(headgate.url, '/two', { headers: { cookie: `__Host-headgate=${id}` } });
    expect(cookieValue(crossed.setCookies, 'headgate')).not.toBe(id);
    expect(crossed.setCookies).toHaveLength(1);
    const planted = await askHttps('/two', `headgate=${id}`);
    expect(cookieValue(planted.setCookies, '__Host-headgate')).toMatch(/^[\w-]{22}$/);
    expect(cookieValue(planted.setCookies, '__Host-headgate')).not.toBe(id);
  });

  it('keeps a visitor on one variant and is not set again', async () => {
    for (let visitor = 0; visitor < 12; visitor++) {
      const first = await ask(headgate.url, '/two');
      const id = cookieValue(first.setCookies, 'headgate')!;
      expect(first.variant).toBe(variantOf(id));
      for (let visit = 0; visit < 5; visit++) {
        const again = await ask(headgate.url, '/two', { headers: { cookie: `headgate=${id}` } });
        expect(again).toMatchObject({ variant: first.variant, body: first.variant, setCookies: [] });
      }
    }
  });

  it('parts new visitors by the weights', async () => {
    const answers = await Promise.all(Array.from({ length: 400 }, () => ask(headgate.url, '/two')));
    const ids = new Set(answers.map((answer) => cookieValue(answer.setCookies, 'headgate')));
    expect(ids.size).toBe(400);
    const onGreen = answers.filter((answer) => answer.variant === 'green').length;
    expect(Math.abs(onGreen - 200)).toBeLessThan(70); // seven standard deviations
  });

  it.each([
    ['empty', ''],
    ['too short', 'A'.repeat(21)],
    ['of other letters', `${'A'.repeat(21)}!`],
    ['too long and without a point', 'A'.repeat(23)],
    ['a JSON document', '{"variant":"green"}'],
    ['8 KB long', 'A'.repeat(8_192)],
    ['percent-encoded', '%41'.repeat(8)],
  ])('is minted anew when what came is %s', async (_, value) => {
    const answer = await ask(headgate.url, '/two', { headers: { cookie: `headgate=${value}` } });
    expect(answer.status).toBe(200);
    expect(answer.setCookies).toHaveLength(1);
    const id = cookieValue(answer.setCookies, 'headgate')!;
    expect(id).toMatch(/^[\w-]{22}$/);
    expect(answer.variant).toBe(variantOf(id));
  });

  it('keeps its id and loses what was hung on to it', async () => {
    const id = idOf('blue');
    const answer = await ask(headgate.url, '/two', {
      headers: { cookie: `headgate=${id}.two:green:.${'A'.repeat(43)}` },
    });
    expect(answer.variant).toBe('blue');
    expect(cookieValue(answer.setCookies, 'headgate')).toBe(id);
  });

  it('is the first valid one of several, in one line or in two', async () => {
    const [first, second] = [idOf('green'), idOf('blue')];
    const twice = `headgate=broken; headgate=${first}; headgate=${second}`;
    expect(await ask(headgate.url, '/two', { headers: { cookie: twice } })).toMatchObject({
      variant: 'green',
      setCookies: [],
    });
    const lines = `Cookie: a=1; headgate=${first}\r\nCookie: headgate=${second}; b=2\r\n`;
    const received = await sendBytes(
      headgate.url,
      `GET /two HTTP/1.1\r\nHost: shop.test\r\n${lines}Connection: close\r\n\r\n`,
    );
    expect(received).toContain('x-headgate-variant: green');
    expect(received.toLowerCase()).not.toContain('set-cookie');
  });

  it("never reaches an origin, and the service's own cookies do", async () => {
    const id = idOf('green');
    const cookie = `a=1; headgate=${id}; b="x, y"; __Host-headgate=${id}; headgate-preview=t; c=headgate`;
    await ask(headgate.url, '/two', { headers: { cookie } });
    expect(green.seen.at(-1)?.headers.cookie).toBe('a=1; b="x, y"; c=headgate');
    await ask(headgate.url, '/two', { headers: { cookie: `headgate=${id}` } });
    expect(green.seen.at(-1)?.headers).not.toHaveProperty('cookie');
  });

  it('is for cross-site callers on https where the config says so, and still kept on http', async () => {
    await headgate.put('config', { ...config, cookie: { sameSite: 'none', partitioned: true, maxAgeDays: 1 } });
    const { setCookies } = await until(
      () => askHttps('/two'),
      (answer) => answer.setCookies[0]?.includes('None') === true,
    );
    expect(setCookies[0]).toMatch(/; Max-Age=86400; HttpOnly; SameSite=None; Secure; Partitioned$/);
    expect((await ask(headgate.url, '/two')).setCookies[0]).toMatch(/; Max-Age=86400; HttpOnly; SameSite=Lax$/);
  });
});
