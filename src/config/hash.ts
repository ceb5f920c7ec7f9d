/**
 * Owns the fingerprints of the config: of its whole text, and of a route's variants. They tell versions apart; they are no
 * defence against someone who may write the config anyway.
 */

import { isObject } from '../json.ts';
import { murmur3 } from '../split/murmur3.ts';
import type { Route, Variant } from './types.ts';

/** 64 bits of a text, as 16 hexadecimal digits. */
export function contentHash(text: string): string {
  const half = (seed: number) => murmur3(text, seed).toString(16).padStart(8, '0');
  return half(0) + half(0x9747b28c);
}

/**
 * Fingerprint of what a route's variants are: a split made for other variants is not served. Order of keys and defaults
 * written out make no difference, and members that are absent are left out, so that a later version of Headgate with more
 * keys still finds the fingerprint of a split that an earlier one made.
 */
export function variantsHash({ variants }: Pick<Route, 'variants'>, among: object = variants): string {
  const named = Object.values(variants).filter(({ name }) => Object.hasOwn(among, name));
  return contentHash(canonical(Object.fromEntries(named.map((v) => [v.name, definition(v)]))));
}

/** Whether a split was made for these variants. It may have been made before others were added, which changes none of its own. */
export function isFor(split: { variants: string; weights: object }, route: Pick<Route, 'variants'>): boolean {
  return [variantsHash(route), variantsHash(route, split.weights)].includes(split.variants);
}

/** What a variant is, whatever it is called, without what is left to the default. */
export function definition(variant: Variant): Record<string, unknown> {
  const { origin, headers, removeHeaders, secretHeaders, json, health } = variant;
  const where = origin.kind === 'url' ? { url: origin.url } : { service: origin.service };
  const secrets = secretHeaders.map(({ name, template }) => [name, template]);
  return {
    ...where,
    headers: headers.length > 0 ? Object.fromEntries(headers) : undefined,
    removeHeaders: removeHeaders.length > 0 ? removeHeaders.toSorted() : undefined,
    secretHeaders: secrets.length > 0 ? Object.fromEntries(secrets) : undefined,
    json,
    health,
  };
}

/** JSON with sorted keys. The schema bounds the depth. */
function canonical(value: unknown): string {
  const sorted = (_: string, one: unknown) =>
    isObject(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one;
  return JSON.stringify(value, sorted);
}
