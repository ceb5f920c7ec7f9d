/**
 * Owns `POST /_headgate/outcomes`: who may report, what is passed on to ledger and controller, and the answers. It is open to visitors'
 * pages and to backends, by its own rules (design section 10). It fails closed: a refused item counts nowhere, and is told why.
 */

import type { Context, MiddlewareHandler } from 'hono';
import { Hono } from 'hono/tiny';
import type { RouteState } from '../config/route-state.ts';
import type { Config } from '../config/types.ts';
import { controllerOf, ledgerOf } from '../env.ts';
import { type Caller, type Credit, creditOf } from '../experiment/credit.ts';
import { isBad, type OutcomeFault, type Reported, reportedOf } from '../experiment/outcomes.ts';
import { planOf } from '../experiment/plan.ts';
import type { OutcomeAnswer } from '../experiment/words.ts';
import { recordRow } from '../records/write.ts';
import { err, ok, type Result } from '../result.ts';
import type { OutcomeEvidence, Told } from '../rollout/outcomes.ts';
import { bearerToken, challenge, sameSecret } from './auth.ts';
import { noConfig } from './config.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { bindIt, type ProblemStatus, putSecret, readJson, refuse } from './input.ts';
import { MAX_BY_ADDRESS, MAX_BY_UNIT, MAX_OUTCOMES, MAX_OUTCOMES_BYTES, MAX_WRONG_TOKENS } from './limits.ts';
import { MinuteLimit } from './minute-limit.ts';

type C = Context<AdminEnv>;

/** What was counted, and for whom. */
interface Counted {
  route: string;
  metric: string;
  variant: string;
  counted: boolean;
}

interface Item {
  reported: Reported;
  credit: Credit;
  state: RouteState;
}

/** The call itself, and what browsers ask before it. Rates are limited by isolate. */
export function outcomesRoutes({ serving }: AdminDeps) {
  const limits = {
    unit: new MinuteLimit(MAX_BY_UNIT),
    address: new MinuteLimit(MAX_BY_ADDRESS),
    token: new MinuteLimit(MAX_WRONG_TOKENS),
  };
  return new Hono<AdminEnv>().use('/outcomes', listedOrigins(serving)).post('/outcomes', async (c) => {
    const config = await serving.config(c.env, c.executionCtx);
    if (!config) return noConfig(503);
    const body = await itemsOf(c.req.raw);
    if (!body.ok) return body.error;
    const address = addressOf(c);
    const fault = await tokenFault(c);
    const isGuessed = fault !== null && limits.token.waitSeconds(address, Date.now()) > 0;
    const refusal = isGuessed ? 'too_many_outcomes' : fault;
    const caller = callerOf(c, refusal);
    const { items, isList } = body.value;
    const resolved = await Promise.all(items.map((item) => resolve(item, config, caller)));
    // A wrong token counts as a guess only if an item needed one: with a receipt somebody may send a token that is for something else.
    const isRefused = resolved.some((one) => !one.ok && one.error === 'outcome_token_needed');
    if (isRefused && c.req.header('authorization') !== undefined) limits.token.count(address, Date.now());
    const answers = await count(c, resolved);
    const [first] = answers;
    if (!isList) return first!.ok ? c.json(first!.value, 200) : refused(first!.error);
    const results = answers.map((answer) => (answer.ok ? answer.value : wordsOf(answer.error)));
    return c.json({ counted: answers.filter((answer) => answer.ok).length, results }, 200);
  });

  async function resolve(
    item: unknown,
    config: Config,
    caller: Caller & { c: C },
  ): Promise<Result<Item, OutcomeFault>> {
    const reported = reportedOf(item, config);
    if (!reported.ok) return reported;
    const { c, nowMs } = caller;
    const state = await serving.state(c.env, c.executionCtx, reported.value.route);
    const credit = await creditOf(reported.value, state, caller);
    if (!credit.ok) return credit;
    const { source, unit, variant } = credit.value;
    if (!Object.hasOwn(state.route.variants, variant)) return err('unknown_unit');
    if (source === 'cookie') {
      const address = addressOf(c);
      const isFull = limits.unit.waitSeconds(unit, nowMs) > 0 || limits.address.waitSeconds(address, nowMs) > 0;
      if (isFull) return err('too_many_outcomes');
      limits.unit.count(unit, nowMs);
      if (address !== '') limits.address.count(address, nowMs);
    }
    return ok({ reported: reported.value, credit: credit.value, state });
  }
}

/** Counts what was resolved, by route; answers in the order of the items. */
async function count(c: C, resolved: Result<Item, OutcomeFault>[]): Promise<Result<Counted, OutcomeFault>[]> {
  const good = resolved.flatMap((one) => (one.ok ? [one.value] : []));
  const counted = new Map<Item, Answers[number]>();
  for (const [state, items] of Map.groupBy(good, (item) => item.state)) {
    const telling = (state.inForce.experiment === null ? byController : byLedger)(c, state, items);
    const answers = await telling.catch(unavailable(items));
    items.forEach((item, at) => {
      counted.set(item, answers[at]!);
    });
  }
  return resolved.map((one) => {
    if (!one.ok) return one;
    const answer = counted.get(one.value)!;
    return answer.ok ? ok(recorded(c, one.value, answer.value)) : answer;
  });
}

const unavailable =
  (items: Item[]) =>
  (cause: unknown): Answers => {
    console.error('outcomes', cause);
    return items.map(() => err('unavailable'));
  };

/** `experiment` is empty where none counts. */
type Answers = Result<{ variant: string; counted: boolean; experiment: string }, OutcomeFault>[];

/** The experiment's ledger counts and says which variant it credits; then the controller is told, in the background. */
async function byLedger(c: C, state: RouteState, items: Item[]): Promise<Answers> {
  const { name } = state.route;
  const experiment = state.inForce.experiment!;
  const ledger = ledgerOf(c.env, name, experiment);
  // With a single arm (before the experiment begins, or after its end) no unit is dealt: outcomes count for those that were, and no others.
  const isAlone = state.arms.length < 2;
  if (ledger === null) return items.map(() => err('no_ledger'));
  const events = items.map(({ reported, credit: { unit, receipt, served, pinned } }) => {
    const { name: metric, kind, cap } = reported.outcome;
    return { unit, metric, kind, value: reported.value, cap, receipt, served, isLast: isAlone, pinned };
  });
  const answers = (await ledger.outcomes(events, planOf(state)!)) as OutcomeAnswer[];
  const evidence = answers.flatMap((answer, at) => (answer.ok ? [evidenceOf(items[at]!, answer.value.variant)] : []));
  if (evidence.length > 0) {
    const telling = Promise.resolve(controllerOf(c.env, name)?.outcomes(name, evidence));
    c.executionCtx.waitUntil(telling.catch((cause) => console.error('outcomes', cause)));
  }
  // A receipt of a unit that is not in the experiment still tells how good its variant's answer was: the controller gets it.
  const isOthers = (at: number) =>
    (isAlone || items[at]!.credit.receipt) && !answers[at]!.ok && answers[at]!.error.reason === 'unknown_unit';
  const others = items.filter((_, at) => isOthers(at));
  // If the controller fails, what the ledger has counted must still be answered, or the caller would send it again.
  const elsewhere = others.length > 0 ? await byController(c, state, others).catch(unavailable(others)) : [];
  return answers.map((answer, at) => {
    if (answer.ok) return ok({ ...answer.value, experiment });
    if (isOthers(at)) return elsewhere.shift()!;
    return err(answer.error.reason === 'already_counted' ? 'receipt_used' : 'unknown_unit');
  });
}

/** Without an experiment the controller counts: it marks receipts as used, knows which units converted, and judges a running rollout. */
async function byController(c: C, { route: { name } }: RouteState, items: Item[]): Promise<Answers> {
  const controller = controllerOf(c.env, name);
  if (controller === null) return items.map(() => err('no_ledger'));
  const evidence = items.map((item) => {
    const { outcome, value } = item.reported;
    const happened = outcome.kind === 'conversion' ? value : undefined;
    return { ...evidenceOf(item, item.credit.variant), happened };
  });
  const told = (await controller.outcomes(name, evidence)) as Told[];
  return items.map(({ credit: { variant } }, at) =>
    told[at] === 'used' ? err('receipt_used') : ok({ variant, counted: told[at] === 'new', experiment: '' }),
  );
}

function evidenceOf({ reported: { outcome, value }, credit }: Item, variant: string): OutcomeEvidence {
  const { unit, source, receipt, served } = credit;
  const bad = isBad(outcome, value);
  return { metric: outcome.name, unit, variant, bad, source, receipt, servedAtMs: served?.atMs };
}

/** What is told of an outcome; one that counts is recorded. */
function recorded(
  c: C,
  { reported }: Item,
  answer: { variant: string; counted: boolean; experiment: string },
): Counted {
  const { route, outcome, value } = reported;
  const about = { route: route.name, variant: answer.variant, metric: outcome.name };
  if (answer.counted) recordRow(c.env, c.executionCtx, 'outcomes', { ...about, experiment: answer.experiment, value });
  return { ...about, counted: answer.counted };
}

/** Lets pages of the Worker's own origin and of those in the config report. A call without Origin is no page of another site. */
function listedOrigins(serving: AdminDeps['serving']): MiddlewareHandler<AdminEnv> {
  return async (c, next) => {
    const origin = c.req.header('origin');
    if (origin === undefined) return next();
    const listed = (await serving.config(c.env, c.executionCtx))?.outcomeOrigins ?? [];
    if (origin !== new URL(c.req.url).origin && !listed.includes(origin)) {
      return refuse(
        403,
        'origin_not_listed',
        'This origin may not report outcomes.',
        'list it in "outcomeOrigins" of the config',
        { headers: { vary: 'origin' } },
      );
    }
    const cors = {
      'access-control-allow-origin': origin,
      'access-control-allow-credentials': 'true',
      vary: 'origin',
    };
    if (c.req.method === 'OPTIONS') {
      const asked = {
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type, authorization',
        'access-control-max-age': '86400',
      };
      return c.body(null, 204, { ...cors, ...asked });
    }
    await next();
    for (const [name, value] of Object.entries(cors)) c.header(name, value);
  };
}

/** The fault of a caller without the outcome token, or null. */
async function tokenFault(c: C): Promise<OutcomeFault | null> {
  const token = bearerToken(c.req.header('authorization'));
  const bearsIt = token !== undefined && !!c.env.OUTCOME_TOKEN && (await sameSecret(token, c.env.OUTCOME_TOKEN));
  return bearsIt ? null : 'outcome_token_needed';
}

/** The caller's address; empty for loopback, which many visitors of a local Worker share. */
function addressOf(c: C): string {
  const address = c.req.header('cf-connecting-ip') ?? '';
  return /^(127\.|::1$)/.test(address) ? '' : address;
}

function callerOf(c: C, refusal: OutcomeFault | null): Caller & { c: C } {
  const url = new URL(c.req.url);
  const header = (name: string) => c.req.header(name) ?? null;
  const identity = {
    header,
    cookieHeader: header('cookie'),
    search: url.search,
    https: url.protocol === 'https:',
    secret: c.env.COOKIE_SECRET,
  };
  return { identity, refusal, nowMs: Date.now(), c };
}

/** One object or a list. */
async function itemsOf(request: Request): Promise<Result<{ items: unknown[]; isList: boolean }, Response>> {
  const body = await readJson(request, MAX_OUTCOMES_BYTES);
  if (!body.ok) return body;
  const isList = Array.isArray(body.value);
  const items: unknown[] = isList ? (body.value as unknown[]) : [body.value];
  if (items.length > 0 && items.length <= MAX_OUTCOMES) return ok({ items, isList });
  const detail = `A list has 1 to ${MAX_OUTCOMES} outcomes.`;
  return err(refuse(422, 'too_many_items', detail, 'send it in parts'));
}

const anotherReceipt = 'send x-headgate-receipt of an answer of this route as it came';

const words: Record<OutcomeFault, [status: ProblemStatus, detail: string, mend: string]> = {
  not_an_object: [422, 'An outcome is an object.', 'send route, metric and value'],
  no_such_route: [404, 'The config has no such route.', 'name a route of the config'],
  undeclared_metric: [422, 'The route declares no such outcome.', 'declare it in "outcomes" of the route'],
  bad_value: [422, 'The value does not fit.', 'a conversion takes true or false, a mean a number up to 1e12'],
  receipt_malformed: [422, 'This is no receipt.', anotherReceipt],
  receipt_forged: [403, 'The receipt is not of this Worker.', anotherReceipt],
  receipt_expired: [403, 'The receipt is older than 7 days.', 'report sooner'],
  receipt_used: [409, 'The receipt was used for this metric.', 'nothing: it counts once'],
  receipt_of_other_route: [422, 'The receipt is of another route.', anotherReceipt],
  outcome_token_needed: [
    401,
    'A named unit needs a token.',
    `send a receipt, or Authorization: Bearer <OUTCOME_TOKEN>; ${putSecret('OUTCOME_TOKEN')}`,
  ],
  unknown_unit: [404, 'The unit was not served, or is on no trial.', 'if it was just now, try again'],
  no_unit: [422, 'Nothing says who the unit is.', 'send a receipt, the cookie, or "unit" with OUTCOME_TOKEN'],
  no_secret: [503, 'Units need COOKIE_SECRET.', putSecret('COOKIE_SECRET')],
  no_ledger: [503, 'This Worker has no LEDGER or CONTROLLER binding.', bindIt],
  unavailable: [503, 'What counts outcomes did not answer.', 'try again'],
  too_many_outcomes: [429, 'Too many of this unit or address.', 'wait a minute'],
};

/** One table from reasons to public words. */
function wordsOf(code: OutcomeFault) {
  const [status, detail, mend] = words[code];
  return { status, code, detail, mend };
}

function refused(code: OutcomeFault) {
  const [status, detail, mend] = words[code];
  return refuse(status, code, detail, mend, status === 401 ? challenge : {});
}
