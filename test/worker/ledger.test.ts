import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentLedger } from '../../src/experiment/ledger.ts';
import type { ExperimentPlan, Exposure, OutcomeEvent, UnitRow } from '../../src/experiment/words.ts';
import { type Headgate, startHeadgate } from './harness.ts';

let headgate: Headgate;
let made = 0;

beforeAll(async () => {
  headgate = await startHeadgate({});
});
afterAll(() => headgate.dispose());

/** What the ledger answers is data; through the simulator's proxy it comes as a promise of itself. */
type Ledger = {
  [M in 'expose' | 'outcomes' | 'report' | 'units' | 'forget']: (
    ...args: Parameters<ExperimentLedger[M]>
  ) => Promise<ReturnType<ExperimentLedger[M]>>;
};

async function newLedger(): Promise<Ledger> {
  const namespace = await headgate.mf.getDurableObjectNamespace('LEDGER', 'headgate');
  return namespace.get(namespace.idFromName(`ledger-${made++}`)) as unknown as Ledger;
}

const hash = (n: number) => n.toString(16).padStart(16, '0');

function exposure(n: number, variant: string, more: Partial<Exposure> = {}): Exposure {
  return {
    unit: hash(n),
    variant,
    firstAtMs: Date.now(),
    requests: 1,
    errors: 0,
    latencyMs: 10,
    firstByteMs: 5,
    ...more,
  };
}

const plan: ExperimentPlan = {
  id: 'e',
  baseline: 'blue',
  weights: { blue: 50, green: 50 },
  definitions: { blue: 'a', green: 'b' },
  plannedUnits: 1_000,
  grace: { declaredMs: 0, outcomes: ['helpful'] },
  metrics: [
    { name: 'helpful', role: 'primary', kind: 'conversion', goal: 'increase' },
    { name: 'spend', role: 'secondary', kind: 'mean', goal: 'increase' },
    { name: 'latency', role: 'secondary', kind: 'mean', goal: 'decrease' },
    { name: 'error', role: 'secondary', kind: 'conversion', goal: 'decrease' },
  ],
};

const helpful = (n: number, more: Partial<OutcomeEvent> = {}): OutcomeEvent => ({
  unit: hash(n),
  metric: 'helpful',
  kind: 'conversion',
  value: 1,
  ...more,
});

const spend = (n: number, value: number): OutcomeEvent => ({
  ...helpful(n, { metric: 'spend', kind: 'mean', value, cap: 100 }),
});

async function armsOf(ledger: Ledger, metric: string) {
  const { metrics } = await ledger.report(plan);
  return metrics.find(({ name }) => name === metric)!.arms;
}

describe('a ledger', () => {
  it('counts a batch once, however often it is sent', async () => {
    const ledger = await newLedger();
    const batch = { isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue'), exposure(2, 'green')] };
    for (let time = 0; time < 3; time++) await ledger.expose(batch);
    await ledger.expose({ isolate: 'b', sequence: 1, exposures: [exposure(1, 'blue', { requests: 2 })] });
    expect((await ledger.report(plan)).units).toEqual({ blue: 1, green: 1 });
    expect(await ledger.units('', 10)).toMatchObject([
      { unit: hash(1), variant: 'blue', requests: 3 },
      { unit: hash(2), variant: 'green', requests: 1 },
    ]);
  });

  it('counts every batch whose segments hold half a pair of surrogates', async () => {
    const ledger = await newLedger();
    for (const sequence of [1, 2]) {
      const one = exposure(sequence, 'blue', { segment: { plan: '\ud83d' } });
      await ledger.expose({ isolate: 'a', sequence, exposures: [one] });
    }
    expect((await ledger.report(plan)).units).toMatchObject({ blue: 2 });
  });

  it('lets variants change until the first unit has come, whoever looked or reported before', async () => {
    const ledger = await newLedger();
    const earlier = { ...plan, definitions: { blue: 'a', green: 'old' } };
    await ledger.report(earlier);
    await ledger.outcomes([helpful(9)], earlier);
    expect(await ledger.report(earlier)).toMatchObject({ since: null });
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue')] }, plan);
    const report = await ledger.report(plan);
    expect(report.changed).toEqual([]);
    expect(report.since).not.toBeNull();
    expect((await ledger.report({ ...plan, definitions: { blue: 'a', green: 'c' } })).changed).toEqual(['green']);
  });

  it('does not take a deleted unit back from what an isolate saw before', async () => {
    const ledger = await newLedger();
    const seenAtMs = Date.now();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue'), exposure(2, 'green')] });
    expect(await ledger.forget(hash(1))).toBe(true);
    expect(await ledger.forget(hash(3))).toBe(false);
    const late = [1, 3].map((n) => exposure(n, 'blue', { firstAtMs: seenAtMs, lastAtMs: seenAtMs }));
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: late });
    expect((await ledger.units('', 10)).map(({ unit }) => unit)).toEqual([hash(2)]);
    const again = exposure(1, 'blue', { firstAtMs: Date.now() + 1_000, lastAtMs: Date.now() + 1_000 });
    await ledger.expose({ isolate: 'a', sequence: 3, exposures: [again] });
    expect(await ledger.units('', 10)).toHaveLength(2);
  });

  it('waits for no exposure that cannot come, and takes nothing from before it began', async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue')] }, plan);
    const early = { variant: 'blue', atMs: Date.now() - 3 * 86_400_000 };
    const now = { variant: 'blue', atMs: Date.now() };
    const answers = await ledger.outcomes(
      [
        helpful(1, { served: early, isLast: true }),
        helpful(2, { served: now, isLast: true }),
        helpful(1, { served: now, isLast: true }),
        helpful(3, { served: now }),
      ],
      plan,
    );
    expect(answers.map((answer) => (answer.ok ? answer.value.counted : answer.error.reason))).toEqual([
      'unknown_unit',
      'unknown_unit',
      true,
      false,
    ]);
  });

  it('reports a metric of any name', async () => {
    const ledger = await newLedger();
    const named = { ...plan, metrics: [{ ...plan.metrics[0]!, name: 'constructor' }] };
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue'), exposure(2, 'green')] });
    await ledger.outcomes([helpful(1, { metric: 'constructor' })], named);
    const { metrics } = await ledger.report(named);
    expect(metrics[0]!.arms.blue).toMatchObject({ n: 1, successes: 1 });
  });

  it('keeps a unit in the arm of its first exposure, and tells of crossovers', async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue')] });
    const strays = [exposure(1, 'green', { requests: 4, latencyMs: 9_000 })];
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: strays });
    const [answer] = await ledger.outcomes([helpful(1, { pinned: 'green' })], plan);
    expect(answer).toEqual({ ok: true, value: { variant: 'blue', counted: true } });
    const report = await ledger.report(plan);
    expect(report).toMatchObject({ units: { blue: 1, green: 0 }, crossovers: 4 });
    expect((await armsOf(ledger, 'latency')).blue).toEqual({ n: 1, sum: 10, mean: 10 });
  });

  it('counts a conversion once a unit, and a receipt once a metric', async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue'), exposure(2, 'green')] });
    const receipt = 'r'.repeat(43);
    const answers = await ledger.outcomes(
      [
        helpful(1, { value: 0 }),
        helpful(1),
        helpful(1),
        helpful(1, { value: 0 }),
        helpful(2, { receipt }),
        helpful(2, { receipt }),
        { ...spend(2, 5), receipt },
        helpful(3),
      ],
      plan,
    );
    expect(answers.map((answer) => (answer.ok ? answer.value.counted : answer.error.reason))).toEqual([
      true,
      true,
      false,
      false,
      true,
      'already_counted',
      true,
      'unknown_unit',
    ]);
    expect(await armsOf(ledger, 'helpful')).toEqual({
      blue: { n: 1, successes: 1, mean: 1 },
      green: { n: 1, successes: 1, mean: 1 },
    });
  });

  it("caps a unit's total, not each of its values", async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue'), exposure(2, 'blue')] });
    await ledger.outcomes([spend(1, 80), spend(1, 80), spend(1, -70), spend(2, 7)], plan);
    expect((await armsOf(ledger, 'spend')).blue).toEqual({ n: 2, sum: 97, mean: 48.5 });
  });

  it('takes an outcome before its exposure where a signed pin proves that', async () => {
    const ledger = await newLedger();
    await ledger.outcomes([helpful(1, { pinned: 'green' }), helpful(2)], plan);
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'green')] });
    expect(await ledger.units('', 10)).toMatchObject([{ unit: hash(1), variant: 'green', requests: 1 }]);
    expect((await ledger.report(plan)).units).toEqual({ blue: 0, green: 1 });
  });

  it('lets an outcome by receipt wait for its exposure, whose arm it counts in; without one it never counts', async () => {
    const ledger = await newLedger();
    // A candidate that failed was answered for by blue, but the unit is green's; unit 2 has opted out.
    const served = { variant: 'blue', atMs: Date.now() + 1_000 };
    const early = [helpful(1, { served, receipt: 'r1' }), helpful(2, { served, receipt: 'r2' })];
    const answers = await ledger.outcomes([...early, early[0]!], plan);
    expect(answers).toEqual([
      { ok: true, value: { variant: 'blue', counted: false } },
      { ok: true, value: { variant: 'blue', counted: false } },
      { ok: false, error: { reason: 'already_counted' } },
    ]);
    expect((await ledger.report(plan)).units).toEqual({ blue: 0, green: 0 });
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'green')] });
    expect(await armsOf(ledger, 'helpful')).toEqual({
      blue: { n: 0, successes: 0, mean: 0 },
      green: { n: 1, successes: 1, mean: 1 },
    });
  });

  it('takes no receipt from before it began', async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'green')] });
    const served = { variant: 'green', atMs: Date.now() - 600_000 };
    const [answer] = await ledger.outcomes([helpful(1, { served, receipt: 'r1' })], plan);
    expect(answer).toEqual({ ok: false, error: { reason: 'unknown_unit' } });
  });

  it('takes no receipt of another variant from before the unit was dealt, and one from after', async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'green')] });
    const by = async (variant: string, agoMs: number, receipt: string) => {
      const served = { variant, atMs: Date.now() - agoMs };
      return (await ledger.outcomes([helpful(1, { served, receipt })], plan))[0];
    };
    expect(await by('blue', 5_000, 'r1')).toEqual({ ok: false, error: { reason: 'unknown_unit' } });
    expect(await by('blue', -5_000, 'r2')).toMatchObject({ ok: true, value: { variant: 'green', counted: true } });
    expect(await by('green', 5_000, 'r3')).toMatchObject({ ok: true });
  });

  it('takes no waiting receipt of another variant from before the unit was dealt', async () => {
    const ledger = await newLedger();
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(9, 'green')] });
    const served = { variant: 'blue', atMs: Date.now() - 5_000 };
    const [early] = await ledger.outcomes([helpful(1, { served, receipt: 'r1' })], plan);
    expect(early).toMatchObject({ ok: true, value: { counted: false } });
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: [exposure(1, 'green')] });
    expect((await armsOf(ledger, 'helpful')).green).toMatchObject({ n: 2, successes: 0 });
  });

  it('forgets all of one unit and takes it out of every sum', async () => {
    const ledger = await newLedger();
    const exposures = [exposure(1, 'blue', { errors: 1, latencyMs: 70 }), exposure(2, 'blue', { latencyMs: 30 })];
    await ledger.expose({ isolate: 'a', sequence: 1, exposures });
    await ledger.outcomes([helpful(1), spend(1, 20), spend(2, 3)], plan);
    expect([await ledger.forget(hash(1)), await ledger.forget(hash(1))]).toEqual([true, false]);
    expect(await ledger.units('', 10)).toHaveLength(1);
    expect((await armsOf(ledger, 'spend')).blue).toEqual({ n: 1, sum: 3, mean: 3 });
    expect((await armsOf(ledger, 'latency')).blue).toEqual({ n: 1, sum: 30, mean: 30 });
    expect((await armsOf(ledger, 'error')).blue).toEqual({ n: 1, successes: 0, mean: 0 });
    expect((await armsOf(ledger, 'helpful')).blue).toEqual({ n: 1, successes: 0, mean: 0 });
  });

  it('forgets also what waits of a unit that it has not seen', async () => {
    const ledger = await newLedger();
    await ledger.outcomes([helpful(1, { served: { variant: 'blue', atMs: Date.now() }, receipt: 'r1' })], plan);
    expect([await ledger.forget(hash(1)), await ledger.forget(hash(1))]).toEqual([true, false]);
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'blue')] });
    expect((await armsOf(ledger, 'helpful')).blue).toEqual({ n: 1, successes: 0, mean: 0 });
  });

  it('tells what it credits of what waited, once, so that it is recorded', async () => {
    const ledger = await newLedger();
    const served = { variant: 'blue', atMs: Date.now() + 1_000 };
    const waiting = ['r1', 'r2'].map((receipt) => helpful(1, { served, receipt }));
    await ledger.outcomes([...waiting, { ...spend(1, 5), served, receipt: 'r1' }], plan);
    const batch = { isolate: 'a', sequence: 1, exposures: [exposure(1, 'green')] };
    expect(await ledger.expose(batch)).toEqual([
      { variant: 'green', metric: 'helpful', value: 1 },
      { variant: 'green', metric: 'spend', value: 5 },
    ]);
    expect(await ledger.expose(batch)).toEqual([]);
  });

  it('holds units against the weights that they were dealt by, before and after the planned size', async () => {
    const ledger = await newLedger();
    const small = { ...plan, plannedUnits: 600, grace: { declaredMs: 60_000, outcomes: [] } };
    const dealt = (from: number, blue: number, green: number, weights: Record<string, number>) =>
      Array.from({ length: blue + green }, (_, n) =>
        exposure(from + n, n < blue ? 'blue' : 'green', { weights: JSON.stringify(weights) }),
      );
    const even = { blue: 50, green: 50 };
    const ramped = { blue: 90, green: 10 };
    await ledger.outcomes([], small);
    // Both in one batch, before anybody has looked: at 50/50 what came at 90/10 would ring at once.
    const both = [...dealt(0, 360, 40, ramped), ...dealt(400, 101, 99, even)];
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: both });
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: dealt(600, 100, 100, even) });
    const fair = await ledger.report({ ...small, weights: even });
    expect(fair).toMatchObject({ units: { blue: 561, green: 239 }, sampleRatio: { alarm: false } });
    expect(fair.sampleRatio.p).toBeGreaterThan(0.5);
    await ledger.expose({ isolate: 'a', sequence: 3, exposures: dealt(800, 300, 0, even) });
    expect((await ledger.report(small)).sampleRatio).toMatchObject({ alarm: true, stays: false });
  });

  it('is not changed by who looks while a rollout has the traffic', async () => {
    const ledger = await newLedger();
    const three = { ...plan, weights: { blue: 40, green: 40, gold: 20 } };
    const names = ['blue', 'green', 'gold'];
    const exposures = Array.from({ length: 300 }, (_, n) => exposure(n, names[n % 3]!));
    await ledger.expose({ isolate: 'a', sequence: 1, exposures }, three);
    // How long it will take is told by the clock.
    const looked = async (at: ExperimentPlan) => {
      const { unitsPerDay: _, daysLeft: __, ...rest } = await ledger.report(at);
      return rest;
    };
    const before = await looked(three);
    const rollout = { ...three, weights: { blue: 95, green: 0, gold: 5 } };
    expect(await looked(rollout)).toEqual(before);
    await ledger.outcomes([], rollout);
    expect(await looked(three)).toEqual(before);
  });

  it('freezes the sums when the planned size is reached, so that later data does not reopen the test', async () => {
    const ledger = await newLedger();
    const arm = (n: number) => (n % 2 === 0 ? 'blue' : 'green');
    const units = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    await ledger.outcomes([], plan);
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: units(0, 990).map((n) => exposure(n, arm(n))) });
    await ledger.outcomes(
      units(0, 100).map((n) => helpful(n)),
      plan,
    );
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: units(990, 1_000).map((n) => exposure(n, arm(n))) });
    const late = units(100, 600).filter((n) => arm(n) === 'green');
    await ledger.outcomes(late.map((n) => helpful(n)).slice(0, 100), plan);
    const { metrics, plannedUnits } = await ledger.report(plan);
    expect(plannedUnits).toBe(1_000);
    expect(metrics[0]).toMatchObject({
      name: 'helpful',
      by: 'final',
      state: 'no difference found',
      arms: { blue: { n: 500, successes: 50 }, green: { n: 500, successes: 50 } },
    });
  });

  it('notices the planned size by exposures alone, so that who looks late chooses no moment', async () => {
    const ledger = await newLedger();
    const exposed = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => exposure(from + i, i % 2 === 0 ? 'blue' : 'green'));
    const small = { ...plan, plannedUnits: 200 };
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: exposed(0, 200) }, small);
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: exposed(200, 300) }, small);
    const { metrics, units } = await ledger.report(small);
    expect(units).toEqual({ blue: 150, green: 150 });
    expect(metrics[0]?.arms).toMatchObject({ blue: { n: 100 }, green: { n: 100 } });
  });

  it('goes on to hold the winner against the loser when the winner is the baseline of its route', async () => {
    const ledger = await newLedger();
    const exposures = Array.from({ length: 900 }, (_, n) => exposure(n, n % 2 === 0 ? 'blue' : 'green'));
    await ledger.expose({ isolate: 'a', sequence: 1, exposures }, plan);
    const isHappy = (n: number) => (n % 2 === 0 ? n % 4 === 0 : n % 10 !== 1);
    const happy = exposures.flatMap((_, n) => (isHappy(n) ? [helpful(n)] : []));
    for (let from = 0; from < happy.length; from += 100) await ledger.outcomes(happy.slice(from, from + 100), plan);
    const before = await ledger.report(plan);
    expect(before.metrics[0]).toMatchObject({ name: 'helpful', variant: 'green', state: 'better' });
    const promoted = { ...plan, baseline: 'green', weights: { blue: 0, green: 100 } };
    const after = await ledger.report(promoted);
    expect(after.metrics.map(({ variant, state, lift }) => [variant, state, lift])).toEqual(
      before.metrics.map(({ variant, state, lift }) => [variant, state, lift]),
    );
  });

  it('takes late outcomes of the planned units until the grace is over, and of later units none', async () => {
    const ledger = await newLedger();
    const patient = { ...plan, plannedUnits: 200, grace: { declaredMs: 1_500, outcomes: ['helpful'] } };
    const arm = (n: number) => (n % 2 === 0 ? 'blue' : 'green');
    const units = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    const exposed = (from: number, to: number) => units(from, to).map((n) => exposure(n, arm(n)));
    const credit = (from: number, to: number) =>
      ledger.outcomes(
        units(from, to).map((n) => helpful(n)),
        patient,
      );
    await ledger.outcomes([], patient);
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: exposed(0, 200) });
    await ledger.expose({ isolate: 'a', sequence: 2, exposures: exposed(190, 300) });
    await credit(0, 60);
    await credit(240, 300);
    await ledger.outcomes([helpful(900, { pinned: 'blue' })], patient);
    const open = await ledger.report(patient);
    expect(open).toMatchObject({ closed: false, units: { blue: 151, green: 150 } });
    expect(open.metrics[0]).toMatchObject({
      state: 'keep running: 99 %',
      arms: { blue: { n: 100, successes: 30 }, green: { n: 100, successes: 30 } },
    });
    await new Promise((resolve) => setTimeout(resolve, Date.parse(open.closesAt!) - Date.now() + 50));
    await credit(60, 200);
    const closed = await ledger.report(patient);
    expect(closed).toMatchObject({ closed: true, closesAt: open.closesAt, units: { blue: 151, green: 150 } });
    expect(closed.metrics[0]).toMatchObject({
      by: 'final',
      state: 'no difference found',
      arms: { blue: { n: 100, successes: 30 }, green: { n: 100, successes: 30 } },
    });
    // Whoever is forgotten leaves the sums of all, and not the test that was made.
    await ledger.forget(hash(299));
    expect((await ledger.report(patient)).units).toEqual({ blue: 151, green: 149 });
    const rows = await ledger.units('', 1_000);
    expect(rows.filter(({ outcomes }) => outcomes.helpful === 1)).toHaveLength(260);
  });

  it('tells when a variant is another than when the first unit came', async () => {
    const ledger = await newLedger();
    const redefined = { ...plan, definitions: { blue: 'a', green: 'c' } };
    await ledger.report(plan);
    expect((await ledger.report(redefined)).changed).toEqual([]);
    await ledger.expose({ isolate: 'a', sequence: 1, exposures: [exposure(1, 'green')] });
    expect(await ledger.report(redefined)).toMatchObject({ changed: [], notes: [] });
    const { changed, notes } = await ledger.report(plan);
    expect(changed).toEqual(['green']);
    expect(notes.join()).toContain('green has changed since it began');
  });

  it('pages through its units in the order of their hashes', async () => {
    const ledger = await newLedger();
    const exposures = Array.from({ length: 25 }, (_, n) => exposure(n, 'blue', { segment: { device: 'phone' } }));
    await ledger.expose({ isolate: 'a', sequence: 1, exposures });
    const seen: string[] = [];
    for (let after = ''; ; ) {
      const page = await ledger.units(after, 10);
      seen.push(...page.map(({ unit }) => unit));
      if (page.length < 10) break;
      after = page.at(-1)!.unit;
    }
    expect(seen).toEqual(exposures.map(({ unit }) => unit));
    expect((await ledger.units('', 1))[0]).toMatchObject({ segment: { device: 'phone' } });
  });
});

it('counts exactly what an independent count does, with batches lost, doubled and mixed up with outcomes', async () => {
  const ledger = await newLedger();
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const expected = {
    blue: { units: new Set<number>(), converted: new Set<number>() },
    green: { units: new Set<number>(), converted: new Set<number>() },
  };
  const armOf = (n: number) => ((n * 2_654_435_761) % 97 < 48 ? 'blue' : 'green');
  for (let sequence = 1; sequence <= 40; sequence++) {
    const exposures: Exposure[] = [];
    const events: OutcomeEvent[] = [];
    for (let i = 0; i < 100; i++) {
      const n = Math.floor(random() * 1_500);
      const variant = armOf(n);
      exposures.push(exposure(n, variant));
      expected[variant].units.add(n);
      if (random() < 0.3) {
        const proof =
          random() < 0.5
            ? { pinned: variant }
            : { served: { variant: 'blue', atMs: Date.now() }, receipt: `${sequence}-${i}` };
        events.push(helpful(n, proof));
        expected[variant].converted.add(n);
      }
    }
    const flush = async () => {
      for (let time = random() < 0.3 ? 2 : 1; time > 0; time--)
        await ledger.expose({ isolate: 'a', sequence, exposures });
    };
    const credit = () => ledger.outcomes(events, plan);
    for (const step of random() < 0.5 ? [flush, credit] : [credit, flush]) await step();
  }
  const { blue, green } = expected;
  expect((await ledger.report({ ...plan, plannedUnits: 100_000 })).units).toEqual({
    blue: blue.units.size,
    green: green.units.size,
  });
  const rows: UnitRow[] = [];
  for (let after = ''; ; after = rows.at(-1)!.unit) {
    const page = await ledger.units(after, 1_000);
    rows.push(...page);
    if (page.length < 1_000) break;
  }
  const converted = (variant: string) =>
    rows.filter((row) => row.variant === variant && row.outcomes.helpful === 1).length;
  expect([converted('blue'), converted('green')]).toEqual([blue.converted.size, green.converted.size]);
});
