import { stripVTControlCharacters } from 'node:util';
import { build } from 'esbuild';
import { Hono } from 'hono/tiny';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminApp } from '../../../src/admin/app.ts';
import type { Sample } from '../../../src/shadow/tally.ts';
import type { PairReport } from '../../../src/shadow/totals.ts';
import { plainDeps, token } from '../../admin/calls.ts';
import { Session, serve } from '../session.ts';
import { fullReport, sample } from './report.ts';

const session = new Session();
let worker: Awaited<ReturnType<typeof serve>>;
let reports: Record<string, PairReport>;
let samples: Sample[];
let cleared: string[];

beforeAll(async () => {
  const app = new Hono().route('/_headgate', adminApp(plainDeps));
  const controller = {
    comparisons: async (candidate: string | undefined, limit: number) => {
      const candidates = Object.keys(reports);
      const chosen = candidate ?? candidates[0];
      const report = chosen === undefined ? null : (reports[chosen] ?? null);
      return { candidates, report, samples: report ? samples.slice(0, limit) : [] };
    },
    clearComparisons: async (candidate: string) => void cleared.push(candidate),
  };
  const env = { ADMIN_TOKEN: token, CONTROLLER: { idFromName: () => 'id', get: () => controller } };
  worker = await serve((request) => app.fetch(request, env));
});
afterAll(async () => {
  session.end();
  await worker.close();
});
beforeEach(() => {
  Object.assign(session, { columns: Number.POSITIVE_INFINITY, colours: false, confirm: null });
  session.env = { HEADGATE_URL: worker.url, HEADGATE_TOKEN: token };
  session.sleep = async () => undefined;
  reports = { green: fullReport() };
  samples = [sample(), sample({ requestId: 'r-2' }), sample({ requestId: 'r-3' }), sample({ requestId: 'r-4' })];
  cleared = [];
});

const show = async (...options: string[]) => {
  expect(await session.run('comparisons', 'detect', ...options)).toBe(0);
  return session.out;
};

describe('headgate comparisons', () => {
  it('shows class shares, and that every sampled request is accounted for', async () => {
    const text = await show();
    expect(text).toMatch(/match +800 +79\.8 % +█+░+/);
    expect(text).toMatch(/body-mismatch +200 +19\.9 %/);
    expect(text.replace(/\s+/g, ' ')).toContain(
      'Every sampled request is accounted for: 1,008 eligible = 1,003 compared + 5 skipped (too-large 3, busy 1, rate-limited 1)',
    );
    expect(text).toContain('Failed because: unreachable 2, cut 1');
  });

  it('says first of all when the account does not close', async () => {
    reports.green!.eligible = 1_009;
    expect(await show()).toContain('The account does not close: 1009 eligible, 1003 compared, 5 skipped');
  });

  it('shows the latency of both with the paired difference', async () => {
    const text = await show();
    expect(text).toMatch(/baseline headers +5\.0 +5\.0 +5\.0/);
    expect(text).toMatch(/candidate total +12\.1/);
    expect(text).toMatch(/difference +\+2\.0 +\+2\.0 +\+2\.0 +pair by pair; \+ is slower/);
  });

  it('shows each field with the raw counts of candidate and repeat, the verdict and its evidence', async () => {
    expect(await show()).toMatch(/\/language +200\/1,000 +20\.0 % +0\/100 +0\.0 % +real +e 10\^\d+, bar 40/);
  });

  it('shows likeness beside that of repeats, means, and scores with their interval', async () => {
    const text = await show();
    expect(text).toMatch(
      /candidate to baseline +0\.9 +± 0\.0124 +1,000 pairs\n +baseline to itself +1 +± 0 +100 pairs/,
    );
    expect(text).toMatch(/tokensOut +100 +120 +\+20\.0 %/);
    expect(text).toMatch(/memory +64 +48 +−25\.0 %/);
    expect(text).toMatch(/baseline 0\.857, candidate 1\n +difference \+0\.143, 95 % interval \+0\.121 to \+0\.165\n/);
    expect(text).toContain('the candidate scores higher');
  });

  it('marks tokens, and what they cost, where a side names no usage and they are estimates', async () => {
    expect(await show()).not.toContain('~');
    reports.green!.numbers.tokensEstimated!.candidate.mean = 0.25;
    const text = await show();
    expect(text).toMatch(/tokensOut +100 +~120 +\+20\.0 %/);
    expect(text).toMatch(/cost +0\.001 +~0\.0012 /);
    expect(text.replace(/\s+/g, ' ')).toContain(
      "0.0 % of the baseline's answers and 25.0 % of the candidate's name no usage",
    );
    expect(text).not.toContain('tokensEstimated');
  });

  it.each([
    [[-0.2, -0.1], 'the candidate scores lower'],
    [[-0.2, 0.1], 'no difference found'],
  ] as [[number, number], string][])('calls a score interval of %j "%s"', async (interval, words) => {
    reports.green!.scores!.interval = interval;
    expect(await show()).toContain(words);
  });

  it('shows the newest pairs side by side with a sign where they differ', async () => {
    const text = await show('--samples', '1');
    expect(text).toContain('asked {"text":"Svi ljudi rađaju se slobodni"}');
    expect(text).toMatch(/baseline 200 +green 200/);
    expect(text).toMatch(/"language": "srp" +≠ +"language": "hrv"/);
    expect(text.match(/asked/g)).toHaveLength(1);
  });

  it('fits 80 columns, with colours and without', async () => {
    session.columns = 80;
    samples = [
      sample({
        path: `/${'p'.repeat(70)}`,
        live: 'x '.repeat(300),
        candidate: '界'.repeat(90),
        request: 'y '.repeat(400),
      }),
    ];
    reports.green!.notes = [
      'A note that is long enough to need more than one line of eighty columns, that is certain.',
    ];
    const plain = await show();
    for (const line of plain.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
    expect(plain).not.toContain('\u001b');
    session.colours = true;
    const coloured = await show();
    expect(coloured).toContain('\u001b[3');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  it('never lets an answer command the terminal', async () => {
    samples = [
      sample({ live: 'a\u001b[2J\u202e', candidate: 'b\u0007', request: '\u001b]0;x\u0007', path: '/\u001b[1m' }),
    ];
    const text = await show();
    for (const command of ['\u001b', '\u0007', '\u202e']) expect(text).not.toContain(command);
  });

  it('gives the answer of the API as JSON', async () => {
    expect(JSON.parse(await show('--json', '--samples', '2'))).toMatchObject({ eligible: 1_008, samples: [{}, {}] });
  });

  it('says how to begin when nothing was compared', async () => {
    reports = {};
    expect(await show()).toMatch(/compared nothing yet[\s\S]*"shadows": \[/);
  });

  it('names the other candidates, and refuses one that it never met', async () => {
    reports.third = { ...fullReport(), candidate: 'third' };
    expect(await show()).toContain('also compared: third (--candidate third)');
    expect(await show('--candidate', 'third')).toContain('detect: third against the baseline');
    expect(await session.run('comparisons', 'detect', '--candidate', 'gren')).toBe(1);
    expect(session.notes).toMatch(/no variant "gren"[\s\S]*use one of blue, green/);
    expect(await session.run('comparisons', 'detect', '--candidate', 'blue')).toBe(1);
    expect(session.notes).toMatch(
      /nothing with blue\.\n +It has compared: green, third\.\n +→ headgate comparisons detect/,
    );
  });

  it.each([
    [['--samples', '201'], /whole number from 0 to 200/],
    [['--samples', 'all'], /whole number from 0 to 200/],
    [['--watch', '--reset'], /--watch and --reset do not go together/],
  ])('refuses %j as usage', async (options, words) => {
    expect(await session.run('comparisons', 'detect', ...options)).toBe(2);
    expect(session.notes).toMatch(words);
  });

  it('passes on that there is no such route', async () => {
    expect(await session.run('comparisons', 'nowhere')).toBe(1);
    expect(session.notes).toContain('The config has no route "nowhere"');
  });
});

describe('headgate comparisons --watch', () => {
  it('shows each look anew and waits for a Worker that is away for a while', async () => {
    session.columns = 80;
    let looks = 0;
    const real = session.fetch;
    session.fetch = async (...call) => {
      looks += 1;
      if (looks === 2) throw new TypeError('fetch failed');
      return real(...call);
    };
    session.sleep = async () => {
      if (looks === 3) throw new Error('enough');
    };
    await expect(session.run('comparisons', 'detect', '--watch')).rejects.toThrow('enough');
    session.fetch = real;
    expect(session.out.split('\u001b[H\u001b[2J')).toHaveLength(3);
    expect(session.notes).toMatch(/Cannot reach .* Trying again\./);
  });

  it('waits for a Worker whose controller fails for a while, as status does', async () => {
    let looks = 0;
    const real = session.fetch;
    session.fetch = async (...call) => {
      looks += 1;
      if (looks !== 2) return real(...call);
      const headers = { 'content-type': 'application/problem+json' };
      return Response.json({ code: 'controller_down', detail: 'it failed' }, { status: 503, headers });
    };
    session.sleep = async () => {
      if (looks === 3) throw new Error('enough');
    };
    await expect(session.run('comparisons', 'detect', '--watch')).rejects.toThrow('enough');
    session.fetch = real;
    expect(session.notes).toMatch(/it failed Trying again\./);
  });
});

describe('headgate comparisons --export', () => {
  it('writes every kept pair as a line of JSON, and never over a file unless forced', async () => {
    expect(await show('--export', 'pairs.jsonl')).toContain('wrote 4 pairs to pairs.jsonl');
    const file = () =>
      session
        .text('pairs.jsonl')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(file()).toHaveLength(4);
    expect(file()[1]).toMatchObject({ route: 'detect', variant: 'green', requestId: 'r-2', live: sample().live });
    samples = [];
    expect(await session.run('comparisons', 'detect', '--export', 'pairs.jsonl')).toBe(1);
    expect(session.notes).toMatch(/there already[\s\S]*--force/);
    await show('--export', 'pairs.jsonl', '--force');
    expect(session.text('pairs.jsonl')).toBe('');
    expect(session.notes).toContain('"samples": true');
  });

  it('writes to standard output as -', async () => {
    expect(
      (await show('--export', '-'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toHaveLength(4);
  });

  it('says why a file cannot be written', async () => {
    expect(await session.run('comparisons', 'detect', '--export', 'no/such/place.jsonl')).toBe(1);
    expect(session.notes).toMatch(/Cannot write no\/such\/place\.jsonl\.\n.*ENOENT/);
  });
});

describe('headgate comparisons --reset', () => {
  it('forgets the one candidate there is, where nobody can be asked', async () => {
    expect(await show('--reset')).toContain('detect/green begins at zero');
    expect(cleared).toEqual(['green']);
  });

  it('asks a person first, and takes no for an answer', async () => {
    const questions: string[] = [];
    session.confirm = async (question) => {
      questions.push(question);
      return questions.length > 1;
    };
    expect(await session.run('comparisons', 'detect', '--reset')).toBe(1);
    expect(cleared).toEqual([]);
    await show('--reset');
    expect(cleared).toEqual(['green']);
    await show('--reset', '--yes');
    expect(questions).toHaveLength(2);
    expect(questions[0]).toContain('1,008 requests compared with detect/green');
  });

  it('only says what it would do in a dry run, and wants a name where there are several', async () => {
    expect(await show('--reset', '--dry-run')).toMatch(/Forget the 1,008 requests[\s\S]*Nothing was changed/);
    reports.third = { ...fullReport(), candidate: 'third' };
    expect(await session.run('comparisons', 'detect', '--reset')).toBe(2);
    expect(session.notes).toContain('several candidates: green, third');
    expect(cleared).toEqual([]);
  });

  it('answers programs in JSON, whether or not it forgets', async () => {
    expect(JSON.parse(await show('--reset', '--dry-run', '--json'))).toMatchObject({
      ...{ dryRun: true, route: 'detect', reset: 'green', eligible: 1_008 },
    });
    expect(JSON.parse(await show('--reset', '--json'))).toEqual({ route: 'detect', reset: 'green' });
    reports = {};
    expect(JSON.parse(await show('--reset', '--json'))).toEqual({ route: 'detect', reset: null });
    expect(cleared).toEqual(['green']);
  });
});

it('keeps what only the CLI needs out of the Worker', async () => {
  const { metafile } = await build({
    entryPoints: ['src/index.ts'],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    external: ['cloudflare:workers', 'node:*'],
  });
  const packages = Object.keys(metafile.inputs).flatMap((file) => file.match(/node_modules\/([^/]+)/)?.[1] ?? []);
  expect(packages).toContain('hono');
  for (const name of ['diff', 'citty', 'picocolors']) expect(packages).not.toContain(name);
});
