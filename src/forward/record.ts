/** Owns the request's row: what the request plane says of a served request, in the words of the records. */

import type { Env } from '../env.ts';
import type { RequestRow } from '../records/rows.ts';
import { recordRow } from '../records/write.ts';
import { cfOf } from './incoming.ts';
import type { BodyReport } from './pump.ts';
import { hasFailed, type Served } from './served.ts';

/** Records a served request when its body has ended; `recordPercent` of the route's requests are. */
export function recordServed(served: Served, env: Env, ctx: ExecutionContext): void {
  const { recordPercent } = served.route;
  if (recordPercent < 100 && Math.random() * 100 >= recordPercent) return;
  const { body } = served;
  if (body instanceof Promise)
    ctx.waitUntil(body.then((report) => recordRow(env, ctx, 'requests', rowOf(served, report))));
  else recordRow(env, ctx, 'requests', rowOf(served, body));
}

function rowOf(served: Served, body: BodyReport): RequestRow {
  const { method, inForce, startedAtMs, headersAtMs } = served;
  const status = served.status ?? served.ownStatus;
  const row: RequestRow = {
    route: served.route.name,
    variant: served.variant,
    reason: served.reason,
    method,
    path: served.url.pathname,
    errorCode: served.errorCode || brokenCode(body),
    rollout: inForce.rollout ?? '',
    revision: String(inForce.revision),
    configHash: served.configHash,
    colo: cfOf(served)?.colo ?? '',
    requestId: served.requestId,
    headersMs: headersAtMs - startedAtMs,
    totalMs: Math.max(body.endedAtMs, headersAtMs) - startedAtMs,
    bytes: body.bytes,
    failed: hasFailed(served, body) ? 1 : 0,
  };
  if (status !== null) row.status = status;
  return row;
}

/** What a body's end adds to a status that looked well. */
function brokenCode(body: BodyReport): string {
  return body.end === 'cut' ? 'origin_cut' : body.end === 'stalled' ? 'stalled' : '';
}
