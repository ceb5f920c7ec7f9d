import { expect, it, vi } from 'vitest';
import { MAX_BODY_BYTES } from '../../src/admin/limits.ts';
import { mounted, problemOf } from './calls.ts';

const route = { name: 'detect', variants: { blue: { url: 'https://blue.example' } } };
const validate = (document: unknown, env = {}) => mounted({ env })('POST', '/api/config/validate', document);

it('finds a good config valid, with its warnings', async () => {
  const response = await validate({ version: 1, routes: [route], webhooks: [] });
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ valid: true, warnings: expect.any(Array) });
});

it.each([
  ['a split that is still there', { 'split:detect': '{}' }, /^the key split:detect is for other variants/],
  ['weights set by hand', { 'weights:detect': '{"blue":100}' }, /^the key weights:detect beats the weights/],
  ['refused weights by hand', { 'weights:detect': '{"blue":97}' }, /^the key weights:detect is refused \(.*sum to 97/],
  [
    'weights by hand of a variant that is gone',
    { 'weights:detect': '{"gone":100}' },
    /^the key weights:detect is refused \(.*"gone" is not a variant/,
  ],
  ['no weights by hand that have ended', { 'weights:detect': '{}' }, null],
])('says before a config is put what would beat its weights: %s', async (_, keys: Record<string, string>, said) => {
  const get = async (names: string[]) => new Map(names.map((name) => [name, keys[name] ?? null]));
  const response = await validate({ version: 1, routes: [route] }, { CONFIG: { get }, COOKIE_SECRET: 'one' });
  const { warnings } = (await response.json()) as { warnings: { path: string; reason: string }[] };
  const path = 'routes[0].weights';
  expect(warnings).toMatchObject(said === null ? [] : [{ path, reason: expect.stringMatching(said) }]);
});

it('lists every fault of a bad config with path, reason and mend', async () => {
  const bad = {
    version: 1,
    routes: [
      { ...route, weights: { blue: 97 } },
      { ...route, name: 'Bad Name' },
    ],
    colour: 1,
  };
  const problem = await problemOf(await validate(bad));
  expect(problem).toMatchObject({ status: 422, code: 'invalid_config' });
  expect(problem.faults!.map((fault) => fault.path)).toEqual(
    expect.arrayContaining(['routes[0].weights', 'routes[1].name', 'colour']),
  );
  for (const fault of problem.faults!)
    expect(fault).toEqual({ path: expect.any(String), reason: expect.any(String), mend: expect.any(String) });
});

it('finds text that is no JSON invalid, not broken', async () => {
  expect(await problemOf(await validate('{"version": 1,'))).toMatchObject({ status: 422, code: 'invalid_config' });
});

it('knows which secrets and services this Worker has', async () => {
  const document = {
    version: 1,
    routes: [
      {
        name: 'chat',
        variants: {
          blue: { url: 'https://blue.example', secretHeaders: { authorization: 'Bearer $' + '{KEY_BLUE}' } },
          green: { service: 'GREEN' },
        },
      },
    ],
  };
  const missing = await problemOf(await validate(document));
  expect(missing.faults!.map((fault) => fault.path).join(' ')).toMatch(/secretHeaders.*green\.service/);
  const there = { KEY_BLUE: 'k', GREEN: { fetch: () => new Response() } };
  expect((await validate(document, there)).status).toBe(200);
});

it('refuses a body that is too large, whether or not it says so', async () => {
  const large = 'x'.repeat(MAX_BODY_BYTES + 1);
  expect(await problemOf(await validate(large))).toMatchObject({ status: 413, code: 'body_too_large' });
  const call = mounted();
  const declared = await call('POST', '/api/config/validate', 'x', {
    headers: { 'content-length': String(MAX_BODY_BYTES + 1) },
  });
  expect(declared.status).toBe(413);
});

it('does not say of a document in KV that was refused that there is none', async () => {
  const keeper = { currentConfig: async () => null };
  const CONTROLLER = { idFromName: String, get: () => keeper };
  const answer = await mounted()('GET', '/api/config', undefined, { env: { CONTROLLER } as never });
  expect(await problemOf(answer)).toMatchObject({
    ...{ status: 404, code: 'no_config', detail: 'There is no valid config.' },
    mend: expect.stringMatching(/headgate init.*headgate doctor/),
  });
});

it.each([
  ['GET', '/api/config', undefined],
  ['PUT', '/api/config', { version: 1, routes: [route] }],
  ['GET', '/api/config/revisions', undefined],
  ['POST', '/api/config/restore', { revision: 1, reason: '' }],
])('says that the owner of the config does not answer: %s %s', async (method, path, body) => {
  const gone = async () => Promise.reject(new Error('gone'));
  const keeper = { currentConfig: gone, putConfig: gone, configRevisions: gone, configRevision: gone };
  const CONTROLLER = { idFromName: String, get: () => keeper };
  const problem = await problemOf(await mounted()(method, path, body, { env: { CONTROLLER } as never }));
  expect(problem).toMatchObject({ status: 503, code: 'controller_down', mend: expect.any(String) });
});

it('waits for an owner that hangs no longer than half a minute', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const keeper = { currentConfig: () => new Promise(() => {}) };
    const CONTROLLER = { idFromName: String, get: () => keeper };
    let problem: unknown = null;
    void mounted()('GET', '/api/config', undefined, { env: { CONTROLLER } as never }).then(async (answer) => {
      problem = await problemOf(answer);
    });
    // Who calls is found out by hashes, in real time.
    for (let turns = 0; turns < 1_000 && problem === null; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(problem).toMatchObject({ status: 503, code: 'controller_down' });
  } finally {
    vi.useRealTimers();
  }
});
