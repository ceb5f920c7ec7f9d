/** Owns the row of a comparison: what mirroring found, in the words of the records. Bodies and header values never go in. */

import type { Env } from '../env.ts';
import { cfOf } from '../forward/incoming.ts';
import type { Served } from '../forward/served.ts';
import type { ComparisonRow } from '../records/rows.ts';
import { recordRow } from '../records/write.ts';
import type { AnswerFacts, Comparison, ComparisonRole } from './compare/compare.ts';
import type { Observation, Sides } from './observation.ts';
import type { MirrorPlan } from './plan.ts';
import { isCompared, type Side } from './tally.ts';

/** What a row is made of. */
interface Judged {
  plan: MirrorPlan;
  role: ComparisonRole;
  result: Comparison;
  sides: Sides;
}

/** Records the result of one sampled request, or of its repeat. */
export function recordPair(served: Served, judged: Judged, work: { env: Env; ctx: ExecutionContext }): void {
  recordRow(work.env, work.ctx, 'comparisons', rowOf(served, judged));
}

function rowOf(served: Served, { plan, role, result, sides }: Judged): ComparisonRow {
  const { bodyKind, dialect, firstDiff, diffs, diffCount, ignoredCount, similarity } = result;
  return {
    route: served.route.name,
    baseline: plan.baseline,
    candidate: plan.shadow.variant,
    role,
    class: result.class,
    reason: result.reason,
    method: served.method,
    path: served.url.pathname,
    bodyKind,
    dialect,
    firstDiff,
    diffs,
    rollout: served.inForce.rollout ?? '',
    revision: String(served.inForce.revision),
    configHash: served.configHash,
    colo: cfOf(served)?.colo ?? '',
    requestId: served.requestId,
    ...(isCompared(result) && { diffCount, ignoredCount }),
    similarity,
    ...answer('live', result.live, sides.live),
    ...answer('candidate', result.candidate, sides.candidate),
  };
}

/** Zero is no status: a reply that never came has none. */
function answer(side: Side, facts: AnswerFacts, seen: Observation): Partial<ComparisonRow> {
  return {
    [`${side}Finish`]: facts.finish,
    [`${side}TokensIn`]: facts.tokensIn,
    [`${side}TokensOut`]: facts.tokensOut,
    [`${side}Cost`]: facts.cost,
    [`${side}Status`]: seen.status || undefined,
    [`${side}HeadersMs`]: seen.headersMs,
    [`${side}FirstByteMs`]: seen.firstByteMs,
    [`${side}TotalMs`]: seen.totalMs,
    [`${side}Bytes`]: seen.status ? seen.bytes : undefined,
  };
}
