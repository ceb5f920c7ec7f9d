/**
 * Owns what must hold within guardrails, steps, outcomes and measures beyond the form of their keys. The rollout call is held
 * to the same rules, so these take any list of keys as the place where they stand.
 */

import type { Fault } from '../../result.ts';
import { durationMs } from '../duration.ts';
import { faultAt, type Key } from '../path.ts';
import { type Loose, list, object, text } from './loose.ts';

/** Faults of a list of guardrails. An explicit list without a critical one could stop nothing, so it is refused. */
export function guardrailFaults(document: unknown, keys: Key[]): Fault[] {
  if (!Array.isArray(document)) return [];
  const faults: Fault[] = [];
  if (!document.some((item) => object(item).critical === true)) {
    const reason = 'no guardrail is critical, so nothing could stop a bad rollout';
    faults.push(faultAt(keys, reason, 'make one "critical", or leave "guardrails" out'));
  }
  const seen = new Set<string>();
  document.forEach((item, index) => {
    const guardrail = object(item);
    const metric = text(guardrail.metric);
    if (metric === undefined) return;
    const at = [...keys, index];
    const id = metric === 'slow' ? `slow ${text(guardrail.of) ?? 'headers'}` : metric;
    if (seen.has(id)) faults.push(faultAt([...at, 'metric'], `"${id}" is bounded twice`, 'keep one'));
    seen.add(id);
    faults.push(...slowFaults(guardrail, metric, at));
  });
  return faults;
}

function slowFaults(guardrail: Loose, metric: string, keys: Key[]): Fault[] {
  if (metric === 'slow') {
    if (guardrail.sloMs !== undefined) return [];
    return [faultAt([...keys, 'sloMs'], 'is missing', 'say how many milliseconds are slow')];
  }
  return ['sloMs', 'of']
    .filter((key) => guardrail[key] !== undefined)
    .map((key) => faultAt([...keys, key], `"${key}" belongs to "slow" alone`, 'remove it'));
}

/** Why a step of that weight cannot carry an experiment, or null. */
export function cannotCarry(hasExperiment: boolean, weight: number | undefined): Omit<Fault, 'path'> | null {
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
  let weight: number | undefined;
  return list(document).flatMap((item, index) => {
    const step = object(item);
    if (step !== item) return [];
    const at = [...keys, index];
    const faults: Fault[] = [];
    if (step.shadow === undefined && step.weight === undefined) {
      faults.push(faultAt(at, 'the step changes nothing', 'give it "shadow" or "weight"'));
    }
    if (typeof step.weight === 'number') weight = step.weight;
    const fault = route && step.experiment === true ? cannotCarry(route.experiment !== undefined, weight) : null;
    if (fault) faults.push(faultAt([...at, 'experiment'], fault.reason, fault.mend));
    const least = durationMs(text(step.for) ?? '');
    // "0s" ends a step as soon as it has its samples and verdicts.
    if (step.for === undefined && step.approval !== true && step.experiment !== true) {
      const mend = 'give it "for", "approval": true or "experiment": true';
      faults.push(faultAt(at, 'nothing decides when the step is done', mend));
    }
    const most = durationMs(text(step.maxFor) ?? '');
    if (most !== null && most < (least ?? 0)) {
      faults.push(faultAt([...at, 'maxFor'], `"${step.maxFor}" is shorter than "for"`, 'make it at least as long'));
    }
    return faults;
  });
}

/** Faults of a route's outcomes and measures. */
export function measureFaults(route: Loose, keys: Key[]): Fault[] {
  const faults: Fault[] = [];
  list(route.outcomes).forEach((item, index) => {
    const outcome = object(item);
    if (outcome.cap !== undefined && outcome.kind === 'conversion') {
      const at = [...keys, 'outcomes', index, 'cap'];
      faults.push(faultAt(at, 'a conversion has no value to cap', 'remove it, or make the kind "mean"'));
    }
  });
  const seen = new Set<string>();
  list(route.measures).forEach((item, index) => {
    const measure = object(item);
    const at = [...keys, 'measures', index];
    const name = text(measure.name);
    if (name !== undefined && seen.has(name)) {
      faults.push(faultAt([...at, 'name'], `"${name}" is measured twice`, 'choose another name'));
    }
    if (name !== undefined) seen.add(name);
    const isTiming = text(measure.header)?.toLowerCase() === 'server-timing';
    if (isTiming !== (measure.entry !== undefined) && text(measure.header) !== undefined) {
      faults.push(
        isTiming
          ? faultAt([...at, 'entry'], 'is missing', 'name the entry whose duration is meant')
          : faultAt([...at, 'entry'], 'only Server-Timing has entries', 'remove it'),
      );
    }
  });
  return faults;
}
