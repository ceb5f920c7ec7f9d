import { describe, expect, it, vi } from 'vitest';
import type { Env } from '../../src/env.ts';
import { toDataPoint } from '../../src/records/columns.ts';
import { readRecords, recordsSql } from '../../src/records/read.ts';

const row = { route: 'detect', variant: 'green', reason: 'hash', path: '/v1/detect', status: 200 } as const;
const point = toDataPoint('requests', row);
if (!point.ok) throw new Error('refused');
const { blobs, doubles } = point.value;

const query = { dataset: 'requests', limit: 2 } as const;
const production = { ANALYTICS_ACCOUNT_ID: 'acc', ANALYTICS_TOKEN: 'secret' } as Env;
const answering = (body: unknown, status = 200) => vi.fn(async () => new Response(JSON.stringify(body), { status }));

describe('reading records', () => {
  it('says what to set when there is nothing to read from', async () => {
    const page = await readRecords({} as Env, query, { fetch });
    expect(page).toMatchObject({ ok: false, error: { code: 'records_unavailable' } });
    expect(!page.ok && page.error.mend).toMatch(/ANALYTICS_ACCOUNT_ID.*ANALYTICS_TOKEN/);
  });

  it('asks the local recorder first and gives a cursor only while there may be more', async () => {
    const stored = { id: 7, atMs: 0, index: 'detect/green', blobs, doubles };
    const read = vi.fn(async () => [{ ...stored, id: 8 }, stored]);
    const env = { ...production, RECORDER: { idFromName: () => 'id', get: () => ({ read }) } } as unknown as Env;
    const page = await readRecords(env, { ...query, before: '9', route: 'detect' }, { fetch });
    expect(read).toHaveBeenCalledWith({ dataset: 'requests', limit: 2, beforeId: 9, route: 'detect' });
    expect(page).toMatchObject({ ok: true, value: { source: 'recorder', next: '7' } });
    expect(page.ok && page.value.records[0]).toMatchObject({ ...row, id: 8, at: '1970-01-01T00:00:00.000Z' });
    read.mockResolvedValueOnce([stored]);
    expect(await readRecords(env, query, { fetch })).toMatchObject({ value: { next: null } });
  });

  it('asks the SQL API in production and names the columns', async () => {
    const named = Object.fromEntries([
      ...blobs.map((blob, i) => [`blob${i + 1}`, blob]),
      ...doubles.map((double, i) => [`double${i + 1}`, double]),
    ]);
    const fetcher = answering({ data: [{ timestamp: '2026-11-23 10:00:00', _sample_interval: '4', ...named }] });
    const page = await readRecords(production, query, { fetch: fetcher as unknown as typeof fetch });
    const [url, init] = fetcher.mock.calls[0] as unknown as [string, RequestInit];
    expect(url).toBe('https://api.cloudflare.com/client/v4/accounts/acc/analytics_engine/sql');
    expect(init).toMatchObject({ method: 'POST', headers: { authorization: 'Bearer secret' } });
    expect(page).toMatchObject({
      ok: true,
      value: {
        source: 'analytics-engine',
        records: [{ ...row, at: '2026-11-23T10:00:00.000Z', sampleInterval: 4 }],
      },
    });
    expect(page.ok && 'totalMs' in page.value.records[0]!).toBe(false);
  });

  it.each([
    ['refuses', answering({ errors: ['bad token'] }, 403), /403.*bad token/],
    ['answers nonsense', vi.fn(async () => new Response('<html>')), /not valid JSON|Unexpected token/],
    ['cannot be reached', vi.fn(async () => Promise.reject(new Error('connection lost'))), /connection lost/],
  ])('tells why when the SQL API %s, and never the token', async (_, fetcher, words) => {
    const page = await readRecords(production, query, { fetch: fetcher as unknown as typeof fetch });
    expect(page).toMatchObject({ ok: false, error: { code: 'records_refused' } });
    expect(!page.ok && page.error.detail).toMatch(words);
    expect(JSON.stringify(page)).not.toContain('secret');
  });
});

describe('the SQL for records', () => {
  it('filters by route, variant and time with columns from the map', () => {
    const sql = recordsSql({
      dataset: 'comparisons',
      route: 'chat',
      variant: 'green',
      limit: 5,
      before: '2026-11-23T10:00:00Z',
    });
    expect(sql).toContain('FROM headgate_comparisons');
    expect(sql).toContain(
      "WHERE blob1 = '1' AND blob2 = 'chat' AND blob4 = 'green' AND timestamp < toDateTime('2026-11-23 10:00:00')",
    );
    expect(sql).toMatch(/ORDER BY timestamp DESC LIMIT 5 FORMAT JSON$/);
  });

  it('cannot be broken out of by a name', () => {
    const sql = recordsSql({ dataset: 'requests', route: "x' OR '1'='1\\", limit: 1 });
    expect(sql).toContain("blob2 = 'x\\' OR \\'1\\'=\\'1\\\\'");
  });
});
