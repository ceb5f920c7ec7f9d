/**
 * Owns the request plane from end to end: config → match → assign → forward → stream back (design sections 4 to 6). It knows
 * nothing of analysis, rollouts, experiments or admin; it tells its observers what it served and waits for none of them.
 */

import { isOnHost } from '../config/address.ts';
import { mayBeReplaced, type RouteState } from '../config/route-state.ts';
import type { Loaded } from '../config/store.ts';
import type { Env } from '../env.ts';
import { type ProblemDetails, problem } from '../problem.ts';
import type { RequestReason } from '../records/rows.ts';
import { answer, ORIGIN_FAULTS } from './answer.ts';
import { mayFailOver } from './attempt.ts';
import { FailoverBudget } from './budget.ts';
import { type Decision, decide } from './decide.ts';
import { Ejections } from './ejection.ts';
import type { Exchange, Plane } from './exchange.ts';
import { toFallback } from './fallback.ts';
import { type Incoming, readIncoming } from './incoming.ts';
import { MAX_HELD_BYTES } from './limits.ts';
import { isLoop } from './loop.ts';
import { findRoute, isControlPath } from './match.ts';
import { cleanedHeaders, isHandshake, requestIdOf } from './request-headers.ts';
import { parseRequestUrl } from './request-url.ts';
import { Upload, type UploadFault } from './upload.ts';

/** A request plane that remembers nothing yet. */
export function newPlane(given: Pick<Plane, 'store' | 'confirm' | 'watcher' | 'observers'>): Plane {
  return { ...given, ejections: new Ejections(), budget: new FailoverBudget() };
}

/**
 * Answers a visitor's request. An origin's failure is an answer; only bugs throw. Steps that nearly always have their result at once are
 * awaited only where they gave a promise: each `await` of a plain value would cost a turn of the queue.
 */
export async function handle(request: Request, env: Env, ctx: ExecutionContext, plane: Plane): Promise<Response> {
  const nowMs = Date.now();
  const url = parseRequestUrl(request.url);
  if (url === null) return refusal(400, 'bad_request', 'The request names no host, or no path.');
  const incoming = readIncoming(request, url);
  // RFC 9110 §9.3.8: an origin echoes a TRACE, and with it the secrets that we set for it alone.
  if (incoming.method === 'TRACE') return refusal(405, 'method_not_allowed', 'TRACE is not passed on.');
  // `index.ts` looks at the text as sent; spelled with `/../` or escapes, a path of the controls gets past it.
  if (isControlPath(url.pathname)) return noRoute();
  const reading = plane.store.current(env, ctx, nowMs);
  const loaded = reading instanceof Promise ? await reading : reading;
  const loop = incoming.header('cdn-loop');
  if (loop !== null && isLoop(loop, loaded?.hash ?? ''))
    return refusal(508, 'loop', 'A variant points back at this Worker.');
  // A candidate's page must not share an origin with the controls.
  if (env.ADMIN_HOST && isOnHost(url, env.ADMIN_HOST)) return noRoute();
  if (loaded === null) return toFallback(incoming, { env, configHash: '' }, noConfig);
  const found = findRoute(loaded.config, url, { get: incoming.header });
  if (found === null) return toFallback(incoming, { env, configHash: loaded.hash }, noRoute);
  const knowing = plane.store.stateOf(env, ctx, found, nowMs);
  const known = knowing instanceof Promise ? await knowing : knowing;
  const confirming = plane.confirm(known, env, nowMs);
  const state = confirming instanceof Promise ? await confirming : confirming;
  // The route of `state`, not `found`: another config may have come while the split was confirmed.
  const { route } = state;
  const deciding = decide(state, {
    ...incoming,
    cookies: loaded.config.cookie,
    secret: env.COOKIE_SECRET,
    nowMs,
  });
  const decision = deciding instanceof Promise ? await deciding : deciding;

  const wanted = route.variants[decision.variant]!;
  const taking = Upload.take(incoming, {
    idleMs: route.idleTimeoutMs,
    holdUpTo: wanted.json || state.setsJson || mayFailOver(state, wanted, incoming.method) ? MAX_HELD_BYTES : 0,
  });
  const upload = taking instanceof Promise ? await taking : taking;
  if (typeof upload === 'string') return problem(UPLOAD_FAULTS[upload]);
  plane.budget.earn(route.name, nowMs);
  return answer(exchangeOf({ incoming, env, ctx, plane, state, decision, upload, loaded, nowMs }));
}

type Visit = Pick<Exchange, 'env' | 'ctx' | 'plane' | 'state' | 'decision' | 'upload'> & {
  incoming: Incoming;
  loaded: Loaded;
  nowMs: number;
};

function exchangeOf(visit: Visit): Exchange {
  const { incoming, env, ctx, plane, state, upload, loaded } = visit;
  const isWebSocket = isHandshake(incoming);
  // A WebSocket has no body to set members in: it names its model elsewhere.
  const asked = { upload, isEmpty: !upload.isPresent && !isWebSocket };
  const fit = fitJson(visit.decision, state, asked);
  // After everything else that may move the request: the one probe must not be spent on a request that the candidate never sees.
  const final = aroundEjected(fit.decision, state, plane, visit.nowMs);
  const { decision, body } = final === fit.decision ? fit : fitJson(final, state, asked);
  const requestId = requestIdOf(incoming);
  const headers = cleanedHeaders(incoming, { requestId, configHash: loaded.hash, isWebSocket });
  // The runtime declares the length of what is sent; a spliced body's differs from what the client declared.
  if (upload.isPresent) headers.delete('content-length');
  const { method } = incoming;
  const { route, inForce } = state;
  return {
    ...incoming,
    env,
    ctx,
    plane,
    state,
    decision,
    upload,
    spliced: body,
    headers,
    watch: isWebSocket ? null : plane.watcher({ method, route, inForce, decision }),
    requestId,
    configHash: loaded.hash,
    startedAtMs: visit.nowMs,
  };
}

/** Sends an ejected candidate's requests to the baseline, except for the one probe. */
function aroundEjected(decision: Decision, state: RouteState, { ejections }: Plane, nowMs: number): Decision {
  const { route, inForce } = state;
  if (!route.ejection || !mayBeReplaced(state, decision.variant) || decision.isPreview) return decision;
  if (ejections.admits(route.variants[decision.variant]!, nowMs, route.timeoutMs)) return decision;
  return instead(decision, inForce.baseline, decision.isEvidence ? 'ejected' : decision.reason);
}

/** The decision with another variant to answer: no evidence, and the unit stays in its arm. */
function instead(decision: Decision, variant: string, reason: RequestReason): Decision {
  return { ...decision, variant, reason, isEvidence: false, ...(decision.isEvidence && { dealt: decision.variant }) };
}

/**
 * Sets the variant's JSON members in the body. A body in which they cannot be set goes to the baseline; unchanged, also where the
 * baseline sets members of its own.
 */
function fitJson(
  decision: Decision,
  state: RouteState,
  { upload, isEmpty }: { upload: Upload; isEmpty: boolean },
): { decision: Decision; body: Uint8Array | null } {
  const { json } = state.route.variants[decision.variant]!;
  // A body that does not fit one variant is no evidence for any: otherwise they would be judged by different requests.
  const members = json ?? (state.setsJson ? {} : undefined);
  if (members === undefined || isEmpty) return { decision, body: null };
  const body = upload.withJson(members);
  if (body !== null) return { decision, body };
  // A preview whose variant cannot answer must say so (`json_unfit`), and not pass the baseline off as it. Requests outside the
  // audience keep their reason: they are not mirrored.
  const isUnfit = json !== undefined && (decision.isEvidence || decision.isPreview);
  const variant = json === undefined ? decision.variant : state.inForce.baseline;
  const moved = instead(decision, variant, isUnfit ? 'json_unfit' : decision.reason);
  // With one arm and no rollout nothing is compared: it counts, and only `dealt` keeps it out of a later rollout's reference.
  const isEvidence = decision.isEvidence && state.arms.length === 1 && state.inForce.rollout === null;
  return { decision: { ...moved, isEvidence }, body };
}

/** The public words for an upload that could not be taken. */
const UPLOAD_FAULTS: Record<UploadFault, ProblemDetails> = {
  ...ORIGIN_FAULTS,
  length_required: {
    status: 411,
    code: 'length_required',
    detail: 'The body of a GET or HEAD request needs a Content-Length.',
  },
  body_too_large: {
    status: 413,
    code: 'body_too_large',
    detail: `The body of a GET or HEAD request is over ${MAX_HELD_BYTES / 1024} KiB.`,
  },
};

function refusal(status: number, code: string, detail: string, mend?: string): Response {
  return problem({ status, code, detail, mend });
}

function noConfig(): Response {
  return refusal(503, 'no_config', 'No config could be read.', 'headgate apply FILE, or set FALLBACK_ORIGIN');
}

function noRoute(): Response {
  return refusal(404, 'no_route', 'No route matches this host and path.');
}
