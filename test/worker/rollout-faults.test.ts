import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import type { Batch } from '../../src/live/batch.ts';
import { routeIn } from './client.ts';
import { lenient, type RolloutWorld, startRolloutWorld, until } from './rollout-world.ts';

let world: RolloutWorld;

beforeAll(async () => {
  world = await startRolloutWorld(
    () => ({
      refused: {},
      hung: {},
      down: {},
      lost: {},
      slept: {},
      late: {},
      evicted: {},
      dead: {},
      found: {},
      unread: {},
      'told-late': {},
      owed: {},
      blind: {},
      judging: {},
      'hand-unread': {},
      'hand-told': {},
    }),
    { entry: "export { default, RolloutController, Recorder } from './test/worker/rollout-faults.ts';" },
  );
});

afterAll(() => world.close());
afterEach(() => fault('kv=none&edge=none&flush=none&confirm=none&config=none&skew=0&keys='));

async function fault(query: string): Promise<Batch[]> {
  const response = await fetch(`${world.headgate.url}/__fault?${query}`);
  return ((await response.json()) as { batches: Batch[] }).batches;
}

const long = (weight: number) => [
  { weight, for: '10m' },
  { weight: 100, for: '10m' },
];
const start = (route: string, plan: unknown = long(50), more: Record<string, unknown> = {}) =>
  world.api('POST', `/routes/${route}/rollout`, { to: 'green', plan, reason: 'release 2', ...more });
const abort = (route: string) => world.api('POST', `/routes/${route}/rollout/abort`, { reason: 'a bad feeling' });
const evict = (route: string) =>
  world.headgate.mf.unsafeEvictDurableObject('headgate', 'RolloutController', { name: `route:${route}` });
const kvSplit = async (route: string) => {
  const kv = await world.headgate.mf.getKVNamespace('CONFIG', 'headgate');
  return JSON.parse((await kv.get(`split:${route}`, 'text')) ?? 'null');
};
const variantsOf = async (route: string, n = 16) =>
  new Set((await Promise.all(Array.from({ length: n }, () => world.visit(route)))).map(({ variant }) => variant));
const servesOnly = (route: string, variant: string, seconds?: number) =>
  until(
    () => variantsOf(route),
    (seen) => seen.size === 1 && seen.has(variant),
    seconds,
  );

describe('KV', () => {
  it('may refuse a split: isolates follow by the flush, and KV has it later', async () => {
    const visitors = world.visitors('refused', 10);
    await start('refused');
    await until(
      () => variantsOf('refused'),
      (seen) => seen.has('green'),
    );
    await fault('kv=refuse');
    expect(await abort('refused')).toMatchObject({
      status: 200,
      body: { rollout: { phase: 'aborted' }, warnings: [expect.stringContaining('KV has not taken the split yet')] },
    });
    expect(await servesOnly('refused', 'blue', 3)).toEqual(new Set(['blue']));
    expect(await kvSplit('refused')).toMatchObject({ revision: 1, weights: { green: 50 } });
    const told = 'KV has not taken the split yet: only isolates with traffic follow';
    expect((await world.status('refused')).warnings).toEqual([told]);
    const { body } = await world.api('GET', '/doctor?route=refused');
    expect(body.findings).toContainEqual(
      expect.objectContaining({ about: 'route refused', state: 'warn', detail: told }),
    );
    await fault('kv=none');
    expect(
      await until(
        () => kvSplit('refused'),
        ({ revision }) => revision === 2,
      ),
    ).toMatchObject({ revision: 2, weights: { blue: 100, green: 0 }, rollout: null });
    const warnings = async () => (await world.status('refused')).warnings;
    expect(await until(warnings, (left) => left.length === 0)).toEqual([]);
    await visitors.stop();
  });

  it('may refuse the config of a promotion: it is promoted, and the config is told later', async () => {
    await start('owed');
    await world.api('POST', '/routes/owed/rollout/promote', { reason: 'it is good' });
    await fault('kv=refuse&keys=config');
    const promoted = await world.api('POST', '/routes/owed/rollout/promote', { reason: 'it is good' });
    expect(promoted).toMatchObject({
      status: 200,
      body: { rollout: { phase: 'promoted' }, split: { baseline: 'green' } },
    });
    const baselineInConfig = async () =>
      (await world.api('GET', '/config')).body.routes.find(({ name }: { name: string }) => name === 'owed').baseline;
    expect(await baselineInConfig()).toBeUndefined();
    expect(await start('owed')).toMatchObject({ status: 409, body: { code: 'config_behind' } });
    await fault('kv=none');
    await until(baselineInConfig, (baseline) => baseline === 'green');
    expect(await baselineInConfig()).toBe('green');
    expect(await world.actions('owed')).toEqual(['started', 'advanced', 'promoted', 'rollout-refused']);
  });

  it('may hang for reads and writes: an abort is carried out, and reaches the isolates in seconds', async () => {
    const visitors = world.visitors('hung', 20);
    await start('hung');
    await until(
      () => variantsOf('hung'),
      (seen) => seen.has('green'),
    );
    await fault('kv=hang&edge=hang');
    const began = Date.now();
    expect(await abort('hung')).toMatchObject({ status: 200, body: { rollout: { phase: 'aborted' } } });
    expect(await servesOnly('hung', 'blue', 4)).toEqual(new Set(['blue']));
    expect(Date.now() - began).toBeLessThan(10_000);
    const visits = await visitors.stop();
    expect(visits.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it('that cannot be read after a restart neither ends manual mode nor begins revisions anew', async () => {
    await world.headgate.put('weights:unread', { blue: 60, green: 40 });
    expect(await world.status('unread')).toMatchObject({ byHand: { blue: 60, green: 40 } });
    await fault('kv=throw');
    await evict('unread');
    expect(await world.status('unread')).toMatchObject({ byHand: { blue: 60, green: 40 } });
    expect(await world.actions('unread')).toEqual(['manual-started']);
    expect(await world.api('PUT', '/routes/unread/split', { weights: { blue: 100 } })).toMatchObject({
      status: 503,
      body: { code: 'no_config' },
    });
  });
});

describe('a controller', () => {
  it('that throws at every flush costs visitors nothing, and counts the batch once when it is back', async () => {
    await world.headgate.put('split:down', {
      ...{
        revision: 3,
        weights: { blue: 50, green: 50 },
        baseline: 'blue',
        rollout: null,
        variants: await hashOf('down'),
      },
    });
    await sleep(1_100);
    await world.visit('down');
    await fault('flush=throw');
    const visitors = world.visitors('down', 20);
    await sleep(3_500);
    const visits = await visitors.stop();
    expect(visits.filter(({ status }) => status !== 200)).toEqual([]);
    const refused = (await fault('flush=none')).filter(({ route }) => route === 'down');
    const [first] = refused;
    expect(refused.length).toBeGreaterThan(1);
    expect(refused.every((batch) => JSON.stringify(batch) === JSON.stringify(first))).toBe(true);
    const total = visits.length + 1;
    const counted = await until(
      () => countedOn('down'),
      (n) => n >= total,
    );
    await sleep(1_000);
    expect([counted, await countedOn('down')]).toEqual([total, total]);
  });

  it('whose reply is lost after it counted gets the batch again, and counts it once', async () => {
    await fault('flush=lose');
    await start('lost');
    const visitors = world.visitors('lost', 20);
    await sleep(4_000);
    const visits = await visitors.stop();
    const [first, ...again] = (await fault('flush=none')).filter(({ route }) => route === 'lost');
    expect(again).not.toEqual([]);
    for (const batch of again) expect(batch).toEqual(first);
    await world.visit('lost');
    const total = visits.length + 1;
    await until(
      () => countedOn('lost'),
      (n) => n >= total,
    );
    await sleep(1_000);
    expect(await countedOn('lost')).toBe(total);
  });

  it('that was evicted in the middle of a step goes on with its evidence and its step', async () => {
    const visitors = world.visitors('evicted', 40);
    await start('evicted', [{ weight: 50, for: '4s', maxFor: '1m', minSamples: 60 }, ...long(100)], {
      guardrails: lenient,
    });
    const seen = await until(
      () => world.status('evicted'),
      ({ rollout }) => rollout.guardrails[0].candidate.n > 20,
    );
    const { id } = seen.rollout;
    await evict('evicted');
    const after = await world.status('evicted');
    expect(after.rollout).toMatchObject({ id, step: 1, phase: 'progressing' });
    expect(after.rollout.guardrails[0].candidate.n).toBeGreaterThanOrEqual(seen.rollout.guardrails[0].candidate.n);
    await until(
      () => world.status('evicted'),
      ({ rollout }) => rollout.step === 2,
    );
    await evict('evicted');
    // So young a rollout may know the baseline by a few trials of an earlier tick alone; then it takes failures of a second tick.
    world.greenFails.set('evicted', 100);
    const ended = await until(
      () => world.status('evicted'),
      ({ rollout }) => rollout.phase === 'aborted',
      30,
    );
    await visitors.stop();
    expect(ended.rollout, JSON.stringify(ended.rollout.guardrails)).toMatchObject({ id, phase: 'aborted' });
    expect(await world.actions('evicted')).toEqual(['started', 'advanced', 'aborted']);
  });

  it('that cannot read the config after a restart still aborts, and goes no further', async () => {
    await start('blind');
    await fault('config=throw');
    await evict('blind');
    const tell = (kind: string) => world.api('POST', `/routes/blind/rollout/${kind}`, { reason: 'now' });
    expect(await tell('promote')).toMatchObject({ status: 503, body: { code: 'no_config' } });
    expect((await tell('abort')).status).toBe(200);
    await fault('config=none');
    const { rollout, split } = await world.status('blind');
    expect(rollout).toMatchObject({ phase: 'aborted', step: 1 });
    expect(split.weights).toEqual({ blue: 100, green: 0 });
    expect(await world.actions('blind')).toEqual(['started', 'promote-refused', 'aborted']);
  });

  it('that cannot read the config after a restart still takes back what fails', async () => {
    const visitors = world.visitors('judging', 30);
    await start('judging');
    await fault('config=throw');
    await evict('judging');
    world.greenFails.set('judging', 100);
    const entries = await until(
      () => world.history('judging'),
      (seen) => seen.at(-1)!.action === 'aborted',
    );
    expect(entries.at(-1)).toMatchObject({ actor: 'controller', action: 'aborted' });
    expect(await servesOnly('judging', 'blue', 12)).toEqual(new Set(['blue']));
    await visitors.stop();
    await fault('config=none');
  });

  it('that lost its state adopts the split in KV, and goes on above it and every id', async () => {
    const rollout = `r-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}-1`;
    await world.headgate.put('split:found', {
      revision: 12,
      ...{
        weights: { blue: 75, green: 25 },
        baseline: 'blue',
        salt: rollout,
        rollout,
        variants: await hashOf('found'),
      },
    });
    const status = await world.status('found');
    expect(status).toMatchObject({ split: { revision: 12, weights: { blue: 75, green: 25 } }, rollout: null });
    expect((await world.history('found'))[0]).toMatchObject({
      action: 'adopted',
      reason: expect.stringContaining('nobody watches it'),
    });
    const started = await start('found');
    expect(started.body.split.revision).toBe(13);
    expect(started.body.rollout.id).not.toBe(rollout);
  });

  it('that slept past its alarm, and is woken twice, takes each step once', async () => {
    await start('late', [{ weight: 10, for: '2s' }, ...long(100)], { guardrails: lenient });
    await world.api('POST', '/routes/late/rollout/pause', { reason: 'lunch' });
    await fault('skew=7200000');
    const both = await Promise.all([world.status('late'), world.status('late')]);
    for (const { rollout } of both) expect(rollout).toMatchObject({ phase: 'paused', step: 1 });
    await world.api('POST', '/routes/late/rollout/resume', { reason: 'back' });
    await fault('skew=14400000');
    const { rollout } = await world.status('late');
    expect(rollout).toMatchObject({ phase: 'progressing', step: 1 });
    await fault('skew=0');
    expect((await world.status('late')).rollout).toMatchObject({ phase: 'progressing', step: 1 });
    expect(await world.actions('late')).toEqual(['started', 'paused', 'resumed']);
  });

  it('whose clock is set back after weights by hand have gone waits for no isolate that served by them', async () => {
    const told = (byHand: boolean) =>
      until(
        async () => {
          await world.visit('hand-told');
          return (await fault('')).some(({ route, isByHand }) => route === 'hand-told' && isByHand === byHand);
        },
        (isTold) => isTold,
      );
    await start('hand-told');
    await fault('skew=3600000');
    await world.headgate.put('weights:hand-told', { blue: 100 });
    await told(true);
    await world.headgate.put('weights:hand-told', {});
    await until(
      () => world.phase('hand-told'),
      (phase) => phase === 'progressing',
    );
    await told(false);
    await fault('skew=0');
    expect((await world.status('hand-told')).rollout.waitsFor).not.toContain('some isolates: weights set by hand');
  });
});

describe('an isolate', () => {
  it('that slept during a rollout has its first request confirmed', async () => {
    await start('slept');
    await until(
      () => variantsOf('slept'),
      (seen) => seen.has('green'),
    );
    // Neither KV nor a flush tells this isolate of the abort.
    await fault('edge=old&flush=throw');
    await abort('slept');
    expect(await variantsOf('slept')).toContain('green');
    await fault('edge=old&flush=throw&skew=16000');
    expect(await variantsOf('slept')).toEqual(new Set(['blue']));
  });

  it('goes on with what it knows when nobody can confirm it', async () => {
    await start('dead');
    await until(
      () => variantsOf('dead'),
      (seen) => seen.has('green'),
    );
    await fault('edge=old&flush=throw&confirm=throw&skew=16000');
    const visits = await Promise.all(Array.from({ length: 16 }, () => world.visit('dead')));
    expect(visits.map(({ status }) => status)).toEqual(visits.map(() => 200));
    expect(new Set(visits.map(({ variant }) => variant))).toContain('green');
  });

  it('that could never read weights by hand is not told the split that they beat', async () => {
    await start('hand-unread');
    await world.headgate.put('weights:hand-unread', { blue: 99, green: 1 });
    expect(await world.status('hand-unread')).toMatchObject({ rollout: { phase: 'paused' } });
    await fault('edge=throw');
    expect(await variantsOf('hand-unread')).toEqual(new Set(['blue']));
    await until(
      () => fault('edge=throw'),
      (batches) => batches.some(({ route }) => route === 'hand-unread'),
      25,
    );
    await sleep(1_000);
    expect(await variantsOf('hand-unread')).toEqual(new Set(['blue']));
  });

  it('that tells late of an aborted rollout adds nothing to the next one', async () => {
    world.greenFails.set('told-late', 100);
    await start('told-late', long(50), { guardrails: lenient });
    await until(
      () => variantsOf('told-late'),
      (seen) => seen.has('green'),
    );
    await fault('flush=throw');
    for (let n = 0; n < 3; n++) await variantsOf('told-late', 30);
    await abort('told-late');
    const next = await start('told-late', long(50), { guardrails: lenient });
    await fault('flush=none');
    await until(
      () => world.status('told-late'),
      ({ live }) => live.green.failed > 20,
      10,
    );
    const told = (await fault('')).filter(({ route }) => route === 'told-late').flatMap(({ evidence }) => evidence);
    expect(told.length).toBeGreaterThan(0);
    expect(told.map(({ rollout }) => rollout)).not.toContain(next.body.rollout.id);
    const { rollout } = await world.status('told-late');
    expect(rollout).toMatchObject({ id: next.body.rollout.id, phase: 'progressing' });
    expect(rollout.guardrails[0].candidate).toEqual({ n: 0, bad: 0 });
  });
});

async function countedOn(route: string): Promise<number> {
  const { live } = await world.status(route);
  return live.blue.requests + live.green.requests;
}

/** The hash of a route's variants, as a split must name it. */
async function hashOf(route: string): Promise<string> {
  return variantsHash(routeIn((await world.api('GET', '/config')).body, route));
}
