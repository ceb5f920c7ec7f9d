import { expect, it } from 'vitest';
import { Late } from '../../src/experiment/late.ts';
import type { Exposure } from '../../src/experiment/words.ts';
import { sqlStorage } from '../rollout/sqlite.ts';

const exposures = (...units: string[]) => units.map((unit) => ({ unit }) as Exposure);

/** Late units beside the ledger's own, of which these are known. */
function lateBeside(...known: string[]) {
  const sql = sqlStorage();
  sql.exec('CREATE TABLE units (unit TEXT PRIMARY KEY)');
  for (const unit of known) sql.exec('INSERT INTO units VALUES (?)', unit);
  const late = new Late(sql);
  const parts = (...units: string[]) => {
    const { inTime, late: after } = late.partition(exposures(...units));
    return [inTime, after].map((part) => part.map(({ unit }) => unit).join(''));
  };
  return { sql, late, parts };
}

it('a unit that is new when the planned size is reached is late, and stays so once its row is kept', () => {
  const { sql, late, parts } = lateBeside('a', 'b');
  expect(parts('a', 'c', 'b', 'd')).toEqual(['ab', 'cd']);
  sql.exec("INSERT INTO units VALUES ('c')");
  expect(parts('c', 'a')).toEqual(['a', 'c']);
  expect([late.has('c'), late.has('a')]).toEqual([true, false]);
});

it('a unit is late that was said to be, until it is forgotten or all are', () => {
  const { late, parts } = lateBeside('a', 'b', 'c');
  for (const unit of ['a', 'a', 'b']) late.add(unit);
  late.forget('a');
  expect(parts('a', 'b', 'c')).toEqual(['ac', 'b']);
  late.clear();
  expect(parts('a', 'b', 'c')).toEqual(['abc', '']);
});

it('the sums of late units have tables of their own', () => {
  const { late, sql } = lateBeside();
  expect(late.sums.read().arms).toEqual({});
  expect([...sql.exec('SELECT * FROM latearms')]).toEqual([]);
});
