import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { columns, tableOf } from '../../../src/records/columns.ts';
import type { ComparisonRow, RequestRow } from '../../../src/records/rows.ts';
import { comparisonQueries } from '../../../src/records/sql/comparisons.ts';
import { queriesMarkdown, readyQueries } from '../../../src/records/sql/index.ts';
import { requestQueries } from '../../../src/records/sql/requests.ts';
import { Engine } from './engine.ts';

let engine: Engine;
beforeEach(() => {
  engine = new Engine();
});

function pair(row: Partial<ComparisonRow>, more?: Parameters<Engine['write']>[2]): void {
  const usual = { route: 'detect', baseline: 'blue', candidate: 'green', role: 'candidate', class: 'match' } as const;
  engine.write('comparisons', { ...usual, ...row }, more);
}

function request(row: Partial<RequestRow>, more?: Parameters<Engine['write']>[2]): void {
  engine.write('requests', { route: 'detect', variant: 'green', reason: 'hash', failed: 0, ...row }, more);
}

const ask = (name: keyof typeof comparisonQueries | keyof typeof requestQueries) =>
  engine.ask(readyQueries[name]!.sql).map(({ route, candidate, ...row }) => {
    expect(route).toBe('detect');
    if (candidate !== undefined) expect(candidate).toBe('green');
    return row;
  });

describe.each(Object.entries(readyQueries))('the ready query %s', (_, { sql, dataset }) => {
  it('names columns of its dataset only, and each by the map', () => {
    const { blobs, doubles } = columns[dataset];
    for (const [, kind, number] of sql.matchAll(/\b(blob|double)(\d+)\b/g)) {
      expect(Number(number)).toBeLessThanOrEqual((kind === 'blob' ? blobs : doubles).length);
    }
    expect(sql).toContain(`FROM ${tableOf(dataset)}\n`);
  });

  it('weighs by _sample_interval and never counts rows', () => {
    expect(sql).toMatch(/sum\(_sample_interval\)|sumIf\(_sample_interval,/);
    expect(sql).not.toMatch(/\b(count|countIf|avg|avgIf)\(/);
    for (const [, argument] of sql.matchAll(/\bsum\(([^)]*)/g)) expect(argument).toMatch(/^_sample_interval/);
    for (const [call] of sql.matchAll(/quantile[^,]*,[^)]*\)/g)) expect(call).toContain(', _sample_interval)');
  });

  it('runs, looks at the past days only and at rows of this schema only', () => {
    pair({}, { ageSeconds: 40 * 86_400 });
    pair({}, { schema: '2' });
    request({}, { ageSeconds: 40 * 86_400 });
    request({}, { schema: '2' });
    expect(engine.ask(sql)).toEqual([]);
  });
});

describe('the ready queries on comparisons', () => {
  it('count every class by day, so that eligible is their sum', () => {
    pair({}, { sampleInterval: 5 });
    pair({ class: 'body-mismatch' }, { sampleInterval: 3 });
    pair({ class: 'status-mismatch' });
    pair({ class: 'error' });
    pair({ class: 'timeout' });
    pair({ class: 'skipped' }, { sampleInterval: 2 });
    pair({ role: 'repeat', class: 'body-mismatch' });
    const [row] = ask('class-shares');
    const { eligible, day, ...classes } = row!;
    expect(classes).toEqual({
      matches: 5,
      status_mismatches: 1,
      body_mismatches: 3,
      errors: 1,
      timeouts: 1,
      skipped: 2,
    });
    expect(eligible).toBe(13);
    expect(day).toBe(Date.UTC(2026, 10, 23) / 1000);
  });

  it('tell why requests were skipped and why copies failed', () => {
    pair({ class: 'skipped', reason: 'too-large' }, { sampleInterval: 4 });
    pair({ class: 'skipped', reason: 'busy' });
    pair({ class: 'error', reason: 'stream-cut', candidateStatus: 200 }, { sampleInterval: 2 });
    expect(ask('skip-reasons')).toEqual([
      { reason: 'too-large', requests: 4 },
      { reason: 'busy', requests: 1 },
    ]);
    expect(ask('error-reasons')).toEqual([{ class: 'error', reason: 'stream-cut', candidate_status: 200, pairs: 2 }]);
  });

  it('compare latencies over pairs in which both ended, never over absent numbers', () => {
    const times = (live: number, candidate: number) => ({
      liveHeadersMs: live,
      candidateHeadersMs: candidate,
      liveTotalMs: live * 2,
      candidateTotalMs: candidate * 2,
    });
    pair(times(10, 20), { sampleInterval: 8 });
    pair(times(100, 50), { sampleInterval: 2 });
    pair({ class: 'timeout', liveHeadersMs: 7, liveTotalMs: 9 }, { sampleInterval: 100 });
    expect(ask('latency')).toEqual([
      {
        baseline_headers_p50: 10,
        candidate_headers_p50: 20,
        baseline_total_p50: 20,
        candidate_total_p50: 40,
        baseline_total_p95: 200,
        candidate_total_p95: 100,
        pairs: 10,
      },
    ]);
    expect(ask('slow-down')).toEqual([{ slower_ms_p50: 20, slower_ms_p95: 20, share_slower: 0.8, pairs: 10 }]);
  });

  it('find where answers differ: field, path and revision', () => {
    pair({ path: '/a', rollout: 'r-1', revision: '9' }, { sampleInterval: 3 });
    pair({ path: '/a', rollout: 'r-1', revision: '10', class: 'body-mismatch', firstDiff: '/language' });
    pair({ path: '/b', rollout: 'r-1', revision: '10', class: 'body-mismatch', firstDiff: '/language' });
    pair({ path: '/b', class: 'skipped', revision: '10' });
    expect(ask('first-differences')).toEqual([{ first_difference: '/language', pairs: 2 }]);
    expect(ask('match-rate-by-path')).toEqual([
      { path: '/b', match_rate: 0, pairs: 1 },
      { path: '/a', match_rate: 0.75, pairs: 4 },
    ]);
    expect(ask('match-rate-by-revision')).toMatchObject([
      { rollout: 'r-1', revision: 10, match_rate: 0, pairs: 2 },
      { rollout: 'r-1', revision: 9, match_rate: 1, pairs: 3 },
    ]);
  });

  it('put the likeness of candidate pairs beside that of repeats', () => {
    pair({ similarity: 0.5, class: 'body-mismatch' }, { sampleInterval: 3 });
    pair({ similarity: 1 });
    pair({ similarity: 0.9, role: 'repeat', class: 'body-mismatch' });
    pair({});
    expect(ask('likeness')).toEqual([
      { role: 'candidate', mean_similarity: 0.625, similarity_p05: 0.5, match_rate: 0.25, pairs: 4 },
      { role: 'repeat', mean_similarity: 0.9, similarity_p05: 0.9, match_rate: 0, pairs: 1 },
    ]);
  });

  it('average tokens and cost over the pairs that have them', () => {
    const tokens = { liveTokensIn: 10, candidateTokensIn: 10, liveTokensOut: 100, candidateTokensOut: 150 };
    pair({ ...tokens, liveCost: 0.001, candidateCost: 0.003 }, { sampleInterval: 2 });
    pair({ liveTokensIn: 10 });
    expect(ask('tokens')).toMatchObject([
      { baseline_tokens_in: 10, candidate_tokens_out: 150, more_tokens_out: 50, pairs: 2 },
    ]);
    const [cost] = ask('cost');
    expect(cost).toMatchObject({ baseline_cost: 0.002, candidate_cost: 0.006, pairs: 2 });
    expect(cost!.difference_per_thousand).toBeCloseTo(2, 9);
  });
});

describe('the ready queries on requests', () => {
  it('tell failures, their codes, reasons and what visitors wait', () => {
    request({ status: 200, headersMs: 10, totalMs: 20 }, { sampleInterval: 3 });
    request({ status: 502, failed: 1, errorCode: 'origin_unreachable', reason: 'pin' });
    expect(ask('failure-rate')).toMatchObject([{ variant: 'green', requests: 4, failures: 1, failure_rate: 0.25 }]);
    expect(ask('failure-codes')).toEqual([{ variant: 'green', code: 'origin_unreachable', status: 502, requests: 1 }]);
    expect(ask('why-there')).toEqual([
      { variant: 'green', reason: 'hash', requests: 3 },
      { variant: 'green', reason: 'pin', requests: 1 },
    ]);
    expect(ask('visitor-latency')).toMatchObject([{ headers_p50: 10, total_p95: 20, requests: 3 }]);
  });
});

describe('the list of ready queries', () => {
  it('has a name for each query of both datasets, and prints each whole', () => {
    const all = { ...comparisonQueries, ...requestQueries };
    expect(Object.keys(readyQueries)).toHaveLength(
      Object.keys(comparisonQueries).length + Object.keys(requestQueries).length,
    );
    const markdown = queriesMarkdown('comparisons') + queriesMarkdown('requests');
    for (const { sql } of Object.values(all)) expect(markdown).toContain(`\`\`\`sql\n${sql}\n\`\`\``);
  });

  it('stands word for word in the README', () => {
    const file = join(import.meta.dirname, '../../../README.md');
    const page = queriesMarkdown('comparisons') + queriesMarkdown('requests');
    const readme = existsSync(file) ? readFileSync(file, 'utf8') : page;
    for (const [name, { sql }] of Object.entries(readyQueries)) {
      expect(readme.includes(sql), `the README lacks the query ${name} as it is now`).toBe(true);
    }
  });
});
