/** Owns how a variant that was found good becomes the variant that requests are forwarded to. */

import type { RouteDocument } from '../schema/config.ts';
import type { Origin, Variant } from '../types.ts';

type VariantDocument = RouteDocument['variants'][string];

/** The variant with header names in small letters and its origin told apart. */
export function normaliseVariant(name: string, variant: VariantDocument): Variant {
  return {
    name,
    origin: originOf(variant),
    headers: Object.entries(variant.headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]),
    removeHeaders: (variant.removeHeaders ?? []).map((header) => header.toLowerCase()),
    secretHeaders: Object.entries(variant.secretHeaders ?? {}).map(([header, template]) => ({
      name: header.toLowerCase(),
      template,
    })),
    json: variant.json,
    health: variant.health,
  };
}

/** The origin that a URL or a service binding names. A base path loses its trailing slash. */
export function originOf(named: { url?: string; service?: string }): Origin {
  if (named.service !== undefined) return { kind: 'service', service: named.service };
  return { kind: 'url', url: new URL(named.url ?? '').href.replace(/\/+$/, '') };
}
