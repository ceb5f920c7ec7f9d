import { describe, expect, it } from 'vitest';
import type { InForce } from '../../src/config/inforce.ts';
import type { Decision } from '../../src/forward/decide.ts';
import { planMirror } from '../../src/shadow/plan.ts';
import { inForceOf, routeOf } from './served.ts';

const route = routeOf({
  variants: {
    blue: { url: 'https://blue.test' },
    green: { url: 'https://green.test' },
    teal: { url: 'https://teal.test' },
  },
  shadows: [{ variant: 'green', percent: 40, repeat: 10 }],
});
const decided = (variant: string, over: Partial<Decision> = {}): Decision => ({
  variant,
  reason: 'hash',
  unit: 'u',
  isEvidence: true,
  setCookie: null,
  ...over,
});
const plan = (
  over: { method?: string; decision?: Decision; inForce?: Partial<InForce> } = {},
  ...random: number[]
): ReturnType<typeof planMirror> =>
  planMirror(
    {
      method: over.method ?? 'GET',
      route,
      inForce: { ...inForceOf(route), ...over.inForce },
      decision: over.decision ?? decided('blue'),
    },
    () => random.shift() ?? 0,
  );

describe('the plan for a request', () => {
  it('sends the copy to the candidate where the baseline serves, and sometimes once more to the baseline', () => {
    expect(plan({}, 0.39, 0.09)).toMatchObject({ role: 'candidate', target: 'green', isRepeated: true });
    expect(plan({}, 0.39, 0.1)).toMatchObject({ role: 'candidate', target: 'green', isRepeated: false });
  });

  it('sends it to the baseline where the candidate serves, and sometimes once more', () => {
    const found = plan({ decision: decided('green') }, 0, 0.09);
    expect(found).toMatchObject({ role: 'counterfactual', target: 'blue', isRepeated: true });
    expect(plan({ decision: decided('green') }, 0, 0.1)).toMatchObject({ isRepeated: false });
    expect(found!.shadow.variant).toBe('green');
  });

  it('is none above the percent, at a percent of 0, and without shadows', () => {
    expect(plan({}, 0.4)).toBeNull();
    expect(plan({ inForce: { shadows: { green: 0 } } }, 0)).toBeNull();
    expect(plan({ inForce: { shadows: {} } }, 0)).toBeNull();
  });

  it.each([
    ['a method that must not be sent twice', { method: 'POST' }],
    ['a preview', { decision: decided('blue', { reason: 'preview', isEvidence: false }) }],
    ['a preview whose body does not fit', { decision: decided('blue', { reason: 'json_unfit', isEvidence: false }) }],
    ['a request outside the audience', { decision: decided('blue', { reason: 'only', isEvidence: false }) }],
    ['a third variant’s answer, of which no pair with the baseline could come', { decision: decided('teal') }],
    ['a shadow that has become the baseline', { inForce: { baseline: 'green' }, decision: decided('green') }],
  ])('is none for %s', (_, over) => {
    expect(plan(over, 0)).toBeNull();
  });

  it('takes a sole variant’s requests and those of an ejected candidate', () => {
    expect(plan({ decision: decided('blue', { reason: 'only' }) }, 0)).not.toBeNull();
    expect(
      plan({ decision: decided('blue', { reason: 'ejected', isEvidence: false, dealt: 'green' }) }, 0),
    ).not.toBeNull();
  });

  it('chooses one of several shadows by the toss, and describes one that only a rollout knows', () => {
    const inForce = { shadows: { green: 100, teal: 100 } };
    expect(plan({ inForce }, 0, 0, 0.49)).toMatchObject({ target: 'green' });
    const teal = plan({ inForce }, 0, 0, 0.5);
    expect(teal).toMatchObject({ target: 'teal', shadow: { samples: false, forwardCredentials: false, repeat: 10 } });
    expect(plan({ inForce }, 0, 0, 0.5)!.shadow).toBe(teal!.shadow);
  });
});
