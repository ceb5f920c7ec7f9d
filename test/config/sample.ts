/** Owns the small documents that the tests of the config start from, so that each test shows only what it changes. */

import { type ParseOptions, parseConfig } from '../../src/config/parse.ts';
import type { Config, Route } from '../../src/config/types.ts';
import type { Fault } from '../../src/result.ts';

export type Json = Record<string, unknown>;

/** A good route with two variants; members given replace its own. */
export function routeWith(changes: Json = {}): Json {
  return {
    name: 'detect',
    variants: { blue: { url: 'https://blue.example.com' }, green: { url: 'https://green.example.com' } },
    ...changes,
  };
}

/** A route whose variant blue has these members. */
export function variantWith(blue: Json): Json {
  return routeWith({ variants: { blue, green: { url: 'https://green.example.com' } } });
}

export function textOf(...routes: Json[]): string {
  return JSON.stringify({ version: 1, routes });
}

/** The faults of a text; none when it is good. */
export function faultsOf(text: string, options: Partial<ParseOptions> = {}): Fault[] {
  const parsed = parseConfig(text, { unknownKeys: 'fault', ...options });
  return parsed.ok ? [] : parsed.error;
}

/** The warnings of a good text; throws when it is not good. */
export function warningsOf(text: string, options: Partial<ParseOptions> = {}): Fault[] {
  const parsed = parseConfig(text, { unknownKeys: 'fault', ...options });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.warnings;
}

export function configOf(text: string): Config {
  const parsed = parseConfig(text, { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value.config;
}

/** The normalised form of a route. */
export function routeOf(route: Json): Route {
  return configOf(textOf(route)).routes[0]!;
}
