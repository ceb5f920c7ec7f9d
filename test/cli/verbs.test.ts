import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono/tiny';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminApp } from '../../src/admin/app.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { toDataPoint } from '../../src/records/columns.ts';
import type { StoredPoint } from '../../src/records/recorder.ts';
import { plainDeps, token } from '../admin/calls.ts';
import { Session, serve } from './session.ts';

const valid = { version: 1, routes: [{ name: 'detect', variants: { blue: { url: 'https://blue.example' } } }] };
const faulty = { version: 1, routes: [{ ...valid.routes[0], weights: { blue: 97 } }], colour: 1 };

const session = new Session();
let worker: Awaited<ReturnType<typeof serve>>;
let stored: StoredPoint[] = [];

function record(id: number, path: string): StoredPoint {
  const row = { route: 'detect', variant: 'green', reason: 'hash', method: 'POST', path, status: 200 } as const;
  const point = toDataPoint('requests', row);
  if (!point.ok) throw new Error('refused');
  return { id, atMs: id * 1000, index: 'detect/green', blobs: point.value.blobs, doubles: point.value.doubles };
}

beforeAll(async () => {
  const app = new Hono().route('/_headgate', adminApp(plainDeps));
  const read = async ({ limit }: { limit: number }) => stored.toReversed().slice(0, limit);
  const env = {
    ADMIN_TOKEN: token,
    COOKIE_SECRET: 'cookie-secret',
    RECORDER: { idFromName: () => 'id', get: () => ({ read }) },
  };
  worker = await serve((request) => app.fetch(request, env));
});
afterAll(async () => {
  session.end();
  await worker.close();
});
beforeEach(() => {
  session.env = { HEADGATE_URL: worker.url, HEADGATE_TOKEN: token };
  session.columns = Number.POSITIVE_INFINITY;
  session.sleep = async () => undefined;
  stored = [record(1, '/a'), record(2, '/b')];
});

describe('headgate validate', () => {
  it('needs no Worker', async () => {
    session.env = { HEADGATE_URL: 'http://127.0.0.1:1' };
    session.write('good.json', valid);
    expect(await session.run('validate', 'good.json')).toBe(0);
    expect(session.out).toContain('good.json is valid');
  });

  it.each([[[]], [['--url', 'worker']]])('lists every fault with path, reason and mend (%j)', async (where) => {
    session.write('bad.json', faulty);
    const options = where.map((word) => (word === 'worker' ? worker.url : word));
    expect(await session.run('validate', 'bad.json', ...options)).toBe(1);
    expect(session.out).toMatch(/2 faults, refused whole/);
    expect(session.out).toMatch(/routes\[0\]\.weights {2}.*97[\s\S]*→ /);
    expect(session.out).toMatch(/colour/);
  });

  it('asks the Worker with --url, which knows its secrets', async () => {
    const blue = { url: 'https://blue.example', secretHeaders: { authorization: 'Bearer $' + '{KEY_BLUE}' } };
    session.write('secret.json', { version: 1, routes: [{ name: 'detect', variants: { blue } }] });
    expect(await session.run('validate', 'secret.json')).toBe(0);
    expect(await session.run('validate', 'secret.json', '--url', worker.url)).toBe(1);
    expect(session.out).toContain('KEY_BLUE');
  });

  it('never lets the text of somebody else’s config command the terminal', async () => {
    session.write('bad.json', { ...(valid as object), 'k\u009b2J\u202e': 1, baseline: '\u009b2J' });
    expect(await session.run('validate', 'bad.json')).toBe(1);
    expect(session.out).toContain('k�2J�');
    for (const command of ['\u009b', '\u202e']) expect(session.out).not.toContain(command);
  });

  it('gives the same as JSON', async () => {
    session.write('bad.json', faulty);
    expect(await session.run('validate', 'bad.json', '--json')).toBe(1);
    expect(JSON.parse(session.out)).toMatchObject({ valid: false, faults: [{ path: expect.any(String) }, {}] });
  });

  it('refuses a file that is not there as usage', async () => {
    expect(await session.run('validate', 'nowhere.json')).toBe(2);
    expect(session.notes).toMatch(/no such file/);
  });
});

describe('headgate records', () => {
  it('shows the newest first, whole when the output is no terminal', async () => {
    stored.push(record(3, `/${'long/'.repeat(60)}`));
    expect(await session.run('records', '--route', 'detect')).toBe(0);
    const lines = session.out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^at +route +variant/);
    expect(lines[1]).toContain('long/'.repeat(60));
    expect(lines[3]).toMatch(/1970-01-01 00:00:01\.000 +detect +green +hash +POST +\/a +200 +–/);
  });

  it('fits the terminal by cutting the longest column', async () => {
    session.columns = 100;
    stored.push(record(3, `/${'long/'.repeat(60)}`));
    await session.run('records');
    const lines = session.out.trimEnd().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines[1]).toMatch(/\/long\/.*…/);
  });

  it('never lets recorded text command the terminal, or turn its writing', async () => {
    stored = [record(1, '/\u001b[2J\u0007x\u202e')];
    await session.run('records');
    expect(session.out).toContain('/�[2J�x�');
  });

  it('gives the page as JSON', async () => {
    await session.run('records', '--json', '--limit', '1');
    expect(JSON.parse(session.out)).toMatchObject({ records: [{ id: 2, path: '/b' }], next: '2' });
  });

  it('says that there are none yet', async () => {
    stored = [];
    expect(await session.run('records')).toBe(0);
    expect(session.notes).toContain('No records yet');
  });

  it('follows: each new record once, oldest first, under one head', async () => {
    let looks = 0;
    session.sleep = async () => {
      looks += 1;
      if (looks === 1) stored.push(record(3, '/c'), record(4, '/d'));
      if (looks === 3) throw new Error('enough');
    };
    await expect(session.run('records', '--follow', '--limit', '1')).rejects.toThrow('enough');
    const lines = session.out.trimEnd().split('\n');
    expect(lines.map((line) => line.match(/POST +(\S+)/)?.[1])).toEqual([undefined, '/b', '/c', '/d']);
  });

  it('waits for a Worker that is away for a while, and misses nothing', async () => {
    const real = session.fetch;
    let looks = 0;
    session.fetch = async (...call) => {
      looks += 1;
      if (looks === 2) throw new TypeError('fetch failed');
      return real(...call);
    };
    session.sleep = async () => {
      if (looks === 2) stored.push(record(3, '/c'));
      if (looks === 3) throw new Error('enough');
    };
    await expect(session.run('records', '--follow', '--limit', '1')).rejects.toThrow('enough');
    session.fetch = real;
    expect(session.notes).toMatch(/Cannot reach .* Trying again\./);
    expect(session.out).toMatch(/\/b[\s\S]*\/c/);
  });

  it('says how to give a token when it has none or a wrong one', async () => {
    session.env = { HEADGATE_URL: worker.url };
    expect(await session.run('records')).toBe(1);
    expect(session.notes).toMatch(/needs a token[\s\S]*HEADGATE_TOKEN/);
    expect(await session.run('records', '--token', 'wrong')).toBe(1);
    expect(session.notes).toMatch(/token is wrong[\s\S]*HEADGATE_TOKEN/);
  });
});

describe('headgate preview', () => {
  it('gives the address for a browser and the header for a call', async () => {
    expect(await session.run('preview', 'detect', 'green', '--ttl', '30m')).toBe(0);
    expect(session.out).toMatch(/\/_headgate\/preview\?token=detect/);
    expect(session.out).toContain("curl -H 'x-headgate-preview: detect");
  });

  it('passes on why the Worker refuses', async () => {
    expect(await session.run('preview', 'detect', 'red')).toBe(1);
    expect(session.notes).toMatch(/no variant "red"[\s\S]*use one of blue, green/);
  });
});

describe('headgate init', () => {
  const asked: string[] = [];
  let endpoint: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    endpoint = await serve((request) => {
      asked.push(`${request.method} ${new URL(request.url).pathname}`);
      return new Response(null, { status: 405 });
    });
  });
  afterAll(() => endpoint.close());

  it('writes a config that the parser takes, after one harmless question', async () => {
    expect(await session.run('init', `${endpoint.url}/v2/detect`)).toBe(0);
    expect(asked).toEqual(['GET /v2/detect']);
    expect(session.notes).toMatch(/answers: status 405/);
    expect(session.out).toMatch(/wrote headgate.json[\s\S]*headgate validate headgate.json/);
    expect(session.read('headgate.json')).toEqual({
      version: 1,
      routes: [
        {
          name: 'detect',
          match: [{ path: '/v2/detect' }, { path: '/v2/detect/*' }],
          variants: { blue: { url: endpoint.url }, green: { url: endpoint.url } },
          baseline: 'blue',
          weights: { blue: 100, green: 0 },
        },
      ],
    });
    expect(await session.run('validate', 'headgate.json')).toBe(0);
  });

  it('says why a file cannot be written', async () => {
    expect(await session.run('init', endpoint.url, '--file', 'no/such/place.json')).toBe(1);
    expect(session.notes).toMatch(/Cannot write no\/such\/place\.json\.\n.*ENOENT/);
  });

  it('keeps a file that is there, unless forced', async () => {
    session.write('mine.json', '{}');
    expect(await session.run('init', endpoint.url, '--file', 'mine.json')).toBe(1);
    expect(session.notes).toContain('--force');
    expect(session.read('mine.json')).toEqual({});
    expect(await session.run('init', endpoint.url, '--file', 'mine.json', '--force')).toBe(0);
    expect(session.read('mine.json')).toMatchObject({ routes: [{ name: 'api', match: [{ path: '/*' }] }] });
  });

  it.each([
    ['https://models.example.com/v1/chat/completions', 'chat', ['/v1/chat/completions'], '/v1/*'],
    [
      'https://models.example.com/openai/v1/',
      'openai',
      ['chat/completions', 'completions', 'responses', 'messages'].map((call) => `/openai/v1/${call}`),
      '/openai/v1/*',
    ],
    ['https://models.example.com/v1/messages', 'messages', ['/v1/messages'], '/v1/*', 'anthropic-messages'],
    [
      'https://models.example.com/v1/responses/',
      'responses',
      ['/v1/responses', '/v1/responses/'],
      '/v1/*',
      'openai-responses',
    ],
    ['http://127.0.0.1:11434/api/chat', 'chat', ['/api/chat'], '/api/*', null],
    ['https://models.example.com/v2/rerank', 'rerank', ['/v2/rerank'], '/v2/*', null],
  ])(
    'knows %s for a model: its answers may be repeated and nothing else, and hints follow',
    async (url, name, paths, rest, preset = 'openai-chat' as string | null) => {
      expect(await session.run('init', url, '--offline', '--force', '--host', 'ai.example.com')).toBe(0);
      const config = session.read('headgate.json') as { routes: object[] };
      expect(config.routes[0]).toMatchObject({
        name,
        match: paths.map((path) => ({ host: 'ai.example.com', path })),
        variants: { blue: { url: new URL(url).origin } },
        repeatable: ['GET', 'HEAD', 'POST'],
      });
      // Batches and files are made once.
      expect(config.routes.slice(1)).toEqual([
        {
          name: `${name}-rest`,
          match: [{ host: 'ai.example.com', path: rest }],
          variants: { blue: { url: new URL(url).origin } },
        },
      ]);
      expect(parseConfig(JSON.stringify(config), { unknownKeys: 'fault' }).ok).toBe(true);
      expect(session.out).toMatch(/"json": \{ "model": "…" \}[\s\S]*\$\{KEY_MODELS\}/);
      expect(/"preset": "(.*?)"/.exec(session.out)?.[1] ?? null).toBe(preset);
      const header = preset === 'anthropic-messages' ? '"x-api-key": "${' : '"authorization": "Bearer ${';
      expect(session.out).toContain(header);
    },
  );

  it.each([
    ['https://api.anthropic.com', '/v1', '"x-api-key": "'],
    ['https://api.deepseek.com/', '', '"authorization": "Bearer '],
    ['https://models.example.com/v1beta/openai/', '/v1beta/openai', '"authorization": "Bearer '],
  ])('knows the address of models alone, as clients are given it: %s', async (url, prefix, header) => {
    expect(await session.run('init', url, '--offline', '--force')).toBe(0);
    const { routes } = session.read('headgate.json') as { routes: { match: { path: string }[] }[] };
    expect(routes.map(({ match }) => match.map(({ path }) => path))).toEqual([
      ['chat/completions', 'completions', 'responses', 'messages'].map((call) => `${prefix}/${call}`),
      [`${prefix}/*`],
    ]);
    expect(session.out).toContain(header);
  });

  it.each([
    'https://app.example.com/api/chat',
    'http://127.0.0.1:3000/api/chat',
    'https://chat.example.com/conversations/7/messages',
    'https://models.example.com/v1beta/models/m-2.0:batchGenerateContent',
    'https://app.example.com/models/items:delete',
    'https://team.openai.azure.com/openai',
  ])('takes no other call for a model’s, which must not be sent twice: %s', async (url) => {
    expect(await session.run('init', url, '--offline', '--force')).toBe(0);
    const { routes } = session.read('headgate.json') as { routes: object[] };
    expect(routes).toHaveLength(1);
    expect(routes[0]).not.toHaveProperty('repeatable');
  });

  it('knows both calls of a model that is named in the path', async () => {
    const url = 'https://models.example.com/v1beta/models/m-2.0:generateContent';
    expect(await session.run('init', url, '--offline', '--force')).toBe(0);
    expect(session.read('headgate.json')).toMatchObject({
      routes: [
        {
          match: [
            { path: '/v1beta/models/m-2.0:generateContent' },
            { path: '/v1beta/models/m-2.0:streamGenerateContent' },
          ],
        },
        { match: [{ path: '/v1beta/*' }] },
      ],
    });
    expect(session.out).toContain(`"x-goog-api-key": "\${KEY_MODELS}"`);
    expect(session.out).not.toContain('"json"');
  });

  it('knows the key header of an Azure deployment, and that no member of the body chooses its model', async () => {
    const url = 'https://team.openai.azure.com/openai/deployments/m-2/chat/completions?api-version=2024-10-21';
    expect(await session.run('init', url, '--offline', '--force')).toBe(0);
    expect(session.read('headgate.json')).toMatchObject({
      routes: [
        { match: [{ path: '/openai/deployments/m-2/chat/completions' }], repeatable: ['GET', 'HEAD', 'POST'] },
        { match: [{ path: '/openai/deployments/m-2/*' }] },
      ],
    });
    expect(session.out).toContain(`"api-key": "\${KEY_MODELS}"`);
    expect(session.out).toContain('"preset": "openai-chat"');
    expect(session.out).not.toContain('"json"');
  });

  it('names the schema from where the file is', async () => {
    mkdirSync(join(session.cwd, 'src/config'), { recursive: true });
    mkdirSync(join(session.cwd, 'configs'));
    session.write('src/config/headgate.schema.json', '{}');
    for (const [file, schema] of [
      ['here.json', './src/config/headgate.schema.json'],
      ['configs/there.json', '../src/config/headgate.schema.json'],
    ] as const) {
      expect(await session.run('init', endpoint.url, '--file', file, '--offline')).toBe(0);
      expect(session.read(file)).toMatchObject({ $schema: schema });
    }
  });

  it('writes it also where nothing answers from here, and says so', async () => {
    expect(await session.run('init', 'http://127.0.0.1:1/', '--file', 'silent.json')).toBe(0);
    expect(session.notes).toMatch(/! http:\/\/127\.0\.0\.1:1\/ does not answer from here: .+; check the URL\n/);
    expect(session.read('silent.json')).toMatchObject({
      routes: [{ variants: { blue: { url: 'http://127.0.0.1:1' } } }],
    });
  });

  it.each([
    [['models.example.com'], 2, /no http or https URL/],
    [['http://models.example.com/', '--offline', '--force'], 1, /No valid config can be made/],
    [['https://models.example.com/', '--offline', '--force', '--name', 'Bad Name'], 1, /routes\[0\]\.name/],
  ])('refuses %j and writes nothing', async (argv, status, words) => {
    expect(await session.run('init', ...argv)).toBe(status);
    expect(session.notes).toMatch(words);
    expect(session.out).toBe('');
    expect(() => session.read('other.json')).toThrow();
  });
});
