import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lenient, type RolloutWorld, startRolloutWorld, until } from './rollout-world.ts';

let world: RolloutWorld;

const outcomes = [{ name: 'helpful', kind: 'conversion' }];
const PLANNED = 200;
const plan = [
  { weight: 50, experiment: true, minSamples: 50 },
  { weight: 100, for: '60s', minSamples: 1 },
];

beforeAll(async () => {
  const trial = (route: string, more: Record<string, unknown> = {}) => ({
    identity: [{ cookie: true }],
    receipts: true,
    outcomes,
    experiment: { id: `e-${route}`, primary: ['helpful'], plannedUnits: PLANNED },
    ...more,
  });
  world = await startRolloutWorld(() => ({
    fine: trial('fine'),
    worse: trial('worse'),
    running: trial('running', { weights: { blue: 50, green: 50 } }),
    none: { outcomes },
  }));
});
afterAll(() => world.close());

async function visit(route: string, cookie?: string) {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie };
  const response = await fetch(`${world.headgate.url}/${route}/x`, { headers });
  await response.arrayBuffer();
  return {
    variant: response.headers.get('x-headgate-variant') as 'blue' | 'green',
    receipt: response.headers.get('x-headgate-receipt')!,
    cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie ?? '',
  };
}

/** Visitors who come once and say by receipt whether they were helped: so many of ten, by variant. */
async function come(route: string, helped: { blue: number; green: number }, isEnough: () => boolean) {
  const seen = { blue: 0, green: 0 };
  while (!isEnough() && seen.blue + seen.green < 3 * PLANNED) {
    const { variant, receipt } = await visit(route);
    const value = seen[variant]++ % 10 < helped[variant];
    const body = JSON.stringify({ route, metric: 'helpful', value, receipt });
    await (await fetch(`${world.headgate.url}/_headgate/outcomes`, { method: 'POST', body })).arrayBuffer();
  }
}

const start = (route: string, steps: unknown[] = plan) =>
  world.api('POST', `/routes/${route}/rollout`, { to: 'green', plan: steps, guardrails: lenient, reason: 'test' });

const report = async (route: string) => (await world.api('GET', `/routes/${route}/experiment`)).body;

const inForce = async (route: string) => (await world.status(route)).inForce;

/** Until an isolate serves by the rollout's split. */
const served = (route: string) =>
  until(
    () => visit(route),
    ({ variant }) => variant === 'green',
  );

describe.concurrent('a rollout whose step carries the experiment', () => {
  it('counts nobody before, pins both arms, says how far it is, and goes on when the planned units are there and nothing is worse', async () => {
    for (let n = 0; n < 5; n++) expect((await visit('fine')).cookie).not.toContain('e-fine');
    expect((await start('fine')).status).toBe(200);
    expect(await inForce('fine')).toMatchObject({ experiment: 'e-fine', salt: 'e-fine' });
    await served('fine');
    const arms = new Set<string>();
    while (arms.size < 2) {
      const { variant, cookie } = await visit('fine');
      arms.add(variant);
      expect(cookie).toContain(`.fine:${variant}:e-fine.`);
      expect((await visit('fine', cookie)).variant).toBe(variant);
    }
    let waits = '';
    let isOver = false;
    const looking = until(
      async () => {
        const { rollout } = await world.status('fine');
        if (/ units/.test(rollout.waitsFor ?? '')) waits = rollout.waitsFor;
        return rollout;
      },
      ({ step }) => step === 2,
      40,
    ).finally(() => {
      isOver = true;
    });
    await come('fine', { blue: 5, green: 5 }, () => isOver);
    expect(await looking).toMatchObject({ phase: 'progressing', step: 2 });
    expect(waits).toMatch(/experiment e-fine: [\d,]+ of 200 units/);
    const { closed, units } = await report('fine');
    expect(closed).toBe(true);
    expect(units.blue + units.green).toBeGreaterThanOrEqual(PLANNED);
    const entry = (await world.history('fine')).find(({ action }) => action === 'advanced');
    expect(entry.reason).toMatch(/step 2 of 2: errors .*experiment e-fine: helpful no difference found/);
    expect(await inForce('fine')).toMatchObject({ weights: { blue: 0, green: 100 }, experiment: null });
  });

  it('is paused with the numbers when the candidate is found worse', async () => {
    expect((await start('worse')).status).toBe(200);
    await served('worse');
    let isOver = false;
    const looking = until(
      () => world.status('worse'),
      ({ rollout }) => rollout.phase !== 'progressing',
      40,
    ).finally(() => {
      isOver = true;
    });
    await come('worse', { blue: 7, green: 3 }, () => isOver);
    const { rollout, split } = await looking;
    expect(rollout).toMatchObject({ phase: 'paused', step: 1 });
    expect(rollout.reason).toMatch(/experiment e-worse: helpful worse, -\d+\.\d\d pp/);
    expect(split.weights).toEqual({ blue: 50, green: 50 });
    expect((await world.api('POST', '/routes/worse/rollout/abort', { reason: 'worse' })).status).toBe(200);
    expect(await inForce('worse')).toMatchObject({ weights: { blue: 100, green: 0 } });
  });

  it('is refused on a route that has none, and one of plain steps lets the experiment of its route rest', async () => {
    expect(await start('none')).toMatchObject({
      status: 422,
      body: { faults: [{ path: 'plan[0].experiment', reason: 'the route has no experiment' }] },
    });
    expect(await inForce('running')).toMatchObject({ experiment: 'e-running' });
    expect((await start('running', [{ weight: 25, for: '60s' }, ...plan])).status).toBe(200);
    expect(await inForce('running')).toMatchObject({ experiment: null });
    expect((await world.api('POST', '/routes/running/rollout/promote', { reason: 'go' })).status).toBe(200);
    expect(await inForce('running')).toMatchObject({ experiment: 'e-running', salt: 'e-running' });
  });
});
