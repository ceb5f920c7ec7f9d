import { build } from 'esbuild';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordsPage } from '../../src/records/read.ts';

/** A Worker with nothing but the recorder: it writes rows through the real writer and reads them through the real reader. */
const source = `
  import { Recorder } from './src/records/recorder.ts';
  import { recordRow } from './src/records/write.ts';
  import { readRecords } from './src/records/read.ts';
  export { Recorder };
  export default {
    async fetch(request, env, ctx) {
      const url = new URL(request.url);
      if (url.pathname === '/fill') {
        const stub = env.RECORDER.get(env.RECORDER.idFromName('recorder'));
        const { rows } = await request.json();
        const point = { atMs: 1, index: 'old/blue', blobs: ['1', 'old', 'blue'], doubles: [1] };
        for (let left = rows; left > 0; left -= 1000) {
          await stub.append('requests', Array(Math.min(left, 1000)).fill(point));
        }
        return new Response('filled');
      }
      if (request.method === 'POST') {
        for (const [dataset, row] of await request.json()) recordRow(env, ctx, dataset, row);
        return new Response('written');
      }
      return Response.json(await readRecords(env, Object.fromEntries([...url.searchParams, ['limit', Number(url.searchParams.get('limit'))]]), { fetch }));
    },
  };
`;

let worker: Miniflare;
let base: URL;

beforeAll(async () => {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: process.cwd(), loader: 'js' },
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:workers'],
  });
  worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: outputFiles[0]!.text,
      compatibilityDate: '2026-11-01',
      durableObjects: { RECORDER: { className: 'Recorder', useSQLite: true } },
    }),
  );
  base = await worker.ready;
});

afterAll(() => worker.dispose());

const post = (path: string, body: unknown) =>
  fetch(new URL(path, base), { method: 'POST', body: JSON.stringify(body) }).then((answer) => answer.text());

async function read(query: string): Promise<RecordsPage> {
  const answer = await fetch(new URL(`/?${query}`, base));
  const result = (await answer.json()) as { ok: boolean; value: RecordsPage };
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.value;
}

/** Rows reach the recorder after the response, so a reader waits for them. */
async function readUntil(query: string, count: number): Promise<RecordsPage> {
  for (let tries = 0; tries < 100; tries++) {
    const page = await read(query);
    if (page.records.length >= count) return page;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`fewer than ${count} records for ${query}`);
}

describe('the local recorder in workerd', () => {
  it('gives rows back newest first, by dataset, route and variant, a page at a time', async () => {
    const request = (variant: string, status: number) => [
      'requests',
      { route: 'detect', variant, reason: 'hash', status },
    ];
    await post('/', [
      request('blue', 200),
      request('green', 201),
      request('green', 202),
      [
        'comparisons',
        { route: 'detect', baseline: 'blue', candidate: 'green', role: 'candidate', class: 'match', similarity: 1 },
      ],
      ['outcomes', { route: 'detect', variant: 'green', metric: 'helpful' }],
    ]);
    const all = await readUntil('dataset=requests&limit=10', 3);
    expect(all.records.map((record) => record.status)).toEqual([202, 201, 200]);
    expect(all).toMatchObject({ source: 'recorder', next: null });

    const first = await read('dataset=requests&route=detect&variant=green&limit=1');
    expect(first.records).toMatchObject([{ status: 202, variant: 'green' }]);
    const second = await read(`dataset=requests&variant=green&limit=1&before=${first.next}`);
    expect(second.records).toMatchObject([{ status: 201 }]);

    const [comparison] = (await readUntil('dataset=comparisons&variant=green&limit=5', 1)).records;
    expect(comparison).toMatchObject({ class: 'match', similarity: 1 });
    expect(comparison).not.toHaveProperty('liveStatus');
    const [outcome] = (await readUntil('dataset=outcomes&limit=5', 1)).records;
    expect(outcome).toMatchObject({ metric: 'helpful', experiment: '' });
    expect(Date.now() - Date.parse(outcome!.at)).toBeLessThan(60_000);
  });

  it('keeps the newest 100,000 rows of a dataset and the others untouched', async () => {
    await post('/fill', { rows: 100_005 });
    expect((await read('dataset=requests&route=detect&limit=5')).records).toEqual([]);
    const [newest] = (await read('dataset=requests&limit=1')).records;
    const oldest = await read(`dataset=requests&limit=2&before=${newest!.id! - 99_998}`);
    expect(oldest.records.map((record) => record.id)).toEqual([newest!.id! - 99_999]);
    expect((await read('dataset=outcomes&limit=5')).records).toHaveLength(1);
  });
});
