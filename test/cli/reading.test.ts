import { beforeEach, describe, expect, it } from 'vitest';
import { nowMs, refusal, sessionWithApi, statusWith } from './api.ts';
import { nobody } from './session.ts';

const { session, api } = sessionWithApi();

beforeEach(() => {
  session.now = () => nowMs;
});

describe('headgate history', () => {
  const entries = [
    {
      at: '2026-11-23T10:08:30.000Z',
      actor: 'controller',
      action: 'aborted',
      reason: 'errors: fail',
      before: { phase: 'progressing', step: 2, weights: { blue: 75, green: 25 } },
      after: { phase: 'aborted', step: 2, weights: { blue: 100, green: 0 } },
      evidence: ['errors: candidate 60 bad of 1,043'],
    },
    {
      at: '2026-11-23T10:00:00.000Z',
      actor: 'x\u001b[2J',
      action: 'manual-ended',
      reason: 'gone',
      before: { blue: 100 },
      after: null,
    },
    { at: '2026-11-23T09:00:00.000Z', actor: 'ci', action: 'switch-refused', reason: 'no', before: null, after: null },
  ];
  beforeEach(() => {
    api.answer({
      'GET /api/routes/detect': statusWith(),
      'GET /api/routes/detect/history': { entries, next: null },
    });
  });

  it('tells who did what and why, and what changed by it', async () => {
    expect(await session.run('history', 'detect')).toBe(0);
    expect(session.out).toBe(
      [
        '2026-11-23 10:08:30  aborted by controller',
        '  errors: fail',
        '  progressing: blue 75 %, green 25 % → aborted: blue 100 %',
        '2026-11-23 10:00:00  manual-ended by x�[2J',
        '  gone',
        '2026-11-23 09:00:00  switch-refused by ci',
        '  no',
        '',
      ].join('\n'),
    );
  });

  it('has the verdicts of each moment when asked, and everything as JSON', async () => {
    await session.run('history', 'detect', '--evidence');
    expect(session.out).toContain('  errors: candidate 60 bad of 1,043');
    await session.run('history', 'detect', '--json', '--limit', '3');
    expect(JSON.parse(session.out).entries).toHaveLength(3);
    expect(api.calls.at(-1)!.path).toBe('/api/routes/detect/history?limit=3');
  });

  it('refuses a limit that is none', async () => {
    expect(await session.run('history', 'detect', '--limit', '501')).toBe(2);
  });
});

describe('headgate explain', () => {
  const answer = {
    route: 'detect',
    unit: 'u 1&x',
    variant: 'green',
    reason: 'hash',
    revision: 12,
    source: 'split',
    salt: 's',
    weights: { blue: 75, green: 25 },
    scores: [
      { variant: 'blue', weight: 75, hash: 4, score: 0.29 },
      { variant: 'green', weight: 25, hash: 4_000_000_000, score: 0.0028 },
    ],
    sentence: 'green, since its score is the lowest (revision 12, split)',
  };

  it('says which variant, why, and by which numbers', async () => {
    api.answer({ 'GET /api/routes/detect': statusWith(), 'GET /api/routes/detect/explain': answer });
    expect(await session.run('explain', 'detect', '--unit', 'u 1&x')).toBe(0);
    expect(new URLSearchParams(api.calls.at(-1)!.path.split('?')[1]).get('unit')).toBe('u 1&x');
    expect(session.out).toMatch(/u 1&x gets green: green, since its score is the lowest/);
    expect(session.out).toMatch(/green +25 % +4,000,000,000 +0\.002800 +← lowest/);
    expect(session.out).toContain('score = −ln((hash + 0.5) / 2^32) / weight');
    await session.run('explain', 'detect', '--unit', 'u 1&x', '--json');
    expect(JSON.parse(session.out)).toEqual(answer);
  });

  it('needs a unit', async () => {
    expect(await session.run('explain', 'detect')).toBe(2);
    expect(session.notes).toMatch(/unit/);
  });
});

describe('headgate doctor', () => {
  const ok = { about: 'KV', state: 'ok', detail: 'answered in 3 ms' };
  const doctor = (findings: unknown[], now = new Date(nowMs).toISOString()) =>
    api.answer({ 'GET /health': { status: 'ok' }, 'GET /api/doctor': { now, findings } });

  it('exits 0 when nothing is wrong', async () => {
    doctor([ok, { about: 'ADMIN_HOST', state: 'note', detail: 'is not set', mend: 'm' }]);
    expect(await session.run('doctor')).toBe(0);
    expect(session.out).toMatch(
      /✔ Worker +http.* answers in 0 ms\n✔ clocks .*\n✔ KV +answered[\s\S]*· ADMIN_HOST[\s\S]*all is well/,
    );
  });

  it('says what is wrong and how to mend it, and exits 1', async () => {
    doctor([ok, { about: 'detect/blue', state: 'bad', detail: 'down', mend: 'mend it' }]);
    expect(await session.run('doctor', '--route', 'detect')).toBe(1);
    expect(api.calls.at(-1)!.path).toBe('/api/doctor?route=detect');
    expect(session.out).toMatch(/✗ detect\/blue +down\n +→ mend it[\s\S]*1 wrong, 0 to look at/);
    expect(await session.run('doctor', '--json')).toBe(1);
    expect(JSON.parse(session.out)).toMatchObject({ ok: false, findings: [{}, {}, {}, { about: 'detect/blue' }] });
  });

  it('warns of clocks that are apart', async () => {
    doctor([ok], new Date(nowMs - 120_000).toISOString());
    expect(await session.run('doctor')).toBe(0);
    expect(session.out).toMatch(/! clocks +the Worker’s is 2 min behind this machine’s/);
  });

  it('says how far it came where the API is closed, and what to do where nothing answers', async () => {
    api.answer({
      'GET /health': { status: 'ok' },
      'GET /api/doctor': () => refusal(503, 'admin_disabled', 'closed', { mend: 'set ADMIN_TOKEN' }),
    });
    expect(await session.run('doctor')).toBe(1);
    expect(session.out).toContain('✔ Worker');
    expect(session.notes).toMatch(/closed[\s\S]*set ADMIN_TOKEN/);
    session.env.HEADGATE_URL = await nobody();
    expect(await session.run('doctor')).toBe(1);
    expect(session.notes).toContain('npm start');
  });
});

describe('headgate records of a route', () => {
  const page = (records: unknown[]) => ({ dataset: 'requests', source: 'recorder', records, next: null });
  const answer = (records: unknown[], routes: unknown = { routes: [statusWith()] }) =>
    api.answer({ 'GET /api/records': page(records), 'GET /api/routes': routes });

  it.each([[[]], [['--follow']], [['--json']]])(
    'says that the config has no such route, and which was meant (%j)',
    async (options) => {
      answer([]);
      expect(await session.run('records', '--route', 'detekt', ...options)).toBe(1);
      expect(session.out + session.notes).toContain('There is no route detekt.');
      expect(session.out + session.notes).toContain('did you mean detect?');
    },
  );

  it('says that there are none yet where the config has it, or cannot be asked', async () => {
    answer([]);
    expect(await session.run('records', '--route', 'detect')).toBe(0);
    expect(session.notes).toContain('No records yet.');
    answer([], () => refusal(503, 'no_controller', 'no'));
    expect(await session.run('records', '--route', 'detekt')).toBe(0);
    expect(session.notes).toContain('No records yet.');
  });

  it('shows what is kept of a route that has gone', async () => {
    answer([{ at: '2026-11-23T10:00:00.000Z', id: 1, sampleInterval: 1, route: 'gone', variant: 'blue' }]);
    expect(await session.run('records', '--route', 'gone')).toBe(0);
    expect(session.out).toMatch(/gone +blue/);
  });
});

describe('headgate preview', () => {
  const url = 'https://api.example.com/_headgate/preview?token=t';
  const given = {
    token: 't',
    url,
    header: { name: 'x-headgate-preview', value: 't' },
    expiresAt: '2026-11-23T11:08:30.000Z',
  };

  it.each<[string, unknown, string]>([
    [
      'a path of the route, where none answers at /',
      [{ path: '/v1/detect' }, { path: '/v1/detect/*' }],
      `${url}&to=%2Fv1%2Fdetect`,
    ],
    ['where a prefix begins', { host: '*.example.com', path: '/v1/*' }, `${url}&to=%2Fv1%2F`],
    ['a path that it has on this very host', [{ host: 'x.org', path: '/x' }, { path: '/v1/*' }], `${url}&to=%2Fv1%2F`],
    [
      'a path that needs no header, which a browser would not send',
      [{ header: { 'x-beta': '1' } }, { path: '/v1/*' }],
      `${url}&to=%2Fv1%2F`,
    ],
    ['/ where the route answers there', [{ path: '/v1/*' }, { host: 'api.example.com' }], url],
  ])('leads a browser to %s', async (_, match, link) => {
    const config = { routes: [{ name: 'detect', match, variants: { blue: { url: 'https://blue.example' } } }] };
    api.answer({ 'POST /api/routes/detect/preview': given, 'GET /api/config': config });
    expect(await session.run('preview', 'detect', 'blue')).toBe(0);
    expect(session.out).toContain(`in a browser  ${link}\n`);
  });

  it('gives the link also where the config cannot be read', async () => {
    api.answer({ 'POST /api/routes/detect/preview': given });
    expect(await session.run('preview', 'detect', 'blue')).toBe(0);
    expect(session.out).toContain(`in a browser  ${url}\n`);
  });
});
