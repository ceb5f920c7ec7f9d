import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import type { KeyValue } from '../../src/demo/seed.ts';
import { greeting } from '../../src/demo/show.ts';
import { readSplits } from '../../src/demo/splits.ts';

const demo = readFileSync(join(import.meta.dirname, '../../src/demo/config.json'), 'utf8');

function kvWith(documents: Record<string, string>): KeyValue {
  return {
    get: async (key) => documents[key] ?? null,
    getWithMetadata: async (key) => ({ value: documents[key] ?? null, metadata: null }),
    put: async () => {},
  };
}

async function greet(documents: Record<string, string>, more: Partial<Parameters<typeof greeting>[0]> = {}) {
  const splits = await readSplits(kvWith(documents), demo);
  if (!splits.ok) throw new Error(splits.error);
  const usual = {
    url: 'http://127.0.0.1:8787',
    startedInMs: 2_345,
    config: 'written' as const,
    shadow: null,
    stateDirectory: null,
  };
  return greeting({ ...usual, splits: splits.value, ...more }).join('\n');
}

describe('the demo config', () => {
  it('has no fault and no warning', () => {
    const parsed = parseConfig(demo, { unknownKeys: 'fault', services: () => true, secrets: () => true });
    expect(parsed).toMatchObject({ ok: true, value: { warnings: [] } });
  });
});

describe('the greeting of npm start', () => {
  it('names the address, the split with its models, and three commands', async () => {
    const text = await greet({});
    expect(text).toContain('Headgate listens on http://127.0.0.1:8787   (after 2.3 s)');
    expect(text).toMatch(/blue +90 % +█{18}░{2} +tinyld, baseline/);
    expect(text).toMatch(/green +10 % +█{2}░{18} +eld\/medium/);
    expect(text).toMatch(/third +0 % +░{20} +franc/);
    expect(text).toContain("curl -i http://127.0.0.1:8787/v1/detect -H 'x-user-id: ada' -d '{");
    expect(text).toContain(
      `npx wrangler kv key put --local --binding CONFIG weights:detect '{"blue":50,"green":50}'\n`,
    );
    expect(text).toContain('npm run headgate -- records\n');
  });

  it('names the port and the state directory in the commands where they are not the usual ones', async () => {
    const text = await greet({}, { url: 'http://127.0.0.1:8788', stateDirectory: '/elsewhere' });
    expect(text).toContain(`'{"blue":50,"green":50}' --persist-to '/elsewhere'\n`);
    expect(text).toContain('npm run headgate -- records --url http://127.0.0.1:8788\n');
  });

  it('says who gets copies, and how to see the comparison', async () => {
    const text = await greet({}, { shadow: 'green' });
    expect(text).toContain('green gets a copy of every request; nobody sees its answers.');
    expect(text).toContain('npm run headgate -- comparisons detect\n');
    expect(await greet({})).not.toContain('comparisons');
  });

  it('shows weights that were set by hand before, and says so', async () => {
    const text = await greet({ 'weights:detect': '{"blue":25,"green":75}' });
    expect(text).toContain('(weights set by hand)');
    expect(text).toMatch(/green +75 %/);
  });

  it('says when weights in KV are not valid, and shows what serves instead', async () => {
    const text = await greet({ 'weights:detect': '{"blue":25}' });
    expect(text).toContain('(weights:detect is not valid, so it is not served)');
    expect(text).toMatch(/blue +90 %/);
  });

  it('says how to get routes where the config has none', async () => {
    const text = await greet({}, { config: 'kept', splits: [] });
    expect(text).toContain('It has no route yet: npm run headgate -- apply FILE');
  });

  it('leaves the models and the commands out for a config that is not the demo’s', async () => {
    const text = await greet({}, { config: 'kept' });
    expect(text).toContain('The config in local KV is not the demo’s, so it was left as it is.');
    expect(text).not.toContain('tinyld');
    expect(text).not.toContain('curl');
  });

  it('lists the faults of a config that cannot serve', async () => {
    const faulty = demo.replace('"green": 10', '"green": 7');
    const splits = await readSplits(kvWith({}), faulty);
    expect(splits).toMatchObject({ ok: false, error: expect.stringContaining('routes[0].weights: ') });
  });
});
