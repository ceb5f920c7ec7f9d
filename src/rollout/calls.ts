/**
 * Owns the calls on a route that people make: a split, a switch, a rollout and its commands, a way back. Each looks outside
 * first, is refused with a reason that says what to do instead, and is written into the history, refused or not.
 */

import { outcomeGuardrailFaults } from '../config/check/references.ts';
import { faultAt } from '../config/path.ts';
import { parseWeights } from '../config/split.ts';
import type { Guardrail, PlanStep, Route } from '../config/types.ts';
import { completeWeights, unknownVariantFaults } from '../config/weights.ts';
import { withLimit } from '../limit.ts';
import { err, type Fault, ok, type Result } from '../result.ts';
import { armsOf } from '../split/assign.ts';
import { frozenByExperiment, frozenSteps } from './frozen.ts';
import { firstUnwell, mendOrForce, unhealthy } from './health.ts';
import { BY_HAND_LIMIT_MS } from './limits.ts';
import { CONTROLLER } from './moves.ts';
import { compilePlan } from './plan.ts';
import { type CallRefusal, LOOK_AGAIN, type Ready, readyToMove, revisionOf, unreadyFault } from './ready.ts';
import { type Attempt, type Done, done, type Probes, type RouteControl } from './route-control.ts';
import { countedBy } from './series.ts';
import { configOfReturn, splitOfReturn } from './splits.ts';
import { startRollout } from './start.ts';
import { type By, type SplitDraft, type Standing, stepOf } from './state.ts';
import { rollbackTarget } from './steady.ts';
import { noiseWarnings, planWarnings, takenWarnings } from './warnings.ts';
import { byHandDecides, noVariant, refused } from './words.ts';

/** Who calls, why, and the split revision that they saw (`If-Match`; null: any will do). */
export interface Caller extends By {
  ifMatch: number | null;
}

type CallResult = Result<Done, CallRefusal>;

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

/** Carries a change out, in a turn of its own. A refusal changes nothing. */
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
    const weights = parseWeights(JSON.stringify(asked.weights), route, { isStrict: true });
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
    await publish(control, draft, 'split', caller, before);
    return done;
  });
}

function switchTo(control: RouteControl, { to, force }: Asked<'switch'>, caller: Caller): Promise<CallResult> {
  return moving(control, 'switch', caller, async ({ route, before, variants }, probes) => {
    if (!Object.hasOwn(route.variants, to)) return noVariant(route.name, to, Object.keys(route.variants));
    const sick = force ? null : firstSick([to], probes);
    if (sick !== null) return sick;
    const weights = completeWeights({ [to]: 100 }, Object.keys(route.variants));
    const { [to]: _, ...shadows } = before.shadows;
    const draft = draftOf(before, variants, caller, { weights, shadows });
    await publish(control, draft, 'switch', caller, before);
    return done;
  });
}

function start(control: RouteControl, asked: Asked<'rollout'>, caller: Caller): Promise<CallResult> {
  return moving(control, 'rollout', caller, async ({ route, before }, probes) => {
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
      before: withoutOwnMirror(before),
      experiment: route.experiment?.id,
      probed: Object.values(route.variants).flatMap((one) => (one.health === undefined ? [] : [one.name])),
      ...caller,
    };
    const started = startRollout(request, control.seen(nowMs, null, probes));
    if (!started.ok) return started;
    const unprobed = started.value.effects.find((effect) => effect.kind === 'probe');
    if (unprobed !== undefined) return { asks: unprobed.variant };
    await control.begin(started.value, nowMs);
    const watched = control.series.watchedOf(before.baseline, nowMs);
    const requestsPerTick = control.series.requestsPerSecond(nowMs) * 10;
    const baselineRates = guardrails.map((guardrail) => {
      const { n, bad } = countedBy(guardrail, watched);
      return bad / n || 0;
    });
    const traffic = { requestsPerTick, baselineRates };
    return ok({
      warnings: [
        ...planWarnings(steps.value, guardrails, traffic),
        ...takenWarnings(before, asked.to, steps.value),
        ...noiseWarnings(
          guardrails,
          route.shadows.find(({ variant }) => variant === asked.to),
          before,
          asked.to,
          steps.value,
        ),
      ],
    });
  });
}

function command(control: RouteControl, kind: CommandKind, caller: Caller): Promise<CallResult> {
  let wasHeld: boolean | undefined;
  return refusable(control, kind, caller, async (probes, ifMatch) => {
    const unready = await unreadyFault(control, ifMatch);
    if (unready !== null) return unready;
    const { byHand, byHandFault } = control.source.view;
    if (kind === 'promote' && byHandFault !== null) return byHandDecides(control.name);
    if (control.running === null) {
      if (byHand !== null) return byHandDecides(control.name);
      const mend = `start one: headgate rollout start ${control.name} VARIANT`;
      return refused('no_rollout', `no rollout runs on ${control.name}`, mend);
    }
    const isHeld = control.running.pause !== null;
    if (isHeld && wasHeld === false) return refused('stale', 'it was paused while health was asked', LOOK_AGAIN);
    wasHeld = isHeld;
    return control.round({ ...caller, kind }, probes);
  });
}

function rollback(control: RouteControl, asked: Asked<'rollback'>, caller: Caller): Promise<CallResult> {
  /** The rollout that runs when the call comes, and where the rollback leads from it: that stays so if it ends while health is asked. */
  let meant: { rollout: string | undefined; target: Standing } | undefined;
  return moving(control, 'rollback', caller, async ({ route, before, variants }, probes) => {
    const { running } = control;
    if (meant === undefined || meant.rollout === running?.id) {
      const found = targetOf(control, { route, before }, asked);
      if (!found.ok) return found;
      meant = { rollout: running?.id, target: found.value };
    }
    const { target } = meant;
    if (running !== null) {
      const input = { ...caller, kind: 'rollback' as const, target, force: asked.force };
      return control.round(input, probes);
    }
    const serving = armsOf(target.weights).map(({ variant }) => variant);
    const sick = asked.force ? null : firstSick(serving, probes);
    if (sick !== null) return sick;
    const draft = splitOfReturn(target, variants, caller);
    // The config has the other baseline, from a promotion or a person: it must be told of this one.
    if (draft.baseline !== before.baseline) {
      control.promotions.owe({ route: route.name, ...configOfReturn(target, caller.reason) }, Date.now());
    }
    await publish(control, draft, 'rollback', caller, before, target.revision);
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
  // During a rollout the experiment rests, except in a step that carries it.
  const rests = running !== null && !stepOf(running).experiment;
  if (!target.ok || asked.force || rests) return target;
  return frozenByExperiment(route, target.value.weights, before.weights) ?? target;
}

/** Ends manual mode. It writes `{}` and deletes nothing: KV would remember the missing key. */
async function clearByHand(control: RouteControl, caller: Caller): Promise<CallResult> {
  const cleared = await refusable(control, 'manual-cleared', caller, async (_, ifMatch) => {
    const unready = await unreadyFault(control, ifMatch);
    if (unready !== null) return unready;
    try {
      await withLimit(control.env.CONFIG.put(`weights:${control.name}`, '{}'), BY_HAND_LIMIT_MS);
    } catch (cause) {
      return refused('unpublished', `KV did not take the change: ${cause}`, 'try again');
    }
    note(control, 'manual-cleared', caller);
    await control.look(Date.now(), 0);
    return done;
  });
  if (cleared.ok) await control.tick();
  return cleared;
}

/**
 * Runs a call in a turn, and writes a refusal into the history of its route. Health checks run between turns, so that no way back waits
 * for them. After each the call is made again from the start, and refused as stale if somebody changed the route meanwhile.
 */
async function refusable(
  control: RouteControl,
  action: string,
  caller: Caller,
  call: (probes: Probes, ifMatch: number | null) => Promise<Attempt<CallRefusal>>,
): Promise<CallResult> {
  const probes: Probes = Object.create(null);
  let { ifMatch } = caller;
  for (;;) {
    const attempt = await control.turns.take(async () => {
      // A split that the controller made by itself is no reason to refuse a rollback.
      const isOwn = action === 'rollback' && caller.ifMatch === null && control.journal.split()?.by === CONTROLLER;
      const result = await call(probes, isOwn ? null : ifMatch);
      ifMatch ??= revisionOf(control);
      if ('ok' in result && !result.ok && result.error.code !== 'no_such_route') {
        const reason = `${caller.reason} (refused: ${result.error.detail})`.trim();
        note(control, `${action}-refused`, { ...caller, reason });
      }
      return result;
    });
    if ('ok' in attempt) return attempt;
    probes[attempt.asks] = await control.probe(attempt.asks);
  }
}

/** Writes a history entry about something that moved no traffic. */
function note(control: RouteControl, action: string, { actor, reason }: By): void {
  control.write({ actor, action, reason, before: null, after: null }, Date.now());
}

/** Runs a call that moves traffic, once nothing forbids it. Only a rollback may come while a rollout runs. */
function moving(
  control: RouteControl,
  action: 'split' | 'switch' | 'rollout' | 'rollback',
  caller: Caller,
  call: (ready: Ready, probes: Probes) => Promise<Attempt<CallRefusal>>,
): Promise<CallResult> {
  return refusable(control, action, caller, async (probes, ifMatch) => {
    const ready = await readyToMove(control, { ifMatch, allowsRollout: action === 'rollback' });
    return ready.ok ? call(ready.value, probes) : ready;
  });
}

/** Why these variants must not get traffic, or which must be asked first; null when all are healthy. */
function firstSick(names: readonly string[], probes: Probes): Attempt | null {
  const found = firstUnwell(names, names, { health: probes });
  if (found.is === 'unknown') return { asks: found.variant };
  if (found.is === 'bad') return refused('unhealthy', unhealthy(found), mendOrForce(found.variant));
  return null;
}

function draftOf(
  before: Standing,
  variants: string,
  caller: Caller,
  traffic: { weights: Record<string, number>; shadows: Record<string, number> },
): SplitDraft {
  const { baseline, salt } = before;
  const draft = { ...traffic, baseline, salt, rollout: null, variants, by: caller.actor, reason: caller.reason };
  return withoutOwnMirror(draft);
}

/** A mirror that the config has made the baseline since gets no copies, and must not get them again once another is the baseline. */
function withoutOwnMirror<T extends Pick<Standing, 'shadows' | 'baseline'>>(traffic: T): T {
  const { [traffic.baseline]: _, ...shadows } = traffic.shadows;
  return { ...traffic, shadows };
}

/** Stores a split with its history entry, and publishes it. `restores`: the revision that a rollback returns to. */
async function publish(
  control: RouteControl,
  draft: SplitDraft,
  action: string,
  { actor, reason }: Caller,
  before: Standing,
  restores: number | null = null,
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
