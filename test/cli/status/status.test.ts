import { beforeEach, describe, expect, it } from 'vitest';
import type { RolloutStatus } from '../../../src/rollout/describe.ts';
import { nowMs, refusal, rolloutWith, sessionWithApi, statusWith } from '../api.ts';
import { nobody } from '../session.ts';

const { session, api } = sessionWithApi();
let clockMs = nowMs;

beforeEach(() => {
  clockMs = nowMs;
  session.columns = session.rows = Number.POSITIVE_INFINITY;
  session.now = () => clockMs;
  session.sleep = async (ms) => {
    clockMs += ms;
  };
});

/** The route at each look; the last stays. A function is called at its look. */
function looks(...some: (Partial<RolloutStatus> | null | (() => unknown))[]): void {
  let look = 0;
  api.answer({
    'GET /api/routes/detect': () => {
      const seen = some[Math.min(look++, some.length - 1)]!;
      if (typeof seen === 'function') return seen();
      return statusWith({ rollout: seen === null ? null : rolloutWith(seen) });
    },
  });
}

/** A call whose connection died without a word. */
function silence(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

describe('headgate status', () => {
  it('lists every route, or says that there is none', async () => {
    api.answer({ 'GET /api/routes': { routes: [statusWith(), statusWith({ name: 'chat' })] } });
    expect(await session.run('status')).toBe(0);
    expect(session.out).toMatch(/route +in force[\s\S]*detect[\s\S]*chat/);
    api.answer({ 'GET /api/routes': { routes: [] } });
    expect(await session.run('status')).toBe(0);
    expect(session.notes).toMatch(/no valid config.*headgate doctor.*headgate init URL/);
  });

  it('gives the API’s answer as JSON', async () => {
    looks({});
    await session.run('status', 'detect', '--json');
    expect(JSON.parse(session.out)).toEqual(JSON.parse(JSON.stringify(statusWith({ rollout: rolloutWith() }))));
  });

  it.each([
    [['status', '--wait'], /--wait needs a route/],
    [['status', 'detect', '--timeout', '5m'], /belong to --wait/],
    [['status', 'detect', '--wait', '--timeout', 'long'], /no duration/],
  ])('refuses %j as usage', async (argv, words) => {
    expect(await session.run(...argv)).toBe(2);
    expect(session.notes).toMatch(words);
  });
});

describe('headgate status --wait', () => {
  it.each<[number, RolloutStatus['phase'], string[]]>([
    [0, 'promoted', []],
    [0, 'completed', []],
    [3, 'aborted', []],
    [4, 'paused', []],
    [4, 'awaiting-approval', ['--until-approval']],
  ])('exits %i when the rollout is %s', async (exit, phase, options) => {
    looks({}, {}, { phase });
    expect(await session.run('status', 'detect', '--wait', ...options)).toBe(exit);
    expect(api.calls).toHaveLength(3);
    expect(session.out).toContain(phase);
  });

  it('goes on waiting while a person has to approve', async () => {
    looks({ phase: 'awaiting-approval' }, { phase: 'awaiting-approval' }, { phase: 'promoted' });
    expect(await session.run('status', 'detect', '--wait')).toBe(0);
  });

  it('says each thing that happens once, for a log', async () => {
    looks({ step: 1 }, { step: 1 }, { step: 2 }, { phase: 'aborted', reason: 'errors: fail' });
    await session.run('status', 'detect', '--wait');
    expect(session.notes.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/progressing, step 1 of 4: blue 75 %, green 25 %/),
      expect.stringMatching(/step 2 of 4/),
      expect.stringMatching(/aborted.*errors: fail/),
    ]);
  });

  it('refuses where there is nothing to wait for', async () => {
    looks(null);
    expect(await session.run('status', 'detect', '--wait')).toBe(1);
    expect(session.notes).toMatch(/no rollout of detect[\s\S]*headgate rollout start detect/);
  });

  it('refuses to take another rollout’s end for that of its own', async () => {
    looks({ id: 'r-1' }, { id: 'r-2', phase: 'promoted' });
    expect(await session.run('status', 'detect', '--wait')).toBe(1);
    expect(session.notes).toContain('Rollout r-1 is over, and r-2 has taken its place');
  });

  it('gives up after --timeout, and says what it waits for', async () => {
    looks({});
    expect(await session.run('status', 'detect', '--wait', '--timeout', '10s')).toBe(1);
    expect(session.notes).toMatch(/still progressing[\s\S]*6 min more/);
    expect(clockMs - nowMs).toBe(10_000);
  });

  it('waits through an outage of the Worker, and says so once', async () => {
    const down = () => refusal(503, 'no_controller', 'gone');
    looks({}, down, () => refusal(503, 'controller_down', 'gone'), { phase: 'promoted' });
    expect(await session.run('status', 'detect', '--wait')).toBe(0);
    expect(session.notes.match(/Trying again/g)).toHaveLength(1);
  });

  it('gives up an outage of more than five minutes', async () => {
    looks({}, () => refusal(503, 'no_controller', 'gone'));
    expect(await session.run('status', 'detect', '--wait')).toBe(1);
    expect(clockMs - nowMs).toBeGreaterThan(300_000);
    expect(clockMs - nowMs).toBeLessThan(310_000);
  });

  it('keeps to --timeout while the Worker is away, too', async () => {
    looks({}, () => refusal(503, 'controller_down', 'gone'));
    expect(await session.run('status', 'detect', '--wait', '--timeout', '10s', '--json')).toBe(1);
    expect(JSON.parse(session.notes.trimEnd().split('\n').at(-1)!).error).toMatchObject({ code: 'timeout' });
    expect(clockMs - nowMs).toBe(10_000);
  });

  it('gives up a look that is never answered, and looks again', async () => {
    looks({}, { phase: 'promoted' });
    let call = 0;
    session.fetch = (input, init) => {
      call += 1;
      return call === 2 ? silence(init?.signal) : fetch(input, init);
    };
    const waited = session.run('status', 'detect', '--wait', '--timeout', '3s').finally(() => {
      session.fetch = (...given) => fetch(...given);
    });
    expect(await waited).toBe(0);
    expect(session.notes).toContain('Trying again');
  });

  it.each([
    ['split', /Split 12 by [\s\S]*headgate history detect/],
    ['weights', /Weights set by hand decide[\s\S]*headgate manual clear detect/],
    ['baseline', /is for other variants[\s\S]*headgate history detect/],
  ] as const)('does not call promoted what was taken back since, and says by what (%s)', async (source, said) => {
    const notes = ['split 12 is for other variants'];
    const inForce = { ...statusWith().inForce, source, notes, weights: { blue: 100, green: 0 } };
    api.answer({ 'GET /api/routes/detect': statusWith({ inForce, rollout: rolloutWith({ phase: 'promoted' }) }) });
    expect(await session.run('status', 'detect', '--wait')).toBe(1);
    expect(session.notes).toMatch(/was promoted, but green has no traffic now/);
    expect(session.notes).toMatch(said);
  });

  it('does not wait for a Worker that never was there', async () => {
    session.env.HEADGATE_URL = await nobody();
    expect(await session.run('status', 'detect', '--wait')).toBe(1);
    expect(session.notes).not.toContain('Trying again');
  });
});

describe('headgate status --watch', () => {
  it('draws over the picture before, to the line', async () => {
    session.columns = 80;
    session.rows = 60;
    looks({}, { guardrails: [] }, { phase: 'promoted' });
    expect(await session.run('status', 'detect', '--watch', '--wait')).toBe(0);
    const [first, second, third] = session.out.replaceAll('\u001b', 'ESC').split(/ESC\[(?=\d+A)/);
    expect(first).toMatch(/^detect .*ESC\[K\n[\s\S]*ESC\[J\n$/);
    const height = (picture: string) => picture.trimEnd().split('\n').length;
    expect(second).toMatch(new RegExp(`^${height(first!)}Adetect `));
    expect(third).toMatch(new RegExp(`^${height(second!)}Adetect [\\s\\S]*promoted`));
  });

  it('cuts what is higher than the screen, since it could not be drawn over', async () => {
    session.columns = 80;
    session.rows = 10;
    looks({ phase: 'promoted' });
    await session.run('status', 'detect', '--watch', '--wait');
    const lines = session.out.trimEnd().split('\n');
    expect(lines).toHaveLength(9);
    expect(lines.at(-1)).toMatch(/^… \d+ more lines/);
  });

  it('prints a new picture to a pipe only when something happened, and no control sequence', async () => {
    looks({}, {}, {}, { step: 3 }, { phase: 'promoted' });
    await session.run('status', 'detect', '--watch', '--wait');
    expect(session.out.match(/^detect /gm)).toHaveLength(3);
    expect(session.out).not.toContain('\u001b');
  });

  it('gives a line of JSON for each look', async () => {
    looks({}, { phase: 'promoted' });
    await session.run('status', 'detect', '--watch', '--wait', '--json');
    const lines = session.out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).rollout.phase)).toEqual(['progressing', 'promoted']);
  });
});
