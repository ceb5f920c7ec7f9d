/**
 * Owns the mirroring of one served request, in `waitUntil` (design section 7): copies to the candidate (or the baseline) and
 * sometimes once more to the baseline, observations, comparison, record, tally. Nothing here can delay, fail or change what
 * the visitor gets. Every sampled request is counted once, whatever fails.
 */

import type { Config, Route } from '../config/types.ts';
import type { Env } from '../env.ts';
import type { Question } from '../forward/origin.ts';
import type { Leaver } from '../forward/patience.ts';
import type { Role } from '../forward/request-headers.ts';
import { isFailStatus, type Served } from '../forward/served.ts';
import { spliceJson } from '../forward/splice.ts';
import { flushingOf } from '../live/count.ts';
import type { Flusher } from '../live/flush.ts';
import type { BudgetSkip, MirrorBudget, Place } from './budget.ts';
import {
  type AnswerFacts,
  type Comparison,
  type ComparisonRole,
  compareReplies,
  comparison,
} from './compare/compare.ts';
import { bringsKey, headersOfCopy, isKeyed } from './credentials.ts';
import { AFTER_LIVE_MS, CAPTURE_BYTES, LATE_MS } from './limits.ts';
import { noReply, type Observation } from './observation.ts';
import { observeCopy, observeLive } from './observe.ts';
import type { MirrorPlan } from './plan.ts';
import { recordPair } from './record.ts';
import { sampleOf } from './sample.ts';
import { scorePair } from './score.ts';
import { isRefusal, type PairTally } from './tally.ts';

/** What mirroring works with. */
export interface Mirroring {
  env: Env;
  ctx: ExecutionContext;
  budget: MirrorBudget;
  flusher: Flusher;
  prices: Config['prices'];
}

/** Mirrors a served request by its plan. Never rejects. */
export async function mirror(served: Served, plan: MirrorPlan, work: Mirroring): Promise<void> {
  const key = `${served.route.name}/${plan.shadow.variant}`;
  const skip = (reason: string) => {
    // A slow answer would hold its copy for as long as it lasts.
    served.captured?.drop();
    count(served, plan, work, comparison('skipped', reason), null);
  };
  const why = impossible(served, plan);
  if (why !== null) return skip(why);
  let place: Place | BudgetSkip | undefined;
  try {
    const sent = copies(served, plan, work.env, await served.upload.copy());
    if (typeof sent === 'string') return skip(sent);
    // Now, since a request of which no copy is sent spends nothing.
    place = work.budget.take(key, plan.shadow.budget, Date.now());
    if (typeof place === 'string') return skip(place);
    await pair(served, plan, work, key, sent);
  } catch (cause) {
    console.error('mirror', cause);
    count(served, plan, work, comparison('error', 'mirror'), null);
  } finally {
    if (typeof place === 'object') work.budget.done(place);
  }
}

/** Why no pair can come of the request, as far as that is known before anything is sent. */
function impossible(served: Served, plan: MirrorPlan): string | null {
  // The candidate was asked already and failed; what it would say to a second copy is no news.
  if (served.reason === 'failover') return 'failover';
  if (served.errorCode === 'client_left' || served.errorCode === 'client_stalled') return 'client-left';
  if (served.status !== null && (served.status < 200 || served.status > 599)) return 'not-kept';
  return plan.role === 'candidate' && served.status === null ? 'baseline-failed' : null;
}

async function pair(served: Served, plan: MirrorPlan, work: Mirroring, key: string, sent: Copies): Promise<void> {
  const { body } = sent;
  const deadline = deadlineOf(served);
  const { measures } = served.route;
  const ask = (question: Question) => observeCopy({ ...question, client: deadline }, CAPTURE_BYTES, measures);
  const [live, copy, again] = await Promise.all([
    observeLive(served, CAPTURE_BYTES),
    ask(sent.copy),
    sent.again === null ? null : ask(sent.again),
  ]);
  deadline.stop();
  if (copy.status === 429 || again?.status === 429) work.budget.rateLimited(key, Date.now());
  const isDirect = plan.role === 'candidate';
  const sides = isDirect ? { live, candidate: copy } : { live: copy, candidate: live };
  const result = judge(served, sides, plan, plan.role, body, work);
  spent(served, plan, work, isDirect ? result.candidate : result.live, { body, copy });
  const isLocked = result.class === 'status-mismatch' && isLockedOut(served, plan, { live, copy, again });
  count(served, plan, work, result, sides, isLocked);
  // The pair is counted now, and must not be counted again whatever becomes of what follows.
  const more = [
    keep(served, plan, work, result, sides, body),
    scorePair(served, plan, work, { ...sides, request: body }, result),
    // A mirrored baseline that says nothing of the versions is none to hold a repeat against.
    again &&
      repeat(served, plan, work, {
        ...{ live: sides.live, again, body },
        // Nor is one that was not compared for a reason which the repeat, alike in all, does not know.
        isNews: !isLocked && (result.class !== 'skipped' || (isDirect && result.reason !== 'not-modified')),
      }),
  ];
  for (const done of await Promise.allSettled(more))
    if (done.status === 'rejected') console.error('mirror', done.reason);
}

/** A body of a good length is not there where the client broke it off, or where only the live request could bear it, or had nobody to be sent to. */
function whyNoBody(served: Served, plan: MirrorPlan): 'too-large' | 'not-kept' {
  const declared = served.sent.get('content-length');
  const isLarge = Number(declared) > plan.shadow.maxBodyBytes || (declared === null && served.errorCode === '');
  return isLarge ? 'too-large' : 'not-kept';
}

/**
 * Why a pair says nothing of the versions although it differs: the mirrored baseline failed, a quota, a cached copy that
 * only one of them knows, or a baseline that does not know a repeat's sender. A repeat with a status of failure is a pair all the same, as a candidate's is: that much is noise.
 */
function apartFromVersions(route: Route, role: ComparisonRole, { live, candidate }: Sides): string | null {
  const copy = role === 'counterfactual' ? live : candidate;
  if (role === 'counterfactual' && isFailStatus(route, live.status)) return 'baseline-failed';
  if (role === 'repeat' && ['timeout', 'unreachable', 'cut'].includes(copy.end)) return 'baseline-failed';
  if (live.status === candidate.status) return null;
  if (copy.status === 429 || candidate.status === 429) return 'rate-limited';
  if (role === 'repeat' && isRefusal(copy.status)) return 'unauthorised';
  return live.status === 304 || candidate.status === 304 ? 'not-modified' : null;
}

/**
 * Whether a copy was refused for want of the visitor's key, which it is not given: that the answers differ says nothing of the
 * versions, however large a part of the traffic bears keys. A repeat may know: one that is refused as well lacks the same key, and one
 * that is answered like the live request wanted none.
 */
function isLockedOut(
  { route, cleanedHeaders }: Served,
  { shadow, target, baseline }: MirrorPlan,
  { live, copy, again }: { live: Observation; copy: Observation; again: Observation | null },
): boolean {
  const [asked, trusted] = [route.variants[target]!, route.variants[baseline]!];
  if (shadow.forwardCredentials || !isRefusal(copy.status) || !isKeyed(cleanedHeaders, asked)) return false;
  if (again !== null && isRefusal(again.status)) return true;
  if (again?.status === live.status && !bringsKey(trusted, asked)) return false;
  return !bringsKey(asked, trusted);
}

/** A baseline that fails where the other side does not is no evidence against that side: a guardrail must not lead back to it. */
function isTrial(route: Route, { class: name }: Comparison, live: Observation): boolean {
  return name !== 'status-mismatch' || !(live.status === 429 || isFailStatus(route, live.status));
}

async function repeat(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  seen: { live: Observation; again: Observation; body: Uint8Array; isNews: boolean },
): Promise<void> {
  const sides = { live: seen.live, candidate: seen.again };
  const result = judge(served, sides, plan, 'repeat', seen.body, work);
  spent(served, plan, work, result.candidate, { body: seen.body, copy: seen.again });
  if (!seen.isNews) return;
  tallyOf(served, plan, work).repeat(result, { isTrial: isTrial(served.route, result, sides.live) });
  recordPair(served, { plan, role: 'repeat', result, sides }, work);
}

function judge(
  served: Served,
  sides: Sides,
  plan: MirrorPlan,
  role: ComparisonRole,
  requestBody: Uint8Array,
  work: Mirroring,
): Comparison {
  const apart = apartFromVersions(served.route, role, sides);
  if (apart !== null) return comparison('skipped', apart);
  return compareReplies(sides.live, sides.candidate, {
    options: plan.shadow.compare,
    role,
    requestBody,
    prices: work.prices,
  });
}

export interface Sides {
  live: Observation;
  candidate: Observation;
}

/** Counts and records the one result of a sampled request. */
function count(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  result: Comparison,
  sides: Sides | null,
  isLocked = false,
): void {
  const tally = tallyOf(served, plan, work);
  const { live, candidate } = sides ?? { live: noReply('unreachable'), candidate: noReply('unreachable') };
  const copied = plan.role === 'candidate' ? 'candidate' : 'live';
  tally.pair(result, live, candidate, { copied, isTrial: !isLocked && isTrial(served.route, result, live) });
  recordPair(served, { plan, role: plan.role, result, sides }, work);
}

async function keep(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  result: Comparison,
  sides: Sides,
  body: Uint8Array,
): Promise<void> {
  if (!plan.shadow.samples || result.class === 'match' || result.class === 'skipped') return;
  const sample = await sampleOf(served, plan, result, sides, body);
  tallyOf(served, plan, work).sample(sample);
}

/** Always asked anew: a flush may have taken the last one away meanwhile. */
export function tallyOf(served: Served, plan: MirrorPlan, work: Mirroring): PairTally {
  const rollout = served.inForce.rollout ?? '';
  const about = { ...flushingOf(served), candidate: plan.shadow.variant, rollout };
  if (Date.now() - served.headersAtMs > LATE_MS) about.isBusy = true;
  return work.flusher.pairs(about, work.env, work.ctx);
}

/**
 * What copies cost, whoever got them, is spent on behalf of the candidate. The visitor's own tokens are no budget's. Of a good answer that
 * nobody can read (of an unknown API, or too large), four bytes are a token where tokens are bounded.
 */
function spent(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  { tokensIn, tokensOut = 0 }: AnswerFacts,
  { body, copy }: { body: Uint8Array; copy: Observation },
): void {
  const isUnread = tokensIn === undefined && copy.status >= 200 && copy.status < 300 && plan.shadow.budget.tokensPerDay;
  const tokens = isUnread ? Math.ceil((body.byteLength + copy.bytes) / 4) : (tokensIn ?? 0) + tokensOut;
  work.budget.spent(`${served.route.name}/${plan.shadow.variant}`, tokens, Date.now());
  tallyOf(served, plan, work).spent(tokens);
}

/** What is sent: the questions to ask, and the request's body. */
interface Copies {
  copy: Question;
  again: Question | null;
  body: Uint8Array;
}

/** What to send, or why nothing: no body, too much of it, or one that cannot bear the members that the target sets. */
function copies(served: Served, plan: MirrorPlan, env: Env, body: Uint8Array | null): Copies | string {
  if (body === null || body.byteLength > plan.shadow.maxBodyBytes) return whyNoBody(served, plan);
  const headers = headersOfCopy(served.cleanedHeaders, plan.shadow.forwardCredentials);
  const ask = (name: string, role: Role): Question | null => {
    const variant = served.route.variants[name]!;
    const sent = variant.json !== undefined && served.upload.isPresent ? spliceJson(body, variant.json) : null;
    if (sent !== null && (!sent.ok || served.upload.isEncoded)) return null;
    const sending = { body: sent?.ok ? sent.value : served.upload.isPresent ? body : null };
    const { request, method, url, route } = served;
    return { request, method, client: null, url, headers, route, variant, role, send: () => sending, env };
  };
  const copy = ask(plan.target, 'shadow');
  if (copy === null) return 'json-unfit';
  return { body, copy, again: plan.isRepeated ? ask(plan.baseline, 'repeat') : null };
}

/** When a copy's reply is too late: `timeoutMs` from now, and never long after the live answer has ended. */
function deadlineOf({ route, body }: Served): Leaver & { stop(): void } {
  const controller = new AbortController();
  const timers: ReturnType<typeof setTimeout>[] = [];
  let isStopped = false;
  const lateIn = (ms: number) => {
    if (!isStopped) timers.push(setTimeout(() => controller.abort(), ms));
  };
  lateIn(route.timeoutMs);
  const ended = () => lateIn(AFTER_LIVE_MS);
  Promise.resolve(body).then(ended, ended);
  const stop = () => {
    isStopped = true;
    for (const timer of timers) clearTimeout(timer);
  };
  return { signal: controller.signal, stop };
}
