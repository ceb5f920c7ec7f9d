/**
 * Owns the mirroring of one served request, in `waitUntil` (design section 7): a copy to the variant that did not serve it, sometimes a
 * repeat to the baseline, and what follows from them: observations, comparison, record, tally. Nothing here can delay, fail or change
 * what the visitor gets. Every sampled request is counted exactly once, whatever fails.
 */

import type { Config, Route } from '../config/types.ts';
import type { Env } from '../env.ts';
import type { Leaver } from '../forward/patience.ts';
import type { Role } from '../forward/request-headers.ts';
import { isFailStatus, type Served } from '../forward/served.ts';
import { spliceJson } from '../forward/splice.ts';
import { sleep } from '../limit.ts';
import { flushingOf } from '../live/count.ts';
import type { Flusher } from '../live/flush.ts';
import type { BudgetSkip, CopySlot, MirrorBudget } from './budget.ts';
import {
  type AnswerFacts,
  type Comparison,
  type ComparisonRole,
  compareReplies,
  comparison,
} from './compare/compare.ts';
import { bearsCredentials, bringsKey, headersOfCopy } from './credentials.ts';
import { AFTER_LIVE_MS, LATE_MS } from './limits.ts';
import { noReply, type Observation, type Sides } from './observation.ts';
import { type CopyQuestion, observeCopy, observeLive } from './observe.ts';
import type { MirrorPlan } from './plan.ts';
import { recordPair } from './record.ts';
import { sampleOf } from './sample.ts';
import { scorePair } from './score.ts';
import { isRefusal, type PairTally } from './tally.ts';

/** What mirroring works with. */
interface Mirroring {
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
    // Frees the memory now: a slow answer would go on filling its copy.
    served.captured?.drop();
    count(served, plan, work, comparison('skipped', reason));
  };
  const why = whyNoPair(served, plan);
  if (why !== null) return skip(why);
  let slot: CopySlot | BudgetSkip | undefined;
  try {
    const sent = copies(served, plan, work.env, await served.upload.copy());
    if (typeof sent === 'string') return skip(sent);
    // Only now: a request of which no copy can be sent must not spend any budget.
    slot = work.budget.take(key, plan.shadow.budget, Date.now());
    if (typeof slot === 'string') return skip(slot);
    await pair(served, plan, work, key, sent);
  } catch (cause) {
    console.error('mirror', cause);
    count(served, plan, work, comparison('error', 'mirror'));
  } finally {
    if (typeof slot === 'object') work.budget.done(slot);
  }
}

/** Why the request cannot make a pair, as far as that is known before anything is sent; else null. */
function whyNoPair(served: Served, plan: MirrorPlan): string | null {
  // The candidate was asked already, and failed: a copy would tell nothing new.
  if (served.reason === 'failover') return 'failover';
  if (served.errorCode === 'client_left' || served.errorCode === 'client_stalled') return 'client-left';
  if (served.status !== null && (served.status < 200 || served.status > 599)) return 'not-kept';
  return plan.role === 'candidate' && served.status === null ? 'baseline-failed' : null;
}

/** Sends the copies, compares what comes back, and counts it. */
async function pair(served: Served, plan: MirrorPlan, work: Mirroring, key: string, sent: Copies): Promise<void> {
  const { body } = sent;
  const deadline = deadlineOf(served);
  const ask = (question: CopyQuestion) => observeCopy({ ...question, client: deadline });
  const isDirect = plan.role === 'candidate';
  // A repeat comes as long after the mirrored baseline as that came after the candidate: what tells the time differs as often then. But
  // sooner where the answer would come too late, if the baseline takes as long as the candidate did.
  const tookMs = served.headersAtMs - served.askedAtMs;
  const leftMs = Math.min(served.route.timeoutMs, AFTER_LIVE_MS) - tookMs;
  const lagMs = isDirect ? 0 : Math.min(tookMs, leftMs / 2);
  const [live, copy, again] = await Promise.all([
    observeLive(served),
    ask(sent.copy),
    sent.again && sleep(lagMs).then(() => ask(sent.again!)),
  ]);
  deadline.stop();
  if (copy.status === 429 || again?.status === 429) work.budget.rateLimited(key, Date.now());
  const sides = isDirect ? { live, candidate: copy } : { live: copy, candidate: live };
  const result = judge(served, sides, plan, plan.role, body, work);
  spent(served, plan, work, isDirect ? result.candidate : result.live, { body, copy });
  const isLocked =
    sent.isBlind || (result.class === 'status-mismatch' && isLockedOut(served, plan, { live, copy, again }));
  count(served, plan, work, result, sides, isLocked);
  // The pair is counted now, and must not be counted again whatever becomes of what follows.
  const more = [
    sampleOf(served, plan, result, sides, body).then((sample) => sample && tallyOf(served, plan, work).sample(sample)),
    isLocked ||
      scorePair(served, plan, result, sides, body, work.env).then(
        (scores) => scores && tallyOf(served, plan, work).score(scores),
      ),
    again &&
      repeat(served, plan, work, {
        live: sides.live,
        again,
        body,
        // Not beside a pair that was locked out. Nor beside one that was skipped, if the skip concerns the baseline's answer, which the
        // repeat is compared with: a mirrored baseline (counterfactual), or a `not-modified`, which a repeat that is alike does not show.
        counts: !isLocked && (result.class !== 'skipped' || (isDirect && result.reason !== 'not-modified')),
      }),
  ];
  for (const done of await Promise.allSettled(more))
    if (done.status === 'rejected') console.error('mirror', done.reason);
}

/**
 * Why the request's body is missing: it was too large, or it was not kept (the client broke it off, it could be sent only once, or no origin
 * was asked).
 */
function whyNoBody(served: Served, plan: MirrorPlan): 'too-large' | 'not-kept' {
  const declared = served.sent.get('content-length');
  const isLarge = Number(declared) > plan.shadow.maxBodyBytes || (declared === null && served.errorCode === '');
  return isLarge ? 'too-large' : 'not-kept';
}

/**
 * Why a pair that differs says nothing about the versions, or null: the mirrored baseline failed or could not be reached, a quota, a
 * cached copy that only one of them knows, or a baseline that refuses a repeat for want of credentials. A repeat that is answered with a
 * failure status is compared like a candidate's copy: that much the baseline differs from itself.
 */
function whyUnrelated(route: Route, role: ComparisonRole, { live, candidate }: Sides): string | null {
  const copy = role === 'counterfactual' ? live : candidate;
  if (role === 'counterfactual' && isFailStatus(route, live.status)) return 'baseline-failed';
  if (role === 'repeat' && ['timeout', 'unreachable', 'cut'].includes(copy.end)) return 'baseline-failed';
  if (live.status === candidate.status) return null;
  if (copy.status === 429 || candidate.status === 429) return 'rate-limited';
  if (role === 'repeat' && isRefusal(copy.status)) return 'unauthorised';
  return live.status === 304 || candidate.status === 304 ? 'not-modified' : null;
}

/** Whether credentials of the visitor's would have reached the variant, and a copy comes without them. */
function lacksKey({ route, cleanedHeaders }: Served, { shadow }: MirrorPlan, name: string): boolean {
  return !shadow.forwardCredentials && bearsCredentials(cleanedHeaders, route.variants[name]!);
}

/**
 * Whether a copy was refused because it does not carry the visitor's key. Then the difference says nothing about the versions. A repeat
 * can settle it: if it is refused too, it lacks the same key; if it is answered like the live request, no key was needed.
 */
function isLockedOut(
  served: Served,
  plan: MirrorPlan,
  { live, copy, again }: { live: Observation; copy: Observation; again: Observation | null },
): boolean {
  if (!isRefusal(copy.status) || !lacksKey(served, plan, plan.target)) return false;
  const [asked, trusted] = [served.route.variants[plan.target]!, served.route.variants[plan.baseline]!];
  if (again !== null && isRefusal(again.status)) return true;
  if (again?.status === live.status && !bringsKey(trusted, asked)) return false;
  return !bringsKey(asked, trusted);
}

/** Whether a pair may count against the candidate. Not if the baseline failed and the candidate did not: no guardrail may lead back to it. */
function isTrial(route: Route, { class: name }: Comparison, live: Observation): boolean {
  return name !== 'status-mismatch' || !(live.status === 429 || isFailStatus(route, live.status));
}

/** Compares the live answer with the repeat's, which tells how much the baseline differs from itself. */
async function repeat(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  seen: { live: Observation; again: Observation; body: Uint8Array; counts: boolean },
): Promise<void> {
  const sides = { live: seen.live, candidate: seen.again };
  const result = judge(served, sides, plan, 'repeat', seen.body, work);
  spent(served, plan, work, result.candidate, { body: seen.body, copy: seen.again });
  if (!seen.counts) return;
  tallyOf(served, plan, work).repeat(result, { isTrial: isTrial(served.route, result, sides.live) });
  recordPair(served, { plan, role: 'repeat', result, sides }, work);
}

/** The comparison of two answers; skipped where the pair says nothing about the versions. */
function judge(
  served: Served,
  sides: Sides,
  plan: MirrorPlan,
  role: ComparisonRole,
  requestBody: Uint8Array,
  work: Mirroring,
): Comparison {
  const apart = whyUnrelated(served.route, role, sides);
  if (apart !== null) return comparison('skipped', apart);
  return compareReplies(sides.live, sides.candidate, {
    options: plan.shadow.compare,
    role,
    requestBody,
    prices: work.prices,
  });
}

/** Of a request of which nothing was compared. */
const noSides: Sides = { live: noReply('unreachable'), candidate: noReply('unreachable') };

/** Counts and records the one result of a sampled request. */
function count(
  served: Served,
  plan: MirrorPlan,
  work: Mirroring,
  result: Comparison,
  sides = noSides,
  isLocked = false,
): void {
  const tally = tallyOf(served, plan, work);
  const { live, candidate } = sides;
  const isDirect = plan.role === 'candidate';
  tally.pair(result, live, candidate, { isDirect, isTrial: !isLocked && isTrial(served.route, result, live) });
  recordPair(served, { plan, role: plan.role, result, sides }, work);
}

/** The isolate's present tally of pairs. Never hold on to it: a flush takes it away. */
function tallyOf(served: Served, plan: MirrorPlan, work: Mirroring): PairTally {
  const rollout = served.inForce.rollout ?? '';
  const about = { ...flushingOf(served), candidate: plan.shadow.variant, rollout };
  if (Date.now() - served.headersAtMs > LATE_MS) about.isBusy = true;
  return work.flusher.pairs(about, work.env, work.ctx);
}

/**
 * Charges a copy's tokens to the candidate's budget, whichever variant got the copy. The visitor's own request is never charged. A good
 * answer whose tokens cannot be read (an unknown API, or too large) is charged a token for four bytes, where tokens are bounded.
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

/** What is sent: the questions to origins, and the request's body. */
interface Copies {
  copy: CopyQuestion;
  again: CopyQuestion | null;
  body: Uint8Array;
  /**
   * The candidate served and saw who asks, as the baseline would have, and copies do not tell it. A repeat would be like the copy, so nothing
   * tells what is the versions' doing.
   */
  isBlind: boolean;
}

/** What to send, or why nothing: the body is missing or too large, or the target's JSON members cannot be set in it. */
function copies(served: Served, plan: MirrorPlan, env: Env, body: Uint8Array | null): Copies | string {
  if (body === null || body.byteLength > plan.shadow.maxBodyBytes) return whyNoBody(served, plan);
  const headers = headersOfCopy(served.cleanedHeaders, plan.shadow.forwardCredentials);
  const isBlind =
    plan.role === 'counterfactual' &&
    [plan.baseline, plan.shadow.variant].every((name) => lacksKey(served, plan, name));
  const ask = (name: string, role: Role): CopyQuestion | null => {
    const variant = served.route.variants[name]!;
    const sent = variant.json !== undefined && served.upload.isPresent ? spliceJson(body, variant.json) : null;
    if (sent !== null && (!sent.ok || served.upload.isEncoded)) return null;
    const sending = { body: sent?.ok ? sent.value : served.upload.isPresent ? body : null };
    const { request, method, url, route } = served;
    return { request, method, client: null, url, headers, route, variant, role, send: () => sending, env };
  };
  const copy = ask(plan.target, 'shadow');
  if (copy === null) return 'json-unfit';
  return { body, copy, again: plan.isRepeated && !isBlind ? ask(plan.baseline, 'repeat') : null, isBlind };
}

/** A signal that aborts when a copy's reply is too late: `timeoutMs` from now, or `AFTER_LIVE_MS` after the live answer ended. */
function deadlineOf({ route, body }: Served): Leaver & { stop(): void } {
  const controller = new AbortController();
  const timers: ReturnType<typeof setTimeout>[] = [];
  const lateIn = (ms: number) => {
    timers.push(setTimeout(() => controller.abort(), ms));
  };
  lateIn(route.timeoutMs);
  const ended = () => lateIn(AFTER_LIVE_MS);
  Promise.resolve(body).then(ended, ended);
  // The live answer has ended by then, so no timer comes after it.
  const stop = () => {
    for (const timer of timers) clearTimeout(timer);
  };
  return { signal: controller.signal, stop };
}
