/**
 * Owns what a config file and the promotions of rollouts say differently: the baselines. A promotion writes the new one into the config in
 * force, and a file that was written before still has the old one. Pure.
 */

import { isDeepStrictEqual } from 'node:util';
import { asObject } from '../json.ts';
import { err, type Fault, ok, type Result } from '../result.ts';

type Json = Record<string, unknown>;

/** A route whose file names another baseline than the config in force. */
interface Parted {
  index: number;
  route: string;
  inForce: string;
  inFile: string;
}

interface Kept {
  document: Json;
  kept: Parted[];
}

/**
 * The document with the baselines in force in place of its own, and with the weights beside them, as a promotion writes both. A baseline
 * whose variant the document lacks is a fault; so is one that it defines otherwise, which would get all traffic without a rollout, although
 * to whoever wrote the file it was the candidate.
 */
export function withBaselinesKept(document: Json, current: Json | null): Result<Kept, Fault[]> {
  const parted = partedBaselines(document, current);
  const whole = structuredClone(document);
  const routes = routesOf(whole);
  const old = new Map(routesOf(current ?? {}).map((route) => [route.name, route]));
  const faults = parted.flatMap((one) => {
    const [before, after] = [old.get(one.route), routes[one.index]].map(
      (route) => asObject(route?.variants)[one.inForce],
    );
    if (after === undefined) return [lostFault(one)];
    return isDeepStrictEqual(before, after) ? [] : [changedFault(one)];
  });
  if (faults.length > 0) return err(faults);
  for (const { index, inForce } of parted) {
    const route = routes[index]!;
    const weights = asObject(old.get(route.name)?.weights);
    const fits = Object.keys(weights).every((variant) => Object.hasOwn(asObject(route.variants), variant));
    route.baseline = inForce;
    // Absent, they are all to the baseline.
    delete route.weights;
    if (fits && Object.keys(weights).length > 0) route.weights = weights;
    // The baseline is no shadow of itself; a promotion takes it out too.
    if (Array.isArray(route.shadows)) {
      route.shadows = route.shadows.filter((shadow) => asObject(shadow).variant !== inForce);
    }
  }
  return ok({ document: whole, kept: parted });
}

/** Warnings about baselines that a file takes back. */
export function takenBackBaselines(document: Json, current: Json | null): Fault[] {
  return partedBaselines(document, current).map(({ index, inForce, inFile }) => ({
    path: `routes[${index}].baseline`,
    reason: `the baseline in force is ${inForce}; by this file it is ${inFile}`,
    mend: `where a rollout promoted ${inForce}, write "baseline": "${inForce}" into the file, or apply with --keep-baseline`,
  }));
}

function partedBaselines(document: Json, current: Json | null): Parted[] {
  const old = new Map(routesOf(current ?? {}).map((route) => [route.name, route]));
  return routesOf(document).flatMap((route, index) => {
    const before = old.get(route.name);
    const [inForce, inFile] = [before && baselineOf(before), baselineOf(route)];
    if (inForce === undefined || inFile === undefined || inForce === inFile) return [];
    return [{ index, route: String(route.name), inForce, inFile }];
  });
}

function lostFault({ index, inForce }: Parted): Fault {
  return {
    path: `routes[${index}].variants`,
    reason: `lacks ${inForce}, which is the baseline in force`,
    mend: 'put it back, or apply the file without --keep-baseline: then its own baseline gets the traffic',
  };
}

function changedFault({ index, inForce, inFile }: Parted): Fault {
  return {
    path: `routes[${index}].variants.${inForce}`,
    reason: `is the baseline in force, and what changes in it would get all traffic at once; by this file ${inFile} is the baseline`,
    mend: `a new release goes into another variant; if this one is meant, write "baseline": "${inForce}" into the file`,
  };
}

function baselineOf({ baseline, variants }: Json): string | undefined {
  return typeof baseline === 'string' ? baseline : Object.keys(asObject(variants))[0];
}

function routesOf({ routes }: Json): Json[] {
  return Array.isArray(routes) ? routes.map(asObject) : [];
}
