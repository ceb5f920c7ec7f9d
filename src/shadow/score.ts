/**
 * Owns the asking of a scorer: a service or URL that gets a request and both answers and says how good each is (design
 * section 7). Its failures are counted nowhere but in the log, and cost nobody anything.
 */

import { serviceBinding } from '../env.ts';
import type { Served } from '../forward/served.ts';
import type { Comparison } from './compare/compare.ts';
import { type Mirroring, type Sides, tallyOf } from './mirror.ts';
import type { MirrorPlan } from './plan.ts';

const TIMEOUT_MS = 5_000;

/** Asks for the scores of a compared pair, for the scorer's percent of them, and counts them. Never rejects. */
export async function scorePair(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  pair: Sides & { request: Uint8Array },
  result: Comparison,
): Promise<void> {
  const { scorer } = plan.shadow;
  if (scorer === undefined || !['match', 'body-mismatch', 'status-mismatch'].includes(result.class)) return;
  if (Math.random() * 100 >= scorer.percent) return;
  const text = new TextDecoder();
  const question = {
    route: served.route.name,
    baseline: plan.baseline,
    candidate: plan.shadow.variant,
    request: { method: served.request.method, path: served.url.pathname, body: text.decode(pair.request) },
    answers: {
      live: { status: pair.live.status, body: text.decode(pair.live.body) },
      candidate: { status: pair.candidate.status, body: text.decode(pair.candidate.body) },
    },
  };
  const { origin } = scorer;
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  try {
    const fetcher = origin.kind === 'service' ? serviceBinding(work.env, origin.service) : undefined;
    if (origin.kind === 'service' && fetcher === undefined) throw new Error(`no service binding ${origin.service}`);
    const response = await (origin.kind === 'url'
      ? fetch(origin.url, init)
      : fetcher!.fetch('https://scorer.invalid/', init));
    const scores = (await response.json()) as { live?: unknown; candidate?: unknown };
    if (!response.ok || !isScore(scores.live) || !isScore(scores.candidate)) {
      throw new Error(`status ${response.status}, and no two numbers "live" and "candidate"`);
    }
    tallyOf(served, plan, work).score(scores.live, scores.candidate);
  } catch (cause) {
    console.warn(`scorer of ${served.route.name}: ${cause}`);
  }
}

function isScore(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
