import { describe, expect, it } from 'vitest';
import { leftBehind, told } from './demo-run.ts';

describe('npm run demo -- --ab', () => {
  it('decides an A/B test by outcomes that come with receipts, finds nothing in the A/A test beside it, and counts exactly', async () => {
    const { code, said, errors } = await told('--ab', '--fast');
    expect(`${said}\n${errors}`).toContain('The story went as told.');
    expect(code).toBe(0);
    // The same visitors bring the same texts to the same arms in every run.
    expect(said).toMatch(/third +\d+ of +604 units +7[78]\.\d %\n +green +\d+ of +596 units +94\.\d %/);
    expect(said).toMatch(/✔ better \(early stop\)|✔ better \(test at the planned size\)/);
    expect(said).toMatch(/one +\d+ of +605 units[\s\S]*= no difference found \(test at the planned size\)/);
    expect(said).toMatch(/requests, outcomes by receipt +2,400, 2,400/);
    for (const line of said.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
    expect(leftBehind()).toEqual([]);
  }, 180_000);
});
