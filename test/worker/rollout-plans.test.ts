import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, startOrigin } from './harness.ts';
import { lenient, type RolloutWorld, startRolloutWorld, until } from './rollout-world.ts';

let world: RolloutWorld;
/** Origins of one kind of answer: late ones, and streams of a chat with and without their terminator. */
let late: Origin;
let whole: Origin;
let endless: Origin;

const streaming = (text: string) =>
  startOrigin((_, response) => {
    response.setHeader('content-type', 'text/event-stream');
    response.end(`data: {"object":"chat.completion.chunk","choices":[]}\n\n${text}`);
  });

beforeAll(async () => {
  late = await startOrigin((_, response) => setTimeout(() => response.end('green'), 1_200));
  whole = await streaming('data: [DONE]\n\n');
  endless = await streaming('');
  world = await startRolloutWorld(({ blue, green }) => {
    const health = { path: '/health', expect: 200 };
    const checked = { blue: { url: blue }, green: { url: green, health } };
    return {
      good: {},
      held: {},
      gated: {},
      'blue-green': {},
      late: {
        variants: { blue: { url: blue }, green: { url: late.url } },
        guardrails: [{ metric: 'slow', sloMs: 1_000, critical: true, required: true }],
      },
      streams: {
        variants: { blue: { url: whole.url }, green: { url: endless.url } },
        guardrails: [{ metric: 'truncated', critical: true, required: true }],
      },
      judged: { identity: [{ cookie: true }] },
      shadow: { repeatable: ['GET'], shadows: [{ variant: 'green', percent: 0, repeat: 50 }] },
      mixed: { shadows: [{ variant: 'green', percent: 0, repeat: 50 }] },
      sick: { variants: checked },
      'sick-switch': { variants: checked },
      undone: {},
      'undone-late': {},
      'undone-changed': {},
      'undone-applied': {},
      'undone-slots': {},
    };
  });
});

afterAll(async () => {
  await world.close();
  await Promise.all([late, whole, endless].map((origin) => origin.close()));
});

const start = (route: string, plan: unknown, more: Record<string, unknown> = {}) =>
  world.api('POST', `/routes/${route}/rollout`, {
    to: 'green',
    plan,
    guardrails: lenient,
    reason: 'release 2',
    ...more,
  });
const tell = (route: string, call: string, body: Record<string, unknown> = {}) =>
  world.api('POST', `/routes/${route}/${call}`, { reason: 'as agreed', ...body });
const isIn = (route: string, phase: string, seconds?: number) =>
  until(
    () => world.status(route),
    ({ rollout }) => rollout?.phase === phase,
    seconds,
  );
const variantsOf = async (route: string, n = 12) =>
  new Set((await Promise.all(Array.from({ length: n }, () => world.visit(route)))).map(({ variant }) => variant));

const long = (weight: number) => ({ weight, for: '10m' });

describe.concurrent('a good candidate', () => {
  it('is promoted step by step on evidence, and the config says so', async () => {
    const visitors = world.visitors('good', 60);
    const started = await start('good', [
      { weight: 20, for: '3s', maxFor: '1m', minSamples: 20 },
      { weight: 100, for: '2s', maxFor: '1m', minSamples: 20 },
    ]);
    expect(started.body).toMatchObject({ rollout: { phase: 'progressing', step: 1, steps: 2 } });
    const { split, rollout } = await isIn('good', 'promoted', 40);
    await visitors.stop();
    expect(rollout.phase).toBe('promoted');
    expect(split).toMatchObject({ weights: { blue: 0, green: 100 }, baseline: 'green', rollout: null });
    const { body: document } = await world.api('GET', '/config');
    const route = document.routes.find(({ name }: { name: string }) => name === 'good');
    expect(route).toMatchObject({ baseline: 'green', weights: { blue: 0, green: 100 } });
    expect(await world.actions('good')).toEqual(['started', 'advanced', 'promoted']);
  });
});

describe.concurrent('a rollout by hand', () => {
  it('is paused, resumed, promoted step by step, and bakes before it ends', async () => {
    await start('held', [long(10), long(50), { weight: 100, for: '2s', minSamples: 1 }]);
    expect(await tell('held', 'rollout/pause')).toMatchObject({ status: 200, body: { rollout: { phase: 'paused' } } });
    expect(await tell('held', 'rollout/pause')).toMatchObject({ status: 409, body: { code: 'already_paused' } });
    expect(await tell('held', 'rollout/resume')).toMatchObject({
      body: { rollout: { phase: 'progressing', step: 1 } },
    });
    expect(await tell('held', 'rollout/resume')).toMatchObject({ status: 409, body: { code: 'not_paused' } });
    expect(await tell('held', 'rollout/promote')).toMatchObject({ body: { rollout: { step: 2, weight: 50 } } });
    expect(await start('held', [long(10)])).toMatchObject({ status: 409, body: { code: 'rollout_running' } });
    expect(await world.api('PUT', '/routes/held/split', { weights: { blue: 100 } })).toMatchObject({ status: 409 });
    expect(await tell('held', 'switch', { to: 'green' })).toMatchObject({ status: 409 });
    expect(await tell('held', 'rollout/promote')).toMatchObject({
      body: {
        rollout: { step: 3, phase: 'progressing' },
        split: { weights: { blue: 0, green: 100 }, baseline: 'blue' },
      },
    });
    // Nobody has come yet, so there is nothing to hold the bake against: a person must approve.
    expect((await tell('held', 'rollout/promote')).body.rollout.phase).toBe('promoted');
    expect(await tell('held', 'rollout/abort')).toMatchObject({ status: 409, body: { code: 'no_rollout' } });
    expect(await world.actions('held')).toEqual([
      'started',
      'paused',
      'pause-refused',
      'resumed',
      'resume-refused',
      'advanced',
      'rollout-refused',
      'split-refused',
      'switch-refused',
      'advanced',
      'promoted',
      'abort-refused',
    ]);
  });

  it('waits at an approval gate, however good the evidence', async () => {
    const visitors = world.visitors('gated', 40);
    await start('gated', [{ weight: 50, for: '1s', maxFor: '1m', minSamples: 20, approval: true }, long(100)]);
    const waiting = await isIn('gated', 'awaiting-approval');
    expect(waiting).toMatchObject({
      rollout: { phase: 'awaiting-approval', step: 1 },
      split: { weights: { green: 50 } },
    });
    expect(waiting.rollout.waitsFor).toContain('headgate rollout promote gated');
    expect(waiting.rollout.guardrails[0]).toMatchObject({ metric: 'errors', verdict: 'pass' });
    expect(await tell('gated', 'rollout/promote')).toMatchObject({ body: { rollout: { step: 2 } } });
    await visitors.stop();
  });
});

describe.concurrent('blue-green', () => {
  it('awaits approval at no traffic, switches at once, and goes back at once', async () => {
    const started = await start('blue-green', 'blue-green');
    expect(started).toMatchObject({
      body: { rollout: { phase: 'awaiting-approval', step: 1, steps: 2 }, split: { weights: { blue: 100, green: 0 } } },
    });
    expect(await variantsOf('blue-green')).toEqual(new Set(['blue']));
    const switched = await tell('blue-green', 'rollout/promote');
    expect(switched.body).toMatchObject({ split: { weights: { blue: 0, green: 100 }, baseline: 'blue' } });
    await until(
      () => variantsOf('blue-green', 1),
      (seen) => seen.has('green'),
    );
    expect(await tell('blue-green', 'rollback')).toMatchObject({
      status: 200,
      body: { rollout: { phase: 'aborted' }, split: { weights: { blue: 100, green: 0 } } },
    });
    await until(
      () => variantsOf('blue-green', 1),
      (seen) => seen.has('blue'),
    );
    expect(await variantsOf('blue-green')).toEqual(new Set(['blue']));
  });

  it('holds a switch that was approved at once against the hour before it, though nobody keeps a cookie', async () => {
    const visitors = world.visitors('judged', 60);
    await until(
      () => world.status('judged'),
      ({ live }) => live.blue.requests > 150,
    );
    await start('judged', 'blue-green', { guardrails: undefined });
    world.greenFails.set('judged', 30);
    await tell('judged', 'rollout/promote');
    const { rollout, split } = await isIn('judged', 'aborted', 15);
    await visitors.stop();
    expect(rollout).toMatchObject({ phase: 'aborted' });
    expect(rollout.reason).toContain('baseline earlier 0 of');
    expect(split.weights).toEqual({ blue: 100, green: 0 });
  });

  it.each(['late', 'streams'])(
    'holds a switch against the hour before it by the guardrails of the config: %s',
    async (route) => {
      const visitors = world.visitors(route, 60);
      await until(
        () => world.status(route),
        ({ live }) => live.blue.requests > 150,
      );
      await start(route, 'blue-green', { guardrails: undefined });
      await tell(route, 'rollout/promote');
      const { rollout } = await isIn(route, 'aborted', 15);
      await visitors.stop();
      expect(rollout.reason).toMatch(/^(slow|truncated): .*baseline earlier [0-9,]+ of/);
    },
  );
});

describe.concurrent('a shadow plan', () => {
  it('mirrors, moves no traffic, and completes with a report', async () => {
    const visitors = world.visitors('shadow', 20);
    const started = await start('shadow', [{ shadow: 100, for: '2s', maxFor: '1m', minSamples: 20 }], {
      guardrails: undefined,
    });
    expect(started.body).toMatchObject({ split: { weights: { blue: 100, green: 0 }, shadows: { green: 100 } } });
    const { split } = await isIn('shadow', 'completed');
    const visits = await visitors.stop();
    expect(new Set(visits.map(({ variant }) => variant))).toEqual(new Set(['blue']));
    expect(split).toMatchObject({ weights: { blue: 100, green: 0 }, baseline: 'blue', shadows: {} });
    expect(world.greenSeen('shadow').length).toBeGreaterThan(19);
    const { body } = await world.api('GET', '/routes/shadow/comparisons');
    expect(body.classes['body-mismatch']).toBeGreaterThan(19);
    expect(await world.actions('shadow')).toEqual(['started', 'completed']);
  });

  it('may come before a canary in one rollout', async () => {
    const visitors = world.visitors('mixed', 60);
    await start('mixed', [
      { shadow: 100, for: '1s', maxFor: '1m', minSamples: 10 },
      { shadow: 0, weight: 50, for: '1s', maxFor: '1m', minSamples: 20 },
      { weight: 100, for: '1s', maxFor: '1m', minSamples: 20 },
    ]);
    const { split } = await isIn('mixed', 'promoted', 30);
    await visitors.stop();
    expect(split).toMatchObject({ weights: { blue: 0, green: 100 }, baseline: 'green', shadows: {} });
    const steps = (await world.history('mixed')).map(({ after }) => after);
    expect(steps.map(({ weights, shadows }) => [weights.green, shadows.green ?? 0])).toEqual([
      [0, 100],
      [50, 0],
      [100, 0],
      [100, 0],
    ]);
  });
});

describe('health', () => {
  it('is asked before a rollout begins and before a switch, and refuses both', async () => {
    world.greenIs.sick = true;
    expect(await start('sick', [long(5)])).toMatchObject({
      status: 409,
      body: { code: 'unhealthy', detail: expect.stringContaining('GET /health answered 503, not 200') },
    });
    expect(await tell('sick-switch', 'switch', { to: 'green' })).toMatchObject({
      status: 409,
      body: { code: 'unhealthy' },
    });
    expect((await world.status('sick')).split).toMatchObject({ revision: 0, weights: { blue: 100, green: 0 } });
    world.greenIs.sick = false;
    expect(await start('sick', [long(5), long(100)])).toMatchObject({ status: 200 });
    world.greenIs.sick = true;
    expect(await tell('sick', 'rollout/promote')).toMatchObject({ status: 409, body: { code: 'unhealthy' } });
    expect((await world.status('sick')).rollout).toMatchObject({ step: 1, phase: 'progressing' });
    expect(await tell('sick-switch', 'switch', { to: 'green', force: true })).toMatchObject({
      status: 200,
      body: { split: { weights: { blue: 0, green: 100 } } },
    });
    world.greenIs.sick = false;
  });
});

describe('a rollback', () => {
  it('undoes a promotion, in the split and in the config', async () => {
    await start('undone', [long(50), long(100)]);
    for (const step of [2, 3]) expect((await tell('undone', 'rollout/promote')).status, `step ${step}`).toBe(200);
    const routeInConfig = async () =>
      (await world.api('GET', '/config')).body.routes.find(({ name }: { name: string }) => name === 'undone');
    expect(await routeInConfig()).toMatchObject({ baseline: 'green', weights: { blue: 0, green: 100 } });
    const back = await tell('undone', 'rollback');
    expect(back.body).toMatchObject({ split: { weights: { blue: 100, green: 0 }, baseline: 'blue' } });
    expect(await routeInConfig()).toMatchObject({ baseline: 'blue', weights: { blue: 100, green: 0 } });
    expect(await tell('undone', 'rollback')).toMatchObject({ status: 409, body: { code: 'already_there' } });
  });

  it.each([
    ['rollout', { to: 'green', plan: [long(100)] }],
    ['switch', { to: 'green' }],
  ])('undoes a %s to a candidate that had changed in the config', async (call, body) => {
    const route = 'undone-changed';
    await world.api('PUT', `/routes/${route}/split`, { weights: { blue: 90, green: 10 } });
    const { body: document } = await world.api('GET', '/config');
    const { variants } = document.routes.find(({ name }: { name: string }) => name === route);
    variants.green.headers = { 'x-build': call };
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
    expect(await world.status(route)).toMatchObject({ inForce: { source: 'baseline', weights: { blue: 100 } } });
    expect(await tell(route, call, body)).toMatchObject({ status: 200 });
    if (call === 'rollout') await tell(route, 'rollout/promote');
    expect(await tell(route, 'rollback')).toMatchObject({
      status: 200,
      body: { split: { weights: { blue: 100, green: 0 }, baseline: 'blue' }, inForce: { source: 'split' } },
    });
  });

  it('undoes a config that took the traffic from the newest split, not the release before it', async () => {
    const route = 'undone-applied';
    await tell(route, 'switch', { to: 'green' });
    const { body: document } = await world.api('GET', '/config');
    const { variants } = document.routes.find(({ name }: { name: string }) => name === route);
    variants.blue.headers = { 'x-build': '3' };
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
    expect(await world.status(route)).toMatchObject({ inForce: { source: 'baseline', weights: { blue: 100 } } });
    const refused = { code: 'variants_changed', detail: expect.stringContaining('split 1') };
    expect(await tell(route, 'rollback')).toMatchObject({ status: 409, body: refused });
    expect((await world.api('GET', `/routes/${route}/splits`)).body).toMatchObject({
      splits: [{ revision: 1 }, { revision: 0 }],
      refused,
    });
    expect(await tell(route, 'rollback', { force: true })).toMatchObject({
      body: { inForce: { source: 'split', weights: { blue: 0, green: 100 } } },
    });
  });

  it.each([
    ['rollout', { to: 'blue', plan: [long(100)] }],
    ['switch', { to: 'blue' }],
  ])('of a %s leaves the baseline that the config had named before', async (call, body) => {
    const route = 'undone-slots';
    await tell(route, 'switch', { to: 'green' });
    const { body: document } = await world.api('GET', '/config');
    const inConfig = (config: { routes: { name: string; baseline?: string }[] }) =>
      config.routes.find(({ name }) => name === route)!;
    inConfig(document).baseline = 'green';
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
    expect(await tell(route, call, body)).toMatchObject({ status: 200 });
    if (call === 'rollout') await tell(route, 'rollout/promote');
    expect(await tell(route, 'rollback')).toMatchObject({
      status: 200,
      body: { split: { weights: { blue: 0, green: 100 }, baseline: 'green' } },
    });
    expect(inConfig((await world.api('GET', '/config')).body).baseline).toBe('green');
    await tell(route, 'switch', { to: 'blue' });
    inConfig(document).baseline = 'blue';
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
  });

  it('goes to a named revision, and after a change of the variants only with force', async () => {
    await world.api('PUT', '/routes/undone-late/split', { weights: { blue: 70, green: 30 }, reason: 'a first look' });
    await world.api('PUT', '/routes/undone-late/split', { weights: { blue: 90, green: 10 }, reason: 'too much' });
    expect(await tell('undone-late', 'rollback', { revision: 1 })).toMatchObject({
      body: { split: { revision: 3, weights: { blue: 70, green: 30 } } },
    });
    expect(await tell('undone-late', 'rollback', { revision: 77 })).toMatchObject({
      status: 422,
      body: { code: 'unknown_revision' },
    });
    const { body: document } = await world.api('GET', '/config');
    const route = document.routes.find(({ name }: { name: string }) => name === 'undone-late');
    route.variants.green.headers = { 'x-build': '2' };
    expect((await world.api('PUT', '/config', document)).status).toBe(200);
    await sleep(100);
    expect(await tell('undone-late', 'rollback', { revision: 2 })).toMatchObject({
      status: 409,
      body: { code: 'variants_changed' },
    });
    expect(await tell('undone-late', 'rollback', { revision: 2, force: true })).toMatchObject({
      status: 200,
      body: { split: { revision: 4, weights: { blue: 90, green: 10 } } },
    });
  });
});
