/**
 * Owns the way from a decision to an answer: ask the variant, let the baseline make good a candidate's failure (failover),
 * shape the headers, relay the body, tell the observers. At most one extra request, never after the first byte.
 */

import type { InForce } from '../config/inforce.ts';
import { mayMakeWay, type RouteState } from '../config/route-state.ts';
import type { Route, Variant } from '../config/types.ts';
import type { Env } from '../env.ts';
import { problem } from '../problem.ts';
import type { RequestReason } from '../records/rows.ts';
import { isOurSetCookie } from '../split/cookies.ts';
import { createReceipt, hashUnit, NOBODY, RECEIPT_HEADER } from '../split/receipt.ts';
import { Ends, Prefix } from './copies.ts';
import type { Decision } from './decide.ts';
import { EventEnds } from './event-ends.ts';
import type { Plane } from './handle.ts';
import type { Incoming } from './incoming.ts';
import { type Asked, askOrigin, type OriginFault } from './origin.ts';
import type { BodyReport } from './pump.ts';
import { relay } from './relay.ts';
import { shapeResponseHeaders } from './response-headers.ts';
import { isFailStatus, type Served, type Watch } from './served.ts';
import type { Upload } from './upload.ts';
import { isCoded } from './wire.ts';

export interface Exchange extends Incoming {
  env: Env;
  ctx: ExecutionContext;
  plane: Plane;
  state: RouteState;
  decision: Decision;
  upload: Upload;
  /** The request's body with the variant's JSON members set; null where there is nothing to set. */
  spliced: Uint8Array | null;
  /** Cleaned, without the variant's own. */
  headers: Headers;
  /** What an observer asked to be kept; null for nearly every request. */
  watch: Watch | null;
  requestId: string;
  configHash: string;
  startedAtMs: number;
}

/** One try at one variant and what came of it. */
interface Try {
  variant: Variant;
  reason: RequestReason;
  isEvidence: boolean;
  startedAtMs: number;
  askedAtMs: number;
  headersAtMs: number;
  asked: Asked | null;
  fault: OriginFault | null;
}

/** Statuses that mean that the origin itself was not reached (the platform's own 52x and 530). */
const isUnreachedStatus = (status: number) => status >= 520 && status <= 530;
const DEFAULT_FAILOVER_STATUSES = [429, 502, 503, 504];

/** Answers the visitor. */
export async function answer(exchange: Exchange): Promise<Response> {
  const { decision, state, plane } = exchange;
  const { route, inForce } = state;
  const variant = route.variants[decision.variant]!;
  const isCandidate = mayMakeWay(state, variant.name) && !decision.isPreview;
  const canFailOver = isCandidate && mayFailOver(state, variant, exchange.method);
  const first = await attempt(exchange, { variant, reason: decision.reason, keep: canFailOver });
  const isCounted = noteHealth(exchange, first);
  const isWanted = canFailOver && hasFailedOver(route.failover, first) && exchange.upload.isRepeatable;
  if (!isWanted || !plane.budget.spend(route.name, first.headersAtMs)) return conclude(exchange, first, null);

  const baseline = route.variants[inForce.baseline]!;
  const second = await attempt(exchange, { variant: baseline, reason: 'failover', keep: false });
  noteHealth(exchange, second);
  if (isCounted && !isOfClient(second) && !isGood(route, second)) plane.ejections.takeBack(variant);
  // The baseline could not be had either: the candidate's own answer, where there is one, says more than ours.
  if (second.asked === null && first.asked !== null) {
    tellLost(exchange, second, false);
    return conclude(exchange, first, null);
  }
  tellLost(exchange, first, isGood(route, second));
  first.asked?.patience.done();
  first.asked?.abort();
  return conclude(exchange, second, variant.name);
}

/** Whether the route lets the baseline make good what the variant fails at. */
export function mayFailOver(state: RouteState, variant: Variant, method: string): boolean {
  return mayMakeWay(state, variant.name) && isMadeGood(state.route, method);
}

/** Whether a candidate's failure at such a request is made good. */
function isMadeGood({ failover, repeatable }: Route, method: string): boolean {
  return failover !== false && repeatable.includes(method);
}

async function attempt(
  exchange: Exchange,
  by: { variant: Variant; reason: RequestReason; keep: boolean },
): Promise<Try> {
  const { request, method, url, env, state, upload, decision } = exchange;
  const { variant, reason } = by;
  const body = variant.name === decision.variant ? exchange.spliced : upload.withJson(variant.json);
  const askedAtMs = Date.now();
  const startedAtMs = reason === 'failover' ? askedAtMs : exchange.startedAtMs;
  const role = decision.isPreview ? 'preview' : 'live';
  const asked = await askOrigin({
    request,
    method,
    client: request,
    url,
    headers: exchange.headers,
    // Neither a second try nor a mirrored copy will want them as they were.
    areItsOwn: !by.keep && exchange.watch === null,
    route: state.route,
    variant,
    role,
    send: () => (body !== null ? { body } : upload.send(by.keep || exchange.watch !== null)),
    env,
    hold: (call) => exchange.ctx.waitUntil(call),
  });
  return {
    variant,
    reason,
    isEvidence: decision.isEvidence && reason !== 'failover',
    startedAtMs,
    askedAtMs,
    headersAtMs: Date.now(),
    asked: asked.ok ? asked.value : null,
    fault: asked.ok ? null : asked.error,
  };
}

/** Whether the client, and nobody else, is the reason that there is no answer. */
const isOfClient = ({ fault }: Try) => fault === 'client_left' || fault === 'client_stalled';

/** Whether a try failed before response headers, in a way that failover makes good. */
function hasFailedOver(failover: false | { statuses: number[] }, tried: Try): boolean {
  if (tried.fault !== null) return !isOfClient(tried);
  const status = tried.asked!.response.status;
  const statuses = failover === false ? DEFAULT_FAILOVER_STATUSES : failover.statuses;
  return isUnreachedStatus(status) || statuses.includes(status);
}

/** Where the baseline fails too, or is refused alike (a quota that both share), it has made nothing good. */
function isGood(route: Route, tried: Try): boolean {
  return (
    tried.asked !== null && !hasFailedOver(route.failover, tried) && !isFailStatus(route, tried.asked.response.status)
  );
}

/** Whether it counts as a failure towards ejection. */
function noteHealth({ state, plane: { ejections }, decision }: Exchange, tried: Try): boolean {
  const { route, inForce } = state;
  const { variant, askedAtMs, headersAtMs } = tried;
  if (!route.ejection || decision.isPreview) return false;
  const baseline = route.variants[inForce.baseline]!;
  const isBaseline = variant === baseline;
  if (isBaseline && !isOfClient(tried)) ejections.baselineIs(isGood(route, tried), baseline, headersAtMs);
  if (!mayMakeWay(state, variant.name)) return false;
  const hasFailed = hasFailedOver(route.failover, tried);
  const isLost = isOfClient(tried) || (hasFailed && ejections.isSick(baseline, headersAtMs));
  if (isLost) ejections.lost(variant, askedAtMs);
  else if (hasFailed) ejections.failed(variant, headersAtMs, askedAtMs);
  else ejections.succeeded(variant, askedAtMs);
  return hasFailed && !isLost;
}

/** Of an answer whose body there is not, or is not seen. */
function noBody({ headersAtMs }: Try): BodyReport {
  return { end: 'complete', bytes: 0, firstByteAtMs: null, endedAtMs: headersAtMs };
}

/** Hands the answer of a try to the client, or our own where there is none. */
async function conclude(exchange: Exchange, tried: Try, failedOver: string | null): Promise<Response> {
  if (tried.asked === null) {
    const response = problem(PUBLIC[tried.fault!]);
    tell(exchange, tried, noBody(tried), { ownStatus: response.status });
    shape(exchange, tried, response.headers, failedOver);
    await addReceipt(exchange, tried, response.headers);
    return response;
  }
  const { response: upstream, abort, patience } = tried.asked;
  const { status } = upstream;
  if (upstream.webSocket) {
    tell(exchange, tried, noBody(tried));
    const headers = new Headers(upstream.headers);
    shape(exchange, tried, headers, failedOver);
    await addReceipt(exchange, tried, headers);
    return new Response(null, { status: 101, webSocket: upstream.webSocket, headers });
  }
  // `Response` refuses other statuses; what an origin says in them is passed on untouched, and its body's end is not seen.
  if (status < 200 || status > 599) {
    tell(exchange, tried, noBody(tried));
    // Hono makes a new one for every HEAD.
    if (exchange.method !== 'HEAD' && !upstream.headers.getSetCookie().some(isOurSetCookie)) return upstream;
    // Nor can its headers be changed, and an origin must not choose our visitors' variants.
    abort();
    return problem(PUBLIC.unreachable);
  }
  const captured = exchange.watch === null ? null : new Prefix(exchange.watch.captureBytes);
  const copies = { captured, ...endsOf(exchange.state.inForce, upstream) };
  const { body, report } = await relay(upstream, {
    idleMs: exchange.state.route.idleTimeoutMs,
    patience,
    receiver: exchange.request,
    upload: exchange.upload,
    isService: tried.variant.origin.kind === 'service',
    tap: tapInto(copies, upstream.headers),
  });
  if (report instanceof Promise) void report.then(({ end }) => (end === 'complete' ? undefined : abort()));
  const response = new Response(body, upstream);
  shape(exchange, tried, response.headers, failedOver);
  if (exchange.state.route.receipts) await addReceipt(exchange, tried, response.headers);
  tell(exchange, tried, report, copies);
  return response;
}

type Copies = Pick<Served, 'captured' | 'events' | 'ends'>;

const ENDS_BYTES = { head: 4_096, tail: 16_384 };
/** A compressed body says nothing in parts, so of these only short ones are kept. */
const ENCODED_BYTES = { head: 65_536, tail: 0 };

/**
 * What is kept of an answer's ends. Only a guardrail on how streams end needs to see them end. Models name themselves where an answer
 * begins, and what it has used where it ends.
 */
function endsOf({ guardrails, usage }: InForce, { headers, body }: Response): Pick<Copies, 'events' | 'ends'> {
  const isJudged = guardrails.some(({ metric }) => metric === 'truncated');
  // Nearly every answer, for which looking into the headers would be the dearest of all this.
  if (!isJudged && !usage) return { events: null, ends: null };
  const type = headers.get('content-type') ?? '';
  const events = isJudged && body !== null && /^text\/event-stream/i.test(type) ? new EventEnds() : null;
  const coded = isCoded(headers);
  const isWanted = (usage && /json|event-stream/i.test(type)) || (coded && events !== null);
  return { events, ends: isWanted ? new Ends(coded ? ENCODED_BYTES : ENDS_BYTES) : null };
}

function tapInto({ captured, events, ends }: Copies, headers: Headers): ((chunk: Uint8Array) => void) | undefined {
  if (captured === null && events === null && ends === null) return undefined;
  const coded = events !== null && isCoded(headers);
  return (chunk) => {
    captured?.add(chunk);
    // A coded stream is read from its copy, when it has ended.
    if (!coded) events?.add(chunk);
    ends?.add(chunk);
  };
}

function shape(exchange: Exchange, tried: Try, headers: Headers, failedOver: string | null): void {
  const { state, decision, url } = exchange;
  const { route, arms } = state;
  const hasReceipt = route.receipts && Boolean(exchange.env.COOKIE_SECRET);
  shapeResponseHeaders(headers, {
    route: route.name,
    variant: tried.variant.name,
    // Whoever looks at a variant before all others must know that it was the one that answered.
    expose: route.expose || !!decision.isPreview,
    isPersonal:
      route.cache === 'private' &&
      (arms.length > 1 || decision.setCookie !== null || !!decision.isPreview || hasReceipt),
    origin: tried.asked === null ? null : tried.variant.origin,
    url,
    failedOver,
    setCookies: decision.setCookie === null ? [] : [decision.setCookie],
  });
}

/**
 * Whoever holds the receipt may tell later how good the answer was, also where it was ours in the variant's place. Without a secret, or
 * in a preview, there is none.
 */
async function addReceipt(exchange: Exchange, tried: Try, headers: Headers): Promise<void> {
  const { decision, state, env } = exchange;
  const { unit, isEvidence, reason, isPreview } = decision;
  const { route, inForce } = state;
  const secret = env.COOKIE_SECRET;
  if (!route.receipts || !secret || isPreview) return;
  // While versions are judged, what one is spared by the baseline must not be held against the baseline, nor its good answer for it.
  const isJudged = inForce.rollout !== null && inForce.experiment === null && isMadeGood(route, exchange.method);
  const isSpared = isJudged && (tried.reason === 'failover' || hasFailedOver(route.failover, tried));
  // Where nobody could be told apart, the request stands for its sender.
  const isNobody = isSpared || (!isEvidence && (unit === null || reason !== 'ejected'));
  const unitHash = isNobody ? NOBODY : await hashUnit(unit ?? exchange.requestId, secret);
  const { name } = route;
  // Two answers of one unit in a millisecond are two answers.
  const nonce = crypto.randomUUID().slice(0, 8);
  const receipt = { route: name, variant: tried.variant.name, unitHash, atMs: tried.headersAtMs, nonce };
  headers.set(RECEIPT_HEADER, await createReceipt(receipt, secret));
}

/** From faults to public words. Who left reads none; who sent a body that breaks off may. */
const PUBLIC: Record<OriginFault, { status: number; code: string; detail: string }> = {
  timeout: { status: 504, code: 'origin_timeout', detail: 'The origin did not answer in time.' },
  misconfigured: { status: 502, code: 'origin_unreachable', detail: 'The variant lacks a secret or service binding.' },
  unreachable: { status: 502, code: 'origin_unreachable', detail: 'The origin could not be reached.' },
  client_left: { status: 400, code: 'client_left', detail: 'The request ended early.' },
  client_stalled: { status: 408, code: 'client_stalled', detail: 'The request body stalled.' },
};

/** A try whose answer the visitor did not get: its failure counts, its body is nobody's. */
function tellLost(exchange: Exchange, tried: Try, isMadeGood: boolean): void {
  tell({ ...exchange, watch: null }, tried, noBody(tried), { isMadeGood, isLost: true });
}

function tell(
  exchange: Exchange,
  tried: Try,
  body: Served['body'],
  {
    captured = null,
    events = null,
    ends = null,
    ownStatus = null,
    isMadeGood = false,
    isLost = false,
  }: Partial<Copies & Pick<Served, 'ownStatus' | 'isMadeGood' | 'isLost'>> = {},
): void {
  const { request, method, url, sent, state, decision, env, ctx, plane, upload } = exchange;
  const served: Served = {
    request,
    method,
    url,
    sent,
    route: state.route,
    inForce: state.inForce,
    configHash: exchange.configHash,
    requestId: exchange.requestId,
    unit: decision.unit,
    variant: tried.variant.name,
    reason: tried.reason,
    // Where it is held instead, nobody is told of an upload that breaks off.
    isEvidence: tried.isEvidence && !upload.isBroken,
    isPreview: decision.isPreview === true,
    dealt: decision.dealt ?? null,
    startedAtMs: tried.startedAtMs,
    askedAtMs: tried.askedAtMs,
    headersAtMs: tried.headersAtMs,
    status: tried.asked?.response.status ?? null,
    ownStatus,
    errorCode: tried.fault === null ? '' : PUBLIC[tried.fault].code,
    isMadeGood,
    isLost,
    standsIn:
      tried.reason === 'failover' && !isLost && decision.isEvidence
        ? { variant: decision.variant, startedAtMs: exchange.startedAtMs }
        : null,
    body,
    watch: exchange.watch,
    captured,
    events,
    ends,
    armCount: state.arms.length,
    responseHeaders: tried.asked?.response.headers ?? null,
    cleanedHeaders: exchange.headers,
    upload,
  };
  for (const observe of plane.observers) {
    try {
      observe(served, env, ctx);
    } catch (cause) {
      console.error('observer', cause);
    }
  }
}
