import { describe, expect, it } from 'vitest';
import { armsOf, assign } from '../../src/split/assign.ts';

function sharesOf(weights: Record<string, number>, units: number, unitOf: (index: number) => string) {
  const arms = armsOf(weights);
  const counts: Record<string, number> = {};
  for (const { variant } of arms) counts[variant] = 0;
  for (let index = 0; index < units; index++) counts[assign('2026-11', 'chat', unitOf(index), arms)]!++;
  return Object.fromEntries(Object.entries(counts).map(([variant, count]) => [variant, (count / units) * 100]));
}

describe('shares', () => {
  it('stay within 0.1 points of the weights over ten million units', () => {
    const shares = sharesOf({ blue: 95, green: 5 }, 10_000_000, (index) => `u-${index}`);
    expect(Math.abs(shares.green! - 5)).toBeLessThan(0.1);
    expect(Math.abs(shares.blue! - 95)).toBeLessThan(0.1);
  });

  const sets: { weights: Record<string, number>; unitOf: (index: number) => string }[] = [
    { weights: { blue: 50, green: 50 }, unitOf: (index) => `用户${index}` },
    { weights: { blue: 99.9, green: 0.1 }, unitOf: (index) => `user-${index}@example.com` },
    { weights: { a: 34, b: 33, c: 33 }, unitOf: (index) => index.toString(16).padStart(32, '0') },
    { weights: { blue: 75.25, green: 14.75, canary: 10 }, unitOf: (index) => String(index * 7919) },
  ];
  it.each(sets)('stay within five standard errors of $weights over a million units', ({ weights, unitOf }) => {
    const units = 1_000_000;
    const shares = sharesOf(weights, units, unitOf);
    for (const [variant, percent] of Object.entries(weights)) {
      const share = percent / 100;
      const bound = 5 * Math.sqrt((share * (1 - share)) / units) * 100;
      expect(Math.abs(shares[variant]! - percent), variant).toBeLessThan(bound);
    }
  });
});
