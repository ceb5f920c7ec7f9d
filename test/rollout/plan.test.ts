import { describe, expect, it } from 'vitest';
import { builtInPlans } from '../../src/config/plan-names.ts';
import type { PlanStep } from '../../src/config/types.ts';
import { builtIns, compilePlan, endOf } from '../../src/rollout/plan.ts';
import { routeOf, routeWith } from '../config/sample.ts';
import { step } from './world.ts';

const route = routeOf(
  routeWith({ plans: { careful: [{ weight: 1, for: '1h' }], canary: [{ weight: 10, for: '30s' }] } }),
);
const plain = routeOf(routeWith());

const outline = (plan: string) => {
  const compiled = compilePlan(plain, plan);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  return compiled.value.map(({ weight, shadow, forMs, approval }) => ({
    weight,
    shadow,
    minutes: forMs / 60_000,
    approval,
  }));
};

describe('the built-in plans', () => {
  it('are exactly those that the config knows by name', () => {
    expect(Object.keys(builtIns)).toEqual(builtInPlans);
  });

  it('raise a canary from 5 to 100 %, ten minutes each', () => {
    expect(outline('canary').map(({ weight }) => weight)).toEqual([5, 25, 50, 100]);
    expect(outline('canary').every(({ minutes, approval }) => minutes === 10 && !approval)).toBe(true);
  });

  it('preview a blue-green release at 0 until somebody approves, then switch at once', () => {
    expect(outline('blue-green')).toEqual([
      { weight: 0, shadow: undefined, minutes: 0, approval: true },
      { weight: 100, shadow: undefined, minutes: 10, approval: false },
    ]);
  });

  it('mirror in a shadow plan, and move no live traffic', () => {
    expect(outline('shadow')).toEqual([{ weight: undefined, shadow: 100, minutes: 10, approval: false }]);
  });

  it('mirror first and stop mirroring when live traffic begins in shadow-canary', () => {
    expect(outline('shadow-canary').map(({ weight, shadow }) => [weight, shadow])).toEqual([
      [undefined, 100],
      [5, 0],
      [25, undefined],
      [50, undefined],
      [100, undefined],
    ]);
  });

  it.each([
    ['canary', 'promoted'],
    ['blue-green', 'promoted'],
    ['shadow', 'completed'],
    ['shadow-canary', 'promoted'],
  ])('end as said: %s is %s', (name, end) => {
    const steps = compilePlan(plain, name);
    expect(steps.ok && endOf(steps.value)).toBe(end);
  });
});

describe('a plan', () => {
  it('of the route takes the place of a built-in one of that name', () => {
    const compiled = compilePlan(route, 'canary');
    expect(compiled.ok && compiled.value.map(({ weight, forMs }) => [weight, forMs])).toEqual([[10, 30_000]]);
  });

  it('keeps its weight through steps that name none', () => {
    const compiled = compilePlan(route, [
      step({ shadow: 100 }),
      step({ weight: 5 }),
      step({ shadow: 0 }),
      step({ weight: 9 }),
    ]);
    expect(compiled.ok && compiled.value.map(({ weight }) => weight)).toEqual([undefined, 5, 5, 9]);
  });

  it('that takes the candidate back to 0 ends completed, for there is nothing to promote', () => {
    expect(endOf([step({ weight: 5 }), step({ weight: 0 })])).toBe('completed');
  });

  it.each([
    ['a name that nobody knows', 'canray', 'plan', 'did you mean "canary"?'],
    ['a name of every object', 'constructor', 'plan', 'use one of careful, canary'],
    ['an experiment that the route lacks', [step({ weight: 50, experiment: true })], 'plan[0].experiment', 'declare'],
  ])('with %s is refused', (_, plan, path, mend) => {
    const compiled = compilePlan(route, plan);
    expect(compiled.ok ? [] : compiled.error).toEqual([expect.objectContaining({ path })]);
    expect(compiled.ok ? '' : compiled.error[0]!.mend).toContain(mend);
  });

  it('carries an experiment only where two arms have weight', () => {
    const tried = routeOf(routeWith({ experiment: { id: 'e', primary: ['error'] } }));
    const carrying = (...steps: PlanStep[]) => compilePlan(tried, [...steps, step({ experiment: true, shadow: 0 })]);
    expect(carrying(step({ weight: 50 })).ok).toBe(true);
    for (const before of [[], [step({ weight: 100 })], [step({ weight: 0 })]]) {
      expect(carrying(...before)).toMatchObject({
        ok: false,
        error: [{ path: `plan[${before.length}].experiment`, mend: expect.stringContaining('between 0 and 100') }],
      });
    }
  });
});
