import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { parseConfig } from '../../src/config/parse.ts';
import type { RouteStatus } from '../../src/rollout/status.ts';
import { refusal, sessionWithApi, statusWith } from './api.ts';

const { session, api } = sessionWithApi();

const detect = {
  name: 'detect',
  variants: { blue: { url: 'https://b.example' }, green: { url: 'https://g.example' } },
};
const current = { version: 1, routes: [detect, { ...detect, name: 'old' }, { ...detect, name: 'chat' }] };
const next = {
  version: 1,
  cookie: { maxAgeDays: 30 },
  routes: [
    { ...detect, name: 'chat' },
    {
      ...detect,
      variants: { blue: detect.variants.blue, green: { url: 'https://g2.example' } },
      weights: { blue: 90, green: 10 },
    },
    { ...detect, name: 'young' },
  ],
};

const parsed = parseConfig(JSON.stringify(next), { unknownKeys: 'fault' });
if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
const variants = variantsHash(parsed.value.config.routes[1]!);
/** A split that was made for the variants of the file that is applied. */
const served = (changes: Partial<RouteStatus['split']> = {}) =>
  statusWith({ split: { ...statusWith().split, variants, ...changes } });

const put = { revision: 8, hash: 'beef', warnings: [] as unknown[] };
const answers = (more: Record<string, unknown> = {}) => ({
  'GET /api/config': () => new Response(JSON.stringify(current), { headers: { etag: '"cafe"' } }),
  'GET /api/routes': { routes: [served()] },
  'POST /api/config/validate': { valid: true, warnings: [] },
  'PUT /api/config': put,
  ...more,
});

beforeAll(() => void session.write('next.json', next));
beforeEach(() => {
  session.confirm = null;
  api.answer(answers());
});

const puts = () => api.calls.filter(({ method }) => method === 'PUT');

describe('headgate apply', () => {
  it('shows what changes, route by route, and puts the file in force as it is written', async () => {
    expect(await session.run('apply', 'next.json', '--reason', 'green 2')).toBe(0);
    expect(puts()).toMatchObject([{ path: '/api/config?reason=green+2', ifMatch: '"cafe"', body: next }]);
    expect(session.out).toContain('next.json is in force: revision 8, hash beef');
    expect(session.notes).toContain(
      [
        '  ~ route detect',
        '      ~ variants.green.url: "https://g.example" → "https://g2.example"',
        '      + weights: {"blue":90,"green":10}',
        '  - route old',
        '  + route young',
        '      + variants: {"blue":{"url":"https://b.example"},"green":{"url":"https://g.example"}}',
        '  ~ outside of routes',
        '      + cookie: {"maxAgeDays":30}',
        '  ~ routes are tried in this order now: chat, detect',
      ].join('\n'),
    );
  });

  it('shows that another variant comes first, and so is the baseline where none is named', async () => {
    const { blue, green } = detect.variants;
    session.write('file.json', {
      ...current,
      routes: [{ ...detect, variants: { green, blue } }, ...current.routes.slice(1)],
    });
    expect(await session.run('apply', 'file.json', '--dry-run')).toBe(0);
    expect(session.out).toContain('  ~ route detect\n      ~ baseline: "blue" → "green"\n');
  });

  it('warns where a split beats the weights, with the numbers in force', async () => {
    await session.run('apply', 'next.json');
    expect(session.notes).toMatch(/routes\[1\]\.weights +split 12 \(blue=75 green=25\) beats them/);
    api.answer(answers({ 'GET /api/routes': { routes: [statusWith({ byHand: { blue: 100 } })] } }));
    await session.run('apply', 'next.json');
    expect(session.notes).toMatch(/weights set by hand beat them[\s\S]*headgate manual clear detect/);
    api.answer(answers({ 'GET /api/routes': { routes: [statusWith({ byHand: { blue: 0, gone: 100 } })] } }));
    await session.run('apply', 'next.json');
    expect(session.notes).toMatch(/weights set by hand go to gone, which this config lacks: they end with it/);
  });

  it('says who gets the traffic where the split was made for other variants', async () => {
    api.answer(answers({ 'GET /api/routes': { routes: [statusWith()] } }));
    await session.run('apply', 'next.json');
    expect(session.notes).toMatch(
      /split 12 \(.*\) is for other variants and will not be served: blue gets all traffic/,
    );
    expect(session.notes).toMatch(/headgate weights detect …/);
    expect(session.notes).not.toMatch(/beats them/);
  });

  it('says that nothing is mirrored where the split was made for other variants', async () => {
    const shadows = [{ variant: 'green', percent: 50 }];
    session.write('file.json', { version: 1, routes: [{ ...detect, shadows }] });
    api.answer(
      answers({
        'GET /api/routes': { routes: [statusWith({ split: { ...statusWith().split, shadows: { green: 50 } } })] },
      }),
    );
    await session.run('apply', 'file.json', '--json');
    const { warnings } = JSON.parse(session.out) as { warnings: { path: string; reason: string; mend: string }[] };
    expect(warnings.map(({ path, reason }) => [path, reason])).toEqual([
      ['routes[0].weights', expect.stringContaining('is for other variants')],
      ['routes[0].shadows', 'split 12 mirrors 0 % to green'],
    ]);
    const first = 'end its rollout first: headgate rollout abort detect; then ';
    expect(warnings[1]!.mend).toBe(`${first}headgate weights detect … --shadow green=50 mirrors 50 %`);
  });

  it('says what a split keeps of another baseline and of other shadows, once no rollout runs', async () => {
    const shadows = [{ variant: 'green', percent: 50 }];
    const same = parseConfig(JSON.stringify({ version: 1, routes: [detect] }), { unknownKeys: 'fault' });
    if (!same.ok) throw new Error('the config is good');
    const held = { rollout: null, variants: variantsHash(same.value.config.routes[0]!), shadows: { green: 5 } };
    const said = async (file: unknown, changes: Partial<RouteStatus['split']>) => {
      session.write('file.json', { version: 1, routes: [file] });
      api.answer(answers({ 'GET /api/routes': { routes: [served({ ...held, ...changes })] } }));
      await session.run('apply', 'file.json', '--json');
      const { warnings } = JSON.parse(session.out) as { warnings: { path: string; reason: string; mend: string }[] };
      const ofSplit = warnings.slice(1).filter(({ reason }) => !reason.startsWith('the baseline in force'));
      return ofSplit.map(({ path, reason, mend }) => [path, reason, mend]);
    };
    expect(await said({ ...detect, baseline: 'green' }, { shadows: {} })).toEqual([
      [
        'routes[0].baseline',
        'split 12 still has the baseline blue',
        'the next headgate weights detect …, switch or rollout takes this one',
      ],
    ]);
    expect(await said({ ...detect, shadows }, {})).toEqual([
      [
        'routes[0].shadows',
        'split 12 mirrors 5 % to green',
        'headgate weights detect … --shadow green=50 mirrors 50 %',
      ],
    ]);
    expect(await said(detect, { plainShadows: [] })).toEqual([]);
    expect(await said(detect, { plainShadows: ['green'] })).toEqual([
      [
        'routes[0].shadows',
        'split 12 mirrors 5 % to green all the same',
        'headgate weights detect … --shadow none ends it',
      ],
    ]);
    expect(await said(detect, { rollout: 'r-1', baseline: 'blue' })).toEqual([]);
    const pauses = 'rollout r-1 pauses: it began with';
    const mend = 'put it in force once that has ended, or end it first: headgate rollout abort detect';
    expect(await said({ ...detect, baseline: 'green' }, { rollout: 'r-1' })).toEqual([
      ['routes[0].baseline', `${pauses} the baseline blue`, mend],
    ]);
    const third = { ...detect.variants, third: { url: 'https://t.example' } };
    expect(await said({ ...detect, variants: third }, { rollout: 'r-1' })).toEqual([
      ['routes[0].variants', `${pauses} other variants`, mend],
    ]);
  });

  it('names no remedy that a running rollout forbids', async () => {
    api.answer(answers({ 'GET /api/routes': { routes: [statusWith()] } }));
    await session.run('apply', 'next.json');
    expect(session.notes).toMatch(
      /end its rollout first: headgate rollout abort detect; then headgate weights detect …/,
    );
  });

  it('says a warning of the Worker once', async () => {
    const warnings = [
      { path: 'routes[1].weights', reason: 'the key split:detect beats the weights', mend: 'm' },
      { path: 'routes[0]', reason: 'a late one', mend: 'm' },
    ];
    api.answer(answers({ 'PUT /api/config': { ...put, warnings } }));
    await session.run('apply', 'next.json', '--json');
    expect(JSON.parse(session.out).warnings.map(({ reason }: { reason: string }) => reason)).toEqual([
      'split 12 (blue=75 green=25) beats them',
      'a late one',
    ]);
  });

  it('says with --dry-run too that KV still has a split of a route that the config in force lacks', async () => {
    const beaten = (index: number, name: string) => ({
      path: `routes[${index}].weights`,
      reason: `the key split:${name} beats the weights written here`,
      mend: `change them with: headgate weights ${name} …`,
    });
    const checked = { valid: true, warnings: [beaten(1, 'detect'), beaten(2, 'young')] };
    api.answer(answers({ 'POST /api/config/validate': checked }));
    await session.run('apply', 'next.json', '--dry-run');
    expect(session.out).toMatch(/! 2 warnings[\s\S]*the key split:young beats the weights written here/);
    expect(session.out).toContain('split 12 (blue=75 green=25) beats them');
    expect(session.out).not.toContain('split:detect');
    expect(puts()).toEqual([]);
  });

  it('shows everything with --dry-run, and writes nothing', async () => {
    expect(await session.run('apply', 'next.json', '--dry-run')).toBe(0);
    expect(session.out).toMatch(/^Would do: Put next.json in force\n {2}~ route detect[\s\S]*Nothing was changed/);
    await session.run('apply', 'next.json', '--dry-run', '--json');
    expect(JSON.parse(session.out)).toMatchObject({
      dryRun: true,
      changes: [{}, {}, {}, {}],
      order: ['chat', 'detect'],
    });
    expect(await session.run('apply', 'next.json', '--dry-run', '--if-match', 'other')).toBe(1);
    expect(puts()).toEqual([]);
  });

  it('shows a person the change before it asks, and takes no for an answer', async () => {
    session.confirm = async () => false;
    expect(await session.run('apply', 'next.json')).toBe(1);
    expect(session.notes).toMatch(/~ route detect[\s\S]*Nothing was changed/);
    expect(puts()).toEqual([]);
  });

  it('refuses a faulty file here, before any call', async () => {
    session.write('bad.json', { version: 1, routes: [{ ...detect, weights: { blue: 97 } }] });
    expect(await session.run('apply', 'bad.json')).toBe(1);
    expect(session.notes).toMatch(/1 fault; it is refused whole[\s\S]*routes\[0\]\.weights/);
    expect(api.calls).toEqual([]);
  });

  it('refuses what only the Worker knows to be wrong, with its faults', async () => {
    const faults = [{ path: 'routes[0].variants.blue', reason: 'KEY_BLUE is not set', mend: 'set it' }];
    api.answer(answers({ 'POST /api/config/validate': () => refusal(422, 'invalid_config', 'no', { faults }) }));
    expect(await session.run('apply', 'next.json')).toBe(1);
    expect(session.notes).toContain('KEY_BLUE is not set');
    expect(puts()).toEqual([]);
  });

  it('is refused with exit 1 when somebody else wrote meanwhile', async () => {
    api.answer(
      answers({ 'PUT /api/config': () => refusal(412, 'stale', 'Somebody else wrote', { mend: 'look again' }) }),
    );
    expect(await session.run('apply', 'next.json', '--if-match', 'older')).toBe(1);
    expect(puts()[0]!.ifMatch).toBe('"older"');
    expect(session.notes).toMatch(/Somebody else wrote[\s\S]*→ look again/);
  });

  it('puts the first config in force where there is none', async () => {
    api.answer(answers({ 'GET /api/config': () => refusal(404, 'no_config', 'none'), 'GET /api/routes': undefined }));
    expect(await session.run('apply', 'next.json')).toBe(0);
    // Refused where somebody has made one since.
    expect(puts()[0]!.ifMatch).toBe('""');
    expect(session.notes).toMatch(/\+ route chat[\s\S]*\+ route detect/);
  });

  it('says that nothing changes where the file says the same', async () => {
    session.write('same.json', current);
    expect(await session.run('apply', 'same.json')).toBe(0);
    expect(session.notes).toContain('says the same already');
  });
});

describe('headgate config', () => {
  const revisions = [
    { revision: 7, hash: 'cafe', actor: 'ci', reason: 'green 2', at: '2026-11-23T10:00:00.000Z' },
    { revision: 6, hash: 'babe', actor: 'KV', reason: 'by hand', at: '2026-11-22T10:00:00.000Z' },
  ];

  it('lists revisions: who, when and why', async () => {
    api.answer(answers({ 'GET /api/config/revisions': { revisions } }));
    expect(await session.run('config', 'revisions')).toBe(0);
    expect(session.out).toMatch(/7 +2026-11-23 10:00:00 +ci +cafe +green 2\n +6 .*KV +babe/);
    await session.run('config', 'revisions', '--json');
    expect(JSON.parse(session.out)).toEqual({ revisions });
  });

  it('restores one against the config that it saw', async () => {
    const more = { 'GET /api/config/revisions': { revisions }, 'POST /api/config/restore': { ...put, revision: 8 } };
    api.answer(answers(more));
    expect(await session.run('config', 'restore', '6', '--dry-run')).toBe(0);
    expect(session.out).toMatch(/written 2026-11-22 10:00:00 by KV: by hand/);
    expect(api.writes()).toEqual([]);
    expect(await session.run('config', 'restore', '6', '--reason', 'back')).toBe(0);
    expect(api.writes()).toMatchObject([{ body: { revision: 6, reason: 'back' }, ifMatch: '"cafe"' }]);
    expect(session.out).toContain('revision 6 is in force as revision 8');
  });

  it.each([
    [['config', 'restore', '3'], 1, /Revision 3 is not kept[\s\S]*config revisions/],
    [['config', 'restore', 'last'], 2, /whole number/],
    [['config'], 2, /usage: headgate VERB[\s\S]*config restore/],
  ])('refuses %j', async (argv, exit, words) => {
    api.answer(answers({ 'GET /api/config/revisions': { revisions } }));
    expect(await session.run(...argv)).toBe(exit);
    expect(session.notes).toMatch(words);
  });
});
