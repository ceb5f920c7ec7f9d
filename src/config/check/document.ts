/**
 * Owns the faults that take more than one key to see, over the whole document. It reads the document loosely, so that it
 * works beside whatever the schema has found wrong, and all faults come at once.
 */

import type { Fault } from '../../result.ts';
import { sameHost } from '../address.ts';
import { faultsBelow, type Key, shown } from '../path.ts';
import { list, object, text } from './loose.ts';
import { referenceFaults } from './references.ts';
import { guardrailFaults, measureFaults, planFaults } from './rollout.ts';
import { type Surroundings, variantFaults } from './variants.ts';

/** What a document is checked against beside itself. */
export interface DocumentSurroundings extends Surroundings {
  /** Host that the controls answer on; a port is not looked at. */
  adminHost?: string;
}

/** Every fault that takes more than one key to see. */
export function documentFaults(document: unknown, surroundings: DocumentSurroundings): Fault[] {
  const routes = list(object(document).routes);
  const names = routes.map((route) => text(object(route).name));
  return routes.flatMap((item, index) => {
    const route = object(item);
    if (route !== item) return [];
    const keys = ['routes', index];
    const { faults, fault } = faultsBelow(keys);
    faults.push(...adminFaults(route.match, [...keys, 'match'], surroundings.adminHost));
    const name = names[index];
    const first = names.indexOf(name);
    if (name !== undefined && first < index) {
      fault(['name'], `${shown(name)} is the name of routes[${first}] too`, 'give each route its own name');
    }
    for (const [variant, definition] of Object.entries(object(route.variants))) {
      faults.push(...variantFaults(definition, [...keys, 'variants', variant], surroundings));
    }
    faults.push(...referenceFaults(route, keys, surroundings));
    faults.push(...guardrailFaults(route.guardrails, [...keys, 'guardrails']));
    for (const [plan, steps] of Object.entries(object(route.plans))) {
      faults.push(...planFaults(steps, [...keys, 'plans', plan], route));
    }
    return [...faults, ...measureFaults(route, keys)];
  });
}

/** A page of a bad candidate must not share an origin with the controls (design section 3). */
function adminFaults(match: unknown, keys: Key[], adminHost: string | undefined): Fault[] {
  const { faults, fault } = faultsBelow(keys);
  const isList = Array.isArray(match);
  (isList ? match : [match]).forEach((rule, at) => {
    const host = text(object(rule).host);
    if (!adminHost || host === undefined || !sameHost(host, adminHost)) return;
    const reason = `"${host}" is the host of the controls (ADMIN_HOST)`;
    fault([...(isList ? [at] : []), 'host'], reason, 'serve the route on another host');
  });
  return faults;
}
