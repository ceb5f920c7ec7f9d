import { expect, it } from 'vitest';
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
