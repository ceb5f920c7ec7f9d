/** Owns that whatever a route names exists: its baseline, weights, shadows, outcomes. */

import type { Fault } from '../../result.ts';
import { measured, measuredNames } from '../measured.ts';
import { meantOr } from '../nearest.ts';
import { faultAt, faultsBelow, type Key, shown } from '../path.ts';
import { strangerFault, sumFault, unknownVariantFaults } from '../weights.ts';
import { type Loose, list, object, text, texts } from './loose.ts';
import { type Surroundings, serviceFault } from './variants.ts';

/** Faults of names in a route that lead nowhere, and of weights that do not add up. */
export function referenceFaults(route: Loose, keys: Key[], surroundings: Surroundings): Fault[] {
  const variants = Object.keys(object(route.variants));
  const weights = object(route.weights);
  const baseline = text(route.baseline);
  const faults = route.weights === weights ? sumFault(weights, [...keys, 'weights']) : [];
  if (variants.length > 0) {
    faults.push(...unknownVariantFaults(Object.keys(weights), variants, [...keys, 'weights']));
    if (baseline !== undefined) faults.push(...strangerFault(baseline, variants, [...keys, 'baseline']));
    faults.push(
      ...shadowFaults(list(route.shadows), variants, baseline ?? variants[0], [...keys, 'shadows'], surroundings),
    );
  }
  return [...faults, ...outcomeFaults(route, keys)];
}

function shadowFaults(
  shadows: unknown[],
  variants: string[],
  baseline: string | undefined,
  keys: Key[],
  surroundings: Surroundings,
): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  const named = shadows.map((shadow) => text(object(shadow).variant));
  shadows.forEach((shadow, index) => {
    const at = [index, 'variant'];
    const variant = named[index];
    faults.push(
      ...serviceFault(object(object(shadow).scorer).service, [...keys, index, 'scorer', 'service'], surroundings),
    );
    if (variant === undefined) return;
    faults.push(...strangerFault(variant, variants, [...keys, ...at]));
    if (variant === baseline)
      fault(at, `"${variant}" is the baseline`, 'name the candidate; "repeat" asks the baseline');
    if (named.indexOf(variant) < index) fault(at, `"${variant}" has a shadow already`, 'keep one of them');
  });
  return faults;
}

function outcomeFaults(route: Loose, keys: Key[]): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  const declared = list(route.outcomes).map((outcome) => text(object(outcome).name));
  declared.forEach((name, index) => {
    if (name === undefined) return;
    const at = ['outcomes', index, 'name'];
    if (Object.hasOwn(measured, name)) {
      fault(at, `"${name}" is measured from responses already`, 'choose another name');
    } else if (declared.indexOf(name) < index) fault(at, `"${name}" is declared twice`, 'keep one of them');
  });
  list(route.guardrails).forEach((guardrail, index) => {
    const metric = text(object(guardrail).metric) ?? '';
    faults.push(...outcomeGuardrailFaults(metric, list(route.outcomes), [...keys, 'guardrails', index, 'metric']));
  });
  const experiment = object(route.experiment);
  const deciding = texts(experiment.primary);
  for (const role of ['primary', 'secondary']) {
    list(experiment[role]).forEach((name, index) => {
      const at = ['experiment', role, index];
      if (typeof name !== 'string') return;
      faults.push(...undeclared(name, [...measuredNames, ...texts(declared)], [...keys, ...at]));
      if (role === 'secondary' && deciding.includes(name)) fault(at, `"${name}" is primary already`, 'name it once');
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
  // Thousands beside thousands would take seconds.
  const mend = meantOr('declare it in the route\'s "outcomes"', name, known.slice(0, 64));
  return [faultAt(keys, `no outcome ${shown(name)} is declared`, mend)];
}
