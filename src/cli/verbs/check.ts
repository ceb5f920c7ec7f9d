/**
 * Owns `headgate check ROUTE VARIANT --file cases.jsonl`: real requests to one variant through a preview token, held to what is
 * expected of them, before any visitor gets there. Previews are no evidence, so it changes nothing.
 */

import { durationMs } from '../../config/duration.ts';
import { MAX_TIMEOUT_MS } from '../../config/limits.ts';
import { fetchAsHost } from '../check/as-host.ts';
import { type Case, parseCases } from '../check/cases.ts';
import { type Difference, differencesOf } from '../check/differences.ts';
import { isLoopback } from '../connection.ts';
import { ms } from '../figures.ts';
import { readText } from '../json-file.ts';
import { openRoute, requireVariant } from '../route.ts';
import { usage } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { safe } from '../text.ts';
import { verb } from '../verb.ts';

interface Checked {
  name: string;
  ok: boolean;
  status: number | null;
  totalMs: number;
  differences: Difference[];
}

type Send = (path: string, init: RequestInit) => Promise<Response>;

export const check = verb({
  summary: 'Send real requests to one variant through a preview, before any traffic, and hold the answers to a file',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    variant: { type: 'positional', required: true, description: 'The variant to hold to it, also at weight 0' },
    file: {
      type: 'string',
      required: true,
      description:
        'JSON Lines: { "path", "method"?, "headers"?, "body"?, "expect": { "status"?, "json"?, "text"?, "maxMs"? } }',
      valueHint: 'FILE',
    },
    host: { type: 'string', description: 'The host to call, where the route answers on several', valueHint: 'HOST' },
    timeout: { type: 'string', description: 'For each answer', default: '60s', valueHint: 'DURATION' },
  },
  async run(args, terminal) {
    const timeoutMs = durationMs(args.timeout) ?? 0;
    // A timer for more than 2^31 ms would fire at once.
    if (timeoutMs === 0 || timeoutMs > MAX_TIMEOUT_MS) {
      throw usage(`${args.timeout} is no duration up to 24h.`, 'such as --timeout 30s');
    }
    const cases = casesIn(args.file, terminal);
    const { client, ask, status, param, target } = await openRoute(args.route, args, terminal);
    requireVariant(status, args.variant);
    // Not the most that there is: to an isolate whose clock is a little behind, that would be too long.
    const json = { variant: args.variant, host: args.host, ttl: '23h' };
    const token = await ask(client.api.routes[':route'].preview.$post({ param, json }));
    const send = senderOf(target.url, token, terminal);
    const checked: Checked[] = [];
    for (const one of cases) {
      const result = await checkOne(one, { ...args, timeoutMs }, send, terminal);
      checked.push(result);
      if (!args.json) terminal.out(resultLines(result, terminal).join('\n'));
    }
    const failed = checked.filter(({ ok }) => !ok).length;
    const { green, red } = terminal.paint;
    if (args.json) {
      terminal.out(JSON.stringify({ passed: checked.length - failed, failed, cases: checked }, null, 2));
    } else if (failed === 0) {
      terminal.out(green(`✓ ${args.route}/${args.variant}: all ${checked.length} as expected`));
    } else {
      terminal.out(red(`✗ ${args.route}/${args.variant}: ${failed} of ${checked.length} not as expected`));
    }
    return failed === 0 ? 0 : 1;
  },
});

function casesIn(file: string, terminal: Terminal): Case[] {
  const mend =
    'each line is such as { "path": "/v1/detect", "body": { "text": "hallo" }, "expect": { "json": { "lang": "de" } } }';
  const parsed = parseCases(readText(file, mend, terminal));
  if (parsed.ok) return parsed.value;
  const faults = parsed.error.map(({ line, reason }) => `line ${line}: ${reason}`).join('; ');
  throw usage(`${file} cannot be used: ${faults}.`, mend);
}

/** Where the token's host is; on this machine under that name, elsewhere at that address. */
function senderOf(
  workerUrl: string,
  { url, header }: { url: string; header: { name: string; value: string } },
  terminal: Terminal,
): Send {
  const worker = new URL(workerUrl);
  const visitors = new URL(url);
  const isElsewhere = visitors.host !== worker.host;
  const isHere = isLoopback(worker.hostname);
  const origin = isHere || !isElsewhere ? worker.origin : visitors.origin;
  return (path, init) => {
    const headers = new Headers(init.headers);
    headers.set(header.name, header.value);
    const whole = { ...init, headers, redirect: 'manual' as const };
    // Not resolved: a path may begin with `//`.
    const to = new URL(origin + path);
    return isElsewhere && isHere ? fetchAsHost(to, visitors.host, whole) : terminal.fetch(to, whole);
  };
}

async function checkOne(
  { name, method, path, headers, body, expect }: Case,
  { route, variant, timeoutMs }: { route: string; variant: string; timeoutMs: number },
  send: Send,
  { now }: Terminal,
): Promise<Checked> {
  const startedMs = now();
  try {
    const answer = await send(path, { method, headers, body, signal: AbortSignal.timeout(timeoutMs) });
    const answered = {
      status: answer.status,
      headers: answer.headers,
      text: await answer.text(),
      totalMs: now() - startedMs,
    };
    // A preview names who answered whatever the route exposes. Another route, a fallback or Headgate itself may answer as expected.
    const by = ['x-headgate-route', 'x-headgate-variant'].map((header) => answer.headers.get(header) ?? 'nobody');
    const ours = answer.headers.get('x-headgate-error');
    const isOther = by[0] !== route || by[1] !== variant || ours !== null;
    const got = ours === null ? [...new Set(by)].join('/') : `Headgate itself: ${ours}`;
    const differences = [
      ...(isOther ? [{ at: 'variant', expected: `${route}/${variant}`, got }] : []),
      ...differencesOf(expect, answered),
    ];
    const { status, totalMs } = answered;
    return { name, ok: differences.length === 0, status, totalMs, differences };
  } catch (cause) {
    const isLate = cause instanceof Error && cause.name === 'TimeoutError';
    const got = isLate ? `nothing in ${timeoutMs} ms` : String(cause instanceof Error ? (cause.cause ?? cause) : cause);
    const differences = [{ at: 'answer', expected: 'one', got }];
    return { name, ok: false, status: null, totalMs: now() - startedMs, differences };
  }
}

function resultLines({ name, ok, status, totalMs, differences }: Checked, { paint }: Terminal): string[] {
  const mark = ok ? paint.green('✔') : paint.red('✗');
  return [
    `${mark} ${safe(name)}  ${paint.dim(`${status ?? 'no answer'} in ${ms(totalMs)} ms`)}`,
    ...differences.map(({ at, expected, got }) => `    ${safe(at)}: expected ${safe(expected)}, got ${safe(got)}`),
  ];
}
