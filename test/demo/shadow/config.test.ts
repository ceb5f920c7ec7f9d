import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/config/parse.ts';
import { CANDIDATES, unmirrored, withShadow } from '../../../src/demo/shadow/config.ts';

const root = join(import.meta.dirname, '../../..');
const plain = readFileSync(join(root, 'src/demo/config.json'), 'utf8');
const everything = { unknownKeys: 'fault', services: () => true, secrets: () => true } as const;

it.each(CANDIDATES)(
  'the demo’s config with the shadow %s leaves visitors with the baseline and copies all of it',
  (name) => {
    const parsed = parseConfig(withShadow(plain, name), everything);
    expect(parsed).toMatchObject({ ok: true, value: { warnings: [] } });
    const [route] = parsed.ok ? parsed.value.config.routes : [];
    expect(route).toMatchObject({
      weights: { blue: 100, green: 0, third: 0 },
      shadows: [{ variant: name, percent: 100, samples: true, scorer: { percent: 100 } }],
    });
  },
);

it('binds every service that the demo’s config names to a Worker that npm start runs', () => {
  const wrangler = readFileSync(join(root, 'wrangler.toml'), 'utf8');
  const named = new Set([...withShadow(plain, 'green').matchAll(/"service": "(\w+)"/g)].map(([, name]) => name!));
  expect(named).toEqual(new Set(['BLUE', 'GREEN', 'THIRD', 'SCORER']));
  for (const name of named) {
    const service = wrangler.match(new RegExp(`binding = "${name}"\\nservice = "([\\w-]+)"`))?.[1];
    const toml = readFileSync(join(root, `src/demo/${name.toLowerCase()}.toml`), 'utf8');
    expect(toml).toContain(`[env.dev]\nname = "${service}"`);
  }
});

it('says what to do where a split of before copies nothing to the shadow', () => {
  const split = { route: 'detect', path: '/v1/*', baseline: 'blue', weights: { blue: 100 }, shadows: {}, notes: [] };
  expect(unmirrored([split], 'green')).toMatch(
    /copies nothing to green[\s\S]*weights detect blue=100 --shadow green=100/,
  );
  expect(unmirrored([{ ...split, shadows: { green: 100 } }], 'green')).toBeNull();
});
