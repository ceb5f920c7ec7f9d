import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const tracked = (path: string) =>
  execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', path], { encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '');

const sources = tracked('src').filter((file) => /\.tsx?$/.test(file));

/** Imports of values and types alike: what a file names, it knows. */
function importsOf(file: string): string[] {
  return importsIn(readFileSync(file, 'utf8'), file);
}

function importsIn(text: string, file: string): string[] {
  return [...text.matchAll(/(?:^|\n)(?:import|export)[^'";]*from '([^']+)'|(?:^|\n)import '([^']+)'/g)].map((found) => {
    const name = found[1] ?? found[2]!;
    return name.startsWith('.') ? join(dirname(file), name) : name;
  });
}

/** How a file comes to hold each module that its imports of values lead to, over however many files: the way there, joined by arrows. */
function waysFrom(start: string): string[] {
  const ways = new Map([[start, start]]);
  for (const [file, way] of ways) {
    if (!sources.includes(file)) continue;
    const values = readFileSync(file, 'utf8').replace(/(?:^|\n)(?:import|export) type [^;]*;/g, '');
    for (const next of importsIn(values, file)) if (!ways.has(next)) ways.set(next, `${way} → ${next}`);
  }
  return [...ways.values()];
}

const within = (folder: string) => sources.filter((file) => file.startsWith(`src/${folder}/`));

describe('the planes', () => {
  it('leave the request plane knowing nothing of analysis, rollouts, experiments or admin', () => {
    const known = [...within('forward'), ...within('split')].flatMap((file) =>
      importsOf(file)
        .filter((name) => /^src\/(analysis|rollout|experiment|admin|cli|demo|live|shadow)\//.test(name))
        .map((name) => `${file} → ${name}`),
    );
    expect(known).toEqual([]);
  });

  it('leave it so at second hand: no module that the request plane takes values from leads there', () => {
    const ways = [...within('forward'), ...within('split')].flatMap(waysFrom);
    expect(ways.filter((way) => /→ src\/(analysis|rollout|experiment|admin|cli|demo|live|shadow)\//.test(way))).toEqual(
      [],
    );
  });

  it('keep pure modules from Hono, bindings, fetch, the clock and chance', () => {
    const pure = [...within('split'), ...within('analysis'), ...within('shadow/compare')];
    const impure = pure.flatMap((file) => {
      const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      const uses = /\bDate\.now\(|\bMath\.random\(|(?<![.\w])fetch\(/.test(code) ? [`${file} uses the world`] : [];
      const names = importsOf(file).filter((name) => /^(hono|cloudflare:)/.test(name) || name === 'src/env.ts');
      return [...uses, ...names.map((name) => `${file} → ${name}`)];
    });
    expect(impure).toEqual([]);
  });

  it('keep people’s tools out of the Worker', () => {
    const worker = sources.filter((file) => !/^src\/(cli|demo)\//.test(file) && !/\/emit-/.test(file));
    const known = worker.flatMap((file) => importsOf(file).filter((name) => /^src\/(cli|demo)\//.test(name)));
    expect(known).toEqual([]);
  });
});

it('nothing stands at the top level but what the layout names', () => {
  const top = new Set(tracked('.').map((file) => file.split('/')[0]!));
  const allowed = /^(\..*|package\.json|package-lock\.json|tsconfig\.json|wrangler\.toml|src|test|README\.md|LICENSE)$/;
  expect([...top].filter((name) => !allowed.test(name))).toEqual([]);
});
