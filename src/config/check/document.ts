/**
 * Owns the faults that take more than one key to see, over the whole document. It reads the document loosely, so that it
 * works beside whatever the schema has found wrong, and all faults come at once.
 */

import type { Fault } from '../../result.ts';
import { sameHost } from '../address.ts';
import { faultAt } from '../path.ts';
import { type Loose, list, object, text } from './loose.ts';
import { referenceFaults } from './references.ts';
import { guardrailFaults, measureFaults, planFaults } from './rollout.ts';
import { type Surroundings, variantFaults } from './variants.ts';

export interface DocumentSurroundings extends Surroundings {
  /** Host that the controls answer on; a port is not looked at. */
  adminHost?: string;
}

/** Every fault that takes more than one key to see. */
export function documentFaults(document: unknown, surroundings: DocumentSurroundings): Fault[] {
  const routes = list(object(document).routes);
  const named = new Map<string, number>();
  return routes.flatMap((item, index) => {
    const route = object(item);
    if (route !== item) return [];
    const keys = ['routes', index];
    const faults = [...adminFaults(route, index, surroundings.adminHost)];
    const name = text(route.name);
    const first = name === undefined ? undefined : named.get(name);
    if (first !== undefined) {
      const reason = `"${name?.slice(0, 64)}" is the name of routes[${first}] too`;
      faults.push(faultAt([...keys, 'name'], reason, 'give each route its own name'));
    } else if (name !== undefined) named.set(name, index);
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
function adminFaults(route: Loose, index: number, adminHost: string | undefined): Fault[] {
  if (!adminHost) return [];
  const isList = Array.isArray(route.match);
  const rules = isList ? list(route.match) : [route.match];
  return rules.flatMap((rule, at) => {
    const host = text(object(rule).host);
    if (host === undefined || !sameHost(host, adminHost)) return [];
    const keys = ['routes', index, 'match', ...(isList ? [at] : []), 'host'];
    const reason = `"${host}" is the host of the controls (ADMIN_HOST)`;
    return [faultAt(keys, reason, 'serve the route on another host')];
  });
}
