import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { demo, leftBehind, type Run, told } from './demo-run.ts';
import { alive, descendants } from './processes.ts';

/** Waits until the story has begun; the host and its workerd run by then. */
async function begun({ child, out }: Run): Promise<number[]> {
  const until = Date.now() + 40_000;
  while (!out().includes('1. Shadow') && child.exitCode === null && Date.now() < until) await sleep(50);
  const running = descendants(child.pid!);
  expect(running.length).toBeGreaterThanOrEqual(2);
  return running;
}

describe('npm run demo', () => {
  it('tells the whole story in a hurry, and it goes as told', async () => {
    const { code, said, errors } = await told('--fast');
    expect(`${said}\n${errors}`).toContain('The story went as told.');
    expect(code).toBe(0);
    for (const act of ['1. Shadow', '2. Canary', '3. A broken release', '4. A wrong release', '5. Blue-green'])
      expect(said).toContain(act);
    expect(said).toMatch(/promoted: green 100 %/);
    expect(said).toMatch(/aborted: green 100 %/);
    expect(said).toMatch(/time to promotion +\d+\.\d s/);
    expect(said).toMatch(/time to stop +\d+\.\d s/);
    expect(said).toMatch(
      /4 wrong +time to stop +\d+\.\d s, by outcome:correct\n +requests it answered, failed +\d+, 0\n/,
    );
    expect(said).toMatch(/visitors who saw the shadow +0\n/);
    expect(said).toMatch(/requests it answered +[1-9]/);
    expect(said).toMatch(/5 switch +switch, way back +\d+\.\d s, \d+\.\d s\n +failed requests +0 of/);
    for (const line of said.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
    expect(leftBehind()).toEqual([]);
  }, 180_000);

  it('ends cleanly at Ctrl-C: no process, no state, and the exit code of an interrupted program', async () => {
    const run = demo();
    const running = await begun(run);
    run.child.kill('SIGINT');
    expect(await once(run.child, 'exit')).toEqual([130, null]);
    // The last of the family may still be on its way out.
    await expect.poll(() => alive(running), { timeout: 2_000 }).toEqual([]);
    expect(leftBehind()).toEqual([]);
  });

  it('leaves nothing behind either when it is killed without a chance to clean up', async () => {
    const run = demo('--fast');
    const running = await begun(run);
    run.child.kill('SIGKILL');
    const until = Date.now() + 10_000;
    while (alive(running).length > 0 && Date.now() < until) await sleep(100);
    expect(alive(running)).toEqual([]);
    expect(leftBehind()).toEqual([]);
  });

  it('explains itself, and refuses what it does not know', async () => {
    const help = demo('--help');
    expect(await once(help.child, 'exit')).toEqual([0, null]);
    expect(help.out()).toContain('--rate N');
    const wrong = demo('--rate', '1');
    expect(await once(wrong.child, 'exit')).toEqual([2, null]);
    expect(wrong.err()).toContain('--rate takes a whole number from 30 to 300, not "1".');
  });
});
