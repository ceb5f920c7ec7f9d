import { expect, it } from 'vitest';
import { MAX_BYTES } from '../../src/experiment/limits.ts';
import { UsedReceipts } from '../../src/experiment/receipts.ts';
import { RECEIPT_MS } from '../../src/split/limits.ts';
import { sqlStorage } from '../rollout/sqlite.ts';

const T0 = Date.parse('2026-11-23T10:00:00Z');

it('a used receipt is remembered for as long as it is valid, and forgotten then although no other comes', () => {
  const sql = sqlStorage();
  const receipts = new UsedReceipts(sql);
  expect(receipts.use('a', 'helpful', T0)).toBe(true);
  receipts.prune(T0 + RECEIPT_MS);
  expect(receipts.use('a', 'helpful', T0 + RECEIPT_MS)).toBe(false);
  receipts.prune(T0 + RECEIPT_MS + 1);
  expect([...sql.exec('SELECT * FROM receipts')]).toEqual([]);
});

it('the oldest receipts make room before the object is full, since a full one could not store a way back', () => {
  const sql = Object.assign(sqlStorage(), { databaseSize: 0 });
  const receipts = new UsedReceipts(sql);
  ['a', 'b', 'c'].forEach((tag, at) => void receipts.use(tag, 'helpful', T0 + at));
  sql.databaseSize = MAX_BYTES + 1;
  expect(receipts.use('c', 'helpful', T0 + 3)).toBe(false);
  expect(receipts.use('d', 'helpful', T0 + 4)).toBe(true);
  expect([...sql.exec('SELECT tag FROM receipts ORDER BY tag')]).toEqual([{ tag: 'b' }, { tag: 'c' }, { tag: 'd' }]);
});
