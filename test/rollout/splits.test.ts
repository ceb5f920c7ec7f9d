import { describe, expect, it } from 'vitest';
import { askedMirrors } from '../../src/rollout/splits.ts';
import type { Standing } from '../../src/rollout/state.ts';

const standing = (green?: number): Standing => ({
  ...{ revision: 1, weights: { blue: 100 }, baseline: 'blue', salt: '' },
  shadows: green === undefined ? {} : { green },
});
/** The last split, of a rollout or of none, with the mirrors that were asked for by name. */
const lastWith = (green: number, rollout: string | null, plainShadows: string[] = []) =>
  ({ ...standing(green), rollout, plainShadows }) as unknown as Parameters<typeof askedMirrors>[1]['last'];
const draft = (green: number, rollout: string | null = null) => ({ shadows: { green }, rollout });

describe('a mirror is asked for by name', () => {
  it.each([
    ['where a call names it and there was none', draft(20), { inForce: standing(), last: null }],
    [
      'by the percent that it had before the config dropped it',
      draft(20),
      { inForce: standing(), last: lastWith(20, null) },
    ],
    ['where it was so by the last split', draft(20), { inForce: standing(20), last: lastWith(20, null, ['green']) }],
    ['by a step of a rollout that changes it', draft(50, 'r-1'), { inForce: standing(), last: lastWith(20, 'r-1') }],
  ])('%s', (_, given, seen) => {
    expect(askedMirrors(given, { ...seen, described: [] })).toEqual(['green']);
  });

  it.each([
    ['where the config describes it', draft(20), { inForce: standing(), last: null, described: ['green'] }],
    ['by the next step, which carries it on', draft(20, 'r-1'), { inForce: standing(), last: lastWith(20, 'r-1') }],
    ['by the end of a rollout, whatever it was before', draft(10), { inForce: standing(), last: lastWith(100, 'r-1') }],
    ['by a change of weights alone', draft(20), { inForce: standing(20), last: lastWith(20, null) }],
  ])('not %s', (_, given, seen) => {
    expect(askedMirrors(given, { described: [], ...seen })).toEqual([]);
  });
});
