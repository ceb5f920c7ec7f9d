import { describe, expect, it } from 'vitest';
import { againstNeighbours, quantile, spreadOf } from './ratios.ts';

describe('ratios of the bench', () => {
  it('take the middle between neighbours where the share falls between two values', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([5], 0.99)).toBe(5);
    expect(quantile([], 0.5)).toBeNaN();
    expect(spreadOf([1, 2, 3, 4, 100])).toEqual({ q1: 2, median: 3, q3: 4 });
  });

  it('are free of a machine that grows slower steadily', () => {
    const slowness = (slot: number) => 1 + slot * 0.1;
    const references = [0, 2, 4].map((slot) => 200 * slowness(slot));
    const subjects = [1.25 * 200 * slowness(1), 1.5 * 200 * slowness(3)];
    const [first, second] = againstNeighbours(subjects, references);
    expect(first).toBeCloseTo(1.25, 12);
    expect(second).toBeCloseTo(1.5, 12);
  });

  it('are refused where a reference is missing', () => {
    expect(() => againstNeighbours([1], [1])).toThrow(RangeError);
  });
});
