import { describe, expect, it } from 'vitest';
import {
  addSightings,
  closeTicks,
  peekTicks,
  type Sighting,
  silentFromNow,
  startUnitEvidence,
  tickOf,
  type UnitEvidence,
} from '../../src/analysis/units.ts';
import { seeded } from '../bench/stats/random.ts';

/** 64 bits spread evenly, as a keyed hash would. */
const hash = (unit: number): string => {
  const random = seeded(unit);
  const half = () => Math.floor(random() * 2 ** 32).toString(16);
  return half().padStart(8, '0') + half().padStart(8, '0');
};

const ERRORS = 1;
const SLOW = 2;
const seen = (unit: number, variant: string, bad = 0, active = ERRORS | SLOW): Sighting => ({
  unit: hash(unit),
  variant,
  active,
  bad,
});

const start = (maxUnits?: number): UnitEvidence => startUnitEvidence(2, maxUnits);
const countsOf = (evidence: UnitEvidence, tick: number) => closeTicks(evidence, tick).map(({ counts }) => counts);

describe('evidence by unit', () => {
  it('counts a unit once in a tick, however many requests and isolates saw it', () => {
    const evidence = start();
    addSightings(evidence, 7, [seen(1, 'green'), seen(1, 'green'), seen(2, 'blue')]);
    addSightings(evidence, 7, [seen(1, 'green', ERRORS)]);
    expect(countsOf(evidence, 7)).toEqual([
      [
        { green: { n: 1, bad: 1 }, blue: { n: 1, bad: 0 } },
        { green: { n: 1, bad: 0 }, blue: { n: 1, bad: 0 } },
      ],
    ]);
  });

  it('counts an active unit again in the next tick, until it was bad once', () => {
    const evidence = start();
    for (const [tick, bad] of [0, ERRORS, ERRORS, 0].entries()) addSightings(evidence, tick, [seen(1, 'green', bad)]);
    const errors = countsOf(evidence, 3).map(([errors]) => errors!.green);
    expect(errors).toEqual([
      { n: 1, bad: 0 },
      { n: 1, bad: 1 },
      { n: 0, bad: 0 },
      { n: 0, bad: 0 },
    ]);
  });

  it('lets a unit that was bad in one way still speak of another', () => {
    const evidence = start();
    addSightings(evidence, 0, [seen(1, 'green', ERRORS)]);
    addSightings(evidence, 1, [seen(1, 'green', SLOW)]);
    const [, second] = countsOf(evidence, 1);
    expect(second).toEqual([{ green: { n: 0, bad: 0 } }, { green: { n: 1, bad: 1 } }]);
  });

  it('leaves out of a guardrail the units that it does not concern', () => {
    const evidence = start();
    addSightings(evidence, 0, [seen(1, 'green', 0, SLOW)]);
    expect(countsOf(evidence, 0)).toEqual([[{ green: { n: 0, bad: 0 } }, { green: { n: 1, bad: 0 } }]]);
  });

  it('keeps a unit silent when a later step moves it to the other variant', () => {
    const evidence = start();
    addSightings(evidence, 0, [seen(1, 'blue', ERRORS)]);
    closeTicks(evidence, 0);
    addSightings(evidence, 1, [seen(1, 'green', ERRORS)]);
    expect(countsOf(evidence, 1)[0]![0]).toEqual({ green: { n: 0, bad: 0 } });
  });

  it('counts what comes too late as a tick of its own, trial and failure together', () => {
    const evidence = start();
    addSightings(evidence, 5, [seen(1, 'green')]);
    closeTicks(evidence, 5);
    addSightings(evidence, 5, [seen(2, 'green', ERRORS)]);
    expect(closeTicks(evidence, 6)).toMatchObject([{ tick: 5, counts: [{ green: { n: 1, bad: 1 } }, {}] }]);
  });

  it('can be looked at before the tick is over, without closing it', () => {
    const evidence = start();
    expect(peekTicks(evidence)).toEqual([]);
    addSightings(evidence, 3, [seen(1, 'green', ERRORS)]);
    expect(peekTicks(evidence)[0]!.counts[0]).toEqual({ green: { n: 1, bad: 1 } });
    addSightings(evidence, 3, [seen(2, 'green')]);
    expect(peekTicks(evidence)[0]!.counts[0]).toEqual({ green: { n: 2, bad: 1 } });
    expect(countsOf(evidence, 3)[0]![0]).toEqual({ green: { n: 2, bad: 1 } });
  });

  it('looks at every open tick as it will be counted: a unit that was bad is silent in those after it', () => {
    const evidence = start();
    addSightings(evidence, 3, [seen(1, 'green', ERRORS), seen(2, 'blue')]);
    addSightings(evidence, 4, [seen(1, 'green', ERRORS), seen(2, 'blue'), seen(3, 'green')]);
    const looked = peekTicks(evidence).map(({ tick, counts }) => ({ tick, errors: counts[0] }));
    expect(looked).toEqual([
      { tick: 3, errors: { green: { n: 1, bad: 1 }, blue: { n: 1, bad: 0 } } },
      { tick: 4, errors: { green: { n: 1, bad: 0 }, blue: { n: 1, bad: 0 } } },
    ]);
    expect(closeTicks(evidence, 4).map(({ tick, counts }) => ({ tick, errors: counts[0] }))).toEqual(looked);
  });

  it('forgets a unit that is heard again in all metrics, so that it takes no room and is not counted among the silent', () => {
    const evidence = start();
    addSightings(evidence, 0, [seen(1, 'green', ERRORS), seen(2, 'green', ERRORS | SLOW), seen(3, 'green', SLOW)]);
    closeTicks(evidence, 0);
    addSightings(evidence, 1, [seen(1, 'green'), seen(2, 'green', SLOW)]);
    expect(silentFromNow(evidence, true)).toEqual(new Map([[hash(2), SLOW]]));
    expect(silentFromNow(evidence, false)).toEqual(
      new Map([
        [hash(2), SLOW],
        [hash(3), SLOW],
      ]),
    );
  });

  it('stays within its bound by sampling, alike for both variants', () => {
    const evidence = start(1000);
    const variantOf = (unit: number) => (unit % 10 === 0 ? 'green' : 'blue');
    for (let unit = 0; unit < 20_000; unit += 500) {
      const batch = Array.from({ length: 500 }, (_, i) =>
        seen(unit + i, variantOf(unit + i), i % 50 === 0 ? ERRORS : 0),
      );
      addSightings(evidence, 0, batch);
    }
    const { blue, green } = countsOf(evidence, 0)[0]![0]!;
    expect(blue!.n + green!.n).toBeLessThanOrEqual(1000);
    expect(blue!.n + green!.n).toBeGreaterThan(400);
    expect(green!.n / (green!.n + blue!.n)).toBeGreaterThan(0.06);
    expect(green!.n / (green!.n + blue!.n)).toBeLessThan(0.14);
    expect(evidence.threshold).toBeLessThan(2 ** 32);
    expect(evidence.silent.size).toBeLessThanOrEqual(1000);
  });

  it('keeps to the sample of an isolate that had to thin out by itself', () => {
    const evidence = start();
    const units = Array.from({ length: 400 }, (_, i) => seen(i, 'green'));
    addSightings(evidence, 0, units);
    addSightings(evidence, 0, [], 2 ** 31);
    const { n } = countsOf(evidence, 0)[0]![0]!.green!;
    expect(n).toBeGreaterThan(150);
    expect(n).toBeLessThan(250);
  });

  it('knows the tick of an instant', () => {
    expect([tickOf(0), tickOf(9_999), tickOf(10_000)]).toEqual([0, 0, 1]);
  });
});
