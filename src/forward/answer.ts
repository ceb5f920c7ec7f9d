/**
 * Owns the way from a decision to an answer: ask the variant, let the baseline make good a candidate's failure (failover),
 * shape the headers, relay the body, tell the observers. At most one extra request, never after the first byte. What one try is, and when it
 * has failed, is for `attempt.ts` to say.
 */

import type { RouteState } from '../config/route-state.ts';
import { problem } from '../problem.ts';
import { createReceipt, hashUnit, NOBODY, RECEIPT_HEADER } from '../split/receipt.ts';
import {
  attempt,
  coversFailover,
  isFailoverFailure,
  isGood,
  isOfClient,
  mayFailOver,
  noteHealth,
  type Try,
} from './attempt.ts';
import { Ends, Prefix } from './copies.ts';
import { EventEnds } from './event-ends.ts';
import type { Exchange } from './exchange.ts';
import type { OriginFault } from './origin.ts';
import type { BodyReport } from './pump.ts';
import { relay } from './relay.ts';
import { mayPassUntouched, shapeResponseHeaders } from './response-headers.ts';
import type { Served } from './served.ts';
import { isCoded } from './wire.ts';

/** Asks the decided variant, then the baseline if failover is called for, and builds the visitor's response. */
export async function answer(exchange: Exchange): Promise<Response> {
  const { decision, state, plane } = exchange;
  const { route, inForce } = state;
  const variant = route.variants[decision.variant]!;
  const canFailOver = !decision.isPreview && mayFailOver(state, variant, exchange.method);
  const first = await attempt(exchange, { variant, reason: decision.reason, keep: canFailOver });
  const isCounted = noteHealth(exchange, first);
  const isFailingOver = canFailOver && isFailoverFailure(route, first) && exchange.upload.isRepeatable;
  if (!isFailingOver || !plane.budget.spend(route.name, first.headersAtMs)) return conclude(exchange, first);

  const baseline = route.variants[inForce.baseline]!;
  const second = await attempt(exchange, { variant: baseline, reason: 'failover', keep: false });
  noteHealth(exchange, second);
  if (isCounted && !isOfClient(second) && !isGood(route, second)) plane.ejections.takeBack(variant);
  // The baseline could not be had either: the candidate's own answer, where there is one, says more than ours.
  if (second.asked === null && first.asked !== null) {
    tellLost(exchange, second, { isMadeGood: false });
    return conclude(exchange, first);
  }
  tellLost(exchange, first, { isMadeGood: isGood(route, second) });
  first.asked?.patience.done();
  first.asked?.abort();
  return conclude(exchange, second, variant.name);
}

/** The report for a body that is absent, or whose end we cannot see. */
function noBody({ headersAtMs }: Try): BodyReport {
  return { end: 'complete', bytes: 0, firstByteAtMs: null, endedAtMs: headersAtMs };
}

/**
 * Hands a try's answer to the client, or our own problem document where the try has none. `failedOver` names the candidate that the
 * baseline answers for.
 */
async function conclude(exchange: Exchange, tried: Try, failedOver: string | null = null): Promise<Response> {
  if (tried.asked === null) {
    const response = problem(ORIGIN_FAULTS[tried.fault!]);
    tell(exchange, tried, noBody(tried), { ownStatus: response.status });
    await shape(exchange, tried, response.headers, failedOver);
    return response;
  }
  const { response: upstream, abort, patience } = tried.asked;
  const { status } = upstream;
  if (upstream.webSocket) {
    tell(exchange, tried, noBody(tried));
    const headers = new Headers(upstream.headers);
    await shape(exchange, tried, headers, failedOver);
    return new Response(null, { status: 101, webSocket: upstream.webSocket, headers });
  }
  // `Response` refuses other statuses; what an origin says in them is passed on untouched, and its body's end is not seen.
  if (status < 200 || status > 599) {
    tell(exchange, tried, noBody(tried));
    if (mayPassUntouched(upstream, exchange.method)) return upstream;
    abort();
    return problem(ORIGIN_FAULTS.unreachable);
  }
  // An answer may stream for minutes, and what was asked would take room all the while.
  if (exchange.watch === null && exchange.state.inForce.experiment === null)
    exchange.spliced = exchange.upload.bytes = null;
  const captured = exchange.watch === null ? null : new Prefix(exchange.watch.captureBytes);
  const copies = { captured, ...endsOf(exchange.state, upstream) };
  const { body, report } = await relay(upstream, {
    idleMs: exchange.state.route.idleTimeoutMs,
    patience,
    receiver: exchange.request,
    upload: exchange.upload,
    isService: tried.variant.origin.kind === 'service',
    tap: tapInto(copies, upstream.headers),
  });
  if (report instanceof Promise) void report.then(({ end }) => (end === 'complete' ? undefined : abort()));
  const response = withBody(body, upstream);
  const signing = shape(exchange, tried, response.headers, failedOver);
  if (signing !== undefined) await signing;
  tell(exchange, tried, report, copies);
  return response;
}

/** The answer with the body that is handed on. RFC 9112 §4 allows a tab in the reason phrase, and the runtime's `Response` does not. */
function withBody(body: BodyInit | null, upstream: Response): Response {
  try {
    return new Response(body, upstream);
  } catch {
    const { status, statusText, headers } = upstream;
    return new Response(body, { status, statusText: statusText.replaceAll('\t', ' '), headers, encodeBody: 'manual' });
  }
}

type Copies = Pick<Served, 'captured' | 'events' | 'ends'>;

const ENDS_BYTES = { head: 4_096, tail: 16_384 };
/** Parts of a compressed body cannot be read, so only short compressed bodies are kept, and whole. */
const ENCODED_BYTES = { head: 65_536, tail: 0 };

/**
 * What to keep of an answer's beginning and end while it passes. `events`: where a guardrail judges how streams end (`truncated`).
 * `ends`: where usage is wanted, since models are named at the beginning of an answer and usage at its end; also for coded streams.
 */
function endsOf(
  { inForce: { usage }, judgesEnds }: RouteState,
  { headers, body }: Response,
): Pick<Copies, 'events' | 'ends'> {
  // Nearly every answer leaves here: reading its headers would cost more than all the rest.
  if (!judgesEnds && !usage) return { events: null, ends: null };
  const type = headers.get('content-type') ?? '';
  const events = judgesEnds && body !== null && /^text\/event-stream/i.test(type) ? new EventEnds() : null;
  const coded = isCoded(headers);
  const isWanted = (usage && /json|event-stream/i.test(type)) || (coded && events !== null);
  return { events, ends: isWanted ? new Ends(coded ? ENCODED_BYTES : ENDS_BYTES) : null };
}

function tapInto({ captured, events, ends }: Copies, headers: Headers): ((chunk: Uint8Array) => void) | undefined {
  if (captured === null && events === null && ends === null) return undefined;
  const coded = events !== null && isCoded(headers);
  return (chunk) => {
    captured?.add(chunk);
    // A coded stream is decoded and read from `ends` once it is over.
    if (!coded) events?.add(chunk);
    ends?.add(chunk);
  };
}

/** Makes an answer's headers ours; a promise only where a receipt is signed. */
function shape(exchange: Exchange, tried: Try, headers: Headers, failedOver: string | null): Promise<void> | undefined {
  const { state, decision, url, env } = exchange;
  const { route } = state;
  const isPreview = !!decision.isPreview;
  const secret = route.receipts && env.COOKIE_SECRET;
  shapeResponseHeaders(headers, {
    route: route.name,
    variant: tried.variant.name,
    // Whoever previews a variant must see which variant answered.
    expose: route.expose || isPreview,
    isPersonal:
      route.cache === 'private' && (isSplit(state, tried) || decision.setCookie !== null || isPreview || !!secret),
    origin: tried.asked === null ? null : tried.variant.origin,
    url,
    failedOver,
    setCookies: decision.setCookie === null ? [] : [decision.setCookie],
  });
  return secret && !isPreview ? addReceipt(exchange, tried, headers, secret) : undefined;
}

/** Whether others would get another variant's answer. */
function isSplit({ arms, trusted, route, inForce }: RouteState, { variant }: Try): boolean {
  const { variant: first } = arms[0]!;
  if (arms.length > 1 || variant.name !== first) return true;
  // The baseline answers those who are on no trial, also where it has no weight.
  return first !== trusted && !!(route.audience || route.requireConsent || inForce.experiment);
}

/**
 * Adds a receipt, with which its holder can later report how good the answer was; also to our own answers in a variant's place.
 */
async function addReceipt(exchange: Exchange, tried: Try, headers: Headers, secret: string): Promise<void> {
  const { decision, state } = exchange;
  const { unit, isEvidence, reason } = decision;
  const { route, inForce } = state;
  // While a rollout compares versions, an answer that failover replaces, or would, credits neither the candidate nor the baseline.
  const isJudged = inForce.rollout !== null && inForce.experiment === null && coversFailover(route, exchange.method);
  const isSpared = isJudged && (tried.reason === 'failover' || isFailoverFailure(route, tried));
  // A request that names no unit counts as a unit of its own.
  const isNobody = isSpared || (!isEvidence && (unit === null || reason !== 'ejected'));
  const unitHash = isNobody ? NOBODY : await hashUnit(unit ?? exchange.requestId, secret);
  const { name } = route;
  // Keeps apart two answers to one unit in the same millisecond.
  const nonce = crypto.randomUUID().slice(0, 8);
  const receipt = { route: name, variant: tried.variant.name, unitHash, atMs: tried.headersAtMs, nonce };
  headers.set(RECEIPT_HEADER, await createReceipt(receipt, secret));
}

/** The public words for each fault. A client that left never reads its own; one whose upload broke off may. */
export const ORIGIN_FAULTS: Record<OriginFault, { status: number; code: string; detail: string }> = {
  timeout: { status: 504, code: 'origin_timeout', detail: 'The origin did not answer in time.' },
  misconfigured: { status: 502, code: 'origin_unreachable', detail: 'The variant lacks a secret or service binding.' },
  unreachable: { status: 502, code: 'origin_unreachable', detail: 'The origin could not be reached.' },
  client_left: { status: 400, code: 'client_left', detail: 'The request body ended early.' },
  client_stalled: { status: 408, code: 'client_stalled', detail: 'The request body stalled.' },
};

/** Tells the observers of a try whose answer the visitor did not get: its failure counts, its body is not looked at. */
function tellLost(exchange: Exchange, tried: Try, { isMadeGood }: { isMadeGood: boolean }): void {
  tell({ ...exchange, watch: null }, tried, noBody(tried), { isMadeGood, isLost: true });
}

/** Tells every observer what was served. A fault of an observer's is logged and goes no further. */
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
    // A held upload that breaks off never gets this far, so a streamed one is no evidence either.
    isEvidence: tried.isEvidence && !upload.isBroken,
    isPreview: !!decision.isPreview,
    dealt: decision.dealt ?? null,
    startedAtMs: tried.startedAtMs,
    askedAtMs: tried.askedAtMs,
    headersAtMs: tried.headersAtMs,
    status: tried.asked?.response.status ?? null,
    ownStatus,
    errorCode: tried.fault === null ? '' : ORIGIN_FAULTS[tried.fault].code,
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
