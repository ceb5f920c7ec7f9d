/**
 * Owns the warnings: what a good document says that will not have the effect its author may expect. A warning never stops a
 * document.
 */

import type { Fault } from '../../result.ts';
import { bearsCredentials } from '../header-rules.ts';
import { pathOf } from '../path.ts';
import { builtInPlans } from '../plan-names.ts';
import type { Config, Route } from '../types.ts';
import { coverageWarnings } from './coverage.ts';
import type { DocumentSurroundings } from './document.ts';
import { type Loose, list, object } from './loose.ts';

/** Keys that are accepted and checked, but that nothing in this version acts on yet. The list shrinks as they are served. */
export const notYetServed: { document: readonly string[]; route: readonly string[] } = {
  document: [],
  route: [],
};

/** Every warning about a good config; `document` is what it was read from. */
export function effectWarnings(config: Config, document: unknown, surroundings: DocumentSurroundings): Fault[] {
  const routes = list(object(document).routes);
  return [
    ...unserved(object(document), [], notYetServed.document),
    ...config.routes.flatMap((route, index) => [
      ...unserved(object(routes[index]), ['routes', index], notYetServed.route),
      ...routeWarnings(route, ['routes', index], surroundings),
      ...experimentWarnings(route, ['routes', index], config.prices),
    ]),
    ...coverageWarnings(config.routes),
  ];
}

function unserved(section: Loose, keys: (string | number)[], unservedKeys: readonly string[]): Fault[] {
  return unservedKeys
    .filter((key) => section[key] !== undefined && section[key] !== false)
    .map((key) => ({
      path: pathOf([...keys, key]),
      reason: `"${key}" is accepted and checked, without effect yet`,
      mend: 'keep it for a later version, or remove it',
    }));
}

function routeWarnings(route: Route, keys: (string | number)[], surroundings: DocumentSurroundings): Fault[] {
  const warnings: Fault[] = [];
  const warn = (at: (string | number)[], reason: string, mend: string) =>
    warnings.push({ path: pathOf([...keys, ...at]), reason, mend });

  if (route.shadows.some((shadow) => shadow.percent > 0) && !route.repeatable.includes('POST')) {
    const mirrored = route.repeatable.length === 0 ? 'no request is' : `only ${route.repeatable.join(', ')} is`;
    warn(
      ['shadows'],
      `${mirrored} mirrored, since "repeatable" has no POST`,
      'add "POST" to "repeatable" if it may be sent twice',
    );
  }
  if (surroundings.secrets?.('COOKIE_SECRET') === false) {
    const mend = 'run: wrangler secret put COOKIE_SECRET';
    if (route.sticky !== false || route.experiment) {
      const at = route.sticky !== false ? 'sticky' : 'experiment';
      warn([at], 'visitors are not pinned without COOKIE_SECRET', mend);
    }
    if (route.outcomes.length > 0) {
      warn(['outcomes'], 'no outcome is taken without COOKIE_SECRET', mend);
    }
  }
  for (const variant of Object.values(route.variants)) {
    for (const [header] of variant.headers) {
      if (!bearsCredentials(header)) continue;
      warn(
        ['variants', variant.name, 'headers'],
        `${header} usually bears a key, and who may read the config reads it`,
        `move it to "secretHeaders" as "Bearer \${KEY_NAME}"`,
      );
    }
  }
  for (const [name, steps] of Object.entries(route.plans)) {
    if (builtInPlans.includes(name))
      warn(['plans', name], `takes the place of the built-in plan "${name}"`, 'rename it');
    const last = steps.findLast((step) => step.weight !== undefined)?.weight;
    if (last !== undefined && last < 100) {
      warn(
        ['plans', name],
        `ends at ${last} %, and promotion would then move the rest at once`,
        'end with a step of "weight": 100',
      );
    }
  }
  route.guardrails.forEach((guardrail, index) => {
    if (guardrail.critical || guardrail.required) return;
    warn(['guardrails', index], 'neither stops a rollout nor is needed to pass', 'make it critical, required or both');
  });
  return [...warnings, ...adminWarnings(route, keys, surroundings.adminHost)];
}

/** Of an experiment, metrics and segments that will have nothing to show. */
function experimentWarnings({ experiment }: Route, keys: (string | number)[], prices: Config['prices']): Fault[] {
  if (experiment === undefined) return [];
  const warnings: Fault[] = [];
  for (const role of ['primary', 'secondary'] as const) {
    const index = experiment[role].indexOf('cost');
    if (index === -1 || Object.keys(prices).length > 0) continue;
    const path = pathOf([...keys, 'experiment', role, index]);
    warnings.push({
      path,
      reason: '"prices" is empty',
      mend: 'give the models their prices',
    });
  }
  return warnings;
}

/** A suffix that takes in the controls' host is no fault: the Worker keeps that host's requests from every route. */
function adminWarnings(route: Route, keys: (string | number)[], adminHost: string | undefined): Fault[] {
  const admin = adminHost?.toLowerCase().replace(/:\d+$/, '');
  if (!admin) return [];
  return route.match.flatMap((rule) =>
    rule.host?.startsWith('*.') && admin.endsWith(rule.host.slice(1))
      ? [
          {
            path: pathOf([...keys, 'match']),
            reason: `"${rule.host}" takes in ${admin}, whose requests go to the controls alone (ADMIN_HOST)`,
            mend: 'nothing, unless the service is to answer there',
          },
        ]
      : [],
  );
}
