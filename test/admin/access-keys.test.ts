import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AccessKeys } from '../../src/admin/access-keys.ts';

const team = 'https://acme.cloudflareaccess.com';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Keys that the list may show and that are not for tokens. */
const unfit = [
  { kid: 'shared', kty: 'oct', k: 'AAAA' },
  { kid: 'elliptic', kty: 'EC', crv: 'P-256', x: 'x', y: 'y' },
  { kid: 'encrypts', kty: 'RSA', n: 'x', e: 'AQAB', use: 'enc' },
  { kid: 'other', kty: 'RSA', n: 'x', e: 'AQAB', alg: 'PS256' },
  { kid: 'half', kty: 'RSA', e: 'AQAB' },
  { kty: 'RSA', n: 'x', e: 'AQAB' },
];

/** A team whose answers and clock a test sets. */
function world() {
  const at = {
    nowMs: 1_000_000,
    asked: [] as string[],
    kids: ['k1'],
    answer: null as null | (() => Promise<Response>),
  };
  const keys = new AccessKeys({
    now: () => at.nowMs,
    sleep: async (ms) => {
      at.nowMs += ms;
    },
    fetch: async (url) => {
      at.asked.push(url);
      if (at.answer !== null) return at.answer();
      const shown = at.kids.map((kid) => ({ kid, kty: 'RSA', n: 'x', e: 'AQAB' }));
      return Response.json({ keys: [...shown, ...unfit], public_certs: [] });
    },
  });
  return { at, find: (kid: unknown) => keys.find(team, kid), keys };
}

const failures: Record<string, () => Promise<Response>> = {
  'cannot be reached': () => Promise.reject(new Error('connect')),
  'answer 500': async () => new Response('', { status: 500 }),
  'lead elsewhere': async () => new Response('', { status: 302, headers: { location: 'https://evil.example' } }),
  'are no JSON': async () => new Response('<html>'),
  'are no list': async () => Response.json({ public_cert: {} }),
  'are too large': async () => new Response('x'.repeat(70_000)),
};

// What fails is logged.
beforeAll(() => void vi.spyOn(console, 'error').mockImplementation(() => undefined));
afterAll(() => vi.restoreAllMocks());

describe('the keys of Access', () => {
  it('are fetched once from the team’s address, and known for an hour', async () => {
    const { at, find } = world();
    for (let i = 0; i < 3; i++) expect(await find('k1')).toMatchObject({ ok: true, value: { kid: 'k1' } });
    at.nowMs += HOUR;
    await find('k1');
    expect(at.asked).toEqual([`${team}/cdn-cgi/access/certs`]);
    at.nowMs += 2;
    await find('k1');
    expect(at.asked).toHaveLength(2);
  });

  it('are fetched again for a name that nobody knows, at most once a minute', async () => {
    const { at, find } = world();
    await find('k1');
    at.nowMs += MINUTE;
    at.kids = ['k2'];
    expect(await find('k2')).toMatchObject({ ok: true });
    for (let i = 0; i < 50; i++) expect(await find(`made-up-${i}`)).toEqual({ ok: false, error: 'unknown' });
    expect(at.asked).toHaveLength(2);
    expect(await find('k1')).toMatchObject({ ok: false });
    at.nowMs += MINUTE;
    await find('made-up');
    expect(at.asked).toHaveLength(3);
  });

  it.each(Object.entries(failures))('that %s open nothing, and are asked for again soon', async (_, answer) => {
    const { at, find } = world();
    at.answer = answer;
    expect(await find('k1')).toEqual({ ok: false, error: 'unreachable' });
    at.nowMs += 1_000;
    expect(await find('k1')).toEqual({ ok: false, error: 'unreachable' });
    expect(at.asked).toHaveLength(1);
    at.answer = null;
    at.nowMs += 5_000;
    expect(await find('k1')).toMatchObject({ ok: true });
  });

  it('stay good for a day while they cannot be fetched again, and no longer', async () => {
    const { at, find } = world();
    await find('k1');
    at.answer = failures['cannot be reached']!;
    at.nowMs += 23 * HOUR;
    expect(await find('k1')).toMatchObject({ ok: true });
    expect(await find('k2')).toEqual({ ok: false, error: 'unreachable' });
    at.nowMs += 2 * HOUR;
    expect(await find('k1')).toEqual({ ok: false, error: 'unreachable' });
  });

  it('are RSA keys for signatures, never a shared secret, and never without a name', async () => {
    const { find } = world();
    for (const { kid } of unfit) expect(await find(kid)).toEqual({ ok: false, error: 'unknown' });
  });

  it('are fetched once for calls that come together', async () => {
    const { at, find } = world();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    at.answer = async () => {
      await gate;
      return Response.json({ keys: [{ kid: 'k1', kty: 'RSA', n: 'x', e: 'AQAB' }] });
    };
    const calls = [find('k1'), find('k1'), find('k1')];
    await Promise.resolve();
    open();
    expect(await Promise.all(calls)).toEqual(calls.map(() => expect.objectContaining({ ok: true })));
    expect(at.asked).toHaveLength(1);
  });

  it('are waited for only so long when the call that asked for them is gone', async () => {
    const { at, find } = world();
    at.answer = () => new Promise(() => undefined);
    void find('k1');
    const startedMs = at.nowMs;
    expect(await find('k1')).toMatchObject({ ok: false });
    expect(at.nowMs - startedMs).toBeLessThan(5_000);
    at.answer = null;
    expect(await find('k1')).toMatchObject({ ok: true });
  });

  it('of one team are not those of another', async () => {
    const { at, keys, find } = world();
    await find('k1');
    at.answer = failures['answer 500']!;
    expect(await keys.find('https://other.cloudflareaccess.com', 'k1')).toEqual({ ok: false, error: 'unreachable' });
  });
});
