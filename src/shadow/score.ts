/**
 * Owns the question to a scorer: a service or URL that gets a request and both answers, and says how good each is (design section 7).
 * A scorer that fails is logged, and changes nothing else.
 */

import { ask } from '../ask.ts';
import { readText } from '../body-text.ts';
import { NO_BINDING } from '../config/check/variants.ts';
import type { Origin } from '../config/types.ts';
import type { Env } from '../env.ts';
import type { Served } from '../forward/served.ts';
import type { Comparison } from './compare/compare.ts';
import { parseJson } from './compare/json-text.ts';
import { MAX_MEASURED, MAX_SCORE_BYTES, SCORE_LIMIT_MS } from './limits.ts';
import type { Observation, Sides } from './observation.ts';
import type { MirrorPlan } from './plan.ts';
import { isCompared, type Scores } from './tally.ts';

/** Asks for the scores of a compared pair, for the scorer's percent of them; null for others, and where none came. Never rejects. */
export async function scorePair(
  served: Served,
  plan: MirrorPlan,
  result: Comparison,
  { live, candidate }: Sides,
  requestBody: Uint8Array,
  env: Env,
): Promise<Scores | null> {
  const { scorer } = plan.shadow;
  if (scorer === undefined || !isCompared(result) || Math.random() * 100 >= scorer.percent) return null;
  const text = new TextDecoder();
  const answer = ({ status, body }: Observation) => ({ status, body: text.decode(body) });
  const question = {
    route: served.route.name,
    baseline: plan.baseline,
    candidate: plan.shadow.variant,
    request: { method: served.method, path: served.url.pathname, body: text.decode(requestBody) },
    answers: { live: answer(live), candidate: answer(candidate) },
  };
  const scores = await askScorer(scorer.origin, JSON.stringify(question), env);
  if (typeof scores !== 'string') return scores;
  console.warn(`scorer of ${served.route.name}: ${scores}`);
  return null;
}

/**
 * The scores, or in our own words why there are none: what a scorer answers may quote the visitor, and so may the runtime's
 * message about it, so neither reaches a log. A redirect is not followed: it would take both answers to who knows whom.
 */
async function askScorer(origin: Origin, body: string, env: Env): Promise<Scores | string> {
  const signal = AbortSignal.timeout(SCORE_LIMIT_MS);
  const headers = { 'content-type': 'application/json' };
  try {
    const response = await ask(origin, '', env, { method: 'POST', headers, body, signal });
    if (response === undefined) return NO_BINDING;
    const text = await readText(response, MAX_SCORE_BYTES);
    if (!response.ok) return `it answered ${response.status}`;
    return (text === null ? null : scoresIn(text)) ?? 'its answer lacks the numbers "live" and "candidate"';
  } catch {
    return signal.aborted ? `it took more than ${SCORE_LIMIT_MS / 1000} s` : 'it gave no answer';
  }
}

function scoresIn(text: string): Scores | null {
  const { live, candidate } = (parseJson(text) ?? {}) as Scores;
  const isScore = (value: unknown) => typeof value === 'number' && Math.abs(value) <= MAX_MEASURED;
  return isScore(live) && isScore(candidate) ? { live, candidate } : null;
}
