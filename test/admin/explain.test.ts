import { expect, it } from 'vitest';
import { explanationOf } from '../../src/admin/explain.ts';
import type { RouteStatus } from '../../src/rollout/status.ts';

it('explains a choice by weights in percent and scores that a person can reckon again', () => {
  const inForce = { salt: 's', weights: { blue: 90, green: 10 }, source: 'split' };
  const { scores, variant } = explanationOf(
    { name: 'r', split: { revision: 3 }, inForce } as unknown as RouteStatus,
    'u',
  );
  expect(scores.map(({ weight }) => weight)).toEqual([90, 10]);
  for (const { hash, weight, score } of scores)
    expect(score).toBeCloseTo(-Math.log((hash + 0.5) / 2 ** 32) / weight, 12);
  expect(variant).toBe(scores.toSorted((a, b) => a.score - b.score)[0]!.variant);
});
