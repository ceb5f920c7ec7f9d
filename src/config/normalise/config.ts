/** Owns how a document that was found good becomes the config that the Worker uses. */

import { definition } from '../hash.ts';
import type { ConfigDocument } from '../schema/config.ts';
import type { Config, Route, Variant } from '../types.ts';
import { bare } from './plain.ts';
import { normaliseRoute } from './route.ts';

/** The config with every default filled in. */
export function normaliseConfig(document: ConfigDocument): Config {
  return {
    ...document,
    outcomeOrigins: document.outcomeOrigins.map((origin) => new URL(origin).origin),
    prices: bare(Object.entries(document.prices)),
    routes: markShared(document.routes.map(normaliseRoute)),
  };
}

/**
 * Marks the URLs that variants share, by one origin for all who have it. In a route variants are told apart by their name at least; in two
 * routes by what is changed for them, or else they are one service that two routes lead to.
 */
function markShared(routes: Route[]): Route[] {
  const known: Record<string, Variant> = {};
  // How it is probed changes nothing for those who come.
  const changes = (variant: Variant) => JSON.stringify({ ...definition(variant), health: 0 });
  for (const { variants } of routes) {
    for (const variant of Object.values(variants)) {
      const { url } = variant.origin as { url?: string };
      if (!url) continue; // a service binding, before which there is no cache
      const last = known[url];
      known[url] = variant;
      if (!last) continue;
      variant.origin = last.origin;
      last.origin.isShared ||= variants[last.name] === last || changes(last) !== changes(variant);
    }
  }
  return routes;
}
