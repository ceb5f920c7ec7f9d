/**
 * Owns what happens to a request that no route takes: FALLBACK_ORIGIN, a URL or `passthrough` (the origin behind the Worker's
 * own route), or the given answer when there is none. Nothing is assigned, recorded or compared here.
 */

import { originFault } from '../config/address.ts';
import type { Env } from '../env.ts';
import { problem } from '../problem.ts';
import { isOurSetCookie } from '../split/cookies.ts';
import type { Incoming } from './incoming.ts';
import { cleanedHeaders, isHandshake, requestIdOf } from './request-headers.ts';
import type { RequestUrl } from './request-url.ts';
import { removeOurCookies } from './response-headers.ts';

/** Passes the request on, or answers with `otherwise`. */
export async function toFallback(
  incoming: Incoming,
  { env, configHash }: { env: Env; configHash: string },
  otherwise: () => Response,
): Promise<Response> {
  const { request, url } = incoming;
  const target = targetOf(env.FALLBACK_ORIGIN, url);
  if (target === null) return otherwise();
  const forwarding = { requestId: requestIdOf(incoming), configHash, isWebSocket: isHandshake(incoming) };
  const headers = cleanedHeaders(incoming, forwarding);
  try {
    // The request itself is sent on: the runtime makes no GET with a body anew.
    const answer = await fetch(new Request(target, request), { headers, signal: request.signal, redirect: 'manual' });
    if (!answer.headers.getSetCookie().some(isOurSetCookie)) return answer;
    const cleaned = new Response(answer.body, answer);
    removeOurCookies(cleaned.headers);
    return cleaned;
  } catch {
    return problem({ status: 502, code: 'origin_unreachable', detail: 'The fallback origin could not be reached.' });
  }
}

/** `passthrough` keeps the URL: the platform does not run a Worker's own route again for the Worker's own fetch. */
function targetOf(fallback: string | undefined, url: RequestUrl): string | null {
  if (!fallback) return null;
  if (fallback === 'passthrough') return url.href;
  const fault = originFault(fallback);
  if (fault !== null) {
    console.error(`FALLBACK_ORIGIN ${fault.reason}; ${fault.mend}`);
    return null;
  }
  return fallback.replace(/\/$/, '') + url.pathname + url.search;
}
