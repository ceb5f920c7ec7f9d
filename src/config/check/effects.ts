/**
 * Owns the warnings: what a good document says that will not have the effect its author may expect. A warning never stops a
 * document.
 */

import type { Fault } from '../../result.ts';
import { hostCovers, withoutPort } from '../address.ts';
import { credentials } from '../header-rules.ts';
import { faultsBelow } from '../path.ts';
import { builtInPlans } from '../plan-names.ts';
import type { Config, Route } from '../types.ts';
import { coverageWarnings } from './coverage.ts';
import type { DocumentSurroundings } from './document.ts';

/** Every warning about a good config. */
export function effectWarnings(config: Config, surroundings: DocumentSurroundings): Fault[] {
  return [
    ...config.routes.flatMap((route, index) => {
      const { faults, fault: warn } = faultsBelow(['routes', index]);
      warnOfRoute(route, warn, surroundings);
      if (Object.keys(config.prices).length === 0) warnOfCost(route, warn);
      warnOfControls(route, warn, surroundings.adminHost);
      return faults;
    }),
    ...coverageWarnings(config.routes),
    ...webhookWarnings(config, surroundings),
  ];
}

function webhookWarnings({ webhooks }: Config, { secrets }: DocumentSurroundings): Fault[] {
  const { faults, fault: warn } = faultsBelow(['webhooks']);
  webhooks.forEach(({ secret }, index) => {
    if (secret && secrets?.(secret) === false)
      warn([index, 'secret'], `the Worker has no ${secret}, so nothing is sent`, `run: wrangler secret put ${secret}`);
  });
  return faults;
}

/** Whether all whole numbers are sure to be as they were written. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isExact);
}

type Warn = ReturnType<typeof faultsBelow>['fault'];

function warnOfRoute(route: Route, warn: Warn, surroundings: DocumentSurroundings): void {
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
    const at = route.outcomes.length > 0 ? 'outcomes' : 'receipts';
    if (at === 'outcomes' || route.receipts)
      warn([at], 'no receipt is given, and no outcome taken, without COOKIE_SECRET', mend);
  }
  const segments = route.experiment?.segments.map(({ name }) => name) ?? [];
  segments.forEach((name, index) => {
    if (segments.indexOf(name) === index) return;
    const at = ['experiment', 'segments', index, 'name'];
    warn(at, `"${name}" is declared twice, and the last one counts`, 'keep one of them');
  });
  for (const variant of Object.values(route.variants)) {
    const host = variant.origin.kind === 'url' ? new URL(variant.origin.url).hostname : '';
    // The platform's documentation, "Known issues". What is on this machine is for trying it.
    if (/^(?!127\.)[\d.]+$|^\[(?!::1\])/.test(host))
      warn(['variants', variant.name, 'url'], 'is an address, which no deployed Worker can call', 'name a host');
    // Error 1042 of the platform's documentation.
    if (host.endsWith('.workers.dev'))
      warn(
        ['variants', variant.name, 'url'],
        'cannot be called by a Worker of the same account',
        'name it by "service"',
      );
    for (const [member, value] of Object.entries(variant.json ?? {})) {
      if (isExact(value)) continue;
      const reason = 'has a whole number beyond 2^53, which may be sent as another';
      warn(['variants', variant.name, 'json', member], reason, 'write it as text');
    }
    for (const [header] of variant.headers) {
      if (!credentials.has(header)) continue;
      warn(
        ['variants', variant.name, 'headers'],
        `${header} usually bears a key, and who may read the config reads it`,
        `move it to "secretHeaders" as "Bearer \${KEY_NAME}"`,
      );
    }
  }
  for (const [name, steps] of Object.entries(route.plans)) {
    if (builtInPlans.includes(name))
      warn(['plans', name], `takes the place of the built-in plan "${name}"`, 'choose another name');
    const end = shortEnd(steps);
    if (end !== null) warn(['plans', name], end, 'end with a step of "weight": 100');
  }
  route.guardrails.forEach((guardrail, index) => {
    if (guardrail.critical || guardrail.required) return;
    warn(['guardrails', index], 'neither stops a rollout nor is needed to pass', 'make it critical, required or both');
  });
}

/** Of an experiment, a metric that will have nothing to show. */
function warnOfCost({ experiment }: Route, warn: Warn): void {
  for (const role of ['primary', 'secondary'] as const) {
    const index = experiment?.[role].indexOf('cost') ?? -1;
    if (index >= 0) warn(['experiment', role, index], '"prices" is empty', 'give the models their prices');
  }
}

/** A suffix that takes in the controls' host is no fault: the Worker keeps that host's requests from every route. */
function warnOfControls({ match }: Route, warn: Warn, adminHost: string | undefined): void {
  const admin = adminHost && withoutPort(adminHost);
  for (const { host } of match) {
    if (!admin || host === null || !hostCovers(host, admin)) continue;
    const reason = `"${host}" takes in ${admin}, where the controls alone answer (ADMIN_HOST)`;
    warn(['match'], reason, 'nothing, unless the service is to answer there');
  }
}

/** What is wrong with a plan that moves traffic and does not end with all of it; null where nothing is. */
export function shortEnd(steps: readonly { weight?: number | undefined }[]): string | null {
  const last = steps.findLast((step) => step.weight !== undefined)?.weight;
  return last === undefined || last === 100
    ? null
    : `ends at ${last} %, and promotion would then move the rest at once`;
}
