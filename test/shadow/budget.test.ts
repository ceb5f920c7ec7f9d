import { describe, expect, it } from 'vitest';
import { type CopySlot, MirrorBudget } from '../../src/shadow/budget.ts';
import { MAX_COPIES, SLOT_MS } from '../../src/shadow/limits.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NOON_MS = 20_000 * DAY_MS + DAY_MS / 2;

/** Takes and gives back at once. */
function pass(budget: MirrorBudget, limits: Parameters<MirrorBudget['take']>[1], nowMs: number): string {
  const place = budget.take('main/green', limits, nowMs);
  if (typeof place === 'string') return place;
  budget.done(place);
  return 'taken';
}

describe('the budget of copies', () => {
  it('without limits takes every copy', () => {
    const budget = new MirrorBudget();
    for (let i = 0; i < 1_000; i++) expect(pass(budget, {}, NOON_MS)).toBe('taken');
  });

  it('of requests a minute begins anew with each minute, and is shared among isolates', () => {
    const budget = new MirrorBudget();
    const limits = { requestsPerMinute: 4 };
    const seen = () => Array.from({ length: 5 }, () => pass(budget, limits, NOON_MS));
    expect(seen()).toEqual(['taken', 'taken', 'taken', 'taken', 'budget-requests']);
    expect(pass(budget, limits, NOON_MS + MINUTE_MS)).toBe('taken');
    budget.told('main/green', { share: 1 / 2, tokensToday: 0 }, NOON_MS + MINUTE_MS);
    expect(pass(budget, limits, NOON_MS + MINUTE_MS)).toBe('taken');
    expect(pass(budget, limits, NOON_MS + MINUTE_MS)).toBe('budget-requests');
  });

  it('of less than one request a minute for each isolate is one in as many minutes', () => {
    const luck = [0, 0.95, 0.5, 0.05];
    const budget = new MirrorBudget(() => luck.shift()!);
    const limits = { requestsPerMinute: 1 };
    budget.told('main/green', { share: 1 / 10, tokensToday: 0 }, NOON_MS);
    const minutes = [0, 1, 2, 3].map((n) => [1, 2].map(() => pass(budget, limits, NOON_MS + n * MINUTE_MS)));
    expect(minutes.flat().filter((one) => one === 'taken')).toHaveLength(1);
    expect(minutes[1]![0]).toBe('taken');
  });

  it('of tokens a day counts this isolate’s and, once told, everybody’s', () => {
    const budget = new MirrorBudget();
    const limits = { tokensPerDay: 100 };
    budget.spent('main/green', 99, NOON_MS);
    expect(pass(budget, limits, NOON_MS)).toBe('taken');
    budget.told('main/green', { share: 1, tokensToday: 60 }, NOON_MS);
    budget.spent('main/green', 40, NOON_MS);
    expect(pass(budget, limits, NOON_MS)).toBe('budget-tokens');
    expect(pass(budget, limits, NOON_MS + DAY_MS)).toBe('taken');
  });

  it('is closed for a minute after a 429, for that candidate alone', () => {
    const budget = new MirrorBudget();
    budget.rateLimited('main/green', NOON_MS);
    expect(pass(budget, {}, NOON_MS + MINUTE_MS - 1)).toBe('rate-limited');
    expect(pass(budget, {}, NOON_MS + MINUTE_MS)).toBe('taken');
    expect(typeof budget.take('main/teal', {}, NOON_MS)).toBe('object');
    budget.rateLimited('main/green', NOON_MS);
    // The clock was set back.
    expect(pass(budget, {}, NOON_MS - 60 * MINUTE_MS)).toBe('taken');
  });

  it('has places for so many copies at once, and gets each back once', () => {
    const budget = new MirrorBudget();
    const places = Array.from({ length: MAX_COPIES }, () => budget.take('main/green', {}, NOON_MS) as CopySlot);
    expect(budget.take('main/green', {}, NOON_MS)).toBe('busy');
    budget.done(places[0]!);
    budget.done(places[0]!);
    expect(typeof budget.take('main/green', {}, NOON_MS)).toBe('object');
    expect(budget.take('main/green', {}, NOON_MS)).toBe('busy');
  });

  it('takes back places of requests that the platform ended', () => {
    const budget = new MirrorBudget();
    for (let i = 0; i < MAX_COPIES; i++) budget.take('main/green', {}, NOON_MS);
    expect(budget.take('main/green', {}, NOON_MS + SLOT_MS - 1)).toBe('busy');
    for (let i = 0; i < MAX_COPIES; i++) {
      expect(typeof budget.take('main/green', {}, NOON_MS + SLOT_MS)).toBe('object');
    }
    expect(budget.take('main/green', {}, NOON_MS + SLOT_MS)).toBe('busy');
  });
});
