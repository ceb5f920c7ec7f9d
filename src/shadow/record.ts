/** Owns the row of a comparison: what mirroring found, in the words of the records. Bodies and header values never go in. */

import type { Served } from '../forward/served.ts';
import type { ComparisonRow } from '../records/rows.ts';
import { recordRow } from '../records/write.ts';
import type { Comparison, ComparisonRole } from './compare/compare.ts';
import type { Mirroring, Sides } from './mirror.ts';
import type { Observation } from './observation.ts';
import type { MirrorPlan } from './plan.ts';

export interface Judged {
  plan: MirrorPlan;
  role: ComparisonRole;
  result: Comparison;
  sides: Sides | null;
}

export function recordPair(served: Served, judged: Judged, work: Pick<Mirroring, 'env' | 'ctx'>): void {
  recordRow(work.env, work.ctx, 'comparisons', rowOf(served, judged));
}

function rowOf(served: Served, { plan, role, result, sides }: Judged): ComparisonRow {
  const row: ComparisonRow = {
    route: served.route.name,
    baseline: plan.baseline,
    candidate: plan.shadow.variant,
    role,
    class: result.class,
    reason: result.reason,
    method: served.method,
    path: served.url.pathname,
    bodyKind: result.bodyKind,
    dialect: result.dialect,
    firstDiff: result.firstDiff,
    diffs: result.diffs,
    rollout: served.inForce.rollout ?? '',
    revision: String(served.inForce.revision),
    configHash: served.configHash,
    colo: served.cf?.colo ?? '',
    requestId: served.requestId,
    liveFinish: result.live.finish,
    candidateFinish: result.candidate.finish,
    diffCount: result.diffCount,
    ignoredCount: result.ignoredCount,
    similarity: result.similarity,
    liveTokensIn: result.live.tokensIn,
    liveTokensOut: result.live.tokensOut,
    candidateTokensIn: result.candidate.tokensIn,
    candidateTokensOut: result.candidate.tokensOut,
    liveCost: result.live.cost,
    candidateCost: result.candidate.cost,
  };
  if (sides === null) return row;
  return { ...row, ...numbers('live', sides.live), ...numbers('candidate', sides.candidate) };
}

/** Zero is no status: a reply that never came has none. */
function numbers(side: 'live' | 'candidate', seen: Observation): Partial<ComparisonRow> {
  return {
    [`${side}Status`]: seen.status === 0 ? undefined : seen.status,
    [`${side}HeadersMs`]: seen.headersMs,
    [`${side}FirstByteMs`]: seen.firstByteMs,
    [`${side}TotalMs`]: seen.totalMs,
    [`${side}Bytes`]: seen.status === 0 ? undefined : seen.bytes,
  };
}
