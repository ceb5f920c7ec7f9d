/**
 * Owns one try at one variant, and what its outcome means: to failover, to ejection, to whom it is counted against. It hands nothing to the
 * client, and does not choose what is tried next.
 */

import { FAILOVER_STATUSES } from '../config/limits.ts';
import { mayBeReplaced, type RouteState } from '../config/route-state.ts';
import type { Route, Variant } from '../config/types.ts';
import type { RequestReason } from '../records/rows.ts';
import type { Exchange } from './exchange.ts';
import { type Asked, askOrigin, type OriginFault } from './origin.ts';
import { isFailStatus } from './served.ts';

/** One try at one variant and what came of it. */
export interface Try {
  variant: Variant;
  reason: RequestReason;
  isEvidence: boolean;
  startedAtMs: number;
  askedAtMs: number;
  headersAtMs: number;
  asked: Asked | null;
  fault: OriginFault | null;
}

/** Asks one variant. `keep`: the request's body must be kept for another try. Never rejects for what an origin or a client does. */
export async function attempt(
  exchange: Exchange,
  { variant, reason, keep }: { variant: Variant; reason: RequestReason; keep: boolean },
): Promise<Try> {
  const { request, method, url, env, state, upload, decision, watch } = exchange;
  // A second try or a mirrored copy needs what was sent, unchanged.
  const isKept = keep || watch !== null;
  const askedAtMs = Date.now();
  const startedAtMs = reason === 'failover' ? askedAtMs : exchange.startedAtMs;
  const asked = await askOrigin({
    request,
    method,
    client: request,
    url,
    headers: exchange.headers,
    areItsOwn: !isKept,
    route: state.route,
    variant,
    role: decision.isPreview ? 'preview' : 'live',
    send: () => {
      const body = variant.name === decision.variant ? exchange.spliced : upload.withJson(variant.json);
      return body !== null ? { body } : upload.send(isKept);
    },
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

/** Whether there is no answer because the client left or stalled: then neither variant is to blame. */
export const isOfClient = ({ fault }: Try) => fault === 'client_left' || fault === 'client_stalled';

/** Whether a try failed in a way that failover is for: no answer at all, or one of failover's statuses. */
export function isFailoverFailure({ failover }: Route, tried: Try): boolean {
  if (tried.fault !== null) return !isOfClient(tried);
  const status = tried.asked!.response.status;
  const statuses = failover === false ? FAILOVER_STATUSES : failover.statuses;
  // 520 to 530 are the platform's own: the origin itself was not reached.
  return (status >= 520 && status <= 530) || statuses.includes(status);
}

/** Whether a try was answered well. A baseline that fails too, or hits the same quota (429), makes nothing good. */
export function isGood(route: Route, tried: Try): boolean {
  return tried.asked !== null && !isFailoverFailure(route, tried) && !isFailStatus(route, tried.asked.response.status);
}

/** Tells ejection how the try went. Returns whether it was counted as a failure of the candidate. */
export function noteHealth({ state, plane: { ejections }, decision }: Exchange, tried: Try): boolean {
  const { route, inForce } = state;
  const { variant, askedAtMs, headersAtMs } = tried;
  if (!route.ejection || decision.isPreview) return false;
  const baseline = route.variants[inForce.baseline]!;
  if (variant === baseline && !isOfClient(tried))
    ejections.noteBaseline(baseline, { isWell: isGood(route, tried), nowMs: headersAtMs });
  if (!mayBeReplaced(state, variant.name)) return false;
  const hasFailed = isFailoverFailure(route, tried);
  const isInconclusive = isOfClient(tried) || (hasFailed && ejections.isSick(baseline, headersAtMs));
  if (isInconclusive) ejections.inconclusive(variant, askedAtMs);
  else if (hasFailed) ejections.failed(variant, headersAtMs, askedAtMs);
  else ejections.succeeded(variant, askedAtMs);
  return hasFailed && !isInconclusive;
}

/** Whether failover may replace the variant's answer to such a request by the baseline's. */
export function mayFailOver(state: RouteState, variant: Variant, method: string): boolean {
  return mayBeReplaced(state, variant.name) && coversFailover(state.route, method);
}

/** Whether the route has failover for requests with this method. */
export function coversFailover({ failover, repeatable }: Route, method: string): boolean {
  return failover !== false && repeatable.includes(method);
}
