/** Owns how one request is judged by a rollout's guardrails: for each, whether it is a trial, and whether it is bad. Pure. */

import type { Watched } from '../config/split.ts';
import type { BodyReport } from '../forward/pump.ts';
import { hasFailed, type Served } from '../forward/served.ts';

/** Guardrail number i in bit i. */
export interface Marks {
  active: number;
  bad: number;
}

/**
 * The marks of a request whose body has ended. A client that left says nothing but that the origin was slow, where the time was
 * over by then: else a variant that never answers would be judged by nobody, for all its visitors give up.
 */
export function marksOf(
  guardrails: readonly Watched[],
  served: Served,
  body: BodyReport,
  endedProperly: boolean | null,
): Marks {
  const marks: Marks = { active: 0, bad: 0 };
  guardrails.forEach((guardrail, index) => {
    if (guardrail.metric !== 'slow' && hasLeft(served, body)) return;
    const verdict = judgeBy(guardrail, served, body, endedProperly);
    if (verdict === null) return;
    marks.active |= 1 << index;
    if (verdict) marks.bad |= 1 << index;
  });
  return marks;
}

/** Whether the client left before anybody knew how it went. What its headers call a failure is one, as where failover makes it good. */
export function hasLeft(served: Served, body: BodyReport): boolean {
  return served.errorCode === 'client_left' || (body.end === 'refused' && !isErrorSoFar(served, body));
}

/** True is bad, null is no trial. `endedProperly` is null where nobody knows. */
function judgeBy(
  { metric, slow }: Watched,
  served: Served,
  body: BodyReport,
  endedProperly: boolean | null,
): boolean | null {
  switch (metric) {
    case 'errors':
      return isError(served, body);
    case 'rejected':
      return isRejected(served.status);
    case 'slow':
      return slow ? isSlow(slow, served, body) : null;
    case 'truncated':
      // How it would have ended nobody knows.
      return endedProperly === null || body.end === 'refused' ? null : !endedProperly || body.end !== 'complete';
    default:
      return null;
  }
}

/**
 * Whether a request is held against its variant, alike in both arms: also where failover would make it good, or has, or could not (a
 * quota that both share runs out for both).
 */
export function isError(served: Served, body: BodyReport): boolean {
  const { failover, repeatable } = served.route;
  const statuses = failover === false || !repeatable.includes(served.method) ? [] : failover.statuses;
  return hasFailed(served, body) || statuses.includes(served.status!);
}

/** Whether it is one by its headers alone. */
function isErrorSoFar(served: Served, body: BodyReport): boolean {
  return isError(served, { ...body, end: 'complete' });
}

/** A 4xx, but not 429: that is a quota, and no wrong key or model name. */
export function isRejected(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 429;
}

/**
 * What did not come at all, or not to its end, or not to the visitor, can be too slow, but never fast enough: then it is no trial. Nor is
 * a failure, in both arms: failover takes it from the visitor in one of them.
 */
function isSlow({ sloMs, of }: NonNullable<Watched['slow']>, served: Served, body: BodyReport): boolean | null {
  const { status, headersAtMs, startedAtMs, isLost } = served;
  const { firstByteAtMs, endedAtMs, end } = body;
  const cameAtMs = of === 'headers' ? headersAtMs : of === 'firstByte' ? firstByteAtMs : null;
  const isFailed = isLost || isErrorSoFar(served, body);
  const hasCome = status !== null && !isFailed && (cameAtMs !== null || end === 'complete');
  // Of a failure that failover makes good only the headers are waited for.
  const ms = Math.max(cameAtMs ?? (isFailed ? 0 : endedAtMs), headersAtMs) - startedAtMs;
  return ms > sloMs ? true : hasCome ? false : null;
}
