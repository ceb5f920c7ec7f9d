import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusingUrl } from './faulty-origin.ts';
import { type Origin, startOrigin } from './harness.ts';
import { lenient, type RolloutWorld, startRolloutWorld, until, type Visit } from './rollout-world.ts';

let world: RolloutWorld;
/** Its health is fine until it is silent. */
let moody: Origin;
let isSilent = false;
/** Its health takes so long. */
let slow: Origin;
let healthMs = 0;

beforeAll(async () => {
  const refusing = await refusingUrl();
  moody = await startOrigin(({ url }, response) => {
    if (!isSilent || url !== '/health') response.end();
  });
  slow = await startOrigin(({ url }, response) => {
    setTimeout(() => response.end(), url === '/health' ? healthMs : 0);
  });
  const checked = { url: moody.url, health: { path: '/health' } };
  const checkedSlowly = { url: slow.url, health: { path: '/health' } };
  world = await startRolloutWorld(({ blue, green }) => ({
    silent: { variants: { blue: { url: blue }, green: { url: green, health: { path: '/health' } } } },
    'by-hand': {},
    'by-verdict': {},
    fifth: {},
    refusing: {
      variants: { blue: { url: blue }, green: { url: refusing } },
      failover: undefined,
      ejection: true,
    },
    streams: {},
    bake: {},
    quiet: {},
    returning: { variants: { blue: checked, green: { url: green } } },
    'going-on': { variants: { blue: checkedSlowly, green: { url: green } } },
    held: { variants: { blue: { url: blue }, green: checkedSlowly } },
    turning: { variants: { blue: { url: blue }, green: checked } },
  }));
});

afterAll(async () => {
  await world.close();
  await Promise.all([moody.close(), slow.close()]);
});

const long = (weight: number) => [
  { weight, for: '10m' },
  { weight: 100, for: '10m' },
];

const start = (route: string, weight: number, more: Record<string, unknown> = {}) =>
  world.api('POST', `/routes/${route}/rollout`, { to: 'green', plan: long(weight), reason: 'release 2', ...more });

/** Until the rollout is aborted, and four seconds more. */
async function watched(route: string, visitors: { stop(): Promise<Visit[]> }) {
  const phase = await until(
    () => world.phase(route),
    (now) => now === 'aborted',
    25,
  );
  const abortedAtMs = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  return { phase, abortedAtMs, visits: await visitors.stop() };
}

const lateAt = (route: string, abortedAtMs: number) =>
  world.greenSeen(route).filter((atMs) => atMs > abortedAtMs + 3_000);

describe.concurrent('the way back', () => {
  it('is there three seconds after an abort by hand, at ten requests a second', async () => {
    const visitors = world.visitors('by-hand', 10);
    await start('by-hand', 50);
    await until(
      async () => world.greenSeen('by-hand').length,
      (n) => n > 5,
    );
    const aborted = await world.api('POST', '/routes/by-hand/rollout/abort', { reason: 'a bad feeling' });
    expect(aborted).toMatchObject({ status: 200, body: { rollout: { phase: 'aborted' } } });
    const { abortedAtMs, visits } = await watched('by-hand', visitors);
    expect(world.greenSeen('by-hand').length).toBeGreaterThan(5);
    expect(lateAt('by-hand', abortedAtMs)).toEqual([]);
    expect(visits.filter(({ sentAtMs }) => sentAtMs > abortedAtMs + 3_000).length).toBeGreaterThan(5);
    expect(await world.actions('by-hand')).toEqual(['started', 'aborted']);
  });

  it('waits for no health check of the candidate, however many looks ask for one', async () => {
    const visitors = world.visitors('silent', 30);
    const plan = [
      { weight: 50, for: '1s', minSamples: 20, maxFor: '10m' },
      { weight: 100, for: '10m' },
    ];
    expect((await start('silent', 50, { plan, guardrails: lenient })).status).toBe(200);
    world.greenIs.silent = true;
    await until(
      async () => world.unanswered(),
      (n) => n >= 3,
      30,
    );
    expect(await world.status('silent')).toMatchObject({ rollout: { phase: 'progressing', step: 1 } });
    // People's own checks hold nobody up either, and do nothing once the rollout has ended.
    const promotes = [1, 2].map(() => world.api('POST', '/routes/silent/rollout/promote', { reason: 'in haste' }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = Date.now();
    const aborted = await world.api('POST', '/routes/silent/rollout/abort', { reason: 'a bad feeling' });
    const tookMs = Date.now() - began;
    world.greenIs.silent = false;
    expect(aborted).toMatchObject({ status: 200, body: { rollout: { phase: 'aborted' } } });
    // A check is given five seconds.
    expect(tookMs).toBeLessThan(4_500);
    for (const promoted of await Promise.all(promotes)) {
      expect(promoted).toMatchObject({ status: 412, body: { code: 'stale' } });
    }
    await visitors.stop();
  });

  it('waits for no health check of another call, and is not undone by it', async () => {
    const full = [{ weight: 100, for: '10m' }];
    expect((await start('returning', 100, { plan: full })).status).toBe(200);
    isSilent = true;
    const back = world.api('POST', '/routes/returning/rollback', { reason: 'by the book' });
    const turn = world.api('POST', '/routes/turning/switch', { to: 'green', reason: 'release 2' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    let isAnswered = false;
    void Promise.race([back, turn]).then(() => {
      isAnswered = true;
    });
    const aborted = await world.api('POST', '/routes/returning/rollout/abort', { reason: 'a bad feeling' });
    const turned = await world.api('POST', '/routes/turning/switch', { to: 'blue', reason: 'not yet' });
    expect(isAnswered).toBe(false);
    isSilent = false;
    expect(aborted).toMatchObject({ status: 200, body: { rollout: { phase: 'aborted' } } });
    expect(turned).toMatchObject({ status: 200, body: { split: { weights: { blue: 100 } } } });
    for (const late of await Promise.all([back, turn])) {
      expect(late).toMatchObject({ status: 412, body: { code: 'stale' } });
    }
    expect(await world.status('turning')).toMatchObject({ split: { weights: { blue: 100 }, reason: 'not yet' } });
    expect(await world.actions('returning')).toEqual(['started', 'aborted', 'rollback-refused']);
  });

  it('is not refused because the rollout went on by itself while health was asked', async () => {
    const visitors = world.visitors('going-on', 20);
    await until(
      () => world.status('going-on'),
      ({ live }) => live.blue.requests > 30,
    );
    const plan = [{ weight: 100, for: '4s', minSamples: 5 }];
    const only = [{ metric: 'errors', critical: true }];
    expect((await start('going-on', 100, { plan, guardrails: only })).status).toBe(200);
    healthMs = 4_000;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const back = await world.api('POST', '/routes/going-on/rollback', { reason: 'wrong answers' });
    healthMs = 0;
    await visitors.stop();
    expect(back).toMatchObject({
      status: 200,
      body: { split: { weights: { blue: 100, green: 0 }, baseline: 'blue' } },
    });
  });

  it('of a pause is not undone by a promotion that waited for health', async () => {
    const plan = [
      { weight: 5, for: '10m' },
      { weight: 50, for: '10m' },
      { weight: 100, for: '10m' },
    ];
    expect((await start('held', 5, { plan })).status).toBe(200);
    healthMs = 2_000;
    const promoting = world.api('POST', '/routes/held/rollout/promote', { reason: 'in haste' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const paused = await world.api('POST', '/routes/held/rollout/pause', { reason: 'an incident elsewhere' });
    expect(paused).toMatchObject({ status: 200, body: { rollout: { phase: 'paused' } } });
    expect(await promoting).toMatchObject({ status: 412, body: { code: 'stale' } });
    healthMs = 0;
    expect(await world.status('held')).toMatchObject({ rollout: { phase: 'paused', step: 1 } });
  });

  it('follows from evidence when a candidate fails every request', async () => {
    const visitors = world.visitors('by-verdict', 50);
    await start('by-verdict', 10);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await world.phase('by-verdict')).toBe('progressing');
    world.greenFails.set('by-verdict', 100);
    const { phase, abortedAtMs } = await watched('by-verdict', visitors);
    expect(phase).toBe('aborted');
    expect(lateAt('by-verdict', abortedAtMs)).toEqual([]);
    const { rollout, split } = await world.status('by-verdict');
    expect(split).toMatchObject({ weights: { blue: 100, green: 0 }, rollout: null, by: 'controller' });
    expect(rollout.reason).toMatch(/errors: .*candidate \d+ bad of \d+ unit checks.*fail/);
    const [aborted] = (await world.history('by-verdict')).reverse();
    expect(aborted).toMatchObject({ actor: 'controller', action: 'aborted', after: { phase: 'aborted' } });
    expect(aborted.evidence.join(' ')).toContain('errors');
  });

  it('follows from evidence when a candidate fails every fifth request', async () => {
    world.greenFails.set('fifth', 20);
    const visitors = world.visitors('fifth', 50);
    await start('fifth', 20);
    const { phase, abortedAtMs } = await watched('fifth', visitors);
    expect(phase).toBe('aborted');
    expect(lateAt('fifth', abortedAtMs)).toEqual([]);
  });

  it('costs visitors no failed request when the candidate refuses every connection', async () => {
    const visitors = world.visitors('refusing', 50);
    await start('refusing', 20);
    const { phase, visits } = await watched('refusing', visitors);
    expect(phase).toBe('aborted');
    expect(visits.filter(({ status }) => status !== 200)).toEqual([]);
    expect(visits.some(({ failover }) => failover === 'green')).toBe(true);
  });

  it('is taken during the bake too, against what the baseline did before', async () => {
    const visitors = world.visitors('bake', 40);
    await world.api('POST', '/routes/bake/rollout', {
      to: 'green',
      plan: [
        { weight: 50, for: '1s', maxFor: '1m', minSamples: 50 },
        { weight: 100, for: '10m' },
      ],
      guardrails: lenient,
      reason: 'release 2',
    });
    const baking = await until(
      () => world.status('bake'),
      ({ rollout }) => rollout.step === 2,
    );
    expect(baking).toMatchObject({ split: { weights: { blue: 0, green: 100 }, baseline: 'blue' } });
    world.greenFails.set('bake', 60);
    const { phase, abortedAtMs } = await watched('bake', visitors);
    expect(phase).toBe('aborted');
    expect(lateAt('bake', abortedAtMs)).toEqual([]);
    expect((await world.status('bake')).rollout.reason).toContain('baseline earlier');
  });

  it('is neither taken nor given up without traffic: the rollout says what it waits for', async () => {
    await world.api('POST', '/routes/quiet/rollout', {
      to: 'green',
      plan: [
        { weight: 5, for: '1s', maxFor: '1h' },
        { weight: 100, for: '1s' },
      ],
      reason: 'nobody comes',
    });
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const { rollout, split } = await world.status('quiet');
    expect(rollout).toMatchObject({ phase: 'progressing', step: 1 });
    expect(rollout.waitsFor).toContain('0 of 1,000 samples');
    expect(rollout.guardrails.map(({ verdict }: { verdict: string }) => verdict)).toEqual([
      'inconclusive',
      'inconclusive',
    ]);
    expect(split.weights).toEqual({ blue: 95, green: 5 });
  });
});

describe('an isolate among long streams', () => {
  it('hears of the way back although no stream has ended', async () => {
    // Streams that stay open: nothing is counted before they end.
    world.green.server.removeAllListeners('request');
    world.blue.server.removeAllListeners('request');
    const open = new Set<{ end(): void }>();
    const streaming = (variant: string) => (_: unknown, response: import('node:http').ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${variant}\n\n`);
      open.add(response);
    };
    world.green.server.on('request', streaming('green'));
    world.blue.server.on('request', streaming('blue'));
    await start('streams', 50);
    const served = async () => {
      const abort = new AbortController();
      const headers = { 'x-user-id': `s-${Math.random()}` };
      const response = await fetch(`${world.headgate.url}/streams/x`, { headers, signal: abort.signal });
      return response.headers.get('x-headgate-variant');
    };
    expect(await Promise.all(Array.from({ length: 16 }, served))).toContain('green');
    await world.api('POST', '/routes/streams/rollout/abort', { reason: 'a bad feeling' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(new Set(await Promise.all(Array.from({ length: 16 }, served)))).toEqual(new Set(['blue']));
    for (const response of open) response.end();
  });
});
