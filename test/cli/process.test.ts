import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { nobody, Session } from './session.ts';

const session = new Session();
const url = await nobody();
afterAll(() => session.end());

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

/** The CLI as users run it: a process of its own. */
function headgate(...argv: string[]): Promise<Ended> {
  return headgateIn({ NO_COLOR: '1' }, ...argv);
}

function headgateIn(more: Record<string, string | undefined>, ...argv: string[]): Promise<Ended> {
  return new Promise((done) => {
    const main = resolve('src/cli/main.ts');
    const env = { ...process.env, HEADGATE_URL: url, ...more };
    const child = execFile(process.execPath, [main, ...argv], { cwd: session.cwd, env }, (error, stdout, stderr) =>
      done({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end('{"version":1,"routes":[]}');
  });
}

it('exits 0, 1 and 2 as a process, with answers and trouble on their own streams', async () => {
  session.write('bad.json', '{');
  const [help, refused, usage, unreachable] = await Promise.all([
    headgate('--help'),
    headgate('validate', 'bad.json'),
    headgate('validate'),
    headgate('records'),
  ]);
  expect(help).toMatchObject({ status: 0, stderr: '' });
  expect(refused).toMatchObject({ status: 1, stderr: '', stdout: expect.stringContaining('refused whole') });
  expect(usage).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('FILE') });
  expect(unreachable).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('npm start') });
});

it.each(['stdout', 'stderr'] as const)('ends with its own status when nobody reads its %s any more', async (stream) => {
  session.write('bad.json', '{');
  const argv = stream === 'stdout' ? ['validate', 'bad.json'] : ['records', '--json', 'extra'];
  const child = spawn(process.execPath, [resolve('src/cli/main.ts'), ...argv], { cwd: session.cwd });
  // What `| head` does once it has seen enough.
  child[stream].destroy();
  const [status] = await once(child, 'exit');
  expect(status).toBe(stream === 'stdout' ? 1 : 2);
});

it('reads a document from standard input', async () => {
  const { stdout, stderr } = await headgate('validate', '-', '--json');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toHaveProperty('valid');
});

it('writes no colours into a pipe, also where CI is set', async () => {
  session.write('bad.json', '{');
  const { stdout } = await headgateIn({ NO_COLOR: undefined, CI: 'true' }, 'validate', 'bad.json');
  expect(stdout).toContain('refused whole');
  expect(stripVTControlCharacters(stdout)).toBe(stdout);
});
