/**
 * Owns what happens to a request that no route takes: FALLBACK_ORIGIN, a URL or `passthrough` (the origin behind the Worker's
 * own route), or the given answer when there is none. Nothing is assigned, recorded or compared here.
 */

import { originFault } from '../config/address.ts';
import type { Env } from '../env.ts';
import { problem } from '../problem.ts';
import type { Incoming } from './incoming.ts';
import { targetAt } from './origin.ts';
import { cleanedHeaders, isHandshake, requestIdOf } from './request-headers.ts';
import type { RequestUrl } from './request-url.ts';
import { mayPassUntouched, removeClaims } from './response-headers.ts';

/** Headers with which an origin may speak in our name, or of its own address. */
const CLAIMS = /^(?:set-cookie|location|x-headgate-.*)$/;

/** Passes the request on, or answers with `otherwise`. */
export async function toFallback(
  incoming: Incoming,
  { env, configHash }: { env: Env; configHash: string },
  otherwise: () => Response,
): Promise<Response> {
  const { request, url } = incoming;
  const base = baseOf(env.FALLBACK_ORIGIN, url);
  if (base === null) return otherwise();
  const forwarding = { requestId: requestIdOf(incoming), configHash, isWebSocket: isHandshake(incoming) };
  const headers = cleanedHeaders(incoming, forwarding);
  try {
    // The request itself is sent on: the runtime makes no GET with a body anew.
    const answer = await fetch(new Request(targetAt(base, url), request), {
      headers,
      signal: request.signal,
      redirect: 'manual',
    });
    const { status, webSocket } = answer;
    if (!webSocket && (status < 200 || status > 599)) {
      return mayPassUntouched(answer, incoming.method) ? answer : unreachable();
    }
    const names = [...answer.headers.keys()];
    if (!names.some((name) => CLAIMS.test(name))) return answer;
    const cleaned = webSocket
      ? new Response(null, { status, webSocket, headers: new Headers(answer.headers) })
      : new Response(answer.body, answer);
    removeClaims(cleaned.headers, names, { origin: { kind: 'url', url: base }, url });
    return cleaned;
  } catch {
    return unreachable();
  }
}

function unreachable(): Response {
  return problem({ status: 502, code: 'origin_unreachable', detail: 'The fallback origin could not be reached.' });
}

/** `passthrough` keeps the URL: the platform does not run a Worker's own route again for the Worker's own fetch. */
function baseOf(fallback: string | undefined, url: RequestUrl): string | null {
  if (!fallback) return null;
  if (fallback === 'passthrough') return url.origin;
  const fault = originFault(fallback);
  if (fault === null) return fallback.replace(/\/$/, '');
  console.error(`FALLBACK_ORIGIN ${fault.reason}; ${fault.mend}`);
  return null;
}
