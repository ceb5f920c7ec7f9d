/**
 * `node test/bench/ledger.ts`: an experiment's ledger with a million units, in workerd on a real disk. Options: `--units N` (1,000,000).
 * It tells how long a batch of 1,000 exposures, outcomes, a report and a page take, and the size. It asserts nothing.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { bundle } from '../worker/harness.ts';

interface Told {
  times: number[];
  inside: number[];
  size: number;
}

const { values } = parseArgs({ options: { units: { type: 'string', default: '1000000' } } });
const units = Number(values.units);
const BATCH = 1_000;
const folder = mkdtempSync(join(tmpdir(), 'headgate-ledger-'));
const entry = './test/bench/ledger/entry.ts';
const mf = new Miniflare({
  ...convertV4MiniflareOptions({
    name: 'ledger',
    modules: [
      {
        type: 'ESModule',
        path: 'index.mjs',
        contents: await bundle(`export * from '${entry}'; export { default } from '${entry}';`),
      },
    ],
    compatibilityDate: '2026-11-01',
    durableObjects: { LEDGER: { className: 'ExperimentLedger', useSQLite: true } },
  }),
  // Last, since what was converted says that there is none.
  resourcePersistencePath: folder,
});
try {
  const url = String(await mf.ready);
  const ask = async (path: string) => (await (await fetch(`${url}${path}`)).json()) as Told;
  const filling: Told = { times: [], inside: [], size: 0 };
  for (let from = 0; from < units; from += 50 * BATCH) {
    const { times, inside } = await ask(`new?from=${from}&times=${Math.min(50, Math.ceil((units - from) / BATCH))}`);
    filling.times.push(...times);
    filling.inside.push(...inside);
    if (from % (200 * BATCH) === 0) console.error(`${(from + 50 * BATCH).toLocaleString('en-US')} units`);
  }
  const row = (what: string, times: number[]) => {
    const sorted = times.toSorted((a, b) => a - b);
    const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
    console.log(`${what.padEnd(44)}${at(0.5).padStart(8)}${at(0.95).padStart(8)}${at(1).padStart(8)}`);
  };
  console.log(`${''.padEnd(44)}${'median'.padStart(8)}${'p95'.padStart(8)}${'most'.padStart(8)}  ms`);
  const batches = (what: string, { times, inside }: Pick<Told, 'times' | 'inside'>) => {
    row(`${what}, in the object`, inside);
    row(`${what}, with the call`, times);
  };
  const some = (from: number, to?: number) => ({
    times: filling.times.slice(from, to),
    inside: filling.inside.slice(from, to),
  });
  batches('1,000 new units, first 50', some(0, 50));
  batches('1,000 new units, last 50', some(-50));
  batches('1,000 known units', await ask(`known?times=50&units=${units}`));
  row('100 outcomes', (await ask(`outcomes?times=50&units=${units}`)).times);
  row('report', (await ask('report?times=20')).times);
  const { times, size } = await ask('page?times=20');
  row('page of 1,000 rows', times);
  const bytes = size / units;
  console.log(
    `${units.toLocaleString('en-US')} units: ${(size / 2 ** 20).toFixed(0)} MiB, ${bytes.toFixed(0)} bytes a unit`,
  );
} finally {
  await mf.dispose();
  rmSync(folder, { recursive: true, force: true });
}
