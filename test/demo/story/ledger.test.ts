import { describe, expect, it } from 'vitest';
import { Ledger, type Seen } from '../../../src/demo/story/ledger.ts';
import { population } from '../../../src/demo/visitors.ts';

const [ada, bob, eve] = population({ browsers: 0, clients: 3 });

function ledgerOf(...seen: Partial<Seen>[]): Ledger {
  const ledger = new Ledger();
  for (const one of seen) {
    ledger.add({ variant: 'green', visitor: ada!, sentAtMs: 1_000, failed: false, ms: 5, ...one });
  }
  return ledger;
}

describe('the ledger of the story', () => {
  it('counts whom a release touched and whom it harmed, each visitor once', () => {
    const ledger = ledgerOf(
      { variant: 'broken', visitor: ada!, failed: true },
      { variant: 'broken', visitor: ada!, ms: 300 },
      { variant: 'broken', visitor: bob!, ms: 300 },
      { variant: 'broken', visitor: eve!, ms: 20 },
      { variant: 'green', visitor: eve!, ms: 300 },
    );
    expect(ledger.touched('broken', 0, 150)).toEqual({ requests: 4, failed: 1, slow: 2, visitors: 3, harmed: 2 });
    expect(ledger.visitors).toBe(3);
  });

  it('does not call a failed request slow as well', () => {
    const ledger = ledgerOf({ variant: 'broken', failed: true, ms: 10_000 });
    expect(ledger.touched('broken', 0, 150)).toMatchObject({ failed: 1, slow: 0 });
  });

  it('goes by when a question was sent, not by when its answer came', () => {
    const ledger = ledgerOf({ sentAtMs: 900, failed: true }, { sentAtMs: 1_000 }, { sentAtMs: 950 });
    expect(ledger.count(1_000)).toEqual({ answers: 1, failed: 0 });
    expect(ledger.count(900)).toEqual({ answers: 3, failed: 1 });
  });

  it('tells live shares by name, with unanswered questions last', () => {
    const ledger = ledgerOf({}, {}, { variant: 'blue' }, { variant: null, failed: true });
    expect(ledger.shares(0)).toEqual([
      { variant: 'blue', share: 0.25 },
      { variant: 'green', share: 0.5 },
      { variant: null, share: 0.25 },
    ]);
    expect(ledger.shares(2_000)).toEqual([]);
  });

  it('knows the last question that a variant answered, and the last that another did', () => {
    const ledger = ledgerOf(
      { sentAtMs: 3_000, variant: 'blue' },
      { sentAtMs: 5_000 },
      { sentAtMs: 2_000, variant: 'blue' },
      { sentAtMs: 4_000, variant: null },
    );
    expect(ledger.lastTo('blue', 0)).toBe(3_000);
    expect(ledger.lastToOthers('green', 0)).toBe(4_000);
    expect(ledger.lastToOthers('green', 4_500)).toBeNull();
    expect(ledger.lastTo('third', 0)).toBeNull();
  });
});
