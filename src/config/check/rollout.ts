/**
 * Owns what must hold within guardrails, steps, outcomes and measures beyond the form of their keys. The rollout call is held
 * to the same rules, so these take any list of keys as the place where they stand.
 */

import type { Fault, FaultWords } from '../../result.ts';
import { durationMs } from '../duration.ts';
import { faultsBelow, type Key } from '../path.ts';
import { type Loose, list, object, text } from './loose.ts';

/** Faults of a list of guardrails. An explicit list without a critical one could stop nothing, so it is refused. */
export function guardrailFaults(document: unknown, keys: Key[]): Fault[] {
  if (!Array.isArray(document)) return [];
  const { faults, fault } = faultsBelow(keys);
  const guardrails = document.map(object);
  if (!guardrails.some(({ critical }) => critical === true)) {
    const reason = 'no guardrail is critical, so nothing could stop a bad rollout';
    fault([], reason, 'make one "critical", or leave "guardrails" out');
  }
  const ids = guardrails.map(({ metric, of }) => (metric === 'slow' ? `slow ${text(of) ?? 'headers'}` : text(metric)));
  guardrails.forEach((guardrail, index) => {
    const id = ids[index];
    if (id === undefined) return;
    if (ids.indexOf(id) < index) fault([index, 'metric'], `"${id}" is bounded twice`, 'keep one of them');
    if (guardrail.metric !== 'slow') {
      for (const key of ['sloMs', 'of']) {
        if (guardrail[key] !== undefined) fault([index, key], `"${key}" belongs to "slow" alone`, 'remove it');
      }
    } else if (guardrail.sloMs === undefined) {
      fault([index, 'sloMs'], 'is missing', 'say how many milliseconds are slow');
    }
  });
  return faults;
}

/** Why a step of that weight cannot carry an experiment, or null. */
export function cannotCarry(hasExperiment: boolean, weight: number | undefined): FaultWords | null {
  if (!hasExperiment) {
    return { reason: 'the route has no experiment', mend: 'declare "experiment" on the route, or remove it here' };
  }
  if (weight !== undefined && weight > 0 && weight < 100) return null;
  return { reason: 'an experiment needs two arms', mend: 'give the step a "weight" between 0 and 100' };
}

/**
 * Faults of a plan: a step that changes nothing, or whose end nothing decides. `route` is absent in a call, where the controller
 * looks whether the route has an experiment.
 */
export function planFaults(document: unknown, keys: Key[], route?: Loose): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  let weight: number | undefined;
  list(document).forEach((item, index) => {
    const step = object(item);
    if (step !== item) return;
    if (step.shadow === undefined && step.weight === undefined) {
      fault([index], 'the step changes nothing', 'give it "shadow" or "weight"');
    }
    if (typeof step.weight === 'number') weight = step.weight;
    const hindered = route && step.experiment === true ? cannotCarry(route.experiment !== undefined, weight) : null;
    if (hindered) fault([index, 'experiment'], hindered.reason, hindered.mend);
    // "0s" ends a step as soon as it has its samples and verdicts.
    if (step.for === undefined && step.approval !== true && step.experiment !== true) {
      const mend = 'give it "for", "approval": true or "experiment": true';
      fault([index], 'nothing decides when the step is done', mend);
    }
    const least = durationMs(text(step.for) ?? '') ?? 0;
    const most = durationMs(text(step.maxFor) ?? '');
    if (most !== null && most < least) {
      fault([index, 'maxFor'], `"${step.maxFor}" is shorter than "for"`, 'make it at least as long');
    }
  });
  return faults;
}

/** Faults of a route's outcomes and measures. */
export function measureFaults(route: Loose, keys: Key[]): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  list(route.outcomes).forEach((item, index) => {
    const { cap, kind } = object(item);
    if (cap !== undefined && kind === 'conversion') {
      fault(['outcomes', index, 'cap'], 'a conversion has no value to cap', 'remove it, or make the kind "mean"');
    }
  });
  const measures = list(route.measures).map(object);
  const names = measures.map(({ name }) => text(name));
  measures.forEach(({ header, entry }, index) => {
    const name = names[index];
    if (name !== undefined && names.indexOf(name) < index) {
      fault(['measures', index, 'name'], `"${name}" is measured twice`, 'choose another name');
    }
    const isTiming = text(header)?.toLowerCase() === 'server-timing';
    const at = ['measures', index, 'entry'];
    if (text(header) === undefined || isTiming === (entry !== undefined)) return;
    if (isTiming) fault(at, 'is missing', 'name the entry whose duration is meant');
    else fault(at, 'only Server-Timing has entries', 'remove it');
  });
  return faults;
}
