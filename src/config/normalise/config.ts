/** Owns how a document that was found good becomes the config that the Worker uses. */

import type { ConfigDocument } from '../schema/config.ts';
import type { Config } from '../types.ts';
import { bare } from './plain.ts';
import { normaliseRoute } from './route.ts';

/** The config with every default filled in. */
export function normaliseConfig(document: ConfigDocument): Config {
  return {
    ...document,
    outcomeOrigins: document.outcomeOrigins.map((origin) => new URL(origin).origin),
    prices: bare(Object.entries(document.prices)),
    routes: document.routes.map(normaliseRoute),
  };
}
