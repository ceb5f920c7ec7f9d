import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { token } from '../admin/calls.ts';
import { controlsOwn } from './api.ts';
import { nobody, Session, serve } from './session.ts';

const session = new Session();
afterAll(() => session.end());
beforeEach(() => {
  session.env = {};
});

describe('the command line', () => {
  it.each([
    [['--help'], /usage: headgate VERB[\s\S]*validate[\s\S]*records/],
    [['help'], /Exit status: 0 done, 1 refused, 2 usage/],
    [['rollout', '--help'], /usage: headgate VERB[\s\S]*rollout start/],
    [['records', '--help'], /--follow/],
    [['init', '-h'], /ENDPOINT[\s\S]*--force/],
  ])('explains itself for %j', async (argv, words) => {
    expect(await session.run(...argv)).toBe(0);
    expect(session.out).toMatch(words);
  });

  it.each([
    [[], /usage: headgate VERB[\s\S]*validate/],
    [['rollout'], /usage: headgate VERB[\s\S]*rollout start/],
    [['recods'], /no verb recods[\s\S]*records/],
    [['constructor'], /no verb constructor/],
    [['records', '--rout', 'x'], /no option --rout/],
    [['records', '--route'], /--route needs a value/],
    [['switch', 'detect', 'green', '--reason', '--dry-run'], /--reason needs a value[\s\S]*--reason=--dry-run/],
    [['weights', 'detect', 'blue=100', '--if-match', '--yes'], /--if-match needs a value/],
    [['records', 'extra'], /does not know what to do with extra/],
    [['records', '--dataset', 'secrets'], /requests, comparisons, outcomes/],
    [['records', '--limit', 'many'], /whole number/],
    [['validate'], /FILE/],
    [['preview', 'detect'], /VARIANT/],
    [['preview', 'detect', 'green', '--ttl', 'zz'], /zz is no duration/],
    [['init', 'https://me:secret@api.example.com/'], /bears no user name[\s\S]*secretHeaders/],
    [['records', '--url', 'nowhere'], /no http or https URL/],
    [['records', '--url', 'http://headgate.example.com'], /in the clear/],
  ])('refuses %j as usage, says what is wrong and prints nothing to standard output', async (argv, words) => {
    expect(await session.run(...argv)).toBe(2);
    expect(session.notes).toMatch(words);
    expect(session.out).toBe('');
  });
});

describe('what was left out', () => {
  it.each([
    [['weights', 'detect'], 'weights needs SHARES.', 'headgate weights --help'],
    [['rollout', 'start', 'detect'], 'rollout start needs VARIANT.', 'headgate rollout start --help'],
    [['explain', 'detect'], 'explain needs --unit.', 'headgate explain --help'],
    [['rollback', ''], 'rollback needs ROUTE.', 'headgate rollback --help'],
    [['switch', 'detect', ''], 'switch needs VARIANT.', 'headgate switch --help'],
    [['records', '--dataset', 'x'], '--dataset takes one of requests, comparisons, outcomes, not x.', 'records --help'],
  ])('is named by the verb that misses it: %j', async (argv, what, help) => {
    expect(await session.run(...argv)).toBe(2);
    expect(session.notes).toContain(`✗ ${what}\n  → `);
    expect(session.notes).toContain(help);
  });

  it('leaves colours and trailing spaces out of a help that goes into a file', async () => {
    expect(await session.run('weights', '--help')).toBe(0);
    expect(session.out).toContain('USAGE headgate weights');
    expect(session.out).toBe(stripVTControlCharacters(session.out).replace(/ +$/gm, ''));
  });
});

describe('finding the Worker', () => {
  let seen: Headers[] = [];
  let worker: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    worker = await serve((request) => {
      seen.push(request.headers);
      return Response.json(
        { dataset: 'requests', source: 'recorder', records: [], next: null },
        { headers: controlsOwn },
      );
    });
  });
  afterAll(() => worker.close());
  beforeEach(() => {
    seen = [];
    session.env = { HEADGATE_URL: worker.url };
  });

  it('takes the token from the option, else the environment, else .dev.vars of this directory', async () => {
    session.write('.dev.vars', '# local\nADMIN_TOKEN="from file"\nOTHER=x\n');
    await session.run('records');
    session.env.HEADGATE_TOKEN = 'from-env';
    await session.run('records');
    await session.run('records', '--token', 'from-option');
    expect(seen.map((headers) => headers.get('authorization'))).toEqual([
      'Bearer from file',
      'Bearer from-env',
      'Bearer from-option',
    ]);
  });

  it('says who acts, in any alphabet', async () => {
    expect(await session.run('records', '--as', 'Jürgen')).toBe(0);
    expect(decodeURIComponent(seen[0]!.get('x-headgate-actor')!)).toBe('Jürgen');
  });

  it('passes Cloudflare Access by a service token, else by the token of a person', async () => {
    session.env.HEADGATE_ACCESS_TOKEN = 'of-a-person';
    await session.run('records');
    Object.assign(session.env, { CF_ACCESS_CLIENT_ID: 'x.access', CF_ACCESS_CLIENT_SECRET: 's' });
    await session.run('records');
    const names = ['cf-access-token', 'cf-access-client-id', 'cf-access-client-secret'];
    expect(seen.map((headers) => names.map((name) => headers.get(name)))).toEqual([
      ['of-a-person', null, null],
      [null, 'x.access', 's'],
    ]);
  });

  it('says each fault of a call once, with how to mend it', async () => {
    const faults = [{ path: 'limit', reason: '"9" does not fit', mend: 'give less' }];
    const said = { code: 'invalid_request', detail: 'limit: "9" does not fit', mend: 'GET … describes', faults };
    const headers = { 'content-type': 'application/problem+json' };
    const fetched = session.fetch;
    session.fetch = async () => Response.json(said, { status: 422, headers });
    expect(await session.run('records')).toBe(1);
    session.fetch = fetched;
    expect(session.notes).toMatch(/refused what it was given\.\n {2}limit {2}"9" does not fit\n {4}→ give less\n$/);
  });

  it('takes a URL with a slash or with /_headgate at its end', async () => {
    expect(await session.run('records', '--url', `${worker.url}/_headgate/`)).toBe(0);
  });

  it('asks whether npm start is running when nothing listens', async () => {
    expect(await session.run('records', '--url', await nobody())).toBe(1);
    expect(session.notes).toMatch(/Cannot reach[\s\S]*npm start/);
  });

  it('says in one line that a Worker which is called by https speaks http', async () => {
    expect(await session.run('records', '--url', worker.url.replace('http:', 'https:'))).toBe(1);
    expect(session.notes).toMatch(
      /Cannot reach https:.*\n {2}no TLS is spoken there; is it http:.*\n {2}→ check --url/,
    );
  });

  it('gives trouble as JSON when JSON is asked for', async () => {
    expect(await session.run('records', '--json', '--url', await nobody())).toBe(1);
    expect(JSON.parse(session.notes)).toMatchObject({ error: { code: 'unreachable', exitCode: 1 } });
  });

  it('says what the Worker says where its ADMIN_TOKEN is no way in', async () => {
    const said = { code: 'unauthorized', detail: 'No.', mend: 'come through Cloudflare Access (https://acme.example)' };
    const headers = { 'content-type': 'application/problem+json' };
    const fetched = session.fetch;
    session.fetch = async () => Response.json(said, { status: 401, headers });
    expect(await session.run('records')).toBe(1);
    session.fetch = fetched;
    expect(session.notes).toContain('come through Cloudflare Access');
  });

  it.each([
    [new Response('<html>', { status: 404 }), /does not answer like a Headgate \(status 404\)/],
    [new Response('<html>'), /does not answer like a Headgate \(status 200\)/],
    [Response.json({}), /does not answer like a Headgate \(status 200\)/],
    [new Response('<html>', { headers: controlsOwn }), /does not answer like a Headgate \(status 200\)/],
    [Response.json(null, { headers: controlsOwn }), /does not answer like a Headgate \(status 200\)/],
    [
      Response.json({ title: 'x' }, { status: 400, headers: { 'content-type': 'application/problem+json' } }),
      /does not answer like a Headgate \(status 400\)/,
    ],
  ])('tells a page of something else from an answer', async (page, words) => {
    const other = await serve(() => page.clone());
    for (const verb of [['records'], ['status'], ['apply', 'config.json']]) {
      session.write('config.json', JSON.stringify({ version: 1, routes: [] }));
      expect(await session.run(...verb, '--url', other.url)).toBe(1);
      expect(session.notes).toMatch(words);
    }
    await other.close();
  });

  it('follows no redirect, which would take the credentials along', async () => {
    const led: string[] = [];
    const other = await serve((request) => {
      led.push(request.url);
      return Response.json({});
    });
    const leading = await serve(() => new Response(null, { status: 302, headers: { location: `${other.url}/x` } }));
    session.env = { ...session.env, CF_ACCESS_CLIENT_ID: 'id', CF_ACCESS_CLIENT_SECRET: 'secret' };
    expect(await session.run('records', '--url', leading.url)).toBe(1);
    await Promise.all([other.close(), leading.close()]);
    expect(session.notes).toMatch(/status 302[\s\S]*where Cloudflare Access guards it, log in/);
    expect(led).toEqual([]);
  });

  it('never prints the token', async () => {
    const refusing = await serve(() =>
      Response.json(
        { code: 'x', detail: 'no', mend: 'm' },
        { status: 403, headers: { 'content-type': 'application/problem+json' } },
      ),
    );
    await session.run('records', '--url', refusing.url, '--token', token, '--json');
    await refusing.close();
    expect(session.out + session.notes).not.toContain(token);
  });

  it.each(['two\nlines', '“quoted”'])('says so where no header can bear it: %j', async (odd) => {
    expect(await session.run('records', '--token', odd)).toBe(2);
    expect(session.notes).toContain('The token for authorization has a character that no header can bear.');
    expect(session.out + session.notes).not.toContain(odd);
  });
});
