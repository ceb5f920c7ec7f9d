/**
 * Owns the one column map of the three datasets (design section 8): which member of a row is which blob or double. Writer,
 * reader, recorder and documentation all ask here. It refuses to write or read anything.
 *
 * Column meanings never move within a schema version. To change one, append or raise `schemaVersion`.
 *
 * `present` is the last double. Bit `i` (value 2^i) is set when the dataset's double number `i + 1`, in column order, was
 * given; an absent number is stored as 0 with its bit clear. So an SQL mean over the given values alone divides by the
 * count of rows with that bit, not by the count of rows.
 */

import { err, ok, type Result } from '../result.ts';
import { MAX_BLOB_BYTES, MAX_INDEX_BYTES } from './limits.ts';
import type { Dataset, Rows } from './rows.ts';
import { cutUtf8, utf8Bytes } from './utf8.ts';

/** Value of `blob1` in every row that this map describes. */
export const schemaVersion = '1';

/** Members in column order: the first blob is `blob1`. `index` names the two that make the sampling key. */
export const columns = {
  requests: {
    index: ['route', 'variant'],
    blobs: [
      'schema',
      'route',
      'variant',
      'reason',
      'method',
      'path',
      'errorCode',
      'rollout',
      'revision',
      'configHash',
      'colo',
      'requestId',
    ],
    doubles: ['status', 'headersMs', 'totalMs', 'bytes', 'failed', 'present'],
  },
  comparisons: {
    index: ['route', 'candidate'],
    blobs: [
      'schema',
      'route',
      'baseline',
      'candidate',
      'role',
      'class',
      'reason',
      'method',
      'path',
      'bodyKind',
      'dialect',
      'firstDiff',
      'diffs',
      'rollout',
      'revision',
      'configHash',
      'colo',
      'requestId',
      'liveFinish',
      'candidateFinish',
    ],
    doubles: [
      'liveStatus',
      'candidateStatus',
      'liveHeadersMs',
      'candidateHeadersMs',
      'liveFirstByteMs',
      'candidateFirstByteMs',
      'liveTotalMs',
      'candidateTotalMs',
      'liveBytes',
      'candidateBytes',
      'diffCount',
      'ignoredCount',
      'similarity',
      'liveTokensIn',
      'liveTokensOut',
      'candidateTokensIn',
      'candidateTokensOut',
      'liveCost',
      'candidateCost',
      'present',
    ],
  },
  outcomes: {
    index: ['route', 'experiment'],
    blobs: ['schema', 'route', 'experiment', 'variant', 'metric'],
    doubles: ['value', 'present'],
  },
} as const satisfies Record<
  Dataset,
  { index: readonly [string, string]; blobs: readonly string[]; doubles: readonly string[] }
>;

type Stored<D extends Dataset> =
  | Exclude<(typeof columns)[D]['blobs'][number], 'schema'>
  | Exclude<(typeof columns)[D]['doubles'][number], 'present'>;
/** Compiles only while rows and map name the same members. */
type SameNames<D extends Dataset> = [keyof Rows[D], Stored<D>] extends [Stored<D>, keyof Rows[D]] ? object : never;

export const datasets = Object.keys(columns satisfies { [D in Dataset]: SameNames<D> }) as Dataset[];

/** The name of the Analytics Engine dataset that holds these rows. */
export const tableOf = (dataset: Dataset): string => `headgate_${dataset}`;

/** What a row is filtered by when someone asks for one variant: in a comparison that is the candidate. */
export const variantMember = { requests: 'variant', comparisons: 'candidate', outcomes: 'variant' } as const;

/** A data point whose members are all there and all text or finite numbers; `AnalyticsEngineDataPoint` takes it as it is. */
export interface DataPoint {
  indexes: [string];
  blobs: string[];
  doubles: number[];
}

type Loose = Record<string, string | number | undefined>;

/** The platform's names of the first columns of a kind: `blob1`, `blob2`, … */
export function numbered(kind: 'blob' | 'double', count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${kind}${i + 1}`);
}

/** The SQL name of a member: `column('requests', 'path')` is `blob6`. */
export function column<D extends Dataset>(
  dataset: D,
  member: (typeof columns)[D]['blobs'][number] | (typeof columns)[D]['doubles'][number],
): string {
  const { blobs, doubles } = columns[dataset] as { blobs: readonly string[]; doubles: readonly string[] };
  const blob = blobs.indexOf(member);
  return blob >= 0 ? `blob${blob + 1}` : `double${doubles.indexOf(member) + 1}`;
}

/**
 * A row as a data point within the platform's limits. Long texts are cut fairly (the longest first, at character
 * boundaries); a member of the wrong kind or a number that is not finite refuses the row by its name, since a silently
 * mended figure would be believed.
 */
export function toDataPoint<D extends Dataset>(dataset: D, row: Rows[D]): Result<DataPoint, string> {
  const { index, blobs: blobNames, doubles: doubleNames } = columns[dataset];
  const given = row as unknown as Loose;

  const blobs: string[] = new Array(blobNames.length);
  blobs[0] = schemaVersion;
  let units = 0;
  for (let i = 1; i < blobNames.length; i++) {
    const value = given[blobNames[i]!] ?? '';
    if (typeof value !== 'string') return err(blobNames[i]!);
    blobs[i] = value;
    units += value.length;
  }

  const last = doubleNames.length - 1;
  const doubles: number[] = new Array(last + 1);
  let present = 0;
  for (let i = 0; i < last; i++) {
    const value = given[doubleNames[i]!];
    if (value === undefined) doubles[i] = 0;
    else if (typeof value === 'number' && Number.isFinite(value)) {
      doubles[i] = value;
      present += 2 ** i;
    } else return err(doubleNames[i]!);
  }
  doubles[last] = present;

  // A UTF-16 unit is at most 3 bytes, so ordinary rows are known to fit without looking at their characters.
  const fitting = units * 3 <= MAX_BLOB_BYTES ? blobs : cutFairly(blobs, MAX_BLOB_BYTES);
  const key = cutUtf8(`${given[index[0]] ?? ''}/${given[index[1]] ?? ''}`, MAX_INDEX_BYTES);
  return ok({ indexes: [key], blobs: fitting, doubles });
}

/** A row read back. Texts are all there (absent ones empty), absent numbers are left out, and columns a newer schema may have added are ignored. */
export function fromDataPoint<D extends Dataset>(
  dataset: D,
  point: { blobs: readonly string[]; doubles: readonly number[] },
): Rows[D] {
  const { blobs, doubles } = columns[dataset];
  const row: Loose = {};
  for (let i = 1; i < blobs.length; i++) row[blobs[i]!] = point.blobs[i] ?? '';
  const last = doubles.length - 1;
  const present = point.doubles[last] ?? 0;
  for (let i = 0; i < last; i++) {
    if (Math.floor(present / 2 ** i) % 2 === 1) row[doubles[i]!] = point.doubles[i] ?? 0;
  }
  return row as unknown as Rows[D];
}

/** Cuts only what is longer than a common bound, and chooses the bound so that the sum just fits: short texts stay whole. */
function cutFairly(blobs: string[], maxBytes: number): string[] {
  let room = maxBytes;
  const sizes = blobs.map(utf8Bytes).sort((a, b) => a - b);
  for (const [i, size] of sizes.entries()) {
    const bound = Math.floor(room / (sizes.length - i));
    if (size > bound) return blobs.map((text) => cutUtf8(text, bound));
    room -= size;
  }
  return blobs;
}
