import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { column, columns, datasets, fromDataPoint, toDataPoint } from '../../src/records/columns.ts';
import { MAX_BLOB_BYTES, MAX_INDEX_BYTES } from '../../src/records/limits.ts';
import type { Dataset } from '../../src/records/rows.ts';

const bytes = (text: string) => new TextEncoder().encode(text).length;
const text = (options?: { maxLength: number }) => fc.string({ unit: 'grapheme', ...options });

/** Any row of a dataset: every text there, each number there or not. */
function rowOf(dataset: Dataset, texts: fc.Arbitrary<string> = text({ maxLength: 12 })) {
  const { blobs, doubles } = columns[dataset];
  return fc
    .record({
      texts: fc.tuple(...blobs.slice(1).map(() => texts)),
      numbers: fc.tuple(
        ...doubles
          .slice(0, -1)
          .map(() => fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: undefined })),
      ),
    })
    .map(({ texts, numbers }) => {
      const row: Record<string, string | number> = {};
      blobs.slice(1).forEach((name, i) => {
        row[name] = texts[i]!;
      });
      doubles.slice(0, -1).forEach((name, i) => {
        if (numbers[i] !== undefined) row[name] = numbers[i];
      });
      return row;
    });
}

describe('the column map', () => {
  it('keeps the columns of schema version 1 where they are', () => {
    const layout = Object.fromEntries(
      datasets.map((d) => [d, [...columns[d].blobs, '|', ...columns[d].doubles].join(' ')]),
    );
    expect(layout).toEqual({
      requests:
        'schema route variant reason method path errorCode rollout revision configHash colo requestId | status headersMs totalMs bytes failed present',
      comparisons:
        'schema route baseline candidate role class reason method path bodyKind dialect firstDiff diffs rollout revision configHash colo requestId liveFinish candidateFinish | liveStatus candidateStatus liveHeadersMs candidateHeadersMs liveFirstByteMs candidateFirstByteMs liveTotalMs candidateTotalMs liveBytes candidateBytes diffCount ignoredCount similarity liveTokensIn liveTokensOut candidateTokensIn candidateTokensOut liveCost candidateCost present',
      outcomes: 'schema route experiment variant metric | value present',
    });
    expect(column('requests', 'path')).toBe('blob6');
    expect(column('requests', 'present')).toBe('double6');
    expect(column('comparisons', 'present')).toBe('double20');
  });

  it.each(datasets)('gives a %s row back as it was written', (dataset) => {
    fc.assert(
      fc.property(rowOf(dataset), (row) => {
        const point = toDataPoint(dataset, row as never);
        if (!point.ok) throw new Error(JSON.stringify(point.error));
        expect(fromDataPoint(dataset, point.value)).toEqual(row);
      }),
    );
  });

  it('tells an absent number from a zero by its bit in present, in column order', () => {
    const point = toDataPoint('requests', { route: 'r', variant: 'v', reason: 'hash', status: 0, totalMs: 7 });
    expect(point).toEqual({
      ok: true,
      value: {
        indexes: ['r/v'],
        blobs: ['1', 'r', 'v', 'hash', '', '', '', '', '', '', '', ''],
        doubles: [0, 0, 7, 0, 0, 0b00101],
      },
    });
  });

  it.each([
    ['comparisons', { route: 'detect', candidate: 'green', baseline: 'blue' }, 'detect/green'],
    ['outcomes', { route: 'detect', variant: 'green', experiment: 'm2' }, 'detect/m2'],
  ] as const)('samples %s by the pair the design names', (dataset, row, index) => {
    const point = toDataPoint(dataset, row as never);
    expect(point.ok && point.value.indexes).toEqual([index]);
  });

  it.each([
    ['status', Number.NaN],
    ['totalMs', Number.POSITIVE_INFINITY],
    ['bytes', '12'],
    ['path', 12],
  ])('refuses a row whose %s is %s, and names it', (member, value) => {
    const point = toDataPoint('requests', { route: 'r', variant: 'v', reason: 'hash', [member]: value } as never);
    expect(point.ok).toBe(false);
    expect(!point.ok && point.error).toBe(member);
  });
});

describe('the platform limits', () => {
  it.each(datasets)('hold for any %s row, with no broken character', (dataset) => {
    const long = fc.tuple(text({ maxLength: 40 }), fc.nat({ max: 400 })).map(([piece, times]) => piece.repeat(times));
    fc.assert(
      fc.property(rowOf(dataset, long), (row) => {
        const point = toDataPoint(dataset, row as never);
        if (!point.ok) throw new Error('refused');
        const { blobs, doubles, indexes } = point.value;
        expect(blobs.length).toBeLessThanOrEqual(20);
        expect(doubles.length).toBeLessThanOrEqual(20);
        expect(blobs.reduce((sum, blob) => sum + bytes(blob), 0)).toBeLessThanOrEqual(MAX_BLOB_BYTES);
        expect(bytes(indexes[0])).toBeLessThanOrEqual(MAX_INDEX_BYTES);
        expect([...blobs, ...indexes].every((blob) => blob.isWellFormed())).toBe(true);
        columns[dataset].blobs.forEach((name, i) => {
          if (i > 0) expect(String(row[name]).startsWith(blobs[i]!)).toBe(true);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('cut the long texts and leave the short ones whole', () => {
    const row = { route: 'detect', variant: 'green', reason: 'hash', path: 'é'.repeat(9_000), colo: 'FRA' } as const;
    const point = toDataPoint('requests', { ...row, errorCode: 'x'.repeat(9_000), requestId: 'y'.repeat(100) });
    if (!point.ok) throw new Error('refused');
    const back = fromDataPoint('requests', point.value);
    expect(back).toMatchObject({ route: 'detect', variant: 'green', colo: 'FRA', requestId: 'y'.repeat(100) });
    expect(bytes(back.path!)).toBeGreaterThan(7_400);
    expect(Math.abs(bytes(back.path!) - bytes(back.errorCode!))).toBeLessThanOrEqual(1);
  });

  it('cut an index between characters', () => {
    const point = toDataPoint('requests', { route: '😀'.repeat(30), variant: 'v', reason: 'hash' });
    expect(point.ok && point.value.indexes).toEqual(['😀'.repeat(24)]);
  });
});
