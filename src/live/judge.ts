/** Owns the judgement of one request by a rollout's guardrails: for each, whether it is a trial, and whether a bad one. Pure. */

import type { Watched } from '../config/split.ts';
import type { BodyReport } from '../forward/pump.ts';
import { hasFailed, type Served } from '../forward/served.ts';

/** Guardrail number i in bit i. */
export interface Marks {
  active: number;
  bad: number;
}

/** The marks of a request whose body has ended. */
export function marksOf(
  guardrails: readonly Watched[],
  served: Served,
  body: BodyReport,
  endedWell: boolean | null,
): Marks {
  const marks: Marks = { active: 0, bad: 0 };
  guardrails.forEach((guardrail, index) => {
    const verdict = judgeBy(guardrail, served, body, endedWell);
    if (verdict === null) return;
    marks.active |= 1 << index;
    if (verdict) marks.bad |= 1 << index;
  });
  return marks;
}

/** Whether the client left before it was known how the request went. If the headers had shown a failure, it is a failure all the same. */
export function hasLeft(served: Served, body: BodyReport): boolean {
  return served.errorCode === 'client_left' || (body.end === 'refused' && !isErrorSoFar(served, body));
}

/**
 * True: bad. False: good. Null: no trial. `endedWell` is null where it is not known. A request whose client left is a trial of `slow` alone,
 * if the time was over by then: otherwise a variant that never answers would not be judged at all, since all its visitors give up.
 */
export function judgeBy(
  { metric, slow }: Watched,
  served: Served,
  body: BodyReport,
  endedWell: boolean | null,
): boolean | null {
  if (metric !== 'slow' && hasLeft(served, body)) return null;
  switch (metric) {
    case 'errors':
      return isError(served, body);
    case 'rejected':
      return isRejected(served.status);
    case 'slow':
      return slow ? isSlow(slow, served, body) : null;
    case 'truncated':
      // Where the client left, nobody knows how the stream would have ended.
      return endedWell === null || body.end === 'refused' ? null : !endedWell || body.end !== 'complete';
    default:
      return null;
  }
}

/**
 * Whether a request is an error of its variant, by the same rule in both arms: it failed, or has a status that failover replaces,
 * whether or not that was done (when a shared quota runs out, it is out for both).
 */
export function isError(served: Served, body: BodyReport): boolean {
  const { failover, repeatable } = served.route;
  const statuses = failover === false || !repeatable.includes(served.method) ? [] : failover.statuses;
  return hasFailed(served, body) || statuses.includes(served.status!);
}

/** Whether a request is an error by its headers alone, whatever its body did. */
function isErrorSoFar(served: Served, body: BodyReport): boolean {
  return isError(served, { ...body, end: 'complete' });
}

/** Whether a status is a 4xx other than 429, which means a quota and not a wrong key or model name. */
export function isRejected(status: number | null): boolean {
  return status !== null && status >= 400 && status < 500 && status !== 429;
}

/**
 * Whether an answer took longer than `sloMs`. One that never came, broke off, failed or did not reach the visitor can be too slow but
 * never fast enough: if it was not too slow it is no trial. For failures that is so in both arms, since failover hides them in one.
 */
function isSlow({ sloMs, of }: NonNullable<Watched['slow']>, served: Served, body: BodyReport): boolean | null {
  const { status, headersAtMs, startedAtMs, isLost } = served;
  const { firstByteAtMs, endedAtMs, end } = body;
  // Null where the end of the body is what is waited for, or where no byte came.
  const cameAtMs = of === 'headers' ? headersAtMs : of === 'firstByte' ? firstByteAtMs : null;
  const isFailed = isLost || isErrorSoFar(served, body);
  const hasCome = status !== null && !isFailed && (cameAtMs !== null || end === 'complete');
  // A failure is waited for until its headers only: that is when failover takes over.
  const ms = Math.max(cameAtMs ?? (isFailed ? 0 : endedAtMs), headersAtMs) - startedAtMs;
  return ms > sloMs ? true : hasCome ? false : null;
}
