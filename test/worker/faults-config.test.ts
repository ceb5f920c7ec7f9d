import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { KvFault } from './faulty-bindings.ts';
import { type NamedOrigin, startNamedOrigin } from './faulty-origin.ts';
import { type Headgate, oneRoute, startHeadgate } from './harness.ts';
import { answerTo, values, type WholeAnswer } from './raw-http.ts';

const entry = "export * from './src/index.ts'; export { default } from './test/worker/faulty-bindings.ts';";
const REFRESH_MS = 100;
const UNREADABLE = ['throw', 'throw-at-once', 'hang', 'wrong-type', 'wrong-values'] as const;
const GARBAGE = [
  ['no JSON', '\u0000\u0001<html>'],
  ['half a document', '{"version":1,"routes":[{"name"'],
  ['null', 'null'],
  ['an array', '[]'],
  ['nothing', ''],
  ['70 KiB', JSON.stringify({ version: 1, routes: [], filler: 'x'.repeat(71_680) })],
] as const;

let blue: NamedOrigin;
let green: NamedOrigin;
let fallback: NamedOrigin;
let headgate: Headgate;
let config: unknown;

beforeAll(async () => {
  [blue, green, fallback] = (await Promise.all(
    ['blue', 'green', 'fallback'].map((name) => startNamedOrigin(name, { isFaulty: false })),
  )) as [NamedOrigin, NamedOrigin, NamedOrigin];
  config = configOf({ green: 100 });
});

afterAll(async () => {
  await Promise.all([blue?.close(), green?.close(), fallback?.close()]);
});

function configOf(weights: Record<string, number>): unknown {
  return oneRoute({ variants: { blue: { url: blue.url }, green: { url: green.url } }, weights });
}

const start = (vars: Record<string, string> = {}) =>
  startHeadgate({ entry, vars: { CONFIG_REFRESH_SECONDS: String(REFRESH_MS / 1_000), ...vars } });

/** Sets faults; answers how often KV was read since the last time. */
async function faults(
  of: Headgate,
  told: { kv?: KvFault; engine?: string; recorder?: string; cold?: '1' },
): Promise<number> {
  const { body } = await answerTo(of.url, { path: `/__fault?${new URLSearchParams(told)}` });
  return JSON.parse(body.toString()).reads;
}

const ask = (of: Headgate) => answerTo(of.url, { path: '/a' });

/** Who answered: an origin's name, or the code of our own answer. */
function by(answer: WholeAnswer): string {
  const body = JSON.parse(answer.body.toString());
  return answer.status === 200 ? body.from : body.code;
}

/** Asks until `who` answers; what was answered last when it never does. */
async function settled(of: Headgate, who: string): Promise<string> {
  const until = Date.now() + 10_000;
  for (;;) {
    const answered = by(await ask(of));
    if (answered === who || Date.now() > until) return answered;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Who answers while refreshes come and go. */
async function whileRefreshing(of: Headgate): Promise<Set<string>> {
  const who = new Set<string>();
  const until = Date.now() + 6 * REFRESH_MS;
  while (Date.now() < until) {
    who.add(by(await ask(of)));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return who;
}

async function remove(of: Headgate, key: string): Promise<void> {
  await (await of.mf.getKVNamespace('CONFIG', 'headgate')).delete(key);
}

/** A split for the variants of the config as it is. */
function splitText(weights: Record<string, number>, revision: number): string {
  const parsed = parseConfig(JSON.stringify(config), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const variants = variantsHash(parsed.value.config.routes[0]!);
  return JSON.stringify({ revision, weights, baseline: 'blue', salt: '', variants });
}

describe('a warm isolate', () => {
  beforeAll(async () => {
    headgate = await start();
  });
  afterAll(() => headgate?.dispose());

  beforeEach(async () => {
    await faults(headgate, { kv: 'none', engine: 'none', recorder: 'none' });
    await headgate.put('config', config);
    await remove(headgate, 'split:main');
    await remove(headgate, 'weights:main');
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it.each([...UNREADABLE, 'slow'] as const)(
    'serves by what it knows while KV fails by %s, and follows KV again after it',
    async (kv) => {
      await faults(headgate, { kv });
      expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
      expect(await faults(headgate, {})).toBeGreaterThan(0);
      await headgate.put('weights:main', { blue: 100 });
      await faults(headgate, { kv: 'none' });
      expect(await settled(headgate, 'blue')).toBe('blue');
    },
  );

  it('lets no more than one request in a refresh wait for a KV that hangs', async () => {
    await faults(headgate, { kv: 'hang' });
    await new Promise((resolve) => setTimeout(resolve, 5 * REFRESH_MS));
    const waits: number[] = [];
    const began = performance.now();
    for (const until = Date.now() + 3_500; Date.now() < until; ) {
      const startedAtMs = performance.now();
      const answers = await Promise.all([ask(headgate), ask(headgate)]);
      expect(answers.map(by)).toEqual(['green', 'green']);
      waits.push(performance.now() - startedAtMs);
    }
    const reads = await faults(headgate, {});
    // Each attempt lasts a second and is followed by a refresh's time of quiet.
    expect(reads).toBeLessThanOrEqual(Math.ceil((performance.now() - began) / (1_000 + REFRESH_MS)) + 1);
    expect(waits.filter((ms) => ms > 900).length).toBeLessThanOrEqual(reads);
    expect(waits.filter((ms) => ms < 900).length).toBeGreaterThan(30);
  });

  it.each(GARBAGE)('keeps the last valid config while the key holds %s', async (_, text) => {
    await headgate.put('config', text);
    expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
    await headgate.put('config', configOf({ blue: 100 }));
    expect(await settled(headgate, 'blue')).toBe('blue');
  });

  it('keeps the last valid config while the key holds a bad document, and says why once', async () => {
    headgate.logs.length = 0;
    await headgate.put('config', configOf({ blue: 96, green: 1 }));
    expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
    const said = headgate.logs.join('').match(/config is refused whole.*/g);
    expect(said).toHaveLength(1);
    expect(said?.[0]).toContain('97');
  });

  it('keeps the last valid config when the key is deleted', async () => {
    await remove(headgate, 'config');
    expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
  });

  it.each(GARBAGE)('keeps the last valid weights by hand while their key holds %s', async (_, text) => {
    await headgate.put('weights:main', { blue: 100 });
    expect(await settled(headgate, 'blue')).toBe('blue');
    await headgate.put('weights:main', text);
    expect(await whileRefreshing(headgate)).toEqual(new Set(['blue']));
  });

  it.each(GARBAGE)('keeps the last valid split while its key holds %s', async (_, text) => {
    await headgate.put('config', configOf({ blue: 100 }));
    expect(await settled(headgate, 'blue')).toBe('blue');
    await headgate.put('split:main', splitText({ green: 100 }, 7));
    expect(await settled(headgate, 'green')).toBe('green');
    await headgate.put('split:main', text);
    expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
  });

  it('sends everybody to the baseline when the first split it sees is garbage', async () => {
    await headgate.put('split:main', '{"revision":');
    expect(await settled(headgate, 'blue')).toBe('blue');
    expect(await whileRefreshing(headgate)).toEqual(new Set(['blue']));
  });

  it('sends everybody to the baseline when the split was made for other variants', async () => {
    await headgate.put('split:main', splitText({ green: 100 }, 8).replace(/"variants":"\w+"/, '"variants":"0000"'));
    expect(await settled(headgate, 'blue')).toBe('blue');
  });

  it.each([
    { engine: 'throw' },
    { engine: 'reject' },
    { engine: 'hang' },
    { recorder: 'throw' },
    { recorder: 'reject' },
    { engine: 'throw', recorder: 'throw' },
    { engine: 'reject', recorder: 'reject', kv: 'throw' },
    { engine: 'throw', recorder: 'hang', kv: 'hang' },
  ] as const)('serves while %o', async (told) => {
    await faults(headgate, told);
    expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
  });
});

describe('a cold isolate', () => {
  afterEach(() => headgate?.dispose());

  it('serves by its last good copy while KV fails in any way, also weights by hand', async () => {
    headgate = await start();
    await headgate.put('config', config);
    expect(await settled(headgate, 'green')).toBe('green');
    await headgate.put('weights:main', { blue: 100 });
    expect(await settled(headgate, 'blue')).toBe('blue');
    expect(await whileRefreshing(headgate)).toEqual(new Set(['blue']));
    for (const kv of UNREADABLE) {
      await faults(headgate, { kv, cold: '1' });
      expect([kv, by(await ask(headgate))]).toEqual([kv, 'blue']);
      expect([kv, await whileRefreshing(headgate)]).toEqual([kv, new Set(['blue'])]);
    }
    await faults(headgate, { kv: 'none', cold: '1' });
    for (const [kind, text] of GARBAGE) {
      await headgate.put('config', text);
      await faults(headgate, { cold: '1' });
      expect([kind, by(await ask(headgate))]).toEqual([kind, 'blue']);
    }
    await remove(headgate, 'config');
    await faults(headgate, { cold: '1' });
    expect(by(await ask(headgate))).toBe('blue');
    await remove(headgate, 'weights:main');
    await headgate.put('config', config);
    await faults(headgate, { cold: '1' });
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it('answers 503 no_config without a copy, and serves as soon as KV does', async () => {
    headgate = await start();
    for (const kv of ['none', ...UNREADABLE] as const) {
      if (kv === 'throw') await headgate.put('config', config);
      await faults(headgate, { kv, cold: '1' });
      const answer = await ask(headgate);
      expect([kv, answer.status, by(answer)]).toEqual([kv, 503, 'no_config']);
      expect(values(answer.headers, 'x-headgate-error')).toEqual(['no_config']);
      expect(values(answer.headers, 'content-type')).toEqual(['application/problem+json']);
    }
    await faults(headgate, { kv: 'none' });
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it('answers 503 no_config without a copy when the document is bad', async () => {
    headgate = await start();
    for (const [kind, text] of [...GARBAGE, ['97 %', JSON.stringify(configOf({ blue: 97 }))]] as const) {
      await headgate.put('config', text);
      await faults(headgate, { cold: '1' });
      expect([kind, by(await ask(headgate))]).toEqual([kind, 'no_config']);
    }
  });

  it('sends requests to FALLBACK_ORIGIN without a copy, whatever else fails, and none of its cookies is ours', async () => {
    headgate = await start({ FALLBACK_ORIGIN: `${fallback.url}/base/` });
    await headgate.put('config', config);
    for (const kv of UNREADABLE) {
      await faults(headgate, { kv, engine: 'throw', recorder: 'throw', cold: '1' });
      const headers: [string, string][] = [
        ['cookie', 'headgate=AAAAAAAAAAAAAAAAAAAAAA; own=1'],
        ['x-headgate-preview', 'token'],
        ['x-forwarded-for', '6.6.6.6'],
      ];
      const answer = await answerTo(headgate.url, { method: 'POST', path: '/a?b=c', headers, body: 'the body' });
      expect([kv, by(answer)]).toEqual([kv, 'fallback']);
      const seen = fallback.seen.at(-1)!;
      expect(seen).toMatchObject({ method: 'POST', path: '/base/a?b=c', bodyBytes: 8 });
      expect(values(seen.headers, 'cookie')).toEqual(['own=1']);
      expect(values(seen.headers, 'x-headgate-preview')).toEqual([]);
      expect(values(seen.headers, 'x-forwarded-for')).toEqual([]);
      expect(values(seen.headers, 'cdn-loop')).toEqual(['headgate']);
    }
    await faults(headgate, { kv: 'none' });
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it.each(['keys-throw', 'keys-hang'] as const)(
    'sends everybody to the baseline when the keys of a route cannot be read (%s)',
    async (kv) => {
      headgate = await start();
      await headgate.put('config', config);
      await faults(headgate, { kv, cold: '1' });
      expect(by(await ask(headgate))).toBe('blue');
      await faults(headgate, { kv: 'none' });
      expect(await settled(headgate, 'green')).toBe('green');
    },
  );

  it('waits for KV one second in all, not one for each key', async () => {
    headgate = await start();
    await headgate.put('config', config);
    await faults(headgate, { kv: 'slow-then-hang', cold: '1' });
    const startedAtMs = performance.now();
    expect(by(await ask(headgate))).toBe('blue');
    expect(performance.now() - startedAtMs).toBeLessThan(1_600);
  });

  it('fills its memory from a slow KV', async () => {
    headgate = await start();
    await headgate.put('config', config);
    await headgate.put('weights:main', { blue: 100 });
    await faults(headgate, { kv: 'slow', cold: '1' });
    expect(await settled(headgate, 'blue')).toBe('blue');
  });
});
