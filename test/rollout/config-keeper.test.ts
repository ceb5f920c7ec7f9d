import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { ConfigKeeper, type ConfigWrite } from '../../src/rollout/config-keeper.ts';
import { storage } from './sqlite.ts';
import { T0 } from './world.ts';

/** KV with the config, and maybe a split. */
class Kv {
  text: string | null = null;
  split: string | null = null;
  fault: 'none' | 'throw' | 'hang' | 'limit' = 'none';
  #writtenAtMs = -Infinity;
  get = async (key: string) => {
    if (this.fault === 'throw') throw new Error('KV is down');
    if (this.fault === 'hang') return new Promise<never>(() => {});
    return key === 'config' ? this.text : this.split;
  };
  put = async (_: string, text: string) => {
    if (this.fault === 'throw') throw new Error('KV is down');
    if (this.fault === 'hang') return new Promise<never>(() => {});
    if (this.fault === 'limit' && Date.now() - this.#writtenAtMs < 1_000)
      throw new Error('KV PUT failed: 429 Too Many Requests');
    this.#writtenAtMs = Date.now();
    this.text = text;
  };
}

function document(changes: Record<string, unknown> = {}): string {
  const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
  return JSON.stringify({ version: 1, routes: [{ name: 'detect', variants, ...changes }] });
}

const written = (text: string, changes: Partial<ConfigWrite> = {}): ConfigWrite => ({
  text,
  ifMatch: null,
  actor: 'ada',
  reason: 'release 2',
  ...changes,
});

function world() {
  const kv = new Kv();
  const { sql } = storage();
  const env = { CONFIG: kv } as unknown as Env;
  return { kv, sql, keeper: new ConfigKeeper(sql, env), again: () => new ConfigKeeper(sql, env) };
}

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

const salted = (n: number) => document({ salt: `s-${n}` });
const promotion = {
  ...{ route: 'detect', baseline: 'green', weights: { blue: 0, green: 100 } },
  reason: 'rollout r-1',
};

describe('the config', () => {
  it('is looked for once for all who ask while others wait, and anew for who comes later', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    const looked = vi.spyOn(kv, 'get');
    const asked = Array.from({ length: 200 }, () => keeper.current());
    kv.text = salted(2);
    await Promise.all(asked);
    expect(looked.mock.calls.length).toBeLessThanOrEqual(2);
    kv.text = salted(3);
    expect((await keeper.current())?.text).toBe(salted(3));
  });

  it('keeps its last fifty revisions, any of which can be read, also after a restart', async () => {
    const { keeper, again } = world();
    for (let n = 1; n <= 55; n++) expect((await keeper.put(written(salted(n)))).ok).toBe(true);
    const later = again();
    const revisions = later.revisions();
    expect([revisions.length, revisions[0]?.revision, revisions.at(-1)?.revision]).toEqual([50, 55, 6]);
    expect(later.revision(6)?.text).toBe(salted(6));
    expect(later.revision(5)).toBeNull();
    expect(revisions[0]).toMatchObject({ actor: 'ada', reason: 'release 2', at: new Date(T0).toISOString() });
  });

  it('is written by one of two who saw the same; the other is told the newest hash', async () => {
    const { keeper } = world();
    await keeper.put(written(salted(1)));
    const seen = (await keeper.current())!.hash;
    const [a, b] = await Promise.all([2, 3].map((n) => keeper.put(written(salted(n), { ifMatch: seen }))));
    expect(a!.ok).toBe(true);
    expect(b).toEqual({ ok: false, error: { code: 'stale', hash: (await keeper.current())!.hash } });
  });

  it('is written by one of two who saw none', async () => {
    const { keeper } = world();
    const [a, b] = await Promise.all([1, 2].map((n) => keeper.put(written(salted(n), { ifMatch: '' }))));
    expect(a!.ok).toBe(true);
    expect(b).toMatchObject({ ok: false, error: { code: 'stale' } });
  });

  it('is not kept where KV refuses it or does not answer', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    kv.fault = 'throw';
    expect(await keeper.put(written(salted(2)))).toMatchObject({ ok: false, error: { code: 'unpublished' } });
    kv.fault = 'hang';
    const hanging = keeper.put(written(salted(3)));
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await hanging).toMatchObject({ ok: false, error: { code: 'unpublished' } });
    expect((await Promise.all([keeper.current(), vi.advanceTimersByTimeAsync(2_000)]))[0]?.text).toBe(salted(1));
  });

  it('is written though KV takes one write a second of a key', async () => {
    const { keeper, kv } = world();
    kv.fault = 'limit';
    const writes = [1, 2, 3].map((n) => keeper.put(written(salted(n))));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await Promise.all(writes)).toMatchObject([{ ok: true }, { ok: true }, { ok: true }]);
    expect(kv.text).toBe(salted(3));
  });

  it('that an operator writes into KV by hand becomes a revision, unless it has faults', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    kv.text = salted(2);
    expect(await keeper.current()).toMatchObject({ revision: 2, actor: 'KV', text: salted(2) });
    kv.text = '{ "version": 1, "routes": 7 }';
    expect(await keeper.current()).toMatchObject({ revision: 2, text: salted(2) });
    kv.text = null;
    expect(await keeper.current()).toMatchObject({ revision: 2 });
  });

  it('is not taken back by a KV that lags behind', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    await keeper.put(written(salted(2)));
    kv.text = salted(1);
    expect(await keeper.current()).toMatchObject({ revision: 2, text: salted(2) });
    vi.setSystemTime(T0 + 121_000);
    expect(await keeper.current()).toMatchObject({ revision: 3, actor: 'KV', text: salted(1) });
  });

  it('is what an operator takes back by hand in KV, at once', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    vi.setSystemTime(T0 + 121_000);
    kv.text = salted(2);
    expect(await keeper.current()).toMatchObject({ revision: 2, actor: 'KV' });
    kv.text = salted(1);
    expect(await keeper.current()).toMatchObject({ revision: 3, actor: 'KV', text: salted(1) });
  });

  it.each([
    ['lost it', null],
    ['has a faulty one', '{'],
  ])('is in KV again when it is written once more after KV %s, and no new revision', async (_, text) => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    kv.text = text;
    expect(await keeper.put(written(salted(1)))).toMatchObject({ ok: true, value: { revision: { revision: 1 } } });
    expect(kv.text).toBe(salted(1));
  });

  it('is the one that was answered, also where an older write lands after it', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    let land = () => {};
    const put = kv.put;
    kv.put = (key, text) =>
      new Promise<undefined>((resolve) => {
        land = () => void put(key, text).then(resolve);
      });
    const late = keeper.put(written(salted(2)));
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await late).toMatchObject({ ok: false, error: { code: 'unpublished' } });
    kv.put = put;
    expect((await keeper.put(written(salted(3)))).ok).toBe(true);
    land();
    await vi.advanceTimersByTimeAsync(10);
    expect(kv.text).toBe(salted(3));
    expect(await keeper.current()).toMatchObject({ revision: 2, text: salted(3) });
  });

  it('is not waited for while KV hangs on what is written again', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(salted(1)));
    let land = () => {};
    kv.put = () => new Promise<undefined>((resolve) => (land = () => resolve(undefined)));
    const late = keeper.put(written(salted(2)));
    await vi.advanceTimersByTimeAsync(12_000);
    await late;
    // What was given up lands, and the newest is written again: for ever.
    land();
    await vi.advanceTimersByTimeAsync(10);
    const next = keeper.current();
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await Promise.race([next, 'hangs'])).toMatchObject({ text: salted(1) });
  });

  it('with a fault is refused whole, and KV never sees it', async () => {
    const { keeper, kv } = world();
    const refused = await keeper.put(written(document({ weights: { blue: 97 }, baseline: 'purple' })));
    expect(refused).toMatchObject({ ok: false, error: { code: 'invalid' } });
    expect(kv.text).toBeNull();
  });
});

describe('the weights of an experiment whose units come from headers', () => {
  const experiment = { id: 'e-1', primary: ['error'] };
  const dealing = (green: number, more = {}) =>
    document({ identity: [{ header: 'x-user-id' }], experiment, weights: { blue: 100 - green, green }, ...more });

  it('do not change in the config while it runs by them, but to end it or under another id', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(dealing(50)));
    const refused = await keeper.put(written(dealing(40)));
    expect(refused).toMatchObject({ ok: false, error: { code: 'experiment_runs' } });
    expect(kv.text).toBe(dealing(50));
    for (const text of [
      dealing(50, { salt: 'x' }),
      dealing(40, { experiment: { ...experiment, id: 'e-2' } }),
      dealing(0),
      dealing(30),
      dealing(20, { experiment: undefined }),
      document(),
    ]) {
      expect((await keeper.put(written(text))).ok).toBe(true);
    }
  });

  it('may change there while a split decides', async () => {
    const { keeper, kv } = world();
    await keeper.put(written(dealing(50)));
    kv.split = '{}';
    expect((await keeper.put(written(dealing(40)))).ok).toBe(true);
  });
});

describe('a promotion', () => {
  it('is not lost for spaces, where letters have several bytes', async () => {
    const { keeper, kv } = world();
    const names = Array.from({ length: 1_600 }, (_, n) => `Zürich-Köln-Größe-${n}`);
    await keeper.put(written(document({ audience: { exclude: [{ header: 'x-tenant', in: names }] } })));
    expect(await keeper.promote(promotion)).toMatchObject({ ok: true });
    expect(JSON.parse(kv.text!).routes[0].baseline).toBe('green');
  });

  it('changes baseline, weights and the shadow of its route, and nothing else', async () => {
    const { keeper, kv } = world();
    const shadows = [{ variant: 'green', percent: 10 }];
    await keeper.put(written(document({ salt: 'mine', weights: { blue: 90, green: 10 }, shadows })));
    const before = JSON.parse(kv.text!);
    expect(await keeper.promote(promotion)).toMatchObject({ ok: true, value: { revision: { actor: 'controller' } } });
    const [route] = before.routes;
    const promoted = { ...route, baseline: 'green', weights: { blue: 0, green: 100 }, shadows: [] };
    expect(JSON.parse(kv.text!)).toEqual({ ...before, routes: [promoted] });
  });

  it('goes over a document that somebody wrote into KV with a key that nobody knows', async () => {
    const { keeper, kv } = world();
    kv.text = document({ remark: 'by hand' });
    expect(await keeper.promote(promotion)).toMatchObject({
      ok: true,
      value: { warnings: [{ path: 'routes[0].remark' }] },
    });
    expect(JSON.parse(kv.text).routes[0]).toMatchObject({ baseline: 'green', remark: 'by hand' });
    expect(await keeper.put(written(document({ remark: 'again' })))).toMatchObject({ ok: false });
  });

  it('is told twice without harm, and refused with a name where there is nothing to tell', async () => {
    const { keeper, kv } = world();
    expect(await keeper.promote(promotion)).toMatchObject({ ok: false, error: { code: 'no_such_route' } });
    await keeper.put(written(document()));
    await keeper.promote(promotion);
    await keeper.promote(promotion);
    expect(keeper.revisions()).toHaveLength(2);
    kv.fault = 'throw';
    const back = { ...promotion, baseline: 'blue', weights: { blue: 100, green: 0 } };
    expect(await keeper.promote(back)).toMatchObject({ ok: false, error: { code: 'unpublished' } });
  });

  it('does not make a document too long that was not', async () => {
    const { keeper } = world();
    const variants = { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } };
    const routes = Array.from({ length: 190 }, (_, n) => ({
      ...{ name: n === 0 ? 'detect' : `route-${n}`, match: { path: `/${n}/*` }, variants },
      ...{ identity: [{ header: 'x-user-id' }, { cookie: true }], repeatable: ['GET', 'HEAD', 'POST'] },
      salt: 'x'.repeat(40),
    }));
    const text = JSON.stringify({ version: 1, routes });
    expect(JSON.stringify(JSON.parse(text), null, 2).length).toBeGreaterThan(65_536);
    expect((await keeper.put(written(text))).ok).toBe(true);
    expect((await keeper.promote(promotion)).ok).toBe(true);
  });
});
