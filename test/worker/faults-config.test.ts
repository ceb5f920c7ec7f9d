import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
    ['blue', 'green', 'fallback'].map((name) => startNamedOrigin(name, { isFaulty: name === 'fallback' })),
  )) as [NamedOrigin, NamedOrigin, NamedOrigin];
  config = configOf({ green: 100 });
  headgate = await startHeadgate({ entry, vars: { CONFIG_REFRESH_SECONDS: String(REFRESH_MS / 1_000) } });
});

beforeEach(async () => {
  await faults(headgate, { kv: 'none', engine: 'none', recorder: 'none', fallback: '' });
  await headgate.put('config', config);
  await remove(headgate, 'split:main');
  await remove(headgate, 'weights:main');
});

afterAll(async () => {
  await headgate?.dispose();
  await Promise.all([blue?.close(), green?.close(), fallback?.close()]);
});

function configOf(weights: Record<string, number>): unknown {
  return oneRoute({ variants: { blue: { url: blue.url }, green: { url: green.url } }, weights });
}

/** Sets faults; answers how often KV was read since the last time. */
async function faults(
  of: Headgate,
  told: { kv?: KvFault; engine?: string; recorder?: string; cold?: 'here' | 'elsewhere'; fallback?: string },
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
  const until = Date.now() + 4 * REFRESH_MS;
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
  beforeEach(async () => {
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
    const pairs: string[] = [];
    for (const until = Date.now() + 3_500; Date.now() < until; ) {
      const startedAtMs = performance.now();
      const answers = await Promise.all([ask(headgate), ask(headgate)]);
      expect(answers.map(by)).toEqual(['green', 'green']);
      pairs.push(performance.now() - startedAtMs > 900 ? 'waited' : 'went on');
    }
    const waited = pairs.filter((pair) => pair === 'waited').length;
    // A wait that did not count as the attempt's end would make every pair wait, one after the other.
    expect(waited).toBeLessThan(pairs.length / 2);
    expect(waited).toBeLessThanOrEqual(await faults(headgate, {}));
  });

  it('keeps the last valid config while its key holds garbage', async () => {
    for (const [kind, text] of GARBAGE) {
      await headgate.put('config', text);
      expect([kind, await whileRefreshing(headgate)]).toEqual([kind, new Set(['green'])]);
    }
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

  it('keeps the last valid weights by hand while their key holds garbage', async () => {
    await headgate.put('weights:main', { blue: 100 });
    expect(await settled(headgate, 'blue')).toBe('blue');
    for (const [kind, text] of GARBAGE) {
      await headgate.put('weights:main', text);
      expect([kind, await whileRefreshing(headgate)]).toEqual([kind, new Set(['blue'])]);
    }
  });

  it('keeps the last valid split while its key holds garbage', async () => {
    await headgate.put('config', configOf({ blue: 100 }));
    expect(await settled(headgate, 'blue')).toBe('blue');
    await headgate.put('split:main', splitText({ green: 100 }, 7));
    expect(await settled(headgate, 'green')).toBe('green');
    for (const [kind, text] of GARBAGE) {
      await headgate.put('split:main', text);
      expect([kind, await whileRefreshing(headgate)]).toEqual([kind, new Set(['green'])]);
    }
  });

  it('sends everybody to the baseline when the first split it sees is garbage, and no copy has another', async () => {
    await headgate.put('split:main', '{"revision":');
    await faults(headgate, { cold: 'elsewhere' });
    expect(await whileRefreshing(headgate)).toEqual(new Set(['blue']));
  });

  it('sends everybody to the baseline when the split was made for other variants', async () => {
    await faults(headgate, { cold: 'here' });
    await headgate.put('split:main', splitText({ green: 100 }, 8).replace(/"variants":"\w+"/, '"variants":"0000"'));
    expect(await settled(headgate, 'blue')).toBe('blue');
  });

  it('serves while records cannot be written, in whichever way', async () => {
    for (const engine of ['none', 'throw', 'reject', 'hang']) {
      for (const recorder of ['none', 'throw', 'reject']) {
        await faults(headgate, { engine, recorder });
        const answers = await Promise.all(Array.from({ length: 5 }, () => ask(headgate)));
        expect([engine, recorder, ...answers.map(by)]).toEqual([engine, recorder, ...answers.map(() => 'green')]);
      }
    }
  });

  it.each(['throw', 'hang'] as const)('serves while KV and records fail together (%s)', async (kind) => {
    await faults(headgate, { kv: kind, engine: kind, recorder: kind });
    expect(await whileRefreshing(headgate)).toEqual(new Set(['green']));
  });
});

describe('a cold isolate', () => {
  it('serves by its last good copy while KV fails in any way, also weights by hand', async () => {
    await faults(headgate, { cold: 'elsewhere' });
    expect(await settled(headgate, 'green')).toBe('green');
    await headgate.put('weights:main', { blue: 100 });
    expect(await settled(headgate, 'blue')).toBe('blue');
    expect(await whileRefreshing(headgate)).toEqual(new Set(['blue']));
    for (const kv of UNREADABLE) {
      await faults(headgate, { kv, cold: 'here' });
      expect([kv, await whileRefreshing(headgate)]).toEqual([kv, new Set(['blue'])]);
    }
    await faults(headgate, { kv: 'none', cold: 'here' });
    for (const [kind, text] of GARBAGE) {
      await headgate.put('config', text);
      await faults(headgate, { cold: 'here' });
      expect([kind, by(await ask(headgate))]).toEqual([kind, 'blue']);
    }
    await remove(headgate, 'config');
    await faults(headgate, { cold: 'here' });
    expect(by(await ask(headgate))).toBe('blue');
    await remove(headgate, 'weights:main');
    await headgate.put('config', config);
    await faults(headgate, { cold: 'here' });
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it('answers 503 no_config without a copy, and serves as soon as KV does', async () => {
    await remove(headgate, 'config');
    for (const kv of ['none', ...UNREADABLE] as const) {
      if (kv === 'throw') await headgate.put('config', config);
      await faults(headgate, { kv, cold: 'elsewhere' });
      const answer = await ask(headgate);
      expect([kv, answer.status, by(answer)]).toEqual([kv, 503, 'no_config']);
      expect(values(answer.headers, 'x-headgate-error')).toEqual(['no_config']);
      expect(values(answer.headers, 'content-type')).toEqual(['application/problem+json']);
    }
    await faults(headgate, { kv: 'none' });
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it('answers 503 no_config without a copy when the document is bad', async () => {
    for (const [kind, text] of [...GARBAGE, ['97 %', JSON.stringify(configOf({ blue: 97 }))]] as const) {
      await headgate.put('config', text);
      await faults(headgate, { cold: 'elsewhere' });
      expect([kind, by(await ask(headgate))]).toEqual([kind, 'no_config']);
    }
  });

  it('sends requests to FALLBACK_ORIGIN without a copy, whatever else fails, and none of its cookies is ours', async () => {
    for (const kv of UNREADABLE) {
      await faults(headgate, {
        kv,
        engine: 'throw',
        recorder: 'throw',
        cold: 'elsewhere',
        fallback: `${fallback.url}/base/`,
      });
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
    const switched = await answerTo(headgate.url, { path: '/a?fault=switch' });
    expect([switched.status, by(switched)]).toEqual([502, 'origin_unreachable']);
    await faults(headgate, { kv: 'none' });
    expect(await settled(headgate, 'green')).toBe('green');
  });

  it.each(['keys-throw', 'keys-hang'] as const)(
    'sends everybody to the baseline when the keys of a route cannot be read (%s)',
    async (kv) => {
      await faults(headgate, { kv, cold: 'elsewhere' });
      expect(by(await ask(headgate))).toBe('blue');
      await faults(headgate, { kv: 'none' });
      expect(await settled(headgate, 'green')).toBe('green');
    },
  );

  it('waits for KV one second in all, not one for each key', async () => {
    await faults(headgate, { kv: 'slow-then-hang', cold: 'elsewhere' });
    const startedAtMs = performance.now();
    expect(by(await ask(headgate))).toBe('blue');
    expect(performance.now() - startedAtMs).toBeLessThan(1_600);
  });

  it('fills its memory from a slow KV', async () => {
    await headgate.put('weights:main', { blue: 100 });
    await faults(headgate, { kv: 'slow', cold: 'elsewhere' });
    expect(await settled(headgate, 'blue')).toBe('blue');
  });
});
