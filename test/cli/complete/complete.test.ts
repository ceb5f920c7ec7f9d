import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { refusal, sessionWithApi, statusWith } from '../api.ts';
import { nobody } from '../session.ts';

const { session, api } = sessionWithApi();

beforeEach(() => {
  api.answer({
    'GET /api/routes': { routes: [statusWith(), statusWith({ name: 'chat' })] },
    'GET /api/routes/detect': statusWith(),
  });
});

const complete = async (line: string): Promise<string[]> => {
  expect(await session.run('complete', '--', line)).toBe(0);
  expect(session.notes).toBe('');
  return session.out.split('\n').filter((word) => word !== '');
};

describe('completion', () => {
  it.each<[string, string[]]>([
    ['headgate st', ['status']],
    ['headgate rollout ', ['start', 'promote', 'pause', 'resume', 'abort']],
    ['headgate rollout p', ['promote', 'pause']],
    ['headgate manual ', ['clear']],
    ['headgate switch ', ['detect', 'chat']],
    ['headgate status --watch d', ['detect']],
    ['headgate switch detect g', ['green']],
    ['headgate switch --reason because detect ', ['blue', 'green']],
    ['headgate rollout start detect ', ['blue', 'green']],
    ['headgate weights detect ', ['blue=', 'green=']],
    ['headgate weights detect blue=90 gr', ['green=']],
    ['headgate weights detect --shadow ', ['blue=', 'green=']],
    ['headgate comparisons detect --candidate ', ['blue', 'green']],
    ['headgate experiment decide detect --winner g', ['green']],
    ['headgate records --route ch', ['chat']],
    ['headgate records --dataset c', ['comparisons']],
    ['headgate completion ', ['bash', 'zsh', 'fish']],
    ['headgate switch detect green --dr', ['--dry-run']],
    ['headgate switch detect green extra ', []],
    ['headgate apply ', []],
    ['headgate nothing ', []],
    ['headgate rollout nothing ', []],
  ])('offers after %j: %j', async (line, words) => {
    expect(await complete(line)).toEqual(words);
  });

  it('is silent where the Worker is down, refuses, or does not know the route', async () => {
    expect(await complete('headgate switch nowhere ')).toEqual([]);
    api.answer({ 'GET /api/routes': () => refusal(401, 'unauthorized', 'no') });
    expect(await complete('headgate switch ')).toEqual([]);
    session.env.HEADGATE_URL = await nobody();
    expect(await complete('headgate switch ')).toEqual([]);
  });

  it('asks the Worker that the line names', async () => {
    session.env.HEADGATE_URL = await nobody();
    expect(await complete(`headgate switch --url ${api.url} d`)).toEqual(['detect']);
  });

  it.each(['bash', 'zsh', 'fish'])('prints a script for %s that calls headgate complete', async (shell) => {
    expect(await session.run('completion', shell)).toBe(0);
    expect(session.out).toContain('headgate complete --');
  });

  it('names the nearest shell', async () => {
    expect(await session.run('completion', 'bsh')).toBe(2);
    expect(session.notes).toContain('did you mean bash');
  });

  it('works in bash, also for VARIANT=PERCENT', async () => {
    await session.run('completion', 'bash');
    session.write('completion.bash', session.out);
    const stub = session.write(
      'headgate',
      '#!/bin/sh\ncase "$3" in *blue=90*) echo green=;; *) printf "detect\\ndefault\\n";; esac\n',
    );
    chmodSync(stub, 0o755);
    const tab = (line: string, words: string[]) => {
      const script = `source ./completion.bash; compopt() { :; }; COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}
        COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
        _headgate; echo "\${COMPREPLY[*]}"`;
      const env = { PATH: `${session.cwd}:${process.env.PATH}` };
      return execFileSync('bash', ['-c', script], { cwd: session.cwd, env, encoding: 'utf8' }).trim();
    };
    expect(tab('headgate switch det', ['headgate', 'switch', 'det'])).toBe('detect');
    expect(tab('headgate weights detect blue=90 g', ['headgate', 'weights', 'detect', 'blue', '=', '90', 'g'])).toBe(
      'green=',
    );
  });
});
