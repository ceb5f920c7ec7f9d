import { describe, expect, it } from 'vitest';
import { type Comparison, comparison } from '../../src/shadow/compare/compare.ts';
import { MAX_FAILURES, MAX_SAMPLE_CHARS, MAX_SAMPLES } from '../../src/shadow/limits.ts';
import { PairTally, type Sample } from '../../src/shadow/tally.ts';
import { reportOf, startTotals, withBatch } from '../../src/shadow/totals.ts';
import { json, seeded } from './compare/observed.ts';

const sampleOf = (requestId: string): Sample => ({
  at: '2026-11-23T10:00:00Z',
  requestId,
  role: 'candidate',
  class: 'body-mismatch',
  reason: 'differs',
  method: 'GET',
  path: '/',
  liveStatus: 200,
  candidateStatus: 200,
  fields: [],
  request: '',
  live: '',
  candidate: '',
});
const pairOf = (name: Comparison['class'], over: Partial<Comparison> = {}): Comparison => ({
  ...comparison(name, name === 'error' ? 'cut' : ''),
  ...over,
});

describe('an isolate’s tally of pairs', () => {
  it('closes at any moment: eligible is compared plus skipped', () => {
    const random = seeded(7);
    const tally = new PairTally('green');
    for (let i = 0; i < 500; i++) {
      const which = Math.floor(random() * 8);
      if (which === 0) tally.skip('busy');
      else if (which === 1) tally.pair(pairOf('skipped', { reason: 'truncated' }), json(1), json(1));
      else if (which === 2) tally.repeat(pairOf('match'));
      else if (which === 3) tally.pair(pairOf('error'), json(1), json(1));
      else tally.pair(pairOf(random() < 0.5 ? 'match' : 'body-mismatch'), json(1), json(2));
      const { eligible, classes, skipped } = tally.take();
      const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
      expect(eligible).toBe(sum(classes) + sum(skipped));
    }
  });

  it('keeps errors, timeouts and skips away from what is known of fields', () => {
    const tally = new PairTally('green');
    tally.pair(pairOf('body-mismatch', { fields: ['/label'] }), json(1), json(2));
    tally.pair(pairOf('error', { fields: ['/label'] }), json(1), json(2));
    tally.pair(pairOf('timeout', { fields: ['/label'], reason: 'body' }), json(1), json(2));
    tally.repeat(pairOf('match'));
    tally.repeat(pairOf('error'));
    tally.repeat(pairOf('skipped'));
    const { noise, failures, repeats } = tally.take();
    expect(noise).toEqual({ candidate: { pairs: 1, fields: { '/label': 1 } }, repeat: { pairs: 1, fields: {} } });
    expect(failures).toEqual({ cut: 1, body: 1 });
    expect(repeats).toEqual({ match: 1, error: 1, skipped: 1 });
  });

  it('keeps so many reasons of failures apart, and no more, however many an origin names', () => {
    const tally = new PairTally('green');
    for (let i = 0; i < 500; i++) tally.pair(pairOf('error', { reason: `error-event:${i}` }), json(1), json(1));
    const batch = tally.take();
    expect(Object.keys(batch.failures)).toHaveLength(MAX_FAILURES + 1);
    expect(Object.values(batch.failures).reduce((a, b) => a + b, 0)).toBe(500);
    let totals = startTotals('green', 0);
    for (let i = 0; i < 5; i++) {
      const failures = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`error-event:${i}-${n}`, 1]));
      totals = withBatch(totals, { ...batch, failures });
    }
    expect(Object.keys(totals.failures)).toHaveLength(MAX_FAILURES + 1);
    expect(Object.values(totals.failures).reduce((a, b) => a + b, 0)).toBe(200);
  });

  it('keeps the newest samples of one flush, so many and so much of them', () => {
    const tally = new PairTally('green');
    for (let i = 0; i < 250; i++) tally.sample(sampleOf(`r-${i}`));
    const kept = tally.take().samples.map(({ requestId }) => requestId);
    expect(kept).toEqual(Array.from({ length: MAX_SAMPLES }, (_, i) => `r-${i + 50}`));
    for (let i = 0; i < 250; i++) tally.sample({ ...sampleOf(`long-${i}`), live: 'x'.repeat(6_000) });
    const { samples } = tally.take();
    expect(samples.at(-1)!.requestId).toBe('long-249');
    expect(samples.length).toBeGreaterThan(80);
    expect(JSON.stringify(samples).length).toBeLessThan(MAX_SAMPLE_CHARS + 1_000);
  });

  it('tells how many answers name no usage, so that their tokens are estimates', () => {
    const tally = new PairTally('green');
    const sideOf = (tokensEstimated: boolean) => ({ finish: '', tokensOut: 8, tokensEstimated });
    for (const isEstimated of [true, false, false, false])
      tally.pair(pairOf('match', { live: sideOf(false), candidate: sideOf(isEstimated) }), json(1), json(1));
    tally.pair(pairOf('match'), json(1), json(1));
    const { tokensEstimated } = reportOf(withBatch(startTotals('green', 0), tally.take())).numbers;
    expect(tokensEstimated).toMatchObject({ live: { n: 4, mean: 0 }, candidate: { n: 4, mean: 0.25 } });
  });

  it('takes no tokens of a pair where one side was not read to where it names them, or broke off', () => {
    const sideOf = (tokensOut: number, tokensEstimated: boolean, finish = 'stop') => ({
      ...{ finish, tokensOut, tokensEstimated },
      cost: 1,
    });
    const tally = new PairTally('green');
    const pair = (name: 'match' | 'error', isEstimated: boolean, end: 'truncated' | 'complete') =>
      tally.pair(
        pairOf(name, { live: sideOf(300, isEstimated), candidate: sideOf(700, false) }),
        { ...json(1), end },
        json(1),
      );
    pair('match', true, 'truncated');
    pair('error', false, 'complete');
    // The opening of a stream names an output of one token.
    const opened = { ...json(1), end: 'timeout' as const };
    tally.pair(pairOf('timeout', { live: sideOf(300, false), candidate: sideOf(1, false, '') }), json(1), opened);
    // Who refuses long prompts would look cheap.
    const refused = { ...json(1), status: 400 };
    const none = { finish: '', tokensEstimated: false };
    tally.pair(pairOf('status-mismatch', { live: sideOf(300, false), candidate: none }), json(1), refused);
    expect(reportOf(withBatch(startTotals('green', 0), tally.take())).numbers).toEqual({});
    const next = new PairTally('green');
    next.pair(
      pairOf('match', { live: sideOf(300, false), candidate: sideOf(700, false) }),
      { ...json(1), end: 'truncated' },
      json(1),
    );
    const { tokensOut } = reportOf(withBatch(startTotals('green', 0), next.take())).numbers;
    expect(tokensOut).toMatchObject({ live: { n: 1, mean: 300 }, candidate: { n: 1, mean: 700 } });
  });

  it('gives no time of headers to a reply that never came', () => {
    const tally = new PairTally('green');
    tally.pair(pairOf('timeout'), json(1, { headersMs: 40 }), json(1, { end: 'timeout', headersMs: undefined }));
    tally.pair(pairOf('match'), json(1, { headersMs: undefined }), json(1, { headersMs: 70 }));
    const { headers } = reportOf(withBatch(startTotals('green', 0), tally.take())).latency;
    expect(headers.live.p50Ms! / 40).toBeCloseTo(1, 1);
    expect(headers.candidate.p50Ms! / 70).toBeCloseTo(1, 1);
  });

  it('gives no total time to a reply that was not read to its end', () => {
    const tally = new PairTally('green');
    tally.pair(pairOf('timeout'), json(1), json(1, { end: 'timeout', totalMs: 5_000 }));
    tally.pair(pairOf('match'), json(1, { totalMs: 100 }), json(1, { totalMs: 150 }));
    const { latency } = reportOf(withBatch(startTotals('green', 0), tally.take()));
    expect(latency.candidate.p99Ms).toBeCloseTo(150, -1);
    expect(latency.difference.p50Ms).toBeCloseTo(50, 0);
  });
});
