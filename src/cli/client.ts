/** Owns talking to the admin API: a client typed by the app itself, and refusals turned into words. It knows no verb. */

import { hc } from 'hono/client';
import type { AdminApp } from '../admin/app.ts';
import { isHeaderValue } from '../config/header-rules.ts';
import { type Connection, connection } from './connection.ts';
import { whyNoAnswer } from './no-answer.ts';
import { Stop, usage } from './stop.ts';
import type { Terminal } from './terminal.ts';
import type { CommonArgs } from './verb.ts';

/** The part of a response that `ask` needs, with what it carries on success. */
interface Reply {
  ok: boolean;
  status: number;
  headers: Headers;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

type Success<R extends Reply> = Awaited<ReturnType<Extract<R, { ok: true }>['json']>>;

/**
 * A client of the Worker that the options and the environment name. `ask` gives an answer's body, `replyOf` the answer with its
 * headers; both throw `Stop` for anything but a success.
 */
export function connect(args: CommonArgs, terminal: Terminal) {
  const target = connection(args, terminal);
  const headers: Record<string, string> = { ...target.access };
  if (target.token) headers.authorization = `Bearer ${target.token}`;
  // Header values are Latin-1; a name may hold anything.
  if (target.as) headers['x-headgate-actor'] = encodeURIComponent(target.as);
  refuseUnsendable(headers);
  // A redirect would take the credentials to whoever it names, and make a GET of a write.
  let isChange = false;
  const fetch: typeof terminal.fetch = (input, init) => {
    isChange = init?.method !== 'GET' && !/\/(validate|preview)$/.test(String(input));
    return terminal.fetch(input, { ...init, redirect: 'manual' });
  };
  const client = hc<AdminApp>(`${target.url}/_headgate`, { headers, fetch });
  const replyOf = async <R extends Reply>(call: Promise<R>): Promise<R> => {
    const reply = await call.catch((cause: unknown) => {
      throw perhapsDone(unreachable(target, cause), isChange);
    });
    if (!reply.ok) throw perhapsDone(await refusal(target, reply), isChange && reply.status >= 500);
    if (!isFromHeadgate(reply)) throw noHeadgate(target, reply.status);
    return reply;
  };
  const ask = async <R extends Reply>(call: Promise<R>): Promise<Success<R>> => {
    const reply = await replyOf(call);
    if (reply.status === 204) return undefined as Success<R>;
    return (await readBody(target, reply).catch((cause: Stop) => {
      throw perhapsDone(cause, isChange);
    })) as Success<R>;
  };
  return { client, ask, replyOf, target };
}

/** What `connect` gives. */
export type Connected = ReturnType<typeof connect>;

/** What `fetch` itself says of such a value repeats it, and would print a token. */
function refuseUnsendable(headers: Record<string, string>): void {
  const name = Object.keys(headers).find((one) => !isHeaderValue(headers[one]!.trim()));
  if (name === undefined) return;
  const what = `The token for ${name} has a character that no header can bear.`;
  throw usage(what, 'give it on one line, without curly quotes');
}

const REFUSED = 'The connection was refused.';

function unreachable({ url }: Connection, cause: unknown): Stop {
  const inner = cause instanceof Error ? (cause.cause as NodeJS.ErrnoException | undefined) : undefined;
  const refused = inner?.code === 'ECONNREFUSED';
  return new Stop({
    exitCode: 1,
    code: 'unreachable',
    what: `Cannot reach ${url}.`,
    why: refused ? REFUSED : whyNoAnswer(cause),
    mend: refused ? 'is npm start running? Or name another Worker by --url' : 'check --url and the network',
  });
}

/** By these nobody knows whether a change was made; a controller may fail, or be given up, when it has made it. */
const unknownEnds = new Set(['unreachable', 'no_headgate', 'controller_down', 'internal']);

/** Where the answer to a change was lost, the change may have been made: whoever tries again must know. */
function perhapsDone(stop: Stop, isLost: boolean): Stop {
  const { code, why, mend } = stop.trouble;
  if (!isLost || why === REFUSED || !unknownEnds.has(code ?? '')) return stop;
  const look = 'it may have been done all the same, so look before you try again: headgate status, headgate history';
  return new Stop({ ...stop.trouble, mend: mend === undefined ? look : `${look}; ${mend}` });
}

/** A problem document in the words of the CLI. Any other answer did not come from a Headgate. */
async function refusal(target: Connection, reply: Reply): Promise<Stop> {
  const isProblem = reply.headers.get('content-type')?.startsWith('application/problem+json');
  const { code, detail, mend, faults } = isProblem ? await readBody(target, reply) : {};
  if (typeof code !== 'string') return noHeadgate(target, reply.status);
  // The faults say everything that `detail` says, and what to do about each.
  if (code === 'invalid_request' && faults?.length > 0) {
    return new Stop({ exitCode: 1, code, what: `${target.url} refused what it was given.`, faults });
  }
  const what = `${target.url} refused: ${detail}`;
  if (code !== 'unauthorized') return new Stop({ exitCode: 1, code, what, mend, faults });
  // A Worker that opens to Cloudflare Access alone says so itself.
  const how = mend?.includes('ADMIN_TOKEN') === false ? mend : 'give its ADMIN_TOKEN by HEADGATE_TOKEN or --token';
  return new Stop({ exitCode: 1, code, what: target.token ? what : `${target.url} needs a token.`, mend: how });
}

/**
 * Whether a response comes from a Headgate's controls: by `cache-control: no-store`, which all of theirs have. Another service may answer
 * JSON with 200 too, and other headers may be set by the zone.
 */
function isFromHeadgate({ headers }: Reply): boolean {
  return headers.get('cache-control')?.includes('no-store') === true;
}

/** The members of an answer. */
// biome-ignore lint/suspicious/noExplicitAny: whoever asked knows what was answered.
export async function readBody(target: Connection, reply: Reply): Promise<any> {
  const body: unknown = await reply.json().catch(() => null);
  if (typeof body !== 'object' || body === null) throw noHeadgate(target, reply.status);
  return body;
}

function noHeadgate({ url }: Connection, status: number): Stop {
  // What stands before the Worker answers so when it is in trouble, or has had enough.
  const isPassing = status >= 500 || status === 429;
  return new Stop({
    exitCode: 1,
    code: 'no_headgate',
    what: `${url} does not answer like a Headgate (status ${status}).`,
    mend:
      status >= 300 && status < 400
        ? 'check --url; where Cloudflare Access guards it, log in by cloudflared or set CF_ACCESS_CLIENT_ID and _SECRET'
        : `${isPassing ? 'try again later; if it stays so, ' : ''}check --url: it names the Worker, not an origin behind it`,
  });
}
