/**
 * Owns one attempt at one origin: the target's URL, the call, and the time until response headers. It judges nothing: a 500 is
 * an answer. It fails with a value, and cuts what it started when the time is over or the client has left.
 */

import type { Route, Variant } from '../config/types.ts';
import { type Env, serviceBinding } from '../env.ts';
import { err, ok, type Result } from '../result.ts';
import { type Leaver, Patience } from './patience.ts';
import { addVariantHeaders, type Role } from './request-headers.ts';
import type { RequestUrl } from './request-url.ts';
import type { Sending } from './upload.ts';

/** Why there is no answer. */
export type OriginFault = 'unreachable' | 'timeout' | 'misconfigured' | 'client_left' | 'client_stalled';

/** An origin that answers: headers are there, the body is still to come. */
export interface Asked {
  response: Response;
  /** Cuts the answer's body off on both sides. */
  abort: () => void;
  /** Still running: whoever takes the body tells it when that is done, or streams. */
  patience: Patience;
}

/** One attempt: what is asked, of whom, for whom. */
export interface Question {
  request: Request;
  method: string;
  /** Whose leaving ends the attempt, if anybody's. */
  client: Leaver | null;
  url: RequestUrl;
  /** Cleaned. The attempt works on a copy, or with `areItsOwn` on these: copying all headers costs as much as all changes to them. */
  headers: Headers;
  areItsOwn?: boolean;
  route: Pick<Route, 'name' | 'timeoutMs'>;
  variant: Variant;
  role: Role;
  /** Gives the body away. Called only once it is certain that the attempt will be made. */
  send: () => Sending;
  env: Env;
  /** Keeps the invocation alive for a slow call, so that its end is still seen after the client has left. */
  hold?: (call: Promise<unknown>) => void;
}

/** Asks the variant's origin. Settles when response headers are there, or cannot come; the body is still to be taken. */
export async function askOrigin(question: Question): Promise<Result<Asked, OriginFault>> {
  const { request, method, client, url, route, variant, role, env } = question;
  const headers = question.areItsOwn ? question.headers : new Headers(question.headers);
  if (!addVariantHeaders(headers, { route: route.name, variant, role, env })) return err('misconfigured');
  const fetcher = variant.origin.kind === 'service' ? serviceBinding(env, variant.origin.service) : null;
  if (fetcher === undefined) return err('misconfigured');

  const sending = question.send();
  const controller = new AbortController();
  const abort = () => controller.abort();
  sending.broken?.addEventListener('abort', abort);
  let calling: Promise<Response>;
  const patience = new Patience({
    client,
    timeoutMs: route.timeoutMs,
    sent: sending.sent,
    cut: abort,
    onLate: () => question.hold?.(calling.catch(() => {})),
  });
  const init: RequestInit = {
    headers,
    redirect: 'manual',
    signal: controller.signal,
    encodeResponseBody: 'manual',
  };
  // Variants at one URL (told apart by a header) must not answer from each other's cached responses. The platform has no key for each below
  // its enterprise plan, so their answers stay out of its fetch cache.
  if (variant.origin.isShared && (method === 'GET' || method === 'HEAD'))
    init.cf = { cacheTtlByStatus: { '100-599': -1 } };
  if (!sending.isInRequest) {
    init.method = method;
    init.body = sending.body;
  }
  const target = variant.origin.kind === 'url' ? targetAt(variant.origin.url, url) : url.href;
  try {
    const asked = sending.isInRequest ? new Request(target, request) : target;
    calling = fetcher === null ? fetch(asked, init) : fetcher.fetch(asked, init);
    const response = await calling;
    patience.headersCame();
    if (response.webSocket) patience.forgetClient();
    else if (response.status === 101) {
      // RFC 9110 §15.2.2: nobody asked for another protocol, so no answer follows.
      patience.done();
      abort();
      return err('unreachable');
    }
    return ok({ response, abort, patience });
  } catch {
    patience.done();
    if (patience.hasTimedOut) return err('timeout');
    if (client?.signal.aborted) return err('client_left');
    return err(await faultOfUpload(sending));
  }
}

/** Whose fault a failed call was: never the origin's if the client broke off its upload. It does not wait for an upload under way. */
async function faultOfUpload({ sent, broken }: Sending): Promise<OriginFault> {
  const report = broken?.aborted ? await sent : await Promise.race([sent, null]);
  if (report?.end === 'cut') return 'client_left';
  return report?.end === 'stalled' ? 'client_stalled' : 'unreachable';
}

/** The URL at a variant's base. Scheme, host and base path are never the client's; its path begins with `/` and is appended as it is. */
export function targetAt(base: string, url: RequestUrl): string {
  // `search` is empty also for a lone `?`, which makes another URL all the same.
  return base + url.pathname + (url.search || (url.href.endsWith('?') ? '?' : ''));
}
