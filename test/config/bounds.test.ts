import { describe, expect, it } from 'vitest';
import { faultsOf } from './sample.ts';

describe('strangers', () => {
  it('are told within bounds, however many there are beside however many variants', () => {
    const many = (word: string) => Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`${word}${n}`, 1]));
    const faults = faultsOf(JSON.stringify({ routes: [{ name: 'a', variants: many('v'), weights: many('weight') }] }));
    expect(faults.length).toBeGreaterThan(4_000);
    expect(JSON.stringify(faults).length).toBeLessThan(1_000_000);
  });

  const many = (length: number, made: (n: number) => string) => Array.from({ length }, (_, n) => made(n));
  const asKeys = (names: string[]) => Object.fromEntries(names.map((name) => [name, 1]));

  it.each([
    [
      'variants',
      { variants: asKeys(many(8, (n) => `${n}`.repeat(3_500))), weights: asKeys(many(3_000, (n) => `w${n}`)) },
    ],
    ['what they stand in', { variants: { ['v'.repeat(30_000)]: asKeys(many(3_000, (n) => `k${n}`)) } }],
  ])('are told within bounds, however long the names are of %s', (_, route) => {
    const faults = faultsOf(JSON.stringify({ routes: [{ name: 'a', ...route }] }));
    expect(faults.length).toBeGreaterThan(3_000);
    expect(JSON.stringify(faults).length).toBeLessThan(2_000_000);
  });

  it('keep nobody waiting, however many there are beside however many outcomes', () => {
    const outcomes = many(2_000, (n) => `o${n}`).map((name) => ({ name }));
    const primary = many(4_000, (n) => `p${n}`);
    const startedAtMs = performance.now();
    faultsOf(JSON.stringify({ routes: [{ name: 'a', outcomes, experiment: { id: 'e', primary } }] }));
    expect(performance.now() - startedAtMs).toBeLessThan(3_000);
  });
});
