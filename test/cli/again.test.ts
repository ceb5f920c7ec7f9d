import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fakeApi, statusWith } from './api.ts';
import { nobody, Session } from './session.ts';

const session = new Session();
let api: Awaited<ReturnType<typeof fakeApi>>;

beforeAll(async () => {
  api = await fakeApi();
});
afterAll(async () => {
  session.end();
  await api.close();
});
beforeEach(() => {
  session.env = { HEADGATE_URL: api.url, HEADGATE_TOKEN: 'token' };
  session.fetch = (...call) => fetch(...call);
  api.answer({ 'GET /api/routes/detect': statusWith() });
});

/** Whatever is not a GET reaches the Worker, and its answer gets lost in this way. */
function lost(answer: () => Response): void {
  session.fetch = async (input, init) => {
    const reply = await fetch(input, init);
    return init?.method === 'GET' ? reply : answer();
  };
}

describe('an answer that is lost', () => {
  const broken = () => {
    throw new TypeError('fetch failed', { cause: new Error('other side closed') });
  };
  it.each([
    ['a connection that breaks off', broken],
    ['a gateway', () => new Response('<html>', { status: 502 })],
    ['an answer that is cut', () => new Response('{"na', { headers: { 'cache-control': 'no-store' } })],
  ])('says that the change may have been made (%s)', async (_, answer) => {
    lost(answer);
    expect(await session.run('rollback', 'detect', '--reason', 'red')).toBe(1);
    expect(session.notes).toMatch(/it may have been done all the same[\s\S]*headgate status, headgate history/);
  });

  it.each([
    ['what only looks', ['status'], broken],
    ['a check of a config', ['validate', 'c.json', '--url', 'https://worker.example'], broken],
    ['what somebody refused', ['rollback', 'detect'], () => new Response('<html>', { status: 403 })],
  ])('does not say so of %s', async (_, argv, answer) => {
    session.write('c.json', { version: 1, routes: [] });
    session.fetch = async (input, init) => (String(input).endsWith('/detect') ? fetch(input, init) : answer());
    expect(await session.run(...argv)).toBe(1);
    expect(session.notes).not.toContain('may have been done');
  });

  it('does not say so of a Worker that never was there', async () => {
    session.env.HEADGATE_URL = await nobody();
    expect(await session.run('rollout', 'abort', 'detect')).toBe(1);
    expect(session.notes).not.toContain('may have been done');
  });

  it('says to try again where something before the Worker is in trouble', async () => {
    session.fetch = async () => new Response('<html>', { status: 429 });
    expect(await session.run('status')).toBe(1);
    expect(session.notes).toMatch(/status 429\)[\s\S]*try again later; if it stays so, check --url/);
  });
});
