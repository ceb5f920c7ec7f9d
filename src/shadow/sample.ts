/** Owns what is kept of a pair that did not match, where the config allows samples: bounded and redacted excerpts. */

import type { Served } from '../forward/served.ts';
import type { Comparison } from './compare/compare.ts';
import { redactPair, redactRequest } from './compare/redact.ts';
import type { Sides } from './observation.ts';
import type { MirrorPlan } from './plan.ts';
import type { Sample } from './tally.ts';

/** The sample of a pair that differs; null for others, and where the config allows none. */
export async function sampleOf(
  served: Served,
  plan: MirrorPlan,
  result: Comparison,
  sides: Sides,
  requestBody: Uint8Array,
): Promise<Sample | null> {
  if (!plan.shadow.samples || result.class === 'match' || result.class === 'skipped') return null;
  const rules = plan.shadow.compare;
  const { live, candidate } = await redactPair(sides.live, sides.candidate, rules);
  return {
    at: new Date(served.startedAtMs).toISOString(),
    requestId: served.requestId,
    role: plan.role,
    class: result.class,
    reason: result.reason,
    method: served.method,
    path: served.url.pathname,
    liveStatus: sides.live.status,
    candidateStatus: sides.candidate.status,
    fields: result.fields.slice(0, 20),
    similarity: result.similarity,
    request: redactRequest(requestBody, rules),
    live,
    candidate,
  };
}
