import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, startHeadgate } from './harness.ts';

const suite = join(import.meta.dirname, '../../node_modules/http-cache-tests');
const pidfile = join(tmpdir(), `headgate-cache-tests-${process.pid}`);

let server: ChildProcess;
let direct = '';
let headgate: Headgate;

beforeAll(async () => {
  const env = { ...process.env, npm_config_protocol: 'http', npm_config_port: '0', npm_config_pidfile: pidfile };
  server = spawn(process.execPath, ['server/server.mjs'], { cwd: suite, env, stdio: ['ignore', 'pipe', 'ignore'] });
  let said = '';
  for await (const chunk of server.stdout!) {
    said += chunk;
    if (/:(\d+)\/\n/.test(said)) break;
  }
  direct = `http://127.0.0.1:${/:(\d+)\/\n/.exec(said)![1]}`;
  // The suite keeps what it saw in its one server, so both variants are that one.
  const variants = { blue: { url: direct }, green: { url: direct } };
  const weights = { blue: 50, green: 50 };
  headgate = await startHeadgate({
    config: {
      version: 1,
      routes: [
        // Failover would ask for a second answer where the suite counts the requests of its 502s and 503s.
        {
          name: 'two',
          match: { path: '/*', host: 'localhost' },
          cache: 'preserve',
          failover: false,
          weights,
          variants,
        },
        { name: 'one', match: { path: '/*' }, variants: { blue: { url: direct } } },
      ],
    },
  });
});
afterAll(async () => {
  await headgate?.dispose();
  const gone = once(server, 'exit');
  server.kill();
  await gone;
  rmSync(pidfile, { force: true });
});

type Results = Record<string, true | [kind: string, message: string]>;

/** Runs the whole suite in a process of its own, all tests at once: most of its time are its pauses. */
async function results(base: string): Promise<Results> {
  const script = `
    import { runTests, getResults } from './client/runner.mjs';
    import { Agent } from 'node:http';
    import fetch from 'node-fetch';
    import tests from './tests/index.mjs';
    import surrogate from './tests/surrogate-control.mjs';
    const agent = new Agent({ maxSockets: 40 });
    const fewAtATime = (url, init) => fetch(url, { ...init, agent });
    await runTests([...tests, surrogate], fewAtATime, false, process.argv[1], 1000);
    process.stdout.write(JSON.stringify(getResults()));
  `;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script, base], {
    cwd: suite,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout) said += chunk;
  return JSON.parse(said.slice(said.indexOf('{"')));
}

/** Every test whose result differs behind the splitter, by the reason why it must. */
const DIFFERENCES: Record<string, string[]> = {
  'the origin ends the connection without an answer: a client alone sees that, a gateway says 502 (RFC 9110 §15.6.3)': [
    'stale-close',
    'stale-close-must-revalidate',
    'stale-close-no-cache',
    'stale-close-proxy-revalidate',
    'stale-close-s-maxage=2',
    'stale-sie-503',
    'stale-sie-close',
    'stale-warning-become',
    'stale-warning-stored',
  ],
  'the server sends more bytes than it declares: a client alone stumbles over the rest, the runtime drops it': [
    '304-etag-update-response-Content-Length',
    'headers-store-Content-Length',
  ],
  'the runtime knows no method M-SEARCH and answers 501 before the Worker is asked': [
    'invalidate-M-SEARCH',
    'invalidate-M-SEARCH-cl',
    'invalidate-M-SEARCH-failed',
  ],
};

/** What a test came to, without what differs from run to run: addresses, ids and times. */
function outcome(result: Results[string] | undefined): string {
  if (result === undefined) return 'did not run';
  return result === true ? 'passed' : `${result[0]}: ${result[1].replaceAll(/[0-9a-f-]{36}|\d+/g, '#')}`;
}

function differing(there: Results, here: Results): string[] {
  const ids = new Set([...Object.keys(there), ...Object.keys(here)]);
  return [...ids].filter((id) => outcome(there[id]) !== outcome(here[id])).sort();
}

describe('http-cache-tests', () => {
  let alone: Results;
  let behind: Record<string, Results>;

  beforeAll(async () => {
    const [first, one, two] = await Promise.all([
      results(direct),
      results(headgate.url),
      results(headgate.url.replace('127.0.0.1', 'localhost')),
    ]);
    alone = first!;
    behind = { one: one!, two: two! };
  });

  it('ran whole, each way', () => {
    for (const run of [alone, behind.one!, behind.two!]) expect(Object.keys(run).length).toBeGreaterThan(340);
    expect(Object.values(alone).filter((result) => result === true).length).toBeGreaterThan(100);
  });

  it.each([
    ['one variant', 'one'],
    ['two variants and "cache": "preserve"', 'two'],
  ])('gives the same result behind a route of %s as against its server, but for what is listed', (_, name) => {
    expect(differing(alone, behind[name]!)).toEqual(Object.values(DIFFERENCES).flat().sort());
  });

  it('differs only in the way that is listed', () => {
    const [closed, surplus, method] = Object.values(DIFFERENCES);
    for (const run of Object.values(behind)) {
      for (const id of closed!) expect(outcome(alone[id])).toMatch(/^FetchError: .*socket hang up/);
      for (const id of closed!) expect(outcome(run[id])).not.toMatch(/^FetchError/);
      for (const id of surplus!) expect(outcome(alone[id])).toMatch(/^FetchError: .*Parse Error/);
      for (const id of method!) expect(run[id]).toEqual(['Setup', expect.stringContaining('status is 501')]);
    }
  });
});
