import { beforeEach, describe, expect, it, vi } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import type { RouteStatus } from '../../src/rollout/status.ts';
import { routeOf } from '../config/sample.ts';
import { type Call, refusal, rolloutWith, sessionWithApi, statusWith } from './api.ts';

const { session, api } = sessionWithApi();

const configured = {
  name: 'detect',
  variants: { blue: { url: 'https://b.example' }, green: { url: 'https://g.example' } },
  plans: { careful: [{ weight: 1, for: '1h' }] },
};
const configOf = (route: object) => () =>
  new Response(JSON.stringify({ version: 1, routes: [route] }), { headers: { etag: '"cafe"' } });
/** A status whose split was made for the variants of that config. */
const shownWith = (changes: Partial<RouteStatus> = {}) => {
  const { split, ...rest } = statusWith();
  return { ...rest, split: { ...split, variants: variantsHash(routeOf(configured)) }, ...changes };
};
const status = shownWith();
const nobody = () => refusal(404, 'no_such_route', 'no');
const answers = (changed: Record<string, unknown> = {}, shown = status) => {
  const done = () => ({ ...status, warnings: [], ...changed });
  return {
    'GET /api/routes': { routes: [status, shownWith({ name: 'chat' })] },
    'GET /api/routes/detect': shown,
    ...Object.fromEntries(
      ['pause', 'abort'].map((order) => [`POST /api/routes/detcet/rollout/${order}`, nobody] as const),
    ),
    'GET /api/routes/nowhere': nobody,
    'GET /api/routes/detcet': nobody,
    'GET /api/config': configOf(configured),
    'PUT /api/routes/detect/split': done,
    'POST /api/routes/detect/switch': done,
    'POST /api/routes/detect/rollout': done,
    'POST /api/routes/detect/rollout/promote': done,
    'POST /api/routes/detect/rollout/pause': done,
    'POST /api/routes/detect/rollout/resume': done,
    'POST /api/routes/detect/rollout/abort': done,
    'POST /api/routes/detect/rollback': done,
    'DELETE /api/routes/detect/weights': done,
  };
};

beforeEach(() => {
  session.confirm = null;
  api.answer(answers({ rollout: rolloutWith() }));
});

const written = (): Call => {
  expect(api.writes()).toHaveLength(1);
  return api.writes()[0]!;
};

/** Each verb that changes traffic, with what it sends, and whether it is bound to what was shown. */
const writes: [string, string[], Partial<Call>, 'bound' | 'free'][] = [
  [
    'weights',
    ['weights', 'detect', 'blue=90', 'green=10'],
    { method: 'PUT', body: { weights: { blue: 90, green: 10 }, reason: 'why' } },
    'bound',
  ],
  [
    'weights with mirrors',
    ['weights', 'detect', 'blue=99.75', 'green=0.25', '--shadow', 'green=50'],
    { body: { weights: { blue: 99.75, green: 0.25 }, shadows: { green: 50 }, reason: 'why' } },
    'bound',
  ],
  [
    'weights without mirrors',
    ['weights', 'detect', 'blue=100', '--shadow', 'none'],
    { body: { weights: { blue: 100 }, shadows: {}, reason: 'why' } },
    'bound',
  ],
  [
    'switch',
    ['switch', 'detect', 'green', '--force'],
    { path: '/api/routes/detect/switch', body: { to: 'green', force: true, reason: 'why' } },
    'bound',
  ],
  [
    'rollout start',
    ['rollout', 'start', 'detect', 'green', '--plan', 'careful'],
    { path: '/api/routes/detect/rollout', body: { to: 'green', plan: 'careful', reason: 'why' } },
    'bound',
  ],
  [
    'rollout promote',
    ['rollout', 'promote', 'detect'],
    { path: '/api/routes/detect/rollout/promote', body: { reason: 'why' } },
    'bound',
  ],
  ['rollout resume', ['rollout', 'resume', 'detect'], { path: '/api/routes/detect/rollout/resume' }, 'bound'],
  ['rollout pause', ['rollout', 'pause', 'detect'], { path: '/api/routes/detect/rollout/pause' }, 'free'],
  ['rollout abort', ['rollout', 'abort', 'detect'], { path: '/api/routes/detect/rollout/abort' }, 'free'],
  [
    'rollback',
    ['rollback', 'detect', '--revision', '3', '--force'],
    { path: '/api/routes/detect/rollback', body: { revision: 3, force: true, reason: 'why' } },
    'free',
  ],
  [
    'manual clear',
    ['manual', 'clear', 'detect'],
    { method: 'DELETE', path: '/api/routes/detect/weights?reason=why', body: null },
    'free',
  ],
];

/** What a person sees before: a rollout that can go on, or be ended, or none. */
const before = (verb: string) =>
  /^rollout (?!start)/.test(verb)
    ? shownWith({ rollout: rolloutWith({ phase: verb === 'rollout resume' ? 'paused' : 'progressing' }) })
    : status;

describe.each(writes)('headgate %s', (verb, argv, sent, binding) => {
  beforeEach(() => api.answer(answers({ rollout: rolloutWith() }, before(verb))));

  it('acts without asking in a script, says who and why, and tells what is in force', async () => {
    expect(await session.run(...argv, '--reason', 'why', '--as', 'ci')).toBe(0);
    expect(written()).toMatchObject({ ...sent, actor: 'ci' });
    expect(session.out).toMatch(/✓ .*blue 75 %, green 25 % \(revision 12\)/);
  });

  it('is bound to the revision that was shown, or to none where nothing may be in the way', async () => {
    await session.run(...argv);
    expect(written().ifMatch).toBe(binding === 'bound' ? '"12"' : null);
    api.answer(answers({ rollout: rolloutWith() }));
    await session.run(...argv, '--if-match', '11');
    expect(written().ifMatch).toBe('"11"');
  });

  it('asks a person, takes no for an answer with exit 1, and does not ask with --yes', async () => {
    const questions: string[] = [];
    session.confirm = async (question) => {
      questions.push(question);
      return false;
    };
    expect(await session.run(...argv)).toBe(1);
    expect(session.notes).toContain('Nothing was changed.');
    expect(api.writes()).toEqual([]);
    expect(await session.run(...argv, '--yes')).toBe(0);
    expect(questions).toEqual([expect.stringMatching(/detect.*\?$/)]);
    expect(api.writes()).toHaveLength(1);
  });

  it('shows what will change with --dry-run, as text and as JSON, and changes nothing', async () => {
    expect(await session.run(...argv, '--dry-run')).toBe(0);
    expect(session.out).toMatch(/^Would do: .*detect[\s\S]*now +[\s\S]*Nothing was changed/);
    expect(await session.run(...argv, '--dry-run', '--json')).toBe(0);
    expect(JSON.parse(session.out)).toMatchObject({ dryRun: true, route: 'detect' });
    expect(await session.run(...argv, '--dry-run', '--if-match', '11')).toBe(1);
    expect(session.notes).toContain('at revision 12 now, not 11');
    expect(api.writes()).toEqual([]);
  });

  it('gives the Worker’s answer as JSON', async () => {
    expect(await session.run(...argv, '--json')).toBe(0);
    expect(JSON.parse(session.out)).toMatchObject({ name: 'detect', split: { revision: 12 }, warnings: [] });
  });

  it('says what was refused, why, and how to mend it', async () => {
    const stale = () => refusal(412, 'stale', 'the split is at revision 13 now', { mend: 'headgate status shows it' });
    api.answer({
      ...answers(),
      ...Object.fromEntries(
        Object.keys(answers())
          .filter((k) => !k.startsWith('GET'))
          .map((k) => [k, stale]),
      ),
    });
    expect(await session.run(...argv)).toBe(1);
    expect(session.notes).toMatch(/refused: the split is at revision 13 now[\s\S]*→ headgate status/);
    expect(await session.run(...argv, '--json')).toBe(1);
    expect(JSON.parse(session.notes)).toMatchObject({ error: { code: 'stale', exitCode: 1 } });
  });

  it('names the nearest route for one that is not there', async () => {
    expect(await session.run(...argv.map((word) => (word === 'detect' ? 'detcet' : word)))).toBe(1);
    expect(session.notes).toMatch(/no route detcet[\s\S]*did you mean detect\? \(known: detect, chat\)/);
    // The way back asks all the same: the config may have lost a route whose rollout still runs.
    if (!/pause|abort/.test(verb)) expect(api.writes()).toEqual([]);
  });
});

describe('what the Worker would refuse', () => {
  const running = shownWith({ rollout: rolloutWith() });
  const ended = shownWith({ rollout: rolloutWith({ phase: 'aborted' }) });
  const byHand = shownWith({ byHand: { blue: 100 } });
  const paused = shownWith({ rollout: rolloutWith({ phase: 'paused' }) });
  const heldByHand = shownWith({ byHand: { blue: 100 }, rollout: rolloutWith() });
  const taken = shownWith({ nextBaseline: 'green' });
  const byHandFault = { path: '$', reason: 'weights sum to 97, not 100', mend: 'give 3 % more' };
  const faulty = shownWith({ byHandFault });
  const faultyUnder = shownWith({ byHandFault, rollout: rolloutWith() });

  it.each([
    [['rollout', 'promote', 'detect'], status, /No rollout runs on detect/],
    [['rollout', 'abort', 'detect'], ended, /No rollout runs on detect/],
    [['rollout', 'resume', 'detect'], running, /is progressing, not paused/],
    [['rollout', 'pause', 'detect'], paused, /is paused already/],
    [['rollout', 'abort', 'detect'], heldByHand, /Weights set by hand decide/],
    [['rollout', 'start', 'detect', 'green'], running, /Rollout r-20261123-1 to green is progressing/],
    [['rollout', 'start', 'detect', 'blue'], status, /blue is the baseline already[\s\S]*name the variant to move/],
    [['rollout', 'start', 'detect', 'green'], taken, /green is the baseline already/],
    [['switch', 'detect', 'green'], byHand, /Weights set by hand decide/],
    [['weights', 'detect', 'blue=100'], running, /end it first: headgate rollout abort detect/],
    [['weights', 'detect', 'blue=100'], faulty, /end them first: headgate manual clear detect/],
    [['switch', 'detect', 'green'], faulty, /Weights set by hand decide/],
    [['rollout', 'start', 'detect', 'green'], faulty, /Weights set by hand decide/],
    [['rollout', 'promote', 'detect'], faultyUnder, /Weights set by hand decide/],
  ])('is not promised by --dry-run: %j', async (argv, shown, words) => {
    api.answer(answers({}, shown));
    expect(await session.run(...argv, '--dry-run')).toBe(1);
    expect(session.notes).toMatch(words);
    // In a script the Worker has the word.
    expect(await session.run(...argv)).toBe(0);
  });

  it.each(['pause', 'abort'])(
    'does not keep a person from %s, which the Worker does beside a refused text',
    async (order) => {
      api.answer(answers({}, faultyUnder));
      expect(await session.run('rollout', order, 'detect', '--dry-run')).toBe(0);
    },
  );
});

it.each(['.', '..'])('takes %s for no route', async (name) => {
  api.answer({
    ...answers(),
    'GET /api/routes/': { routes: [statusWith()] },
    'GET /api/routes': { routes: [statusWith()] },
  });
  expect(await session.run('rollback', name)).toBe(1);
  expect(session.notes).toMatch(/There is no route \.+\.\n.*known: detect/);
});

it.each<[string, RouteStatus, ...string[]]>([
  ['weights', status, 'detect', 'blue=100'],
  ['rollout start', status, 'detect', 'green', '--plan', '[{"weight":3,"for":"90s"}]'],
  ['rollout promote', shownWith({ rollout: rolloutWith() }), 'detect'],
])(
  'lets a person look at %s while the owner of the config is down, for the Worker does it then',
  async (verb, shown, ...words) => {
    const down = () => refusal(503, 'controller_down', 'The owner of the config does not answer.');
    api.answer({ ...answers({}, shown), 'GET /api/config': down });
    expect(await session.run(...verb.split(' '), ...words, '--dry-run')).toBe(0);
  },
);

it('does not let weights wait for an owner of the config that hangs', async () => {
  const signals: number[] = [];
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    signals.push(ms);
    return AbortSignal.abort();
  });
  api.answer({ ...answers(), 'GET /api/config': () => new Promise(() => {}) });
  expect(await session.run('weights', 'detect', 'blue=100', '--dry-run')).toBe(0);
  expect(signals).toEqual([3_000]);
  vi.restoreAllMocks();
});

describe('headgate weights and rollout start, looked at first', () => {
  it('promises no mirror of the baseline', async () => {
    expect(await session.run('weights', 'detect', 'blue=100', '--shadow', 'blue=5', '--dry-run')).toBe(1);
    expect(session.notes).toMatch(
      /would be refused: the baseline blue cannot be its own shadow\.\n {2}→ name a candidate/,
    );
  });

  it('promises no other weights, and no rollout, while an experiment whose units come from headers freezes them', async () => {
    const outcomes = [{ name: 'helpful', kind: 'conversion' }];
    const experiment = { id: 'chat-m2', primary: ['helpful'] };
    const frozen = { ...configured, identity: [{ header: 'x-user-id' }], outcomes, experiment };
    api.answer({ ...answers(), 'GET /api/config': configOf(frozen) });
    expect(await session.run('weights', 'detect', 'blue=50', 'green=50', '--dry-run')).toBe(1);
    expect(session.notes).toMatch(/would be refused: experiment chat-m2 runs/);
    expect(await session.run('weights', 'detect', 'blue=100', '--dry-run')).toBe(0);
    expect(await session.run('rollout', 'start', 'detect', 'green', '--dry-run')).toBe(1);
    expect(session.notes).toMatch(/would be refused: experiment chat-m2 runs/);
    expect(await session.run('rollout', 'start', 'detect', 'green', '--force', '--dry-run')).toBe(0);
  });
});

describe.each(['promote', 'resume'])('headgate rollout %s, while the config is another than at the start', (order) => {
  const held = shownWith({ rollout: rolloutWith({ phase: 'paused' }) });
  const third = { url: 'https://t.example' };
  it.each([
    ['variants', held, { ...configured, variants: { ...configured.variants, third } }],
    ['baseline', { ...held, nextBaseline: 'green' }, configured],
  ])('says what changed, and promises nothing: %s', async (what, shown, route) => {
    api.answer({ ...answers({}, shown), 'GET /api/config': configOf(route) });
    expect(await session.run('rollout', order, 'detect', '--dry-run')).toBe(1);
    expect(session.notes).toMatch(
      `The config changed its ${what} during the rollout.\n  → change it back and resume, or abort and start again`,
    );
    expect(await session.run('rollout', order, 'detect')).toBe(0);
  });
});

describe('headgate rollout promote', () => {
  it('does not promise to go past a critical guardrail that fails', async () => {
    const [errors] = rolloutWith().guardrails;
    const failing = rolloutWith({
      phase: 'paused',
      guardrails: [{ ...errors!, verdict: 'fail', sentence: 'errors: 9 %' }],
    });
    api.answer(answers({}, shownWith({ rollout: failing })));
    expect(await session.run('rollout', 'promote', 'detect', '--dry-run')).toBe(1);
    expect(session.notes).toMatch(/A critical guardrail fails: errors: 9 %\.[\s\S]*headgate rollout abort detect/);
    expect(await session.run('rollout', 'resume', 'detect', '--dry-run')).toBe(0);
  });

  it.each([
    [{ weight: 100 }, 'then   the end: green is promoted'],
    [{ shadow: 100 }, 'then   the end: traffic as it was before'],
  ])('tells how a plan ends: %j', async (last, words) => {
    const rollout = rolloutWith({ step: 1, steps: 1, planSteps: [last] } as never);
    api.answer(answers({}, shownWith({ rollout })));
    expect(await session.run('rollout', 'promote', 'detect', '--dry-run')).toBe(0);
    expect(session.out).toContain(words);
  });
});

describe('headgate rollout abort', () => {
  it.each([
    [404, 'no_such_route'],
    [503, 'no_config'],
  ])('needs nothing of a route that cannot be looked at: %i %s', async (code, word) => {
    api.answer({
      ...answers(),
      'GET /api/routes/detect': () => refusal(code, word, 'no'),
      'POST /api/routes/detect/rollout/abort': () => ({ warnings: ['KV has not taken the split yet'] }),
    });
    expect(await session.run('rollout', 'abort', 'detect', '--if-match', '7')).toBe(0);
    expect(written()).toMatchObject({ ifMatch: '"7"' });
    expect(session.out).toBe('✓ detect: abort was taken\n');
    expect(session.notes).toContain('! KV has not taken the split yet');
    expect(await session.run('rollout', 'abort', 'detect', '--if-match', 'seven')).toBe(2);
    expect(await session.run('rollout', 'abort', 'detect', '--dry-run')).toBe(1);
    expect(await session.run('rollout', 'promote', 'detect')).toBe(1);
  });
});

describe('headgate rollback, looked at first', () => {
  const target = { revision: 9, weights: { blue: 100, green: 0 }, shadows: {}, baseline: 'blue', salt: '' };
  const ways = (more: Record<string, unknown>) =>
    api.answer({ ...answers(), 'GET /api/routes/detect/splits': { splits: [], target, refused: null, ...more } });

  it('shows the weights that it would return to, with --dry-run and to a person who is asked', async () => {
    ways({});
    expect(await session.run('rollback', 'detect', '--dry-run')).toBe(0);
    expect(session.out).toMatch(/last steady split \(9\)[\s\S]*now +blue 75 %, green 25 %[\s\S]*then +blue 100 %/);
    expect(await session.run('rollback', 'detect', '--dry-run', '--json')).toBe(0);
    expect(JSON.parse(session.out)).toMatchObject({ revision: 9, weights: target.weights });
    session.confirm = async () => false;
    expect(await session.run('rollback', 'detect')).toBe(1);
    expect(session.notes).toMatch(/then +blue 100 %/);
  });

  it('lists what else --revision takes, each traffic once, also where it would be refused', async () => {
    const split = (revision: number, blue: number) => ({
      ...{ ...target, revision, at: '2026-11-24T10:00:00.000Z' },
      weights: { blue, green: 100 - blue },
    });
    const splits = [split(10, 75), split(9, 100), split(8, 100), split(7, 50), split(6, 50)];
    ways({ splits });
    expect(await session.run('rollback', 'detect', '--dry-run')).toBe(0);
    expect(session.out.match(/--revision \d+/g)).toEqual(['--revision 7']);
    expect(session.out).toMatch(/--revision 7 +blue 50 %, green 50 %, of 2026-11-24 10:00:00/);
    ways({ splits, target: null, refused: { code: 'already_there', detail: 'it is', mend: 'name a revision' } });
    expect(await session.run('rollback', 'detect', '--dry-run')).toBe(1);
    expect(session.notes.match(/--revision \d+/g)).toEqual(['--revision 9', '--revision 7']);
    expect(session.notes).toMatch(/^ {2}--revision 9 .*\n {2}--revision 7 /m);
  });

  it('lists no split to which nothing leads, since it names a variant that the config no longer has', async () => {
    const at = '2026-11-24T10:00:00.000Z';
    const gone = { ...target, revision: 8, at, weights: { red: 100, green: 0 } };
    const served = { ...target, revision: 7, at, weights: { blue: 50, green: 50, red: 0 } };
    ways({ splits: [gone, served] });
    await session.run('rollback', 'detect', '--dry-run');
    expect(session.out.match(/--revision \d+/g)).toEqual(['--revision 7']);
  });

  it('says beforehand that it would be refused', async () => {
    ways({ target: null, refused: { code: 'nothing_earlier', detail: 'there is none', mend: 'set weights' } });
    expect(await session.run('rollback', 'detect', '--dry-run')).toBe(1);
    expect(session.notes).toMatch(/would be refused: there is none\.[\s\S]*→ set weights/);
  });

  it('asks nothing before it acts in a script, where every second counts', async () => {
    ways({});
    expect(await session.run('rollback', 'detect')).toBe(0);
    expect(api.calls.map(({ path }) => path)).toEqual(['/api/routes/detect', '/api/routes/detect/rollback']);
  });
});

describe('what a person wrote wrong', () => {
  it.each([
    [['weights', 'detect', 'blue=90'], 2, /sum to 90, not to 100[\s\S]*10 % is given to nobody/],
    [['weights', 'detect', 'blue=90', 'green=20'], 2, /sum to 110[\s\S]*take 10 % away/],
    [['weights', 'detect', 'blue:100'], 2, /blue:100 is not VARIANT=PERCENT/],
    [['weights', 'detect', 'blue=99.999', 'green=0.001'], 2, /is not VARIANT=PERCENT/],
    [['weights', 'detect', 'blue=50', 'blue=50'], 2, /blue is named twice/],
    [['weights', 'detect'], 2, /SHARES/],
    [['weights', 'detect', 'blue=90', 'gren=10'], 1, /no variant gren[\s\S]*did you mean green/],
    [['switch', 'detect', 'gr'], 1, /did you mean green/],
    [['switch', 'detect', 'green', '--if-match', 'twelve'], 2, /revision of a split/],
    [['rollback', 'detect', '--revision', 'last'], 2, /number of a split/],
    [['rollout', 'start', 'detect', 'green', '--plan', 'canry'], 1, /no plan canry[\s\S]*did you mean canary/],
    [['rollout', 'start', 'detect', 'green', '--plan', './none.json'], 2, /no such file/],
    [['rollout', 'start', 'detect', 'green', '--plan', '[{'], 2, /The list of steps is not JSON/],
    [['rollout', 'start', 'detect', 'green', '--plan', '[{"weight":5}]'], 1, /plan\[0\] +nothing decides/],
    [['rollout', 'start', 'detect', 'green', '--plan', '[{"wait":5}]'], 1, /plan\[0\]/],
    [['rollout', 'start', 'detect', 'green', '--plan', '[{"weight":5,"fro":"10m"}]'], 1, /plan\[0\]\.fro[\s\S]*for/],
    [['rollout', 'start', 'detect', 'green', '--guardrails', '[{"metric":"errors"}]'], 1, /no guardrail is critical/],
    [['rollout', 'start', 'detect', 'green', '--guardrails', '[{"metric":"erors"}]'], 1, /guardrails\[0\]\.metric/],
    [['rollout', 'strat', 'detect', 'green'], 2, /rollout has no verb strat[\s\S]*did you mean start/],
    [['swich', 'detect', 'green'], 2, /did you mean switch/],
    [['switch', 'detect', 'green', '--forse'], 2, /did you mean --force/],
  ])('%j', async (argv, exit, words) => {
    expect(await session.run(...argv)).toBe(exit);
    expect(session.notes).toMatch(words);
    expect(api.writes()).toEqual([]);
  });
});

describe('headgate rollout start', () => {
  it('shows the steps of a plan before it asks: built-in, the route’s own, a file, or written out', async () => {
    session.write('plan.json', [
      { shadow: 100, for: '5m', minSamples: 50 },
      { weight: 100, for: '2h', approval: true },
    ]);
    const shown = async (plan: string) => {
      await session.run('rollout', 'start', 'detect', 'green', '--plan', plan, '--dry-run');
      return session.out;
    };
    expect(await shown('canary')).toMatch(
      /green against blue:\n +1 {2}5 % for 10 min, 1,000 samples\n[\s\S]*4 {2}100 %/,
    );
    expect(await shown('careful')).toMatch(/1 {2}1 % for 1 h/);
    expect(await shown('plan.json')).toMatch(
      /1 {2}mirror 100 % for 5 min, 50 samples\n +2 {2}100 % for 2 h, 1,000 samples, until approved/,
    );
    expect(await shown('[{"weight":3,"for":"90s"}]')).toMatch(/1 {2}3 % for 1 min 30 s/);
  });

  it('names the baseline that it will have, where the config has another than the split', async () => {
    api.answer(answers({}, shownWith({ nextBaseline: 'green' })));
    expect(await session.run('rollout', 'start', 'detect', 'blue', '--dry-run')).toBe(0);
    expect(session.out).toContain('blue against green:');
  });

  it('sends steps and guardrails of files as they are written, and passes warnings on', async () => {
    api.answer(answers({ rollout: rolloutWith(), warnings: ['step 1 of 1: too few samples'] }));
    session.write('plan.json', `\ufeff${JSON.stringify([{ weight: 100, for: '1m' }])}`);
    session.write('rails.json', [{ metric: 'slow', sloMs: 800, critical: true }]);
    const files = ['--plan', 'plan.json', '--guardrails', 'rails.json'];
    expect(await session.run('rollout', 'start', 'detect', 'green', ...files)).toBe(0);
    expect(written().body).toMatchObject({
      plan: [{ weight: 100, for: '1m' }],
      guardrails: [{ metric: 'slow', sloMs: 800, critical: true }],
    });
    expect(session.notes).toContain('! step 1 of 1: too few samples');
    expect(session.out).toContain('headgate status detect --watch');
  });
});

it('never lets what a Worker says command the terminal', async () => {
  const said = '\u001b[2J\u202e';
  api.answer(answers({ warnings: [`w${said}`] }));
  await session.run('switch', 'detect', 'green');
  const warned = session.notes;
  expect(warned).toContain('w�[2J�');
  const faults = [{ path: `p${said}`, reason: said, mend: said }];
  const no = () => refusal(422, 'no', said, { mend: said, faults });
  api.answer({ ...answers(), 'POST /api/routes/detect/switch': no });
  expect(await session.run('switch', 'detect', 'green')).toBe(1);
  expect(session.notes).toContain('refused: �[2J�');
  expect(session.notes).toContain('p�[2J�');
  for (const command of said.match(/[^[2J]/g)!) expect(warned + session.notes).not.toContain(command);
});
