import { beforeEach, describe, expect, it } from 'vitest';
import { type Call, refusal, rolloutWith, sessionWithApi, statusWith } from './api.ts';
import { nobody } from './session.ts';

const { session, api } = sessionWithApi();

beforeEach(() => {
  session.fetch = (...call) => fetch(...call);
  api.answer({ 'GET /api/routes/detect': statusWith() });
});

/** Whatever is not a GET reaches the Worker, and its answer gets lost in this way. */
function lost(answer: () => Response): void {
  session.fetch = async (input, init) => {
    const reply = await fetch(input, init);
    return init?.method === 'GET' ? reply : answer();
  };
}

describe('an answer that is lost', () => {
  const broken = () => {
    throw new TypeError('fetch failed', { cause: new Error('other side closed') });
  };
  it.each([
    ['a connection that breaks off', broken],
    ['a gateway', () => new Response('<html>', { status: 502 })],
    ['a controller that does not answer in time', () => refusal(503, 'controller_down', 'it does not answer')],
    ['an answer that is cut', () => new Response('{"na', { headers: { 'cache-control': 'no-store' } })],
  ])('says that the change may have been made (%s)', async (_, answer) => {
    lost(answer);
    expect(await session.run('rollback', 'detect', '--reason', 'red')).toBe(1);
    expect(session.notes).toMatch(/it may have been done all the same[\s\S]*headgate status, headgate history/);
  });

  it.each([
    ['what only looks', ['status'], broken],
    ['a check of a config', ['validate', 'c.json', '--url', 'https://worker.example'], broken],
    ['what somebody refused', ['rollback', 'detect'], () => new Response('<html>', { status: 403 })],
    [
      'what the Worker could not do',
      ['rollback', 'detect'],
      () => refusal(503, 'no_config', 'the config cannot be read'),
    ],
  ])('does not say so of %s', async (_, argv, answer) => {
    session.write('c.json', { version: 1, routes: [] });
    session.fetch = async (input, init) => (String(input).endsWith('/detect') ? fetch(input, init) : answer());
    expect(await session.run(...argv)).toBe(1);
    expect(session.notes).not.toContain('may have been done');
  });

  it('does not say so of a Worker that never was there', async () => {
    session.env.HEADGATE_URL = await nobody();
    expect(await session.run('rollout', 'abort', 'detect')).toBe(1);
    expect(session.notes).not.toContain('may have been done');
  });

  it('says to try again where something before the Worker is in trouble', async () => {
    session.fetch = async () => new Response('<html>', { status: 429 });
    expect(await session.run('status')).toBe(1);
    expect(session.notes).toMatch(/status 429\)[\s\S]*try again later; if it stays so, check --url/);
  });
});

describe('headgate rollout start --once', () => {
  const start = ['rollout', 'start', 'detect', 'green', '--once', '--reason'];
  const entry = (action: string, reason: string) => ({ id: 1, at: '', actor: 'ci', action, reason, before: null });
  const entries = [entry('aborted', 'errors: fail'), entry('started', 'step 1 of 4: release 2')];
  const answers = (phase: 'progressing' | 'promoted' | 'aborted' | null) => ({
    'GET /api/routes/detect': statusWith({ rollout: phase && rolloutWith({ phase }) }),
    'GET /api/config': { version: 1, routes: [] },
    'GET /api/routes/detect/history': { entries, next: null },
    'POST /api/routes/detect/rollout': { ...statusWith({ rollout: rolloutWith() }), warnings: [] },
  });

  it.each(['progressing', 'promoted', 'aborted'] as const)('begins none where its own is %s', async (phase) => {
    api.answer(answers(phase));
    expect(await session.run(...start, 'release 2')).toBe(0);
    expect(session.out).toContain(
      `rollout r-20261123-1 to green was begun before (2026-11-23 09:54:20 by ci) and is ${phase}`,
    );
    expect(api.writes()).toEqual([]);
  });

  it('finds its own behind more entries than one call gives', async () => {
    const pages: Record<string, unknown> = {
      '?limit=500': { entries: [entry('refused', 'rollout_running')], next: 7 },
      '?limit=500&before=7': { entries, next: null },
    };
    const page = ({ path }: Call) => pages[path.slice(path.indexOf('?'))];
    api.answer({ ...answers('aborted'), 'GET /api/routes/detect/history': page });
    expect(await session.run(...start, 'release 2')).toBe(0);
    expect(session.out).toContain('was begun before');
  });

  it('tells a dry run that it would begin none', async () => {
    api.answer(answers('aborted'));
    expect(await session.run(...start, 'release 2', '--dry-run', '--json')).toBe(0);
    expect(JSON.parse(session.out)).toMatchObject({ dryRun: true, begun: 'r-20261123-1', phase: 'aborted' });
  });

  it.each<[string, 'promoted' | null, string]>([
    ['the newest is of another release', 'promoted', 'release 3'],
    ['there was none', null, 'release 2'],
  ])('begins one where %s', async (_, phase, reason) => {
    api.answer(answers(phase));
    expect(await session.run(...start, reason)).toBe(0);
    expect(api.writes()).toMatchObject([{ body: { to: 'green', reason } }]);
  });

  it('takes one that was begun while it asked, as where the answer was lost', async () => {
    let isBegun = false;
    const begin = () => {
      isBegun = true;
      return refusal(409, 'rollout_running', 'a rollout is progressing');
    };
    const look = () => statusWith({ rollout: isBegun ? rolloutWith() : null });
    api.answer({
      ...answers('progressing'),
      'GET /api/routes/detect': look,
      'POST /api/routes/detect/rollout': begin,
    });
    expect(await session.run(...start, 'release 2', '--json')).toBe(0);
    expect(JSON.parse(session.out)).toMatchObject({ rollout: { phase: 'progressing' }, warnings: [] });
  });

  it('says the refusal of a rollout that another release runs', async () => {
    api.answer({
      ...answers('progressing'),
      'POST /api/routes/detect/rollout': refusal(409, 'rollout_running', 'busy'),
    });
    expect(await session.run(...start, 'release 3')).toBe(1);
    expect(session.notes).toContain('busy');
  });

  it('needs a reason, by which it knows the release', async () => {
    expect(await session.run(...start.slice(0, -1))).toBe(2);
    expect(session.notes).toContain('--once needs a --reason');
  });
});
