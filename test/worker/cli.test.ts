import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Session } from '../cli/session.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

const session = new Session();
const origins: Origin[] = [];
let headgate: Headgate;
let config: Record<string, unknown>;

beforeAll(async () => {
  const [blue, green] = await Promise.all([
    startOrigin((_, response) => response.end('{"lang":"de"}')),
    startOrigin((_, response) => response.end('{"lang":"fr"}')),
  ]);
  origins.push(blue, green);
  const health = { path: '/healthz', expect: 200 };
  config = {
    version: 1,
    routes: [
      {
        name: 'main',
        match: { path: '/*' },
        variants: { blue: { url: blue.url, health }, green: { url: green.url, health } },
        identity: [{ header: 'x-user-id' }],
      },
    ],
  };
  headgate = await startHeadgate({ config });
  session.env = { HEADGATE_URL: headgate.url, HEADGATE_TOKEN: ADMIN_TOKEN };
});

afterAll(async () => {
  session.end();
  await headgate.dispose();
  await Promise.all(origins.map((origin) => origin.close()));
});

/** Runs a command line that must end with `status`, and gives its output. */
async function headgateCli(status: number, ...argv: string[]): Promise<string> {
  const exit = await session.run(...argv);
  expect(exit, session.notes + session.out).toBe(status);
  return session.out;
}
// biome-ignore lint/suspicious/noExplicitAny: answers are looked at by path
const json = async (...argv: string[]): Promise<any> => JSON.parse(await headgateCli(0, ...argv, '--json'));

describe('the CLI against the real Worker', () => {
  it('checks a variant before it has traffic, and tells what differs', async () => {
    session.write('cases.jsonl', '{"name":"german","path":"/detect","expect":{"json":{"lang":"de"}}}\n');
    expect(await headgateCli(0, 'check', 'main', 'blue', '--file', 'cases.jsonl')).toContain('all 1 as expected');
    const told = await headgateCli(1, 'check', 'main', 'green', '--file', 'cases.jsonl');
    expect(told).toContain('/lang: expected "de", got "fr"');
    expect(origins[1]!.seen.some(({ url }) => url === '/detect')).toBe(true);
    expect((await json('status', 'main')).split.revision).toBe(0);
  });

  it('starts a rollout, holds it, goes on and takes it back, with every hand in the history', async () => {
    const plan = '[{"weight":5,"for":"10m"},{"weight":100,"for":"10m"}]';
    const start = ['rollout', 'start', 'main', 'green', '--plan', plan, '--reason', 'release 2', '--as', 'Jürgen'];
    expect(await headgateCli(0, ...start, '--dry-run')).toContain('1  5 % for 10 min');
    expect((await json('status', 'main')).rollout).toBeNull();
    expect(await headgateCli(0, ...start)).toMatch(/to green has begun: blue 95 %, green 5 % \(revision 1\)/);
    expect(session.notes).toContain('no traffic yet');
    expect(await json('status', 'main')).toMatchObject({ rollout: { phase: 'progressing', startedBy: 'Jürgen' } });
    const picture = await headgateCli(0, 'status', 'main');
    expect(picture).toMatch(/● 1 {2}5 % for 10 min[\s\S]*○ 2 {2}100 %[\s\S]*not before .* in (9|10) min/);
    expect(picture).toMatch(/then +weight 100 % \(step 2 of 2\) if the guardrails pass/);

    await headgateCli(1, 'weights', 'main', 'blue=50', 'green=50');
    expect(session.notes).toMatch(/end it first: headgate rollout abort main/);
    await headgateCli(0, 'rollout', 'pause', 'main');
    await headgateCli(4, 'status', 'main', '--wait');
    await headgateCli(0, 'rollout', 'resume', 'main');
    await headgateCli(0, 'rollout', 'promote', 'main', '--reason', 'looks good');
    expect(await json('status', 'main')).toMatchObject({ split: { weights: { green: 100 } }, rollout: { step: 2 } });
    await headgateCli(0, 'rollout', 'abort', 'main', '--reason', 'enough');
    await headgateCli(3, 'status', 'main', '--wait');
    await headgateCli(1, 'rollout', 'abort', 'main');
    expect(session.notes).toContain('no rollout runs');

    const told = await headgateCli(0, 'history', 'main');
    expect(told).toMatch(
      /aborted by[\s\S]*enough[\s\S]*advanced[\s\S]*resumed[\s\S]*paused[\s\S]*started by Jürgen[\s\S]*release 2/,
    );
    expect((await json('history', 'main', '--limit', '2')).entries).toHaveLength(2);
  });

  it('sets weights, switches, and rolls back to what was before', async () => {
    expect(await headgateCli(0, 'weights', 'main', 'blue=90', 'green=10')).toContain('blue 90 %, green 10 %');
    const { revision } = (await json('status', 'main')).split;
    await headgateCli(1, 'switch', 'main', 'green', '--if-match', String(revision - 1));
    expect(session.notes).toContain(`revision ${revision} now`);
    expect(await headgateCli(0, 'switch', 'main', 'green', '--if-match', String(revision))).toContain('green 100 %');
    expect(await headgateCli(0, 'rollback', 'main')).toContain('blue 90 %, green 10 %');
    await headgateCli(1, 'rollback', 'main', '--revision', '9999');
    expect(session.notes).toContain('there is no split 9999');
  });

  it('shows where a rollback goes before it acts, or why it would not', async () => {
    await headgateCli(0, 'weights', 'main', 'blue=60', 'green=40');
    await headgateCli(0, 'weights', 'main', 'blue=80', 'green=20');
    const { revision } = (await json('status', 'main')).split;
    const shown = await headgateCli(0, 'rollback', 'main', '--dry-run');
    expect(shown).toMatch(new RegExp(`last steady split \\(${revision - 1}\\)`));
    expect(shown).toMatch(/now +blue 80 %, green 20 %[\s\S]*then +blue 60 %, green 40 %[\s\S]*Nothing was changed/);
    const told = await json('rollback', 'main', '--dry-run', '--revision', String(revision - 1));
    expect(told).toMatchObject({ dryRun: true, revision: revision - 1, weights: { blue: 60, green: 40 } });
    await headgateCli(1, 'rollback', 'main', '--dry-run', '--revision', '4711');
    expect(session.notes).toMatch(/would be refused: there is no split 4711[\s\S]*→ name one of those/);
    expect((await json('status', 'main')).split.revision).toBe(revision);
    await headgateCli(0, 'rollback', 'main');
    expect(await json('status', 'main')).toMatchObject({ split: { weights: { blue: 60, green: 40 } } });
    await headgateCli(1, 'rollback', 'main', '--dry-run');
    expect(session.notes).toContain('is a rollback already');
    await headgateCli(0, 'weights', 'main', 'blue=90', 'green=10');
  });

  it('explains who gets what', async () => {
    const answer = await json('explain', 'main', '--unit', 'u-1');
    expect(['blue', 'green']).toContain(answer.variant);
    expect(await headgateCli(0, 'explain', 'main', '--unit', 'u-1')).toContain(`u-1 gets ${answer.variant}`);
  });

  it('says that weights by hand decide, and ends them', async () => {
    await headgate.put('weights:main', { blue: 100 });
    expect(await headgateCli(0, 'status', 'main')).toContain('headgate manual clear main');
    await headgateCli(1, 'switch', 'main', 'green');
    expect(session.notes).toContain('headgate manual clear main');
    expect(await headgateCli(0, 'manual', 'clear', 'main')).toContain('blue 90 %, green 10 %');
    expect((await json('status', 'main')).byHand).toBeNull();
  });

  it('says that weights by hand are refused, and takes them away', async () => {
    await headgate.put('weights:main', { blue: 97 });
    const refused = /weights:main in KV is refused, so it moves no traffic: weights sum to 97,\s+not 100/;
    expect(await headgateCli(0, 'status', 'main')).toMatch(refused);
    expect(await headgateCli(0, 'status')).toMatch(refused);
    expect((await json('status', 'main')).byHandFault).toMatchObject({
      path: '$',
      reason: expect.stringMatching('97'),
    });
    await headgateCli(0, 'doctor');
    expect(session.out).toMatch(/! route main +weights:main in KV is refused: weights sum to 97/);
    const done = await headgateCli(0, 'manual', 'clear', 'main');
    expect(session.notes).toMatch(refused);
    expect(session.notes).not.toContain('No weights are set');
    expect(done).toContain('weights:main, which was refused, is taken away; main: blue 90 %, green 10 %');
    expect((await json('status', 'main')).byHandFault).toBeNull();
    await headgateCli(0, 'manual', 'clear', 'main');
    expect(session.notes).toContain('No weights are set by hand on main.');
  });

  it('applies a config against what it saw, and restores an earlier one', async () => {
    const { routes } = config as { routes: Record<string, unknown>[] };
    session.write('next.json', { ...config, routes: [{ ...routes[0], timeoutMs: 5000 }] });
    await headgateCli(1, 'apply', 'next.json', '--if-match', '0000000000000000');
    expect(session.notes).toMatch(/Somebody else wrote the config since/);
    expect(await headgateCli(0, 'apply', 'next.json', '--dry-run')).toContain('+ timeoutMs: 5000');
    const applied = await json('apply', 'next.json', '--reason', 'shorter');
    expect(applied).toMatchObject({
      revision: 2,
      warnings: [{ path: 'routes[0].weights', reason: expect.stringContaining('blue=90 green=10') }],
    });
    expect(await headgateCli(0, 'config', 'revisions')).toMatch(/shorter[\s\S]*by hand/);
    expect(await headgateCli(0, 'config', 'restore', '1')).toContain('in force as revision 3');
  });

  it('finds with the doctor what is wrong', async () => {
    const report = await headgateCli(0, 'doctor');
    expect(report).toMatch(/✔ main\/blue +healthy/);
    expect(report).toContain('OUTCOMES');
  });

  it('completes routes and variants from the Worker', async () => {
    expect(await headgateCli(0, 'complete', '--', 'headgate switch ma')).toBe('main\n');
    expect(await headgateCli(0, 'complete', '--', 'headgate switch main ')).toBe('blue\ngreen\n');
    expect(await headgateCli(0, 'complete', '--', 'headgate weights main blue=90 g')).toBe('green=\n');
  });

  it('names the nearest route and variant', async () => {
    await headgateCli(1, 'status', 'mian');
    expect(session.notes).toContain('did you mean main?');
    await headgateCli(1, 'switch', 'main', 'grene');
    expect(session.notes).toContain('did you mean green?');
  });
});
