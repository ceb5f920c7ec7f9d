/**
 * Owns reading records back from whichever store there is: the local recorder, else Analytics Engine's SQL API.
 * It refuses free SQL: every name in a statement comes from the column map and every value is checked or escaped.
 */

import type { Env } from '../env.ts';
import { err, ok, type Result } from '../result.ts';
import { column, columns, fromDataPoint, numbered, schemaVersion, tableOf, variantMember } from './columns.ts';
import { MAX_ERROR_CHARS, SQL_LIMIT_MS } from './limits.ts';
import type { Dataset } from './rows.ts';

/** Which records are asked for. */
export interface RecordsQuery {
  dataset: Dataset;
  route?: string;
  /** In comparisons this is the candidate. */
  variant?: string;
  limit: number;
  /** `next` of the page before, or a time: only older records. */
  before?: string;
}

/** One row with what the store knows about it. `sampleInterval` is how many rows it stands for: weigh every sum by it. */
export type RecordEntry = { at: string; id?: number; sampleInterval: number } & Record<
  string,
  string | number | undefined
>;

/** Newest first. `next` asks for the page after it; null when this was the last. */
export interface RecordsPage {
  dataset: Dataset;
  source: 'recorder' | 'analytics-engine';
  records: RecordEntry[];
  next: string | null;
}

/** Why there is nothing to show: nothing is bound, or the store said no. */
export interface ReadFault {
  code: 'records_unavailable' | 'records_refused';
  detail: string;
  mend: string;
}

/** Reads one page. Errors are values: nothing here throws but for bugs. */
export async function readRecords(
  env: Env,
  query: RecordsQuery,
  tools: { fetch: typeof fetch },
): Promise<Result<RecordsPage, ReadFault>> {
  const { RECORDER: recorder, ANALYTICS_ACCOUNT_ID: account, ANALYTICS_TOKEN: token } = env;
  if (!recorder && !(account && token)) {
    return err({
      code: 'records_unavailable',
      detail: 'This Worker cannot ask Analytics Engine.',
      mend: 'set ANALYTICS_ACCOUNT_ID, and the secret ANALYTICS_TOKEN (Account Analytics: Read)',
    });
  }
  try {
    return ok(await (recorder ? readRecorder(recorder, query) : readEngine(account!, token!, query, tools.fetch)));
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    return err({
      code: 'records_refused',
      detail: `${recorder ? 'The local recorder' : 'Analytics Engine'} did not give the records: ${said.slice(0, MAX_ERROR_CHARS)}`,
      mend: 'check ANALYTICS_ACCOUNT_ID and ANALYTICS_TOKEN; a dataset begins with its first row',
    });
  }
}

async function readRecorder(recorder: NonNullable<Env['RECORDER']>, query: RecordsQuery): Promise<RecordsPage> {
  const { before, ...rest } = query;
  const isId = before !== undefined && /^\d{1,15}$/.test(before);
  const cursor = before === undefined ? {} : isId ? { beforeId: Number(before) } : { beforeMs: Date.parse(before) };
  const stub = recorder.get(recorder.idFromName('recorder'));
  const points = await stub.read({ ...rest, ...cursor });
  const records = points.map((point) => ({
    at: new Date(point.atMs).toISOString(),
    id: point.id,
    sampleInterval: 1,
    ...fromDataPoint(query.dataset, point),
  }));
  const next = points.length < query.limit ? null : String(points.at(-1)!.id);
  return { dataset: query.dataset, source: 'recorder', records, next };
}

/** Throws what the API says where it refuses. */
async function readEngine(
  account: string,
  token: string,
  query: RecordsQuery,
  fetcher: typeof fetch,
): Promise<RecordsPage> {
  const response = await fetcher(
    `https://api.cloudflare.com/client/v4/accounts/${encodeURIComponent(account)}/analytics_engine/sql`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
      body: recordsSql(query),
      signal: AbortSignal.timeout(SQL_LIMIT_MS),
    },
  );
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status}: ${text}`);
  const { data } = JSON.parse(text) as { data: Record<string, string | number>[] };
  const records = data.map((row) => engineEntry(query.dataset, row));
  const next = records.length < query.limit ? null : records.at(-1)!.at;
  return { dataset: query.dataset, source: 'analytics-engine', records, next };
}

/**
 * The statement for one page. Timestamps there have whole seconds, so a page that ends within a second skips the rest of
 * that second on the next page: narrow by route or variant when every row counts.
 */
export function recordsSql({ dataset, route, variant, limit, before }: RecordsQuery): string {
  const { blobs, doubles } = columns[dataset];
  const selected = [
    'timestamp',
    '_sample_interval',
    ...numbered('blob', blobs.length),
    ...numbered('double', doubles.length),
  ];
  const where = [`blob1 = ${literal(schemaVersion)}`];
  if (route !== undefined) where.push(`${column(dataset, 'route')} = ${literal(route)}`);
  if (variant !== undefined) {
    where.push(`${column(dataset, variantMember[dataset] as 'variant')} = ${literal(variant)}`);
  }
  if (before !== undefined) {
    const seconds = new Date(before).toISOString().slice(0, 19).replace('T', ' ');
    where.push(`timestamp < toDateTime(${literal(seconds)})`);
  }
  return `SELECT ${selected.join(', ')} FROM ${tableOf(dataset)} WHERE ${where.join(' AND ')} ORDER BY timestamp DESC LIMIT ${Math.trunc(limit)} FORMAT JSON`;
}

/** A quoted SQL text. Names have been checked before; escaping here keeps that from being the only guard. */
function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function engineEntry(dataset: Dataset, row: Record<string, string | number>): RecordEntry {
  const { blobs, doubles } = columns[dataset];
  const point = {
    blobs: numbered('blob', blobs.length).map((name) => String(row[name] ?? '')),
    doubles: numbered('double', doubles.length).map((name) => Number(row[name] ?? 0)),
  };
  return {
    at: new Date(`${String(row.timestamp).replace(' ', 'T')}Z`).toISOString(),
    sampleInterval: Number(row._sample_interval ?? 1),
    ...fromDataPoint(dataset, point),
  };
}
