import { expect, it } from 'vitest';
import { playVisitors } from '../bench/visitors/play.ts';

it('the ledger equals the diaries of a crowd exactly, with calls lost and doubled and weights changed midway', async () => {
  const played = await playVisitors({ visitors: 300, seed: 7, tell: () => {} });
  expect(played.differences).toEqual([]);
  expect(played).toMatchObject({ units: 300, crowd: { moved: 0 } });
  const { faults, crowd } = played;
  expect(Object.values(faults).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(3);
  expect(Math.min(crowd.outcomes.byReceipt, crowd.outcomes.byCookie)).toBeGreaterThan(50);
});
