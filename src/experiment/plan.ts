/** Owns how config and split become what is asked of an experiment: its metrics, weights and size. Pure. */

import { variantsHash } from '../config/hash.ts';
import { type MeasuredName, measured } from '../config/measured.ts';
import type { RouteState } from '../config/route-state.ts';
import type { Route } from '../config/types.ts';
import { getOrMake } from '../get-or-make.ts';
import { RECEIPT_MS } from '../split/limits.ts';
import type { ExperimentPlan, PlannedMetric } from './words.ts';

/** How long it takes until a measured metric is settled: a unit cannot have returned, or retried, at its first request. */
const SHOWS_AFTER_MS: Record<string, number | undefined> = { returned: RECEIPT_MS, retry: 60_000 };

/** The plan of a route's experiment; null where it has none. */
export function planOf({ route, inForce }: Pick<RouteState, 'route' | 'inForce'>): ExperimentPlan | null {
  const { experiment } = route;
  if (experiment === undefined) return null;
  const { id, primary, secondary, plannedUnits = null, graceMs: declaredMs = null, segments } = experiment;
  const declared = route.outcomes.map(({ name }) => name);
  return {
    id,
    baseline: inForce.baseline,
    // A call between objects takes no record without a prototype, which is what the config's are.
    weights: { ...inForce.weights },
    definitions: definitionsOf(route),
    plannedUnits,
    grace: {
      declaredMs,
      outcomes: primary.filter((name) => declared.includes(name)),
      measuredMs: Math.max(0, ...primary.map((name) => SHOWS_AFTER_MS[name] ?? 0)),
    },
    metrics: [...metricsOf(route, primary, 'primary'), ...metricsOf(route, secondary, 'secondary')],
    segments: segments.map(({ name }) => name),
  };
}

const known = new WeakMap<Route, Record<string, string>>();

function definitionsOf(route: Route): Record<string, string> {
  const hashes = () =>
    Object.entries(route.variants).map(([name, one]) => [name, variantsHash({ variants: { [name]: one } })]);
  return getOrMake(known, route, () => Object.fromEntries(hashes()));
}

function metricsOf({ outcomes }: Route, names: readonly string[], role: PlannedMetric['role']): PlannedMetric[] {
  return [...new Set(names)].flatMap((name) => {
    if (Object.hasOwn(measured, name)) return [{ name, role, ...measured[name as MeasuredName] }];
    const found = outcomes.find((outcome) => outcome.name === name);
    return found === undefined ? [] : [{ name, role, kind: found.kind, goal: found.goal }];
  });
}
