import { describe, expect, it } from 'vitest';
import { Conversions } from '../../src/rollout/conversions.ts';
import { sqlStorage } from './sqlite.ts';
import { T0 } from './world.ts';

const DAY_MS = 86_400_000;
const one = { unit: '00000000000000aa', metric: 'helpful', rollout: 'r-1', happened: 1 };

describe('a conversion outside of an experiment', () => {
  it('is new once a unit, metric and rollout', () => {
    const conversions = new Conversions(sqlStorage());
    const others = [one, one, { ...one, unit: 'b' }, { ...one, metric: 'm' }, { ...one, rollout: '' }, one];
    expect(others.map((other) => conversions.isNew(other, T0))).toEqual([true, false, true, true, true, false]);
  });

  it('is new where it did not happen before, and not the other way round', () => {
    const conversions = new Conversions(sqlStorage());
    const happened = [0, 0, 1, 0, 1].map((value) => conversions.isNew({ ...one, happened: value }, T0));
    expect(happened).toEqual([true, false, true, false, false]);
  });

  it('is forgotten after a week, and the oldest of very many before', () => {
    const sql = sqlStorage();
    const conversions = new Conversions(sql);
    conversions.isNew(one, T0);
    expect(conversions.isNew(one, T0 + 7 * DAY_MS)).toBe(false);
    expect(conversions.isNew(one, T0 + 7 * DAY_MS + 1)).toBe(true);
    sql.exec('UPDATE conversions SET id = ?', -100_000);
    conversions.isNew({ ...one, unit: 'b' }, T0);
    expect(sql.exec('SELECT unit FROM conversions').toArray()).toHaveLength(2);
    sql.exec('UPDATE conversions SET id = ? WHERE unit = ?', 100_000, 'b');
    conversions.isNew({ ...one, unit: 'c' }, T0);
    expect(sql.exec('SELECT unit FROM conversions').toArray()).toMatchObject([{ unit: 'b' }, { unit: 'c' }]);
  });
});
