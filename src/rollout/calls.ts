/**
 * Owns the calls on a route that people make: a split, a switch, a rollout and its commands, a way back. Each looks outside
 * first, is refused with a reason that says what to do instead, and is written into the history, refused or not.
 */

import { outcomeGuardrailFaults } from '../config/check/references.ts';
import { variantsHash } from '../config/hash.ts';
import { faultAt } from '../config/path.ts';
import { parseWeights } from '../config/split.ts';
import type { Guardrail, PlanStep, Route } from '../config/types.ts';
import { unknownVariantFaults } from '../config/weights.ts';
import { withLimit } from '../limit.ts';
import { err, type Fault, ok, type Result } from '../result.ts';
import { frozenByExperiment, frozenSteps } from './frozen.ts';
import { mendOrForce, unhealthy } from './health.ts';
import { compilePlan } from './plan.ts';
import type { Health, Round, RouteControl } from './route-control.ts';
import { countedBy, type LiveNumbers } from './series.ts';
import { returnTold, splitOfReturn } from './splits.ts';
import { startRollout } from './start.ts';
import { phaseOf, type RolloutState, type SplitDraft, type Standing, stepOf } from './state.ts';
import { rollbackTarget } from './steady.ts';
import { noiseWarnings, planWarnings, takenWarnings } from './warnings.ts';
import { byHandDecides, noRoute, noVariant, refused } from './words.ts';

/** Who calls, why, and the split revision that they saw (null: they do not mind). */
export interface Caller {
  actor: string;
  reason: string;
  ifMatch: number | null;
}

/** Why a call was refused, and what to do about it. `faults` only with `invalid`. */
export interface CallRefusal {
  code: string;
  detail: string;
  mend: string;
  faults?: Fault[];
}

export interface Done {
  /** What people should know although it was done. */
  warnings: string[];
}

type CallResult = Result<Done, CallRefusal>;
/** `asks` names a variant whose health must be known first: nothing was done then. */
type Attempt = CallResult | { asks: string };

/** What a person can ask of a route. */
export type Change =
  | { kind: 'split'; weights: Record<string, number>; shadows?: Record<string, number> }
  | { kind: 'switch'; to: string; force: boolean }
  | { kind: 'rollout'; to: string; plan: string | PlanStep[]; guardrails: Guardrail[] | null; force: boolean }
  | { kind: CommandKind }
  | { kind: 'rollback'; revision?: number; force: boolean }
  | { kind: 'manual-cleared' };

type CommandKind = 'promote' | 'pause' | 'resume' | 'abort';

type Asked<K extends Change['kind']> = Extract<Change, { kind: K }>;

/** Who writes holds every other action of the route meanwhile; what lands later does no harm. */
const KV_WRITE_LIMIT_MS = 2_000;
const LOOK_AGAIN = 'try again; headgate doctor looks at config and KV';

const done: CallResult = ok({ warnings: [] });

/** What a call that changes traffic needs: the route as it is, what is in force, and that nothing forbids the call. */
type Ready = { route: Route; before: Standing; variants: string };

/** Carries a change out, in its turn. A refusal changes nothing. */
export function change(control: RouteControl, asked: Change, caller: Caller): Promise<CallResult> {
  switch (asked.kind) {
    case 'split':
      return setSplit(control, asked, caller);
    case 'switch':
      return switchTo(control, asked, caller);
    case 'rollout':
      return start(control, asked, caller);
    case 'rollback':
      return rollback(control, asked, caller);
    case 'manual-cleared':
      return clearByHand(control, caller);
    default:
      return command(control, asked.kind, caller);
  }
}

function setSplit(control: RouteControl, asked: Asked<'split'>, caller: Caller): Promise<CallResult> {
  return moving(control, 'split', caller, async ({ route, before, variants }) => {
    const weights = parseWeights(JSON.stringify(asked.weights), route, true);
    if (!weights.ok || weights.value === null) {
      const faults = weights.ok
        ? [{ path: '$', reason: 'is empty', mend: 'name at least one variant' }]
        : weights.error;
      const under = (path: string) => `weights.${path}`.replace(/\.(\$$|(?=\[))/, '');
      return invalid(faults.map((fault) => ({ ...fault, path: under(fault.path) })));
    }
    const frozen = frozenByExperiment(route, weights.value, before.weights);
    if (frozen !== null) return frozen;
    const shadowFaults = faultsOfShadows(Object.keys(asked.shadows ?? {}), route, before.baseline);
    if (shadowFaults.length > 0) return invalid(shadowFaults);
    const draft = draftOf(before, variants, caller, {
      weights: weights.value,
      shadows: asked.shadows ?? before.shadows,
    });
    await publish(control, draft, 'split', caller, before, null);
    return done;
  });
}

function switchTo(control: RouteControl, { to, force }: Asked<'switch'>, caller: Caller): Promise<CallResult> {
  return moving(control, 'switch', caller, async ({ route, before, variants }, health) => {
    if (!Object.hasOwn(route.variants, to)) return noVariant(route.name, to, Object.keys(route.variants));
    const sick = force ? null : firstSick([to], health);
    if (sick !== null) return sick;
    const weights = Object.fromEntries(Object.keys(route.variants).map((name) => [name, name === to ? 100 : 0]));
    const { [to]: _, ...shadows } = before.shadows;
    await publish(control, draftOf(before, variants, caller, { weights, shadows }), 'switch', caller, before, null);
    return done;
  });
}

function start(control: RouteControl, asked: Asked<'rollout'>, caller: Caller): Promise<CallResult> {
  return moving(control, 'rollout', caller, async ({ route, before }, health) => {
    const owed = control.promotions.owed;
    if (owed !== null) {
      const detail = `the config has not been told yet that ${owed.baseline} is the baseline`;
      return refused('config_behind', detail, LOOK_AGAIN);
    }
    const steps = compilePlan(route, asked.plan);
    if (!steps.ok) return invalid(steps.error);
    const frozen = frozenSteps(route, { steps: steps.value, to: asked.to, ends: asked.force }, before);
    if (frozen !== null) return frozen;
    const guardrails = asked.guardrails ?? route.guardrails;
    const faults = guardrails.flatMap(({ metric }, index) =>
      outcomeGuardrailFaults(metric, route.outcomes, ['guardrails', index, 'metric']),
    );
    if (faults.length > 0) return invalid(faults);
    const nowMs = Date.now();
    const request = {
      id: control.journal.newRolloutId(nowMs),
      route: control.name,
      to: asked.to,
      plan: typeof asked.plan === 'string' ? asked.plan : 'custom',
      steps: steps.value,
      guardrails,
      before,
      experiment: route.experiment?.id,
      healthChecked: Object.values(route.variants).flatMap((one) => (one.health === undefined ? [] : [one.name])),
      ...caller,
    };
    const started = startRollout(request, control.seen(nowMs, null, health));
    if (!started.ok) return started;
    const probes = started.value.effects.find((effect) => effect.kind === 'probe');
    if (probes !== undefined) return { asks: probes.variant };
    await control.begin(started.value, nowMs);
    const live = control.series.live(nowMs);
    const requestsPerTick = control.series.requestsPerSecond(nowMs) * 10;
    const baselineRates = guardrails.map(({ metric }) => rateOf(metric, live[before.baseline]));
    const traffic = { requestsPerTick, baselineRates };
    return ok({
      warnings: [
        ...planWarnings(steps.value, guardrails, traffic),
        ...takenWarnings(before, asked.to, steps.value),
        ...noiseWarnings(
          guardrails,
          route.shadows.find(({ variant }) => variant === asked.to),
        ),
      ],
    });
  });
}

function command(control: RouteControl, kind: CommandKind, caller: Caller): Promise<CallResult> {
  return refusable(control, kind, caller, async (health, ifMatch) => {
    const unready = await unreadyFault(control, ifMatch);
    if (unready !== null) return unready;
    if (control.running === null) {
      if (control.source.view.byHand !== null) return byHandDecides(control.name);
      const mend = `start one: headgate rollout start ${control.name} VARIANT`;
      return refused('no_rollout', `no rollout runs on ${control.name}`, mend);
    }
    return acted(await control.round({ ...caller, kind }, health));
  });
}

function rollback(control: RouteControl, asked: Asked<'rollback'>, caller: Caller): Promise<CallResult> {
  return moving(control, 'rollback', caller, async ({ route, before, variants }, health) => {
    const { running } = control;
    const target = targetOf(control, { route, before }, asked);
    if (!target.ok) return target;
    if (running !== null) {
      const input = { ...caller, kind: 'rollback' as const, target: target.value, force: asked.force };
      return acted(await control.round(input, health));
    }
    const serving = Object.entries(target.value.weights).flatMap(([name, weight]) => (weight > 0 ? [name] : []));
    const sick = asked.force ? null : firstSick(serving, health);
    if (sick !== null) return sick;
    const draft = splitOfReturn(target.value, variants, { by: caller.actor, reason: caller.reason });
    // A promotion (or a person) has told the config of the baseline before.
    if (draft.baseline !== before.baseline) {
      control.promotions.owe({ route: route.name, ...returnTold(target.value, caller.reason) }, Date.now());
    }
    await publish(control, draft, 'rollback', caller, before, target.value.revision);
    return done;
  });
}

/** Where a rollback goes, or why it is refused. */
export function targetOf(
  control: RouteControl,
  { route, before }: Pick<Ready, 'route' | 'before'>,
  asked: { revision?: number; force: boolean },
): Result<Standing, CallRefusal> {
  const { running } = control;
  const config = control.source.seenConfig()!;
  const target = rollbackTarget({ kept: control.journal.kept(), running, config, route, ...asked });
  // During a rollout the experiment rests, but for a step that carries it.
  const rests = running !== null && !stepOf(running).experiment;
  if (!target.ok || asked.force || rests) return target;
  return frozenByExperiment(route, target.value.weights, before.weights) ?? target;
}

/** Ends manual mode: writes `{}`, since KV remembers misses and nothing is ever deleted. */
async function clearByHand(control: RouteControl, caller: Caller): Promise<CallResult> {
  const cleared = await refusable(control, 'manual-cleared', caller, async (_, ifMatch) => {
    const unready = await unreadyFault(control, ifMatch);
    if (unready !== null) return unready;
    try {
      await withLimit(control.env.CONFIG.put(`weights:${control.name}`, '{}'), KV_WRITE_LIMIT_MS);
    } catch (cause) {
      return refused('unpublished', `KV did not take the change: ${cause}`, 'try again');
    }
    note(control, 'manual-cleared', caller);
    await control.look(Date.now(), 0);
    return done;
  });
  await control.tick();
  return cleared;
}

/**
 * Runs a call in its turn, and writes its refusal into the history, where there is a route to have one. Health is asked between turns, so
 * that nobody with a way back waits for it; then everything is looked at again, and what was changed meanwhile stands.
 */
async function refusable(
  control: RouteControl,
  action: string,
  caller: Caller,
  call: (health: Health, ifMatch: number | null) => Promise<Attempt>,
): Promise<CallResult> {
  const health: Health = Object.create(null);
  let { ifMatch } = caller;
  for (;;) {
    const attempt = await control.turns.take(async () => {
      const result = await call(health, ifMatch);
      ifMatch ??= revisionOf(control);
      if ('ok' in result && !result.ok && result.error.code !== 'no_such_route') {
        const reason = `${caller.reason} (refused: ${result.error.detail})`.trim();
        note(control, `${action}-refused`, { ...caller, reason });
      }
      return result;
    });
    if ('ok' in attempt) return attempt;
    health[attempt.asks] = await control.probe(attempt.asks);
  }
}

function acted({ answer, asks }: Round): Attempt {
  if (asks !== undefined) return { asks };
  return answer.ok ? done : answer;
}

/** Writes into the history what moves nothing. */
function note(control: RouteControl, action: string, { actor, reason }: Pick<Caller, 'actor' | 'reason'>): void {
  control.write({ actor, action, reason, before: null, after: null }, Date.now());
}

/** Runs a call that moves traffic, once nothing forbids it. Only a rollback may come while a rollout runs. */
function moving(
  control: RouteControl,
  action: 'split' | 'switch' | 'rollout' | 'rollback',
  caller: Caller,
  call: (ready: Ready, health: Health) => Promise<Attempt>,
): Promise<CallResult> {
  return refusable(control, action, caller, async (health, ifMatch) => {
    const ready = await readyToMove(control, ifMatch, action !== 'rollback');
    return ready.ok ? call(ready.value, health) : ready;
  });
}

/** Looks outside, and says why traffic cannot be moved now; else what a move needs to know. */
export async function readyToMove(
  control: RouteControl,
  ifMatch: number | null,
  forbidsRollout: boolean,
): Promise<Result<Ready, CallRefusal>> {
  const view = await control.look(Date.now(), 0);
  const { route } = view;
  if (!view.isKnown) {
    return refused('no_config', 'the config cannot be read now, so nothing is changed', LOOK_AGAIN);
  }
  if (!view.isKvKnown && control.journal.split() === null) {
    // A failed read is not absence: a revision from below KV's would be passed over by every isolate that knows it.
    return refused('no_config', 'KV cannot be read now, so the split in force is not known', LOOK_AGAIN);
  }
  if (route === null) return noRoute(control.name);
  const stale = staleFault(control, ifMatch);
  if (stale !== null) return stale;
  // Isolates that knew other weights before what is refused now go on with them.
  if (view.byHand ?? (forbidsRollout && view.byHandFault)) return byHandDecides(control.name);
  const { running } = control;
  if (forbidsRollout && running !== null) return busy(control.name, running);
  const before = control.standing(view)!;
  // Who names another baseline in the config means the next split too.
  const baseline = control.promotions.nextBaseline(route, before.baseline);
  return ok({ route, before: { ...before, baseline }, variants: variantsHash(route) });
}

/** Looks outside, and says why nothing can be asked of the route. What runs can be ended where the config has it no more. */
async function unreadyFault(control: RouteControl, ifMatch: number | null): Promise<ReturnType<typeof staleFault>> {
  const { isKnown, route } = await control.look(Date.now(), 0);
  const isNobody = route === null && control.running === null;
  if (isNobody && isKnown) return noRoute(control.name);
  if (isNobody && control.journal.split() === null) return refused('no_config', 'no config could be read', LOOK_AGAIN);
  return staleFault(control, ifMatch);
}

function busy(route: string, running: RolloutState) {
  const detail = `rollout ${running.id} to ${running.to} is ${phaseOf(running)}`;
  const mend = `end it first: headgate rollout abort ${route}, or headgate rollback ${route}`;
  return refused('rollout_running', detail, mend);
}

const revisionOf = ({ journal }: RouteControl) => journal.split()?.revision ?? 0;

function staleFault(control: RouteControl, ifMatch: number | null): { ok: false; error: CallRefusal } | null {
  const revision = revisionOf(control);
  if (ifMatch === null || ifMatch === revision) return null;
  return refused(
    'stale',
    `the split is at revision ${revision} now, not ${ifMatch}`,
    `headgate status ${control.name} shows it: look again, then decide`,
  );
}

/** What stands against traffic for these variants; null when all are well. */
function firstSick(names: readonly string[], health: Health): Attempt | null {
  for (const name of names) {
    const answer = health[name];
    if (answer === undefined) return { asks: name };
    if (!answer.ok) return refused('unhealthy', unhealthy({ variant: name, ...answer }), mendOrForce(name));
  }
  return null;
}

function draftOf(
  before: Standing,
  variants: string,
  caller: Caller,
  traffic: { weights: Record<string, number>; shadows: Record<string, number> },
): SplitDraft {
  const { baseline, salt } = before;
  return { ...traffic, baseline, salt, rollout: null, variants, by: caller.actor, reason: caller.reason };
}

async function publish(
  control: RouteControl,
  draft: SplitDraft,
  action: string,
  { actor, reason }: Caller,
  before: Standing,
  restores: number | null,
): Promise<void> {
  const entry = {
    actor,
    action,
    reason,
    before: { weights: before.weights, shadows: before.shadows },
    after: { weights: draft.weights, shadows: draft.shadows },
  };
  await control.setSplit(draft, entry, restores, Date.now());
}

function faultsOfShadows(names: readonly string[], route: Route, baseline: string): Fault[] {
  const known = Object.keys(route.variants);
  const faults = unknownVariantFaults(names, known, ['shadows']);
  if (!names.includes(baseline)) return faults;
  return [...faults, faultAt(['shadows', baseline], 'the baseline cannot be its own shadow', 'name a candidate')];
}

function invalid(faults: Fault[]): CallResult {
  const detail = `${faults.length} of the call's values cannot be taken`;
  return err({ code: 'invalid', detail, mend: 'mend each fault as it says', faults });
}

/** The rate of the baseline of late, where it is known. */
function rateOf(metric: string, live: LiveNumbers | undefined): number | undefined {
  const counted = live && countedBy(metric, live);
  return counted && counted.n > 0 ? counted.bad / counted.n : undefined;
}
