import { describe, expect, it } from 'vitest';
import { comparison } from '../../src/shadow/compare/compare.ts';
import { compareJson } from '../../src/shadow/compare/json.ts';
import { compileRules } from '../../src/shadow/compare/paths.ts';
import { emptyPairs, type PairBatch, PairTally } from '../../src/shadow/tally.ts';
import { reportOf, startTotals, withBatch } from '../../src/shadow/totals.ts';
import { json, seeded } from './compare/observed.ts';

/** A batch of pairs with these total times, every reply with one measure and a score. */
function batchOf(times: [liveMs: number, candidateMs: number][]): PairBatch {
  const tally = new PairTally('green');
  for (const [liveMs, candidateMs] of times) {
    const measures = (memory: number) => ({ measures: { memory } });
    tally.pair(
      { ...comparison('match', ''), similarity: 0.5, live: { finish: '', tokensEstimated: false, tokensOut: 10 } },
      json(1, { totalMs: liveMs, ...measures(100) }),
      json(1, { totalMs: candidateMs, ...measures(300) }),
    );
    tally.score({ live: 1, candidate: 0.5 });
  }
  tally.skip('busy');
  tally.spent(7);
  return tally.take();
}

describe('the totals of a candidate', () => {
  it('are the same however the pairs were batched', () => {
    const random = seeded(3);
    const times = Array.from({ length: 300 }, (): [number, number] => [10 + random() * 90, 10 + random() * 90]);
    const atOnce = withBatch(startTotals('green', 0), batchOf(times));
    let inParts = startTotals('green', 0);
    for (let i = 0; i < 300; i += 30) inParts = withBatch(inParts, batchOf(times.slice(i, i + 30)));
    const { skipped, eligible, tokens: _, noise: __, ...rest } = inParts;
    expect({ skipped, eligible }).toEqual({ skipped: { busy: 10 }, eligible: 310 });
    const { similarity, scores, latency, sums, classes } = atOnce;
    expect(rest).toMatchObject({ similarity, scores, latency, sums, classes });
  });

  it('leave the totals before them as they were', () => {
    const before = startTotals('green', 0);
    const copy = structuredClone(before);
    withBatch(before, batchOf([[1, 2]]));
    expect(before).toEqual(copy);
  });

  it('survive JSON, as the controller keeps them', () => {
    const totals = withBatch(startTotals('green', 0), batchOf([[10, 20]]));
    const kept = JSON.parse(JSON.stringify(totals)) as typeof totals;
    expect(reportOf(withBatch(kept, batchOf([[10, 20]])))).toEqual(reportOf(withBatch(totals, batchOf([[10, 20]]))));
  });

  it('report quantiles of the paired difference, of either sign', () => {
    const times: [number, number][] = Array.from({ length: 100 }, (_, i) => [200, 100 + i * 2]);
    const { latency } = reportOf(withBatch(startTotals('green', 0), batchOf(times)));
    expect(latency.difference.p50Ms).toBeCloseTo(-2, 0);
    expect(latency.difference.p95Ms!).toBeGreaterThan(85);
    expect(latency.difference.p95Ms!).toBeLessThan(92);
    expect(latency.live.p50Ms! / 200).toBeCloseTo(1, 1);
  });

  it('report means, scores with their interval, and nothing where there is nothing', () => {
    const report = reportOf(withBatch(startTotals('green', 0), batchOf(Array.from({ length: 50 }, () => [10, 10]))));
    expect(report).toMatchObject({
      compared: 50,
      numbers: { 'measure:memory': { live: { n: 50, mean: 100 }, candidate: { n: 50, mean: 300 } } },
      scores: { difference: { mean: -0.5 }, interval: [-0.5, -0.5] },
      similarity: { candidate: { mean: 0.5 }, repeat: { n: 0, mean: null } },
    });
    const empty = reportOf(startTotals('green', 0));
    expect(empty).toMatchObject({
      eligible: 0,
      compared: 0,
      classes: { match: 0, 'status-mismatch': 0, 'body-mismatch': 0, error: 0, timeout: 0 },
      scores: null,
      notes: [],
    });
    expect(empty.latency.difference).toEqual({ p50Ms: null, p95Ms: null, p99Ms: null });
  });

  it('tell no interval of a single score', () => {
    const { scores } = reportOf(withBatch(startTotals('green', 0), batchOf([[10, 10]])));
    expect(scores).toMatchObject({ difference: { n: 1, mean: -0.5 }, interval: null });
  });

  it('note where no repeat tells of noise, and not where one does', () => {
    const tally = new PairTally('green');
    const noteOf = () => reportOf(withBatch(startTotals('green', 0), tally.take())).notes.join();
    tally.pair(comparison('match', ''), json(1), json(1));
    expect(noteOf()).toContain('repeat');
    tally.repeat(comparison('match', ''));
    expect(noteOf()).toBe('');
  });

  it('note refused copies only when every copy was refused', () => {
    const tally = new PairTally('green');
    tally.pair(comparison('status-mismatch', '200-401'), json(1), json(1, { status: 401 }));
    const refused = withBatch(startTotals('green', 0), tally.take());
    expect(reportOf(refused).notes.join()).toContain('401 or 403');
    expect(reportOf(withBatch(refused, batchOf([[1, 1]]))).notes.join()).not.toContain('401 or 403');
  });
});

describe('the row of totals', () => {
  it('stays under the 2 MB of the platform, whatever members are called', () => {
    const rules = compileRules({});
    const fieldsOf = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => {
        const nested = (leaf: number, levels = 8): unknown =>
          levels === 0 ? leaf : { ['\u0001'.repeat(64)]: nested(leaf, levels - 1) };
        const name = `f${from + n}`;
        return compareJson({ [name]: nested(1) }, { [name]: nested(2) }, { rules }).fields[0]!;
      });
    let totals = startTotals('green', 0);
    const add = (fields: string[], repeats: number) => {
      const batch = emptyPairs('green');
      batch.noise.candidate = { pairs: 10, fields: Object.fromEntries(fields.map((field) => [field, 1])) };
      batch.noise.repeat.pairs = repeats;
      totals = withBatch(totals, batch);
    };
    add(fieldsOf(0, 200), 1);
    add(fieldsOf(200, 500), 0);
    expect(new TextEncoder().encode(JSON.stringify(totals)).length).toBeLessThan(2_000_000);
  });
});
