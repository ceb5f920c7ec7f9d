import { expect, it } from 'vitest';
import { Pending } from '../../src/experiment/pending.ts';
import type { OutcomeEvent } from '../../src/experiment/words.ts';
import { sqlStorage } from '../rollout/sqlite.ts';

const HOUR_MS = 3_600_000;
const T0 = Date.parse('2026-11-23T10:00:00Z');
const event = (unit: string): OutcomeEvent => ({ unit, metric: 'helpful', kind: 'conversion', value: 1 });

it('an outcome waits for its unit an hour at most, and nothing is kept of it then, whoever looks', () => {
  const sql = sqlStorage();
  const pending = new Pending(sql);
  pending.add(event('a'), T0);
  pending.add(event('b'), T0 + HOUR_MS);
  expect(pending.take(['a'], T0 + HOUR_MS + 1)).toEqual([]);
  expect([...sql.exec('SELECT unit FROM pending')]).toEqual([{ unit: 'b' }]);
  expect(pending.take(['b'], T0 + 2 * HOUR_MS)).toEqual([event('b')]);
  pending.add(event('c'), T0);
  pending.take([], T0 + 2 * HOUR_MS);
  expect([...sql.exec('SELECT unit FROM pending')]).toEqual([]);
});
