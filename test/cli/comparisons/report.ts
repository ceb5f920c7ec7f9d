/** What the tests of the comparisons verb share: a report made by the product's own tally, and pairs as they are kept. */

import { comparison } from '../../../src/shadow/compare/compare.ts';
import type { Observation } from '../../../src/shadow/observation.ts';
import { PairTally, type Sample } from '../../../src/shadow/tally.ts';
import { type PairReport, reportOf, startTotals, withBatch } from '../../../src/shadow/totals.ts';

function reply(totalMs: number, more: Partial<Observation> = {}): Observation {
  return {
    status: 200,
    contentType: null,
    body: new Uint8Array(0),
    bytes: 0,
    end: 'complete',
    headersMs: totalMs / 2,
    totalMs,
    ...more,
  };
}

/** 1,000 pairs of which 200 differ in `/language`, 3 fail and 5 are skipped; 100 repeats; green 2 ms slower and more often right. */
export function fullReport(): PairReport {
  const tally = new PairTally('green');
  for (let i = 0; i < 1_000; i++) {
    const differs = i % 5 === 0;
    const result = differs ? comparison('body-mismatch', 'value') : comparison('match', '');
    const fields = differs
      ? ['/language', ...(i % 10 === 0 ? ['/very/long/path/into/a/nested/document/that/nobody/wants/to/read'] : [])]
      : [];
    const sides = { live: { tokensOut: 100, cost: 0.001 }, candidate: { tokensOut: 120, cost: 0.0012 } };
    const seen = {
      ...result,
      fields,
      similarity: differs ? 0.5 : 1,
      live: { ...result.live, ...sides.live },
      candidate: { ...result.candidate, ...sides.candidate },
    };
    tally.pair(seen, reply(10, { measures: { memory: 64 } }), reply(12, { measures: { memory: 48 } }));
    tally.score({ live: i % 7 === 0 ? 0 : 1, candidate: 1 });
    if (i % 10 === 0) tally.repeat({ ...comparison('match', ''), similarity: 1 });
  }
  for (const reason of ['unreachable', 'unreachable', 'cut'])
    tally.pair(comparison('error', reason), reply(10), reply(0, { status: 0 }));
  for (const reason of ['too-large', 'too-large', 'too-large', 'busy', 'rate-limited']) tally.skip(reason);
  return reportOf(withBatch(startTotals('green', Date.UTC(2026, 10, 23, 10)), tally.take()));
}

export function sample(more: Partial<Sample> = {}): Sample {
  return {
    at: '2026-11-23T10:05:00.000Z',
    requestId: 'r-1',
    role: 'candidate',
    class: 'body-mismatch',
    reason: 'value',
    method: 'POST',
    path: '/v1/detect',
    liveStatus: 200,
    candidateStatus: 200,
    fields: ['/language'],
    request: '{"text":"Svi ljudi rađaju se slobodni"}',
    live: '{"language":"srp","model":"tinyld"}',
    candidate: '{"model":"eld","language":"hrv"}',
    ...more,
  };
}
