import { expect, it } from 'vitest';
import { playVisitors } from '../bench/visitors/play.ts';

it('the ledger equals the diaries of a crowd exactly, with calls lost and doubled and weights changed midway', async () => {
  const played = await playVisitors({ visitors: 300, seed: 7, tell: () => {} });
  expect(played.differences).toEqual([]);
  // Half of them came at 50/50 and half at 85/15, and a second of those still at 50/50.
  expect(played).toMatchObject({ units: 300, crowd: { moved: 0 }, ratio: { alarm: false } });
  const { faults, crowd } = played;
  expect(Object.values(faults).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(3);
  expect(Math.min(crowd.outcomes.byReceipt, crowd.outcomes.byCookie)).toBeGreaterThan(50);
});
