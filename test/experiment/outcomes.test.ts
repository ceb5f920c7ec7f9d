import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/types.ts';
import { isBad, reportedOf } from '../../src/experiment/outcomes.ts';
import { configOf, routeWith, textOf } from '../config/sample.ts';

const outcomes = [
  { name: 'helpful', kind: 'conversion' },
  { name: 'complaint', kind: 'conversion', goal: 'decrease' },
  { name: 'spend', kind: 'mean' },
];
const config: Config = configOf(textOf(routeWith({ name: 'chat', outcomes })));
const read = (item: Record<string, unknown>) => reportedOf({ route: 'chat', metric: 'helpful', ...item }, config);

describe('a reported outcome', () => {
  it.each([
    [{}, 1],
    [{ value: true }, 1],
    [{ value: 0 }, 0],
    [{ value: false }, 0],
    [{ metric: 'spend', value: -2.5 }, -2.5],
    [{ metric: 'spend', value: -1e12 }, -1e12],
  ])('%j counts as %d', (item, value) => {
    expect(read(item)).toMatchObject({ ok: true, value: { value } });
  });

  it.each([
    [{ value: 2 }, 'bad_value'],
    [{ value: null }, 'bad_value'],
    [{ value: '1' }, 'bad_value'],
    [{ metric: 'spend' }, 'bad_value'],
    [{ metric: 'spend', value: '5' }, 'bad_value'],
    [{ metric: 'spend', value: Number.POSITIVE_INFINITY }, 'bad_value'],
    [{ metric: 'spend', value: Number.NaN }, 'bad_value'],
    [{ metric: 'spend', value: 1e13 }, 'bad_value'],
    [{ metric: 'spend', value: -1e200 }, 'bad_value'],
    [{ metric: 'toString' }, 'undeclared_metric'],
    [{ metric: undefined }, 'undeclared_metric'],
    [{ route: '__proto__' }, 'no_such_route'],
    [{ receipt: '' }, 'receipt_malformed'],
    [{ receipt: null }, 'receipt_malformed'],
  ])('%j is refused: %s', (item, reason) => {
    expect(read(item)).toEqual({ ok: false, error: reason });
  });

  it.each([null, 7, 'text', []])('that is %j is no outcome', (item) => {
    expect(reportedOf(item, config)).toEqual({ ok: false, error: 'not_an_object' });
  });

  it('speaks against its variant when it goes the wrong way, and not at all when it is a number', () => {
    const [helpful, complaint, spend] = config.routes[0]!.outcomes;
    expect([isBad(helpful!, 0), isBad(helpful!, 1)]).toEqual([true, false]);
    expect([isBad(complaint!, 0), isBad(complaint!, 1)]).toEqual([false, true]);
    expect(isBad(spend!, 0)).toBeNull();
  });
});
