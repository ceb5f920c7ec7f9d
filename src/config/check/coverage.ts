/** Owns the question which routes can never be reached, because an earlier rule takes everything that theirs would match. */

import type { Fault } from '../../result.ts';
import { hostCovers } from '../address.ts';
import { faultAt } from '../path.ts';
import type { MatchRule, Route } from '../types.ts';

/** A warning for each route whose every rule is covered by one rule of an earlier route. Two rules together are not tried. */
export function coverageWarnings(routes: readonly Route[]): Fault[] {
  const earlier = new Map<string, { rule: MatchRule; route: string }>();
  const warnings: Fault[] = [];
  routes.forEach((route, index) => {
    const coveredBy = route.match.map((rule) => coverOf(rule, earlier));
    if (coveredBy.every((name) => name !== null)) {
      const names = [...new Set(coveredBy)].map((name) => `"${name}"`).join(' and ');
      const reason = `"${route.name}" can never match: ${names}, earlier in the list, takes all of its requests`;
      const mend = `move "${route.name}" before ${names}, or narrow their rules`;
      warnings.push(faultAt(['routes', index, 'match'], reason, mend));
    }
    // Rules that are spelled alike cover alike, so each is kept once: a long list of equal rules stays cheap.
    for (const rule of route.match) {
      const spelled = JSON.stringify(rule);
      if (!earlier.has(spelled)) earlier.set(spelled, { rule, route: route.name });
    }
  });
  return warnings;
}

function coverOf(rule: MatchRule, earlier: ReadonlyMap<string, { rule: MatchRule; route: string }>): string | null {
  for (const entry of earlier.values()) if (covers(entry.rule, rule)) return entry.route;
  return null;
}

/** Whether every request that `narrow` matches is matched by `wide`. */
export function covers(wide: MatchRule, narrow: MatchRule): boolean {
  return hostCovers(wide.host, narrow.host) && pathCovers(wide.path, narrow.path) && headersCover(wide, narrow);
}

function pathCovers(wide: string | null, narrow: string | null): boolean {
  if (wide === null || wide === '/*') return true;
  if (narrow === null) return false;
  return wide === narrow || (wide.endsWith('*') && narrow.startsWith(wide.slice(0, -1)));
}

function headersCover(wide: MatchRule, narrow: MatchRule): boolean {
  return wide.headers.every(({ name, values }) =>
    narrow.headers.some((header) => header.name === name && header.values.every((value) => values.includes(value))),
  );
}
