import { describe, expect, it } from 'vitest';
import { FailoverBudget } from '../../src/forward/budget.ts';

/** How many extra requests the budget allows when each request wants one. */
function spent(budget: FailoverBudget, requests: number, nowMs: number, route = 'main'): number {
  let extra = 0;
  for (let n = 0; n < requests; n++) {
    budget.earn(route, nowMs);
    if (budget.spend(route, nowMs)) extra++;
  }
  return extra;
}

describe('failover budget', () => {
  it('lets a burst of 200 fail over, as when a candidate dies', () => {
    expect(spent(new FailoverBudget(), 200, 0)).toBe(200);
  });

  it('bounds the extra load of a flood of failures to the burst and a fifth of the requests', () => {
    const extra = spent(new FailoverBudget(), 10_000, 0);
    expect(extra).toBeLessThanOrEqual(200 + 10_000 * 0.2 + 1);
    expect(extra).toBeGreaterThan(2_000);
  });

  it('always allows a slow route its failovers: time earns too', () => {
    const budget = new FailoverBudget();
    for (let second = 0; second < 1_000; second++) expect(spent(budget, 10, second * 1_000)).toBe(10);
  });

  it('never saves more than one burst', () => {
    const budget = new FailoverBudget();
    budget.earn('main', 0);
    budget.earn('main', 86_400_000);
    let extra = 0;
    while (budget.spend('main', 86_400_000)) extra++;
    expect(extra).toBe(200);
  });

  it('keeps an empty bucket of one route from another', () => {
    const budget = new FailoverBudget();
    while (budget.spend('main', 0));
    expect(budget.spend('main', 0)).toBe(false);
    expect(budget.spend('other', 0)).toBe(true);
  });

  it('earns nothing from a clock that goes backwards', () => {
    const budget = new FailoverBudget();
    while (budget.spend('main', 1_000));
    budget.earn('main', 0);
    expect(budget.spend('main', 0)).toBe(false);
  });
});
