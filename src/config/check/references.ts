/** Owns that whatever a route names exists: its baseline, weights, shadows, outcomes. */

import type { Fault } from '../../result.ts';
import { measured, measuredNames } from '../measured.ts';
import { meantOr } from '../nearest.ts';
import { faultAt, type Key } from '../path.ts';
import { sumFault, unknownVariantFault, unknownVariantFaults } from '../weights.ts';
import { type Loose, list, object, text, texts } from './loose.ts';
import { type Surroundings, serviceFault } from './variants.ts';

/** Faults of names in a route that lead nowhere, and of weights that do not add up. */
export function referenceFaults(route: Loose, keys: Key[], surroundings: Surroundings): Fault[] {
  const variants = Object.keys(object(route.variants));
  const weights = object(route.weights);
  const trusted = text(route.baseline) ?? variants[0];
  const faults = route.weights === weights ? sumFault(weights, [...keys, 'weights'], trusted) : [];
  if (variants.length > 0) {
    faults.push(...unknownVariantFaults(Object.keys(weights), variants, [...keys, 'weights']));
    const baseline = text(route.baseline);
    if (baseline !== undefined && !variants.includes(baseline)) {
      faults.push(unknownVariantFault(baseline, variants, [...keys, 'baseline']));
    }
    faults.push(...shadowFaults(route, variants, keys, surroundings));
  }
  return [...faults, ...outcomeFaults(route, keys)];
}

function shadowFaults(route: Loose, variants: string[], keys: Key[], surroundings: Surroundings): Fault[] {
  const baseline = text(route.baseline) ?? variants[0];
  const seen = new Set<string>();
  return list(route.shadows).flatMap((item, index) => {
    const shadow = object(item);
    const at = [...keys, 'shadows', index];
    const faults = serviceFault(object(shadow.scorer).service, [...at, 'scorer', 'service'], surroundings);
    const variant = text(shadow.variant);
    if (variant === undefined) return faults;
    const named = [...at, 'variant'];
    if (!variants.includes(variant)) faults.push(unknownVariantFault(variant, variants, named));
    else if (variant === baseline) {
      const mend = 'name the candidate; "repeat" asks the baseline';
      faults.push(faultAt(named, `"${variant}" is the baseline`, mend));
    }
    if (seen.has(variant)) faults.push(faultAt(named, `"${variant}" has a shadow already`, 'keep one of them'));
    seen.add(variant);
    return faults;
  });
}

function outcomeFaults(route: Loose, keys: Key[]): Fault[] {
  const declared = list(route.outcomes).map((outcome) => text(object(outcome).name));
  const known = declared.filter((name) => name !== undefined);
  const faults: Fault[] = [];
  declared.forEach((name, index) => {
    if (name === undefined) return;
    const at = [...keys, 'outcomes', index, 'name'];
    if (Object.hasOwn(measured, name)) {
      faults.push(faultAt(at, `"${name}" is measured from responses already`, 'choose another name'));
    } else if (declared.indexOf(name) < index) {
      faults.push(faultAt(at, `"${name}" is declared twice`, 'keep one of them'));
    }
  });
  list(route.guardrails).forEach((guardrail, index) => {
    const metric = text(object(guardrail).metric) ?? '';
    faults.push(...outcomeGuardrailFaults(metric, list(route.outcomes), [...keys, 'guardrails', index, 'metric']));
  });
  const experiment = object(route.experiment);
  const deciding = texts(experiment.primary);
  for (const role of ['primary', 'secondary']) {
    list(experiment[role]).forEach((name, index) => {
      const at = [...keys, 'experiment', role, index];
      if (typeof name !== 'string') return;
      faults.push(...undeclared(name, [...known, ...measuredNames], at));
      if (role === 'secondary' && deciding.includes(name)) {
        faults.push(faultAt(at, `"${name}" is primary already`, 'name it once'));
      }
    });
  }
  return faults;
}

/** Faults of a guardrail `outcome:<name>`: it must be declared, and a conversion, since a number has no bound at which it is bad. */
export function outcomeGuardrailFaults(metric: string, outcomes: readonly unknown[], keys: Key[]): Fault[] {
  if (!metric.startsWith('outcome:')) return [];
  const name = metric.slice(8);
  const declared = outcomes.map(object);
  const kind = declared.find((outcome) => outcome.name === name)?.kind;
  if (kind === undefined) return undeclared(name, texts(declared.map((outcome) => outcome.name)), keys);
  if (kind !== 'mean') return [];
  const reason = `"${name}" is a mean, and no number of it is known to be bad`;
  return [faultAt(keys, reason, 'guard a conversion')];
}

function undeclared(name: string, known: string[], keys: Key[]): Fault[] {
  if (known.includes(name)) return [];
  const mend = meantOr('declare it in the route\'s "outcomes"', name, known);
  return [faultAt(keys, `no outcome "${name.slice(0, 64)}" is declared`, mend)];
}
